#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{
    CloseCause, Command, CommandError, Event, Handoff, OpOutcome, PairStep, PasskeyEnd,
    PasskeyStage,
};

/// A ceremony that waits for the assertion.
fn asked() -> Rig {
    let mut rig = Rig::with(|config| config.handoff = Handoff::Withhold);
    rig.command(Command::Start);
    rig.scan_for_passkey();
    assert_eq!(rig.state(), "awaiting_passkey");
    rig
}

fn end(rig: &Rig) -> PasskeyEnd {
    rig.heard(|event| match event {
        Event::PasskeyEnded(end) => Some(end.clone()),
        _ => None,
    })
}

#[test]
fn the_user_sees_another_code_on_the_phone_and_refuses() {
    let mut rig = asked();
    rig.respond();
    let op = rig.command(Command::ConfirmPasskey(false));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::PasskeyConfirmationSent)));
    assert_eq!(end(&rig), PasskeyEnd::Refused);
    assert!(rig.service.requests("encrypted_pairing_request").is_empty());
    assert_eq!(
        rig.state(),
        "awaiting_pairing",
        "the connection can be used on"
    );
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_challenge_can_be_refused_too() {
    let mut rig = asked();
    rig.command(Command::ConfirmPasskey(false));
    assert_eq!(end(&rig), PasskeyEnd::Refused);
}

#[test]
fn an_owner_without_the_key_runs_out_of_time() {
    let mut rig = asked();
    rig.advance(secs(599));
    assert_eq!(rig.state(), "awaiting_passkey");
    rig.advance(secs(1));
    let stage = PasskeyStage::Assertion;
    assert_eq!(end(&rig), PasskeyEnd::TimedOut { stage });
    assert_eq!(rig.state(), "pairing_expired", "the refs are long gone");
}

#[test]
fn what_the_server_refuses_is_told_with_its_step() {
    for (point, step) in [
        (Point::PasskeyOptions, PairStep::PasskeyOptions),
        (Point::PasskeyRef, PairStep::PasskeyRef),
        (Point::PasskeyPrologue, PairStep::PasskeyPrologue),
        (Point::PasskeyNonce, PairStep::PasskeyNonce),
        (Point::PasskeyRequest, PairStep::PasskeyPairingRequest),
    ] {
        let mut rig = Rig::new();
        rig.service
            .fail(point, Fault::Refusal(403, "forbidden", None), 1);
        rig.command(Command::Start);
        rig.scan_for_passkey();
        rig.respond();
        let refused = PasskeyEnd::RequestRefused {
            step,
            code: Some(403),
            text: Some("forbidden".to_owned()),
        };
        assert_eq!(end(&rig), refused);
        assert_eq!(rig.state(), "awaiting_pairing");
        rig.scan();
        assert_eq!(rig.state(), "online", "{point:?}");
    }
}

#[test]
fn a_request_without_an_answer_ends_it_in_its_time() {
    let mut rig = asked();
    rig.service.fail(Point::PasskeyPrologue, Fault::Silent, 1);
    rig.respond();
    rig.advance(secs(30));
    let stage = PasskeyStage::Prologue;
    assert_eq!(end(&rig), PasskeyEnd::TimedOut { stage });
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn a_lost_connection_ends_it_and_is_dialled_again() {
    for cause in [
        CloseCause::Peer { code: Some(1000) },
        CloseCause::Network("reset".to_owned()),
    ] {
        let mut rig = asked();
        rig.advance(secs(200));
        rig.drop_connection(cause);
        assert_eq!(end(&rig), PasskeyEnd::ConnectionEnded);
        assert_eq!(
            rig.state(),
            "reconnecting",
            "no expiry: a ceremony was live"
        );
        rig.advance(secs(5));
        rig.scan();
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_stop_ends_it() {
    let mut rig = asked();
    rig.command(Command::Stop);
    assert_eq!(end(&rig), PasskeyEnd::ConnectionEnded);
    assert_eq!(rig.state(), "idle");
}

#[test]
fn answers_that_nobody_awaits_are_refused() {
    let answers = || {
        [
            Command::RespondPasskey(Rig::assertion()),
            Command::ConfirmPasskey(true),
            Command::ConfirmPasskey(false),
        ]
    };
    let mut rig = Rig::new();
    for state in ["idle", "awaiting_pairing", "online"] {
        assert_eq!(rig.state(), state);
        for answer in answers() {
            let op = rig.command(answer);
            assert_eq!(rig.result(op), Some(Err(CommandError::NoPasskeyAsked)));
        }
        if state == "idle" {
            rig.command(Command::Start);
        } else if state == "awaiting_pairing" {
            rig.scan();
        }
    }
    let mut rig = asked();
    let early = rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.result(early), Some(Err(CommandError::NoPasskeyAsked)));
    rig.respond();
    let twice = rig.respond();
    assert_eq!(rig.result(twice), Some(Err(CommandError::NoPasskeyAsked)));
}

#[test]
fn during_a_ceremony_no_code_can_be_asked_for() {
    let mut rig = asked();
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), Some(Err(CommandError::NotNow)));
}
