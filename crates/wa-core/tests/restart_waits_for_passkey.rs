#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{AfterPasskey, Fault, Point, Rig, secs, states};
use wa_core::{CloseCause, Command, Event, Handoff, OpOutcome, PasskeyEnd};
use wa_proto::Node;

fn restart() -> Node {
    Node::new("stream:error").attr("code", "515")
}

/// A ceremony that waits for the user to compare the codes, a restart having been asked for.
fn held(after: AfterPasskey) -> Rig {
    let mut rig = Rig::with(|config| config.handoff = Handoff::Withhold);
    rig.service.ceremonies.after_passkey = after;
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.respond();
    rig.serve(&restart());
    assert_eq!(rig.state(), "awaiting_passkey");
    assert_eq!(rig.opens.len(), 1, "it waits");
    rig
}

fn is_disconnect(event: &Event) -> bool {
    matches!(event, Event::Disconnected { .. })
}

#[test]
fn it_is_followed_once_the_phone_has_all_it_needs() {
    let mut rig = held(AfterPasskey::Nothing);
    rig.command(Command::ConfirmPasskey(true));
    assert_eq!(
        rig.opens.len(),
        2,
        "at once, when our keys are with the phone"
    );
    assert_eq!(rig.opens[1], rig.now);
    assert!(!rig.events.iter().any(is_disconnect), "nothing is wrong");
    let ended = |event: &Event| matches!(event, Event::PasskeyEnded(_));
    assert!(!rig.events.iter().any(ended));
    rig.endorse();
    assert_eq!(
        rig.state(),
        "online",
        "the secret was durable before it was sent"
    );
}

#[test]
fn a_start_hears_of_the_link_only() {
    let mut rig = Rig::with(|config| config.handoff = Handoff::Withhold);
    rig.service.ceremonies.after_passkey = AfterPasskey::Nothing;
    let start = rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.serve(&restart());
    rig.respond();
    rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.result(start), None);
    rig.endorse();
    assert_eq!(rig.result(start), Some(Ok(OpOutcome::Online)));
}

#[test]
fn a_link_that_comes_first_takes_it_along() {
    let mut rig = held(AfterPasskey::PairSuccessFirst);
    rig.service.fail(Point::PairSign, Fault::Silent, 1);
    rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.opens.len(), 2, "the server need not ask for it again");
    assert_eq!(rig.opens[1], rig.now);
    assert_eq!(rig.state(), "online");
    let mut names = states(&rig.events);
    names.dedup();
    assert_eq!(
        names,
        [
            "starting",
            "awaiting_pairing",
            "awaiting_passkey",
            "linking",
            "online"
        ]
    );
}

#[test]
fn a_refusal_lets_it_through() {
    let mut rig = held(AfterPasskey::PairSuccess);
    rig.command(Command::ConfirmPasskey(false));
    assert_eq!(rig.opens.len(), 2);
    let ended = rig.heard(|event| match event {
        Event::PasskeyEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!(ended, PasskeyEnd::Refused);
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_socket_that_closes_meanwhile_is_the_restart() {
    let mut rig = held(AfterPasskey::PairSuccess);
    rig.drop_connection(CloseCause::Peer { code: Some(1000) });
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.opens[1], rig.now, "no pause");
    assert!(!rig.events.iter().any(is_disconnect));
    assert_eq!(rig.state(), "awaiting_pairing");
    let ended = rig.heard(|event| match event {
        Event::PasskeyEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!(ended, PasskeyEnd::ConnectionEnded);
}

#[test]
fn the_end_of_the_stream_meanwhile_is_the_restart_too() {
    let mut rig = held(AfterPasskey::PairSuccess);
    rig.serve(&Node::new("xmlstreamend"));
    assert_eq!(rig.opens.len(), 2);
}

#[test]
fn asked_for_when_the_phone_has_all_it_needs_it_is_followed_at_once() {
    for by_stanza in [true, false] {
        let mut rig = Rig::new();
        rig.service.ceremonies.after_passkey = AfterPasskey::Nothing;
        rig.command(Command::Start);
        rig.scan_for_passkey();
        rig.respond();
        assert_eq!(rig.state(), "awaiting_passkey", "for the phone's answer");
        if by_stanza {
            rig.serve(&restart());
        } else {
            rig.drop_connection(CloseCause::Peer { code: Some(1000) });
        }
        assert_eq!(rig.opens.len(), 2);
        assert!(!rig.events.iter().any(is_disconnect));
        rig.endorse();
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn without_a_ceremony_it_does_not_wait() {
    let (mut rig, _) = Rig::showing_code();
    rig.serve(&restart());
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.code(), None, "the code has ended with its connection");
}

#[test]
fn the_window_of_the_ceremony_ends_it_in_any_case() {
    let mut rig = held(AfterPasskey::PairSuccess);
    rig.advance(secs(181));
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.state(), "awaiting_pairing");
}
