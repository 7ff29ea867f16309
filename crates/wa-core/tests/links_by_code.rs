#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{NUMBER, Rig, states};
use wa_core::{Command, CommandError, Event, OpOutcome};
use wa_proto::Node;

#[test]
fn a_device_links_by_a_code_typed_on_the_phone() {
    let (mut rig, code) = Rig::showing_code();
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
    let mut names = states(&rig.events);
    names.dedup();
    assert_eq!(names, ["starting", "awaiting_pairing", "linking", "online"]);
    assert_eq!(
        rig.service.linked[&48].identity,
        rig.engine_identity(),
        "the phone and the store agree on the key"
    );
    assert_eq!(rig.opens.len(), 2, "one to link, one to log in");
}

#[test]
fn the_code_is_told_only_after_the_server_has_accepted_it() {
    let mut rig = Rig::new();
    rig.hold_jobs = true;
    let op = rig.ask_for_code();
    assert_eq!(
        (rig.code(), rig.result(op)),
        (None, None),
        "nothing is sent yet"
    );
    assert!(rig.service.requests("link_code_companion_reg").is_empty());
    rig.hold_jobs = false;
    rig.run_jobs();
    let code = rig.code().expect("a code");
    let Some(Ok(OpOutcome::PairingCode {
        code: answer,
        expires_at_unix_ms,
    })) = rig.result(op)
    else {
        panic!("{:?}", rig.result(op));
    };
    assert_eq!(answer.expose(), code);
    assert_eq!(expires_at_unix_ms, rig.now.unix_ms + 180_000);
    let told = rig.heard(|event| match event {
        Event::PairingCode {
            ttl,
            expires_at_unix_ms,
            ..
        } => Some((ttl.as_secs(), *expires_at_unix_ms)),
        _ => None,
    });
    assert_eq!(told, (180, expires_at_unix_ms));
}

#[test]
fn the_request_says_what_the_server_wants_to_hear() {
    let mut rig = Rig::new();
    rig.ask_for_custom_code("abcd-1234");
    assert_eq!(rig.code().as_deref(), Some("ABCD1234"));
    let requests = rig.service.requests("link_code_companion_reg");
    let [iq] = requests[..] else {
        panic!("one request")
    };
    let hello = iq.get_child("link_code_companion_reg").unwrap();
    let text = |node: &Node, name: &str| node.get_text(name).unwrap().into_owned();
    assert_eq!(text(iq, "type"), "set");
    assert_eq!(text(iq, "xmlns"), "md");
    assert_eq!(text(hello, "stage"), "companion_hello");
    assert_eq!(text(hello, "jid"), format!("{NUMBER}@s.whatsapp.net"));
    assert_eq!(text(hello, "should_show_push_notification"), "false");
    rig.type_in("ABCD-1234");
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_start_that_runs_beside_it_is_done_when_online() {
    let mut rig = Rig::new();
    let start = rig.command(Command::Start);
    rig.ask_for_code();
    let code = rig.code().unwrap();
    rig.type_in(&code);
    assert_eq!(rig.result(start), Some(Ok(OpOutcome::Online)));
    let ended = |event: &Event| matches!(event, Event::PairingCodeEnded(_));
    assert!(!rig.events.iter().any(ended), "it was used, it did not end");
}

#[test]
fn a_linked_device_needs_no_code() {
    let mut rig = Rig::online();
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), Some(Err(CommandError::AlreadyLinked)));
    rig.command(Command::Stop);
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), Some(Err(CommandError::AlreadyLinked)));
    assert_eq!(rig.state(), "stopped");
    rig.restart();
    rig.events.clear();
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), Some(Err(CommandError::AlreadyLinked)));
    assert_eq!(rig.state(), "stopped", "nothing was started");
}

#[test]
fn the_secret_is_durable_before_the_phone_can_learn_it() {
    use support::Done;
    let (mut rig, code) = Rig::showing_code();
    rig.service.ceremonies.after_code = support::AfterCode::Nothing;
    rig.log.clear();
    rig.type_in(&code);
    let place = |wanted: fn(&Done) -> bool| rig.log.iter().rposition(wanted);
    let persist = place(|done| matches!(done, Done::Persist(_))).expect("a commit");
    let finish = place(|done| matches!(done, Done::Transmit)).expect("companion_finish");
    assert!(persist < finish);
    assert_eq!(
        rig.log[0],
        Done::Transmit,
        "the ack waits for no computation"
    );
    assert_eq!(rig.log[1], Done::Compute);
}
