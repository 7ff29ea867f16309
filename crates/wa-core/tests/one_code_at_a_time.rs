#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CodeEnd, Command, CommandError, Event, OpOutcome};

#[test]
fn a_second_code_is_refused_with_the_time_the_first_has_left() {
    let (mut rig, code) = Rig::showing_code();
    rig.advance(secs(50));
    let second = rig.ask_for_code();
    let remaining_ms = 130_000;
    let outstanding = CommandError::CodeOutstanding { remaining_ms };
    assert!(outstanding.to_string().contains("130 s"), "{outstanding}");
    assert_eq!(rig.result(second), Some(Err(outstanding)));
    assert_eq!(rig.code().as_ref(), Some(&code), "the first is untouched");
    assert_eq!(rig.service.requests("link_code_companion_reg").len(), 1);
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn once_it_is_cancelled_another_can_be_asked_for() {
    let (mut rig, first) = Rig::showing_code();
    let cancel = rig.command(Command::CancelPairingCode);
    assert_eq!(
        rig.result(cancel),
        Some(Ok(OpOutcome::PairingCodeCancelled))
    );
    let end = rig.heard(|event| match event {
        Event::PairingCodeEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!(end, CodeEnd::Cancelled);
    rig.ask_for_code();
    let second = rig.code().expect("another code");
    assert_ne!(first, second);
    rig.type_in(&second);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_code_that_is_cancelled_while_it_is_asked_for_was_never_on_show() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.service.fail(Point::CompanionHello, Fault::Silent, 1);
    let op = rig.ask_for_code();
    let cancel = rig.command(Command::CancelPairingCode);
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::CodeEnded(CodeEnd::Cancelled)))
    );
    assert_eq!(
        rig.result(cancel),
        Some(Ok(OpOutcome::PairingCodeCancelled))
    );
    let told = |event: &Event| matches!(event, Event::PairingCodeEnded(_));
    assert!(!rig.events.iter().any(told));
    rig.advance(secs(31));
    assert_eq!(
        rig.state(),
        "awaiting_pairing",
        "the late timeout finds nobody"
    );
}

#[test]
fn without_a_code_there_is_nothing_to_cancel() {
    let mut rig = Rig::new();
    for state in ["idle", "awaiting_pairing"] {
        assert_eq!(rig.state(), state);
        let op = rig.command(Command::CancelPairingCode);
        assert_eq!(rig.result(op), Some(Err(CommandError::NoPairingCode)));
        rig.command(Command::Start);
    }
    rig.scan();
    let op = rig.command(Command::CancelPairingCode);
    assert_eq!(rig.result(op), Some(Err(CommandError::NoPairingCode)));
}
