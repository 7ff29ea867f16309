#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::{Fault, Point, Rig, secs};
use wa_core::{CodeRefusal, CodeRefusalKind, Command, CommandError, Event, OpOutcome};

fn refused(fault: Fault) -> (Rig, CodeRefusal) {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.service.fail(Point::CompanionHello, fault, 1);
    let op = rig.ask_for_code();
    match rig.result(op) {
        Some(Err(CommandError::CodeRefused(refusal))) => (rig, refusal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_refusal_has_its_type() {
    for (code, text, kind) in [
        (400, "bad-request", CodeRefusalKind::BadRequest),
        (403, "forbidden", CodeRefusalKind::Forbidden),
        (429, "rate-overlimit", CodeRefusalKind::RateLimited),
        (452, "feature-not-available", CodeRefusalKind::NotAvailable),
        (500, "internal-server-error", CodeRefusalKind::Server),
        (
            429,
            "bad-request",
            CodeRefusalKind::Unclassified { code: Some(429) },
        ),
    ] {
        let (mut rig, refusal) = refused(Fault::Refusal(code, text, None));
        assert_eq!(refusal.kind, kind);
        assert_eq!(refusal.backoff, None);
        let told = |event: &Event| {
            matches!(
                event,
                Event::PairingCode { .. } | Event::PairingCodeEnded(_)
            )
        };
        assert!(!rig.events.iter().any(told), "no code was ever on show");
        assert_eq!(
            rig.state(),
            "awaiting_pairing",
            "the QR code stays on offer"
        );
        rig.scan();
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn the_server_says_how_long_to_wait() {
    let (_, refusal) = refused(Fault::Refusal(429, "rate-overlimit", Some(90)));
    assert_eq!(refusal.backoff, Some(secs(90)));
}

#[test]
fn a_refusal_says_what_can_be_done_and_not_what_the_code_was() {
    let (rig, refusal) = refused(Fault::Refusal(452, "feature-not-available", None));
    let text = CommandError::CodeRefused(refusal).to_string();
    assert!(text.contains("QR"), "{text}");
    assert!(!text.contains(&support::NUMBER.to_string()));
    drop(rig);
}

#[test]
fn after_a_refusal_it_can_be_asked_again() {
    let (mut rig, _) = refused(Fault::Refusal(400, "bad-request", None));
    let op = rig.ask_for_code();
    assert!(matches!(
        rig.result(op),
        Some(Ok(OpOutcome::PairingCode { .. }))
    ));
    let code = rig.code().unwrap();
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn no_answer_is_a_refusal_in_its_time() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.service.fail(Point::CompanionHello, Fault::Silent, 1);
    let op = rig.ask_for_code();
    rig.advance(secs(30) - Duration::from_millis(1));
    assert_eq!(rig.result(op), None);
    rig.advance(Duration::from_millis(1));
    let Some(Err(CommandError::CodeRefused(refusal))) = rig.result(op) else {
        panic!("{:?}", rig.result(op));
    };
    assert_eq!(refusal.kind, CodeRefusalKind::NoAnswer);
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(
        rig.opens.len(),
        1,
        "one answer that is missing ends no connection"
    );
}

#[test]
fn a_refused_bundle_ends_the_code() {
    let (mut rig, code) = Rig::showing_code();
    rig.service.fail(
        Point::CompanionFinish,
        Fault::Refusal(400, "bad-request", None),
        1,
    );
    rig.type_in(&code);
    let end = rig.heard(|event| match event {
        Event::PairingCodeEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!(end, wa_core::CodeEnd::FinishRefused { code: Some(400) });
    rig.scan();
    assert_eq!(
        rig.state(),
        "online",
        "the QR code on show has the new secret"
    );
}
