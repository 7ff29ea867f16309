#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{CloseCause, Command, Event, LinkState, LogoutOptions};
use wa_proto::{Jid, Node};

/// What a row of a table asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Do {
    /// Credentials deleted, no retry.
    LogOut,
    /// Credentials kept, no retry.
    GiveUp,
    /// Credentials kept, back with a pause.
    BackOff,
    /// Credentials kept, back at once.
    AtOnce,
    /// Credentials kept, no retry: somebody else has them.
    Conflict,
    Outdated,
    /// Back when the time named is over.
    WaitItOut(u64),
}

impl Do {
    const fn stays_away(self) -> bool {
        matches!(self, Self::GiveUp | Self::Conflict | Self::Outdated)
    }
}

fn failure(reason: &'static str) -> Node {
    Node::new("failure").attr("reason", reason)
}

fn error() -> Node {
    Node::new("stream:error")
}

fn conflict(kind: &'static str) -> Node {
    error().child(Node::new("conflict").attr("type", kind))
}

/// Sections 10 and 11 of the login chapter and F.2 of the pairing chapter, a row each: state, number in the
/// event, what to do.
fn rows() -> Vec<(Node, &'static str, Option<u16>, Do)> {
    vec![
        (failure("400"), "failed", Some(400), Do::GiveUp),
        (failure("401"), "logged_out", None, Do::LogOut),
        (
            failure("402").attr("code", "101").attr("expire", "60"),
            "restricted",
            Some(402),
            Do::WaitItOut(60),
        ),
        (
            failure("402").attr("code", "106"),
            "restricted",
            Some(402),
            Do::GiveUp,
        ),
        (failure("402"), "failed", Some(402), Do::GiveUp),
        (failure("403"), "logged_out", None, Do::LogOut),
        (failure("405"), "outdated", Some(405), Do::Outdated),
        (failure("406"), "logged_out", None, Do::LogOut),
        (failure("409"), "failed", Some(409), Do::GiveUp),
        (failure("411"), "failed", Some(411), Do::GiveUp),
        (failure("413"), "failed", Some(413), Do::GiveUp),
        (failure("414"), "failed", Some(414), Do::GiveUp),
        (failure("415"), "failed", Some(415), Do::GiveUp),
        (failure("418"), "failed", Some(418), Do::GiveUp),
        (failure("500"), "reconnecting", Some(500), Do::BackOff),
        (failure("501"), "failed", Some(501), Do::GiveUp),
        (failure("503"), "reconnecting", Some(503), Do::BackOff),
        (failure("777"), "failed", Some(777), Do::GiveUp),
        (Node::new("failure"), "failed", Some(0), Do::GiveUp),
        (conflict("replaced"), "conflict", None, Do::Conflict),
        (
            conflict("device_removed").attr("code", "401"),
            "logged_out",
            None,
            Do::LogOut,
        ),
        (conflict("device_removed"), "logged_out", None, Do::LogOut),
        (conflict("whatever"), "logged_out", None, Do::LogOut),
        (error().attr("code", "401"), "logged_out", None, Do::LogOut),
        (error().attr("code", "515"), "online", Some(515), Do::AtOnce),
        (error().attr("code", "516"), "logged_out", None, Do::LogOut),
        (
            error().attr("code", "409"),
            "conflict",
            Some(409),
            Do::Conflict,
        ),
        (
            error().attr("code", "429"),
            "reconnecting",
            Some(429),
            Do::BackOff,
        ),
        (
            error().attr("code", "500"),
            "reconnecting",
            Some(500),
            Do::BackOff,
        ),
        (
            error().attr("code", "503"),
            "reconnecting",
            Some(503),
            Do::BackOff,
        ),
        (
            error().child(Node::new("ack").attr("id", "A").attr("class", "message")),
            "reconnecting",
            None,
            Do::BackOff,
        ),
        (
            error().child(Node::new("xml-not-well-formed")),
            "reconnecting",
            None,
            Do::BackOff,
        ),
        (error(), "reconnecting", None, Do::BackOff),
        (
            error().attr("code", "999"),
            "reconnecting",
            Some(999),
            Do::BackOff,
        ),
    ]
}

