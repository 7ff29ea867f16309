//! Every scenario of the simulator ends where it must.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod world;

use wa_core::Command;
use wa_sim::{Scenario, Story, scenarios};
use world::{Universe, secs, told};

/// No scenario needs more: the longest wait is that for codes nobody scans.
const PATIENCE: u64 = 900;
/// After this time the user tries again, where it is the user who tries again.
const AGAIN: u64 = 90;

fn begin(scenario: &Scenario) -> Universe {
    let mut all = match scenario.story {
        Story::Login => Universe::linked(),
        Story::Passkey | Story::CodeAndPasskey => Universe::guarded(),
        _ => Universe::new(),
    };
    all.scans_codes = matches!(scenario.story, Story::Link | Story::Passkey | Story::Login);
    assert!(all.world.inject_script(&scenario.script().unwrap()));
    go_on(&mut all, scenario.story);
    all
}

/// What the user does when nothing is on the way.
fn go_on(all: &mut Universe, story: Story) {
    if matches!(story, Story::Code | Story::CodeAndPasskey) {
        all.ask_for_code();
    } else {
        all.command(Command::Start);
    }
}

/// Linking by code and by passkey is tried again by the user, who has been told what went wrong.
fn is_tried_again(story: Story) -> bool {
    matches!(story, Story::Code | Story::Passkey | Story::CodeAndPasskey)
}

/// All that was told, and whether that is all that must be.
fn tells(all: &Universe, scenario: &Scenario) -> (Vec<String>, bool) {
    let said: Vec<String> = all.events.iter().filter_map(told).collect();
    let complete = scenario
        .tells
        .iter()
        .all(|wanted| said.iter().any(|said| said.contains(wanted)));
    (said, complete)
}

fn has_struck(all: &Universe) -> bool {
    let left = all.world.faults().iter().all(|rule| rule.times.is_none());
    left && all.world.untouched_faults().next().is_none()
}

fn run(scenario: &Scenario) -> Result<(), String> {
    let mut all = begin(scenario);
    let is_over =
        |all: &Universe| has_struck(all) && all.state() == scenario.ends && tells(all, scenario).1;
    let mut over = false;
    let mut waited = 0;
    while !over && waited < PATIENCE {
        over = all.advance_until(secs(AGAIN), is_over);
        waited += AGAIN;
        if !over && is_tried_again(scenario.story) {
            go_on(&mut all, scenario.story);
        }
    }
    let describe = |all: &Universe, what: &str| {
        Err(format!(
            "{}: {what}: state {}, told {:?}, faults {:?}, remarks {:?}",
            scenario.name,
            all.state(),
            tells(all, scenario).0,
            all.world.faults(),
            all.remarks(),
        ))
    };
    if !over {
        return describe(&all, "did not end where it must");
    }
    all.advance(secs(5));
    if all.state() != scenario.ends {
        return describe(&all, "did not stay where it was");
    }
    // The two sides agree on whether there is a link, and a companion that is online owes nothing.
    let devices = all.devices();
    match scenario.ends {
        "online" => {
            let [(_, prekeys, waiting)] = devices[..] else {
                return describe(&all, "not one device");
            };
            if !all.holds_a_link() || prekeys < 5 || waiting > 0 {
                return describe(
                    &all,
                    &format!("{prekeys} prekeys, {waiting} unacknowledged"),
                );
            }
        }
        "logged_out" if all.holds_a_link() => return describe(&all, "the link is still stored"),
        "conflict" | "restricted" | "outdated" if !all.holds_a_link() => {
            return describe(&all, "the link is lost");
        }
        _ => {}
    }
    let mut allowed = vec![
        "no ack in time",
        "login of an unknown device",
        "the companion refused the link",
    ];
    if scenario.faults.contains("duplicate") {
        allowed.push("an ack of nothing that waits for one");
    }
    if let Some(remark) = all
        .remarks()
        .iter()
        .find(|remark| !allowed.iter().any(|allowed| remark.contains(allowed)))
    {
        return describe(&all, remark);
    }
    Ok(())
}

fn run_all(of: impl Fn(Story) -> bool) {
    let wanted = scenarios().filter(|scenario| of(scenario.story));
    let failures: Vec<String> = wanted.filter_map(|scenario| run(scenario).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn links_by_qr_code_end_where_they_must() {
    run_all(|story| matches!(story, Story::Link | Story::Unscanned));
}

#[test]
fn links_by_code_and_by_passkey_end_where_they_must() {
    run_all(is_tried_again);
}

#[test]
fn logins_end_where_they_must() {
    run_all(|story| story == Story::Login);
}
