#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, CommandError, Event, LogoutReason, OpOutcome};
use wa_proto::Node;

#[test]
fn the_restart_is_never_told_as_a_failure() {
    let rig = Rig::online_then(|_| {});
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Disconnected { .. } | Event::PairingFailed(_)))
    );
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.opens[0], rig.opens[1], "at once");
}

#[test]
fn a_close_without_the_stanza_means_the_same() {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairSign, Fault::Close, 1);
    let op = rig.pair();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_no_disconnect(&rig);
}

#[test]
fn a_stream_that_ends_in_order_means_the_same() {
    let mut rig = Rig::new();
    let end = vec![Node::new("xmlstreamend")];
    rig.service.fail(Point::PairSign, Fault::Stanzas(end), 1);
    let op = rig.pair();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_no_disconnect(&rig);
}

#[test]
fn silence_is_waited_for_ten_seconds() {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairSign, Fault::Silent, 1);
    let op = rig.pair();
    assert_eq!(rig.state(), "linking");
    rig.advance(secs(9));
    assert_eq!(rig.opens.len(), 1);
    rig.advance(secs(1));
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_no_disconnect(&rig);
}

#[test]
fn a_success_while_unpaired_means_nothing() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.serve(&Node::new("success").attr("t", "1787184000"));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_removal_within_a_minute_of_pairing_has_its_own_reason() {
    for wait in [0, 60] {
        let mut rig = Rig::new();
        rig.pair();
        rig.advance(secs(wait));
        rig.serve(&device_removed());
        let seconds = LogoutReason::RemovedAfterPairing { seconds: wait };
        assert_eq!(reason(&rig), seconds);
    }
    let mut rig = Rig::new();
    rig.pair();
    rig.advance(secs(61));
    rig.serve(&device_removed());
    assert_eq!(reason(&rig), LogoutReason::RemovedOnPhone);
}

#[test]
fn a_first_login_that_is_refused_says_removed_after_pairing_and_wipes() {
    let mut rig = Rig::new();
    let refused = vec![Node::new("failure").attr("reason", "401")];
    rig.service.fail(Point::Login, Fault::Stanzas(refused), 1);
    let op = rig.pair();
    let reason = LogoutReason::RemovedAfterPairing { seconds: 0 };
    assert_eq!(rig.result(op), Some(Err(CommandError::LoggedOut(reason))));
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.store.is_empty());
}

#[test]
fn restarts_without_end_are_slowed_down() {
    let mut rig = Rig::online();
    let restart = vec![Node::new("stream:error").attr("code", "515")];
    rig.service.fail(Point::Login, Fault::Stanzas(restart), 100);
    rig.serve(&Node::new("stream:error").attr("code", "515"));
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(rig.opens.len(), 5, "two for pairing, three at once");
    rig.service.heal();
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
}

fn device_removed() -> Node {
    Node::new("stream:error")
        .attr("code", "401")
        .child(Node::new("conflict").attr("type", "device_removed"))
}

fn reason(rig: &Rig) -> LogoutReason {
    rig.heard(|event| match event {
        Event::LoggedOut { reason, .. } => Some(*reason),
        _ => None,
    })
}

fn assert_no_disconnect(rig: &Rig) {
    let disconnects = rig
        .events
        .iter()
        .filter(|event| matches!(event, Event::Disconnected { .. }));
    assert_eq!(disconnects.count(), 0);
}
