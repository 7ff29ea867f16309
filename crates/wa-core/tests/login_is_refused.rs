#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, CommandError, ConnectionState, Event, FailReason, LinkState, LogoutReason};
use wa_proto::Node;

fn refused_with(failure: Node) -> Rig {
    let mut rig = Rig::online();
    // Long after pairing, so that a removal is an ordinary one.
    rig.advance(secs(120));
    rig.service
        .fail(Point::Login, Fault::Stanzas(vec![failure]), 1);
    rig.restart();
    rig.events.clear();
    rig.opens.clear();
    rig.command(Command::Start);
    rig
}

fn failure(reason: u16) -> Node {
    Node::new("failure")
        .attr("reason", reason)
        .attr("location", "cln")
}

#[test]
fn reasons_that_void_the_credentials_wipe_them() {
    for (code, reason) in [
        (401, LogoutReason::NotAuthorized),
        (403, LogoutReason::AccountLocked),
        (406, LogoutReason::Banned),
    ] {
        let mut rig = refused_with(failure(code));
        assert_eq!(*rig.engine.state(), ConnectionState::LoggedOut { reason });
        assert!(rig.store.is_empty(), "{code} deletes the credentials");
        assert_eq!(rig.store.link, Some(LinkState::Revoked));
        assert_eq!(rig.store.identity, None);
        assert!(rig.engine.credentials().is_none());
        assert!(rig.events.contains(&Event::LoggedOut {
            reason,
            server_unlinked: None
        }));
        rig.advance(secs(3600));
        assert_eq!(rig.opens.len(), 1, "no retry");
    }
}

#[test]
fn reasons_without_retry_keep_the_credentials_and_give_up() {
    for code in [400, 409, 411, 413, 414, 415, 418, 501, 999] {
        let mut rig = refused_with(failure(code));
        let error = FailReason::Refused { reason: code };
        assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
        assert_eq!(rig.store.link, Some(LinkState::Linked));
        assert!(rig.stored().unwrap().is_registered());
        rig.advance(secs(3600));
        assert_eq!(rig.opens.len(), 1, "{code} is not retried");
        rig.command(Command::Start);
        assert_eq!(rig.state(), "online", "an explicit start tries again");
    }
}

#[test]
fn a_server_in_trouble_is_tried_again() {
    for code in [500, 503] {
        let mut rig = refused_with(failure(code));
        assert_eq!(rig.state(), "reconnecting");
        let disconnect = rig.heard(|event| match event {
            Event::Disconnected {
                reason,
                code,
                retry_at_unix_ms,
            } => Some((reason.name(), *code, retry_at_unix_ms.is_some())),
            _ => None,
        });
        assert_eq!(disconnect, ("refused", Some(code), true));
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_ban_is_waited_out() {
    let mut rig = refused_with(failure(402).attr("code", "101").attr("expire", "3600"));
    let expires = rig.now.unix_ms + 3_600_000;
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Restricted {
            code: Some(101),
            expires_at_unix_ms: Some(expires)
        }
    );
    rig.advance(secs(3599));
    assert_eq!(rig.opens.len(), 1);
    rig.advance(secs(1));
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_ban_without_an_end_waits_for_a_start() {
    let mut rig = refused_with(failure(402).attr("code", "104"));
    assert_eq!(rig.state(), "restricted");
    rig.advance(secs(100_000));
    assert_eq!(rig.opens.len(), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_ban_that_says_nothing_is_an_error() {
    let rig = refused_with(failure(402));
    let error = FailReason::Refused { reason: 402 };
    assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
}

#[test]
fn a_failure_without_a_reason_gives_up() {
    for failure in [
        Node::new("failure"),
        Node::new("failure").attr("reason", "so what"),
        Node::new("failure").attr("reason", "18446744073709551615"),
    ] {
        let rig = refused_with(failure);
        assert_eq!(rig.state(), "failed");
        assert!(rig.stored().unwrap().is_registered());
    }
}

#[test]
fn a_registration_that_is_refused_makes_new_keys_next_time() {
    let mut rig = Rig::new();
    let refused = Fault::Stanzas(vec![failure(401)]);
    rig.service.fail(Point::PairDevice, refused, 1);
    let op = rig.command(Command::Start);
    let error = FailReason::Refused { reason: 401 };
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(error.clone())))
    );
    assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
    assert!(rig.store.is_empty());
    assert_eq!(rig.store.link, Some(LinkState::Unlinked));
    rig.pair();
    assert_eq!(rig.state(), "online");
    let [first, second, ..] = &rig.service.seen.payloads[..] else {
        panic!("two registrations")
    };
    assert_ne!(first.device_pairing_data, second.device_pairing_data);
}