#[test]
fn every_row_has_its_state_its_event_and_its_retry_and_keeps_or_wipes_as_written() {
    for (stanza, state, code, what) in rows() {
        let row = format!("{stanza:?}");
        let mut rig = Rig::online();
        rig.advance(secs(120));
        rig.events.clear();
        rig.opens.clear();
        rig.serve(&stanza);
        assert_eq!(rig.state(), state, "{row}");

        let wiped = what == Do::LogOut;
        assert_eq!(rig.store.is_empty(), wiped, "{row}");
        let link = if wiped {
            LinkState::Revoked
        } else {
            LinkState::Linked
        };
        assert_eq!(rig.store.link, Some(link), "{row}");
        let logged_out = |event: &Event| matches!(event, Event::LoggedOut { .. });
        assert_eq!(rig.events.iter().any(logged_out), wiped, "{row}");
        let told = rig.events.iter().find_map(|event| match event {
            Event::Disconnected {
                code,
                retry_at_unix_ms,
                ..
            } => Some((*code, *retry_at_unix_ms)),
            _ => None,
        });
        assert_eq!(told.is_some(), !wiped, "{row}: one or the other event");
        if let Some((told, retry_at)) = told {
            assert_eq!(told, code, "{row}");
            let comes_back = matches!(what, Do::BackOff | Do::AtOnce | Do::WaitItOut(_));
            assert_eq!(retry_at.is_some(), comes_back, "{row}");
        }

        match what {
            Do::LogOut | Do::GiveUp | Do::Conflict | Do::Outdated => {
                rig.advance(secs(100_000));
                assert_eq!(rig.opens.len(), 0, "{row}: stays away");
                assert_eq!(rig.state(), state, "{row}");
            }
            Do::AtOnce => assert_eq!(rig.opens.len(), 1, "{row}"),
            Do::BackOff => {
                assert_eq!(rig.opens.len(), 0, "{row}: not at once");
                rig.advance(secs(15));
                assert_eq!(rig.state(), "online", "{row}");
            }
            Do::WaitItOut(seconds) => {
                rig.advance(secs(seconds - 1));
                assert_eq!(rig.opens.len(), 0, "{row}");
                rig.advance(secs(1));
                assert_eq!(rig.state(), "online", "{row}");
            }
        }
    }
}

/// Section 6: what the notes of the server lead to.
#[test]
fn every_note_of_the_server_leaves_the_connection_as_it_is() {
    let ib = |child: Node| Node::new("ib").attr("from", Jid::server_jid()).child(child);
    for (child, sent, told) in [
        (Node::new("offline_preview").attr("count", "1"), 1, 0),
        (Node::new("offline").attr("count", "0"), 0, 1),
        (
            Node::new("edge_routing").child(Node::new("routing_info").bytes(vec![8, 2])),
            0,
            0,
        ),
        (
            Node::new("dirty")
                .attr("type", "groups")
                .attr("timestamp", "1"),
            1,
            0,
        ),
        (Node::new("downgrade_webclient"), 0, 0),
        (Node::new("thread_metadata"), 0, 0),
        (Node::new("priority_offline_complete"), 0, 0),
        (Node::new("tos"), 0, 0),
        (Node::new("client_expiration").attr("t", "1790000000"), 0, 1),
        (Node::new("recovery_nonce").bytes(vec![1]), 0, 0),
    ] {
        let mut rig = Rig::online();
        rig.service.seen.stanzas.clear();
        let row = format!("{child:?}");
        rig.serve(&ib(child));
        assert_eq!(rig.state(), "online", "{row}");
        assert_eq!(rig.service.seen.stanzas.len(), sent, "{row}");
        assert_eq!(rig.events.len(), told, "{row}");
    }
}

/// Section 14: what is never followed by a reconnect, and what is.
#[test]
fn the_rows_hold_for_a_login_as_well() {
    for (stanza, state, ..) in rows() {
        let row = format!("{stanza:?}");
        let mut rig = Rig::online();
        rig.advance(secs(120));
        rig.restart();
        rig.service
            .fail(Point::Login, Fault::Stanzas(vec![stanza]), 1);
        rig.command(wa_core::Command::Start);
        assert_eq!(rig.state(), state, "{row}");
    }
}

