#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{
    Command, ConnectionState, DisconnectReason, Event, LinkState, LogoutReason, StreamFault,
};
use wa_proto::Node;

fn after(error: Node) -> Rig {
    let mut rig = Rig::online();
    rig.advance(secs(120));
    rig.events.clear();
    rig.opens.clear();
    rig.serve(&error);
    rig
}

fn error() -> Node {
    Node::new("stream:error")
}

fn conflict(kind: &str) -> Node {
    Node::new("conflict").attr("type", kind)
}

fn reason(rig: &Rig) -> (DisconnectReason, Option<u16>) {
    rig.heard(|event| match event {
        Event::Disconnected { reason, code, .. } => Some((reason.clone(), *code)),
        _ => None,
    })
}

#[test]
fn a_conflict_keeps_the_credentials_and_stays_away() {
    for stanza in [
        error().child(conflict("replaced")),
        error().attr("code", "401").child(conflict("replaced")),
        error().attr("code", "409"),
    ] {
        let mut rig = after(stanza);
        assert_eq!(
            *rig.engine.state(),
            ConnectionState::Conflict {
                retry_at_unix_ms: None
            }
        );
        assert_eq!(rig.store.link, Some(LinkState::Linked));
        rig.advance(secs(100_000));
        assert_eq!(rig.opens.len(), 0, "never a loop");
        rig.command(Command::Start);
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn forms_of_being_unlinked_wipe_the_credentials() {
    for (stanza, reason) in [
        (
            error()
                .attr("code", "401")
                .child(conflict("device_removed")),
            LogoutReason::RemovedOnPhone,
        ),
        (
            error().child(conflict("something_new")),
            LogoutReason::Forced,
        ),
        (error().attr("code", "401"), LogoutReason::NotAuthorized),
        (error().attr("code", "516"), LogoutReason::Forced),
    ] {
        let mut rig = after(stanza);
        assert_eq!(*rig.engine.state(), ConnectionState::LoggedOut { reason });
        assert!(rig.store.is_empty());
        rig.advance(secs(100_000));
        assert_eq!(rig.opens.len(), 0);
    }
}

#[test]
fn a_restart_is_followed_at_once() {
    let rig = after(error().attr("code", "515"));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.opens, [rig.now]);
}

#[test]
fn troubles_of_the_server_are_retried_with_back_off() {
    for (stanza, fault) in [
        (error().attr("code", "500"), StreamFault::Code(500)),
        (error().attr("code", "503"), StreamFault::Code(503)),
        (error().attr("code", "777"), StreamFault::Code(777)),
        (
            error().child(Node::new("ack").attr("id", "1").attr("class", "message")),
            StreamFault::Unacked,
        ),
        (
            error().child(Node::new("xml-not-well-formed")),
            StreamFault::NotWellFormed,
        ),
        (error(), StreamFault::Unknown),
    ] {
        let mut rig = after(stanza);
        assert_eq!(rig.state(), "reconnecting");
        let (told, _) = reason(&rig);
        assert_eq!(told, DisconnectReason::Stream(fault));
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_rate_limit_is_answered_five_steps_slower() {
    let mut rig = after(error().attr("code", "429"));
    let ConnectionState::Reconnecting {
        retry_at_unix_ms, ..
    } = *rig.engine.state()
    else {
        panic!("reconnecting")
    };
    let pause = retry_at_unix_ms - rig.now.unix_ms;
    assert!((7_200..=8_800).contains(&pause), "8 s within 10 %: {pause}");
    assert_eq!(reason(&rig).1, Some(429));
    rig.advance(secs(9));
    assert_eq!(rig.state(), "online");
}

#[test]
fn the_end_of_the_stream_waits_for_the_close() {
    let mut rig = after(Node::new("xmlstreamend"));
    assert_eq!(rig.state(), "online");
    rig.drop_connection(wa_core::CloseCause::Peer { code: Some(1000) });
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(reason(&rig).0, DisconnectReason::Stream(StreamFault::End));
}

#[test]
fn a_close_that_does_not_come_is_not_waited_for_long() {
    let mut rig = after(Node::new("xmlstreamend"));
    rig.advance(secs(5));
    assert_eq!(rig.state(), "reconnecting");
    assert!(!rig.is_connected());
}

#[test]
fn a_stop_while_the_stream_ends_is_final() {
    let mut rig = after(Node::new("xmlstreamend"));
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "stopped");
    rig.advance(secs(1000));
    assert_eq!(rig.opens.len(), 0);
}

#[test]
fn one_slow_retry_can_follow_a_conflict() {
    let mut rig = Rig::online_with(|config| config.reconnect.conflict_retry = Some(secs(300)));
    rig.opens.clear();
    let replaced = error().child(conflict("replaced"));
    rig.serve(&replaced);
    let expected = rig.now.unix_ms + 300_000;
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Conflict {
            retry_at_unix_ms: Some(expected)
        }
    );
    rig.advance(secs(300));
    assert_eq!(rig.state(), "online");
    rig.serve(&replaced);
    rig.advance(secs(100_000));
    assert_eq!(rig.state(), "conflict");
    assert_eq!(rig.opens.len(), 1, "one, and only one");
}
