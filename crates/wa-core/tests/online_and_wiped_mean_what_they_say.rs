#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Fault, Point, Rig, secs, states};
use wa_core::{Command, ConnectionState, Event, LinkState, LogoutOptions, LogoutReason};
use wa_proto::Node;

/// Most commits of the story here; it ends before, which is checked.
const MANY: usize = 20;

fn told_online(rig: &Rig) -> bool {
    let event = |event: &Event| matches!(event, Event::Online { .. });
    rig.events.iter().any(event) || states(&rig.events).contains(&"online")
}

#[test]
fn online_is_told_only_when_active_is_answered() {
    for point in [Point::Count, Point::Upload, Point::Active] {
        let mut rig = Rig::new();
        rig.service.fail(point, Fault::Silent, 1);
        let op = rig.pair();
        rig.advance(secs(70));
        assert!(!told_online(&rig), "{point:?}: {}", rig.state());
        assert_eq!(rig.result(op), None, "{point:?}");
        rig.advance(secs(10));
        assert!(told_online(&rig), "{point:?}: the next connection");
    }
}

#[test]
fn nothing_is_sent_after_any_commit_that_fails() {
    let mut failed = 0;
    for number in 1..MANY {
        let mut rig = Rig::with(support::ping_hourly);
        rig.refuse_commit = Some(number);
        rig.command(Command::Start);
        if rig.qr().is_some() {
            rig.scan();
        }
        if rig.state() != "failed" {
            rig.advance(secs(28 * 24 * 3600));
        }
        if rig.state() != "failed" {
            rig.command(Command::Logout(LogoutOptions::default()));
        }
        if rig.state() != "failed" {
            break;
        }
        failed += 1;
        let commit = rig
            .log
            .iter()
            .rposition(|done| matches!(done, Done::Persist(_)));
        let after = &rig.log[commit.unwrap() + 1..];
        assert!(
            !after
                .iter()
                .any(|done| matches!(done, Done::Transmit | Done::Open)),
            "{number}: {after:?}"
        );
        assert!(!rig.is_connected(), "{number}");
        assert_eq!(rig.engine.poll_timeout(), None, "{number}");
    }
    // The keys, the link, the login, the prekeys and their mark, the rotation and its end, the wipe.
    assert!((8..MANY - 1).contains(&failed), "{failed} commits");
}

#[test]
fn a_changed_identity_of_the_phone_wipes_and_claims_no_unlink() {
    let mut rig = Rig::online();
    rig.serve(
        &Node::new("notification")
            .attr("from", "186303081611421@lid")
            .attr("type", "encrypt")
            .attr("id", "1")
            .child(Node::new("identity")),
    );
    let reason = LogoutReason::PrimaryIdentityChanged;
    assert_eq!(*rig.engine.state(), ConnectionState::LoggedOut { reason });
    assert!(rig.store.is_empty());
    assert_eq!(rig.store.link, Some(LinkState::Revoked));
    assert_eq!(
        rig.service.requests("remove-companion-device").len(),
        0,
        "the server was not asked"
    );
    assert!(rig.events.contains(&Event::LoggedOut {
        reason,
        server_unlinked: None
    }));
}

#[test]
fn a_refusal_that_comes_while_unlinking_claims_no_unlink() {
    for code in [403_u16, 406] {
        let mut rig = Rig::online();
        rig.service.fail(Point::Unlink, Fault::Silent, 1);
        rig.command(Command::Logout(LogoutOptions::default()));
        rig.serve(&Node::new("failure").attr("reason", code));
        let unlinked = rig.heard(|event| match event {
            Event::LoggedOut {
                server_unlinked, ..
            } => Some(*server_unlinked),
            _ => None,
        });
        assert_eq!(unlinked, None, "{code}");
        assert!(rig.store.is_empty());
    }
}
