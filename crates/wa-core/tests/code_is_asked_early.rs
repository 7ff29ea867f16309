#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{CloseCause, Command, CommandError, DisconnectReason, OpOutcome};

fn is_code(result: Option<Result<OpOutcome, CommandError>>) -> bool {
    matches!(result, Some(Ok(OpOutcome::PairingCode { .. })))
}

#[test]
fn at_rest_it_starts_the_engine() {
    let mut rig = Rig::new();
    let op = rig.ask_for_code();
    assert!(is_code(rig.result(op)));
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(rig.store.desired, Some(wa_core::Desired::Run));
}

#[test]
fn it_waits_for_the_offer_of_the_server() {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairDevice, Fault::Silent, 1);
    let op = rig.ask_for_code();
    rig.advance(secs(15));
    assert_eq!((rig.state(), rig.result(op)), ("starting", None));
    assert!(rig.service.requests("link_code_companion_reg").is_empty());
    let refs = wa_proto::Node::new("pair-device")
        .child(wa_proto::Node::new("ref").bytes(b"2@late".to_vec()));
    rig.serve(
        &wa_proto::Node::new("iq")
            .attr("from", wa_proto::Jid::server_jid())
            .attr("type", "set")
            .attr("id", "1")
            .child(refs),
    );
    assert!(is_code(rig.result(op)));
}

#[test]
fn a_request_while_dialling_waits_too() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Hello, Fault::Silent, 1);
    rig.command(Command::Start);
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), None);
    rig.advance(secs(25));
    assert!(is_code(rig.result(op)), "no connection had come to be");
    assert_eq!(rig.opens.len(), 2);
}

#[test]
fn a_request_between_two_attempts_ends_the_pause() {
    let mut rig = Rig::new();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "reconnecting");
    let op = rig.ask_for_code();
    assert!(is_code(rig.result(op)));
}

#[test]
fn an_offer_that_does_not_come_fails_it() {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairDevice, Fault::Silent, 1);
    let op = rig.ask_for_code();
    rig.advance(secs(20));
    assert_eq!(rig.state(), "reconnecting");
    assert!(matches!(
        rig.result(op),
        Some(Err(CommandError::ConnectionEnded(
            DisconnectReason::TimedOut(_)
        )))
    ));
    rig.advance(secs(5));
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(rig.code(), None, "it is not asked for again by itself");
}

#[test]
fn a_connection_that_ends_first_fails_it() {
    for cause in [
        CloseCause::Peer { code: Some(1000) },
        CloseCause::Network("reset".to_owned()),
    ] {
        let mut rig = Rig::new();
        rig.command(Command::Start);
        rig.service.fail(Point::CompanionHello, Fault::Silent, 1);
        let op = rig.ask_for_code();
        rig.drop_connection(cause.clone());
        let ended = CommandError::ConnectionEnded(cause.into());
        assert_eq!(rig.result(op), Some(Err(ended)));
        rig.advance(secs(5));
        assert_eq!(rig.state(), "awaiting_pairing");
        assert!(is_code({
            let op = rig.ask_for_code();
            rig.result(op)
        }));
    }
}

#[test]
fn attempts_that_lead_nowhere_fail_it_in_the_end() {
    let mut rig = Rig::new();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), 100);
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), None);
    rig.advance(secs(3600));
    assert_eq!(rig.state(), "failed");
    assert!(matches!(rig.result(op), Some(Err(CommandError::Failed(_)))));
}

#[test]
fn a_stop_fails_it() {
    for point in [
        Point::Open,
        Point::Hello,
        Point::PairDevice,
        Point::CompanionHello,
    ] {
        let mut rig = Rig::new();
        rig.service.fail(point, Fault::Silent, 1);
        let op = rig.ask_for_code();
        assert_eq!(rig.result(op), None, "{point:?}");
        rig.command(Command::Stop);
        assert_eq!(
            rig.result(op),
            Some(Err(CommandError::Stopped)),
            "{point:?}"
        );
        assert_eq!(rig.state(), "idle");
        rig.advance(secs(600));
        assert_eq!(rig.opens.len(), 1);
    }
}

#[test]
fn a_store_that_fails_fails_it() {
    let mut rig = Rig::new();
    rig.refuse_commits = true;
    let op = rig.ask_for_code();
    assert_eq!(rig.state(), "failed");
    assert!(matches!(rig.result(op), Some(Err(CommandError::Failed(_)))));
    rig.refuse_commits = false;
    rig.events.clear();
    let op = rig.ask_for_code();
    assert!(
        is_code(rig.result(op)),
        "the store was read again, and then asked"
    );
}

#[test]
fn a_link_found_in_the_store_answers_it() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.refuse_commit = Some(rig.store.commits + 2);
    rig.scan();
    assert_eq!(rig.state(), "failed", "the first login cannot be stored");
    rig.refuse_commit = None;
    rig.events.clear();
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), Some(Err(CommandError::AlreadyLinked)));
    assert_eq!(rig.state(), "stopped");
}

#[test]
fn a_second_request_is_told_that_one_is_outstanding() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Hello, Fault::Silent, 1);
    rig.ask_for_code();
    let second = rig.ask_for_code();
    let remaining_ms = 180_000;
    assert_eq!(
        rig.result(second),
        Some(Err(CommandError::CodeOutstanding { remaining_ms }))
    );
}

#[test]
fn it_can_be_cancelled_before_it_was_asked() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Hello, Fault::Silent, 1);
    let op = rig.ask_for_code();
    let cancel = rig.command(Command::CancelPairingCode);
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::CodeEnded(wa_core::CodeEnd::Cancelled)))
    );
    assert_eq!(
        rig.result(cancel),
        Some(Ok(OpOutcome::PairingCodeCancelled))
    );
    rig.advance(secs(25));
    assert_eq!((rig.state(), rig.code()), ("awaiting_pairing", None));
}
