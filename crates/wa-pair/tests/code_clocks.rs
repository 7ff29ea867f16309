//! A code has clocks of its own, and the connection stays open as long as one runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{
    REF, accepted, blind_hello, compute, hello, primary_hello, with_code, with_code_of,
};
use support::{names, pair_device, persisted};
use wa_pair::{CodeEnd, Handled, PairConfig, PairOutput, PairTimings};

fn ended(outputs: &[PairOutput]) -> Option<&CodeEnd> {
    outputs.iter().find_map(|output| match output {
        PairOutput::CodeEnded(end) => Some(end),
        _ => None,
    })
}

#[test]
fn a_code_lives_for_180_seconds_and_refs_that_run_out_do_not_end_it() {
    let (mut rig, _) = with_code(6);
    for second in [60, 80, 100, 120, 140] {
        assert_eq!(names(&rig.at(second)), ["qr"]);
    }
    assert_eq!(names(&rig.at(160)), ["qr-expired"]);
    assert_eq!(rig.next_timeout(), Some(180));
    assert!(rig.at(179).is_empty());
    let outputs = rig.at(180);
    assert_eq!(names(&outputs), ["code-ended", "exhausted"]);
    assert_eq!(ended(&outputs), Some(&CodeEnd::Expired));
    assert_eq!(persisted(&outputs), None, "nobody derived anything from it");
}

#[test]
fn a_code_that_expires_leaves_the_qr_code() {
    let (mut rig, _) = with_code(12);
    let outputs: Vec<_> = (60..280).flat_map(|second| rig.at(second)).collect();
    assert_eq!(ended(&outputs), Some(&CodeEnd::Expired));
    assert!(!names(&outputs).contains(&"exhausted"));
    assert_eq!(names(&rig.at(280)), ["qr-expired", "exhausted"]);
}

#[test]
fn a_code_typed_in_its_last_second_has_the_watchdogs_time() {
    let (mut rig, _) = with_code(1);
    rig.at(60);
    rig.set(179);
    assert_eq!(names(&rig.stanza(&blind_hello("1"))), ["send", "compute"]);
    assert_eq!(rig.next_timeout(), Some(239));
    assert!(rig.at(238).is_empty());
    let outputs = rig.at(239);
    assert_eq!(names(&outputs), ["code-ended", "persist-adv", "exhausted"]);
    assert_eq!(ended(&outputs), Some(&CodeEnd::NoPairSuccess));
}

#[test]
fn a_primary_hello_is_taken_up_to_the_bound_and_not_after_it() {
    for (seconds, taken) in [(180, true), (181, false)] {
        let (mut rig, _) = with_code(1);
        rig.set(seconds);
        let outputs = rig.stanza(&blind_hello("1"));
        assert_eq!(names(&outputs).contains(&"compute"), taken, "{seconds}");
    }
}

#[test]
fn the_watchdog_retires_the_code_and_its_secret_and_redraws_the_qr_code() {
    let (mut rig, _) = with_code(6);
    rig.set(10);
    let outputs = rig.stanza(&blind_hello("1"));
    let derived = persisted(&compute(&mut rig, outputs)).unwrap();
    assert_eq!(names(&rig.at(60)), ["qr"]);
    assert!(rig.at(69).is_empty());
    let outputs = rig.at(70);
    assert_eq!(names(&outputs), ["code-ended", "persist-adv", "qr"]);
    assert_eq!(ended(&outputs), Some(&CodeEnd::NoPairSuccess));
    let (reference, _, ttl, shown) = support::facts(support::codes(&outputs)[0]);
    assert_eq!((reference.as_str(), ttl), ("2@ref1", 10));
    assert_eq!(Some(shown), persisted(&outputs));
    assert_ne!(shown, derived);
}

#[test]
fn every_primary_hello_starts_the_watchdog_again() {
    let (mut rig, _) = with_code(1);
    rig.at(60);
    for second in [70, 120, 170] {
        rig.set(second);
        let key = [u8::try_from(second).unwrap(); 80];
        rig.stanza(&primary_hello("1", REF, &key, &[9; 32]));
        assert_eq!(rig.next_timeout(), Some(second + 60));
    }
    assert_eq!(
        names(&rig.at(230)),
        ["code-ended", "persist-adv", "exhausted"]
    );
}

#[test]
fn a_late_driver_ends_everything_once() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.at(10_000);
    assert_eq!(names(&outputs), ["qr-expired", "code-ended", "exhausted"]);
    assert!(rig.at(20_000).is_empty());
}

#[test]
fn a_new_pair_device_leaves_the_code_alone() {
    let (mut rig, _) = with_code(6);
    rig.set(100);
    assert_eq!(rig.feed(&pair_device("2", 6, "new")), Handled::Yes);
    assert_eq!(names(&rig.drain()), ["send", "qr"]);
    assert_eq!(names(&rig.stanza(&blind_hello("1"))), ["send", "compute"]);
}

#[test]
fn the_timings_are_the_ones_given() {
    let config = PairConfig {
        timings: PairTimings {
            code: std::time::Duration::from_secs(7),
            after_primary_hello: std::time::Duration::from_secs(3),
            ..PairTimings::default()
        },
        ..PairConfig::default()
    };
    let (mut rig, _) = with_code_of(config.clone(), 6);
    assert!(rig.at(6).is_empty());
    assert_eq!(names(&rig.at(7)), ["code-ended"]);
    let (mut rig, _) = with_code_of(config, 6);
    rig.stanza(&blind_hello("1"));
    assert_eq!(rig.next_timeout(), Some(3));
}

#[test]
fn a_code_can_follow_the_one_that_expired() {
    let (mut rig, _) = with_code(32);
    rig.at(180);
    let (request, _) = hello(&mut rig, "ZZZZ9999");
    assert_eq!(names(&rig.result(request, accepted(REF))), ["code"]);
}
