#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs, states};
use wa_core::{CloseCause, Command, CommandError, Event, OpOutcome};
use wa_proto::Node;

#[test]
fn refs_that_are_used_up_end_the_pairing_without_a_failure() {
    let mut rig = Rig::new();
    let op = rig.command(Command::Start);
    rig.advance(secs(159));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.advance(secs(1));
    assert_eq!(rig.state(), "pairing_expired");
    assert!(!rig.is_connected());
    assert_eq!(rig.result(op), Some(Err(CommandError::PairingExpired)));
    assert_eq!(rig.qr(), None, "the code is blanked");
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Disconnected { .. })),
        "expiry is neither a failure nor a reconnect"
    );
    rig.advance(secs(3600));
    assert_eq!(rig.opens.len(), 1, "nothing happens by itself");
}

#[test]
fn another_start_shows_new_codes() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(200));
    rig.events.clear();
    let op = rig.command(Command::Start);
    rig.scan();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!(states(&rig.events)[0], "starting");
}

#[test]
fn a_server_that_closes_after_the_first_code_has_ended_the_window() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(100));
    rig.drop_connection(CloseCause::Peer { code: Some(1000) });
    assert_eq!(rig.state(), "pairing_expired");
}

#[test]
fn an_end_of_the_stream_after_the_first_code_ends_the_window_too() {
    for closes in [true, false] {
        let mut rig = Rig::new();
        rig.command(Command::Start);
        rig.advance(secs(100));
        rig.serve(&Node::new("xmlstreamend"));
        assert_eq!(
            rig.state(),
            "awaiting_pairing",
            "the server closes the socket"
        );
        if closes {
            rig.drop_connection(CloseCause::Peer { code: None });
        } else {
            rig.advance(secs(5));
        }
        assert_eq!(rig.state(), "pairing_expired");
        assert_eq!(rig.qr(), None);
    }
}

#[test]
fn an_end_of_the_stream_in_the_first_minute_is_a_loss() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(30));
    rig.serve(&Node::new("xmlstreamend"));
    rig.drop_connection(CloseCause::Peer { code: None });
    assert_eq!(rig.state(), "reconnecting");
}

#[test]
fn an_end_of_the_stream_while_a_code_is_live_is_a_loss() {
    let (mut rig, _) = Rig::showing_code();
    rig.advance(secs(100));
    rig.serve(&Node::new("xmlstreamend"));
    rig.advance(secs(5));
    assert_eq!((rig.state(), rig.code()), ("reconnecting", None));
}

#[test]
fn a_code_asked_for_while_the_stream_ends_is_asked_on_the_next_connection() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.serve(&Node::new("xmlstreamend"));
    let op = rig.ask_for_code();
    assert_eq!(rig.result(op), None);
    rig.advance(secs(10));
    assert!(rig.code().is_some() && rig.result(op).is_some());

    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(100));
    rig.serve(&Node::new("xmlstreamend"));
    let op = rig.ask_for_code();
    rig.advance(secs(5));
    assert_eq!(rig.result(op), Some(Err(CommandError::PairingExpired)));
}

#[test]
fn a_network_that_breaks_while_a_code_is_on_show_is_tried_again() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(100));
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(rig.qr(), None, "the code on show is dead");
    rig.advance(secs(2));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_close_in_the_first_minute_is_tried_again() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(30));
    rig.drop_connection(CloseCause::Peer { code: None });
    assert_eq!(rig.state(), "reconnecting");
}

#[test]
fn with_one_ref_the_window_is_a_minute() {
    let mut rig = Rig::new();
    rig.service.refs = 1;
    rig.command(Command::Start);
    rig.advance(secs(59));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.advance(secs(1));
    assert_eq!(rig.state(), "pairing_expired");
}