/// A logout that the server has not confirmed, in a process that has just begun, and a server that says this once.
fn unsettled(stanza: Node) -> Rig {
    let mut rig = Rig::online();
    rig.advance(secs(120));
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    rig.command(Command::Logout(LogoutOptions::default()));
    rig.service.heal();
    rig.service
        .fail(Point::Login, Fault::Stanzas(vec![stanza]), 1);
    rig.restart();
    rig.opens.clear();
    rig
}

#[test]
fn the_rows_hold_while_a_logout_is_finished_beside() {
    for (stanza, _, _, what) in rows() {
        let row = format!("{stanza:?}");
        let mut rig = unsettled(stanza);
        let op = rig.command(Command::Logout(LogoutOptions::default()));
        assert!(matches!(rig.result(op), Some(Ok(_))), "{row}");
        assert_eq!(rig.state(), "logged_out", "{row}");
        match what {
            Do::LogOut => {
                assert!(rig.store.is_empty(), "{row}");
                rig.advance(secs(100_000));
                assert_eq!(rig.opens.len(), 1, "{row}");
                continue;
            }
            Do::GiveUp | Do::Conflict | Do::Outdated => {
                rig.advance(secs(100_000));
                assert_eq!(rig.opens.len(), 1, "{row}: stays away");
                assert!(rig.store.has_a_tombstone_only(), "{row}");
                rig.command(Command::Start);
            }
            Do::AtOnce => {}
            Do::BackOff => {
                assert_eq!(rig.opens.len(), 1, "{row}: not at once");
                rig.advance(secs(15));
            }
            Do::WaitItOut(seconds) => {
                rig.advance(secs(seconds - 1));
                assert_eq!(rig.opens.len(), 1, "{row}");
                rig.advance(secs(1));
            }
        }
        assert_eq!(
            rig.opens.len(),
            if what.stays_away() { 3 } else { 2 },
            "{row}"
        );
        assert!(rig.service.linked.is_empty(), "{row}");
    }
}

#[test]
fn the_rows_hold_while_a_start_waits_for_a_logout() {
    for (stanza, state, _, what) in rows() {
        let row = format!("{stanza:?}");
        let mut rig = unsettled(stanza);
        rig.command(Command::Start);
        let at_once = matches!(what, Do::LogOut | Do::AtOnce);
        let state = if at_once { "awaiting_pairing" } else { state };
        assert_eq!(rig.state(), state, "{row}");
        if let Do::WaitItOut(seconds) = what {
            rig.advance(secs(seconds - 1));
            assert_eq!(rig.opens.len(), 1, "{row}");
            rig.advance(secs(1));
        }
        if what == Do::BackOff {
            rig.advance(secs(15));
        }
        if what.stays_away() {
            rig.advance(secs(100_000));
            assert_eq!((rig.state(), rig.opens.len()), (state, 1), "{row}");
            assert!(rig.store.has_a_tombstone_only(), "{row}");
            rig.command(Command::Start);
        }
        assert_eq!(rig.state(), "awaiting_pairing", "{row}");
    }
}

#[test]
fn a_server_that_is_too_busy_is_left_alone_for_longer() {
    let mut rig = unsettled(error().attr("code", "429"));
    rig.command(Command::Logout(LogoutOptions::default()));
    rig.advance(secs(5));
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn restarts_and_restrictions_without_end_do_not_go_on_for_ever() {
    for stanza in [
        error().attr("code", "515"),
        failure("402").attr("expire", "0"),
    ] {
        let mut rig = unsettled(stanza.clone());
        rig.service
            .fail(Point::Login, Fault::Stanzas(vec![stanza]), u32::MAX);
        rig.command(Command::Logout(LogoutOptions::default()));
        rig.advance(secs(100_000));
        assert_eq!(rig.opens.len(), 8);
        assert_eq!(rig.state(), "logged_out");
        assert!(rig.store.has_a_tombstone_only());
    }
}

#[test]
fn a_restriction_that_is_over_at_once_is_no_reason_to_dial_without_a_pause() {
    let mut rig = Rig::online();
    rig.advance(secs(120));
    rig.restart();
    let over = vec![failure("402").attr("expire", "0")];
    rig.service
        .fail(Point::Login, Fault::Stanzas(over), u32::MAX);
    rig.opens.clear();
    rig.command(Command::Start);
    assert_eq!((rig.state(), rig.opens.len()), ("restricted", 1));
    rig.advance(secs(60));
    assert!(rig.opens.len() < 12, "{}", rig.opens.len());
}
