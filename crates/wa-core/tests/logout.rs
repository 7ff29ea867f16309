#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{
    CloseCause, Command, CommandError, ConnectionState, Event, LinkState, LogoutOptions,
    LogoutReason, OpOutcome,
};
use wa_proto::Node;

fn told(rig: &Rig) -> (LogoutReason, Option<bool>) {
    rig.heard(|event| match event {
        Event::LoggedOut {
            reason,
            server_unlinked,
        } => Some((*reason, *server_unlinked)),
        _ => None,
    })
}

fn assert_wiped(rig: &Rig) {
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::LoggedOut {
            reason: LogoutReason::Requested
        }
    );
    assert!(rig.store.is_empty() || rig.store.has_a_tombstone_only());
    assert_eq!(rig.store.link, Some(LinkState::Revoked));
    assert_eq!(rig.store.identity, None);
    assert!(!rig.is_connected());
    assert!(rig.engine.credentials().is_none());
}

fn done(server_unlinked: Option<bool>) -> Option<Result<OpOutcome, CommandError>> {
    Some(Ok(OpOutcome::LoggedOut { server_unlinked }))
}

#[test]
fn the_server_confirms() {
    let mut rig = Rig::online();
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), done(Some(true)));
    assert_eq!(told(&rig), (LogoutReason::Requested, Some(true)));
    assert_wiped(&rig);
    assert!(rig.store.is_empty());
    assert!(rig.service.linked.is_empty());
    let request = rig.service.requests("remove-companion-device")[0];
    let child = request.get_child("remove-companion-device").unwrap();
    assert_eq!(child.get_jid("jid"), Some(rig.service.pn(48)));
    assert_eq!(child.get_text("reason").as_deref(), Some("user_initiated"));
}

#[test]
fn the_end_of_the_stream_confirms_as_well() {
    let mut rig = Rig::online();
    let removed = Node::new("stream:error")
        .attr("code", "401")
        .child(Node::new("conflict").attr("type", "device_removed"));
    rig.service
        .fail(Point::Unlink, Fault::Stanzas(vec![removed]), 1);
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), done(Some(true)));
    assert_wiped(&rig);
}

#[test]
fn no_answer_is_waited_for_three_seconds_and_the_credentials_go_all_the_same() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), None);
    assert!(!rig.store.is_empty());
    rig.advance(std::time::Duration::from_millis(2_999));
    assert_eq!(rig.result(op), None);
    rig.advance(std::time::Duration::from_millis(1));
    assert_eq!(rig.result(op), done(Some(false)));
    assert_wiped(&rig);
}

#[test]
fn a_refusal_or_a_close_is_no_confirmation() {
    for fault in [Fault::Error(500), Fault::Close] {
        let mut rig = Rig::online();
        rig.service.fail(Point::Unlink, fault, 1);
        let op = rig.command(Command::Logout(LogoutOptions::default()));
        assert_eq!(rig.result(op), done(Some(false)));
        assert_wiped(&rig);
    }
}

#[test]
fn without_a_connection_the_server_is_not_asked() {
    let mut rig = Rig::online();
    rig.command(Command::Stop);
    rig.events.clear();
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), done(None));
    assert_eq!(told(&rig), (LogoutReason::Requested, None));
    assert_wiped(&rig);
    assert_eq!(rig.service.linked.len(), 1, "the phone still lists it");
}

#[test]
fn while_waiting_for_the_next_attempt_as_well() {
    let mut rig = Rig::online();
    rig.drop_connection(CloseCause::Peer { code: None });
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), done(None));
    assert_wiped(&rig);
    rig.advance(secs(1000));
    assert_eq!(rig.state(), "logged_out");
}

#[test]
fn during_a_login_the_starts_that_wait_are_answered() {
    let mut rig = Rig::online();
    rig.restart();
    rig.service.fail(Point::Login, Fault::Silent, 1);
    let start = rig.command(Command::Start);
    let logout = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(logout), done(None));
    let reason = LogoutReason::Requested;
    assert_eq!(
        rig.result(start),
        Some(Err(CommandError::LoggedOut(reason)))
    );
}

#[test]
fn two_logouts_share_the_request() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let ops = [
        rig.command(Command::Logout(LogoutOptions::default())),
        rig.command(Command::Logout(LogoutOptions::default())),
    ];
    assert_eq!(rig.service.requests("remove-companion-device").len(), 1);
    rig.advance(secs(3));
    for op in ops {
        assert_eq!(rig.result(op), done(Some(false)));
    }
}

#[test]
fn a_stop_does_not_wait_for_the_answer() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let logout = rig.command(Command::Logout(LogoutOptions::default()));
    let stop = rig.command(Command::Stop);
    assert_eq!(rig.result(stop), Some(Ok(OpOutcome::Stopped)));
    assert_eq!(rig.result(logout), done(Some(false)));
    assert_wiped(&rig);
}

#[test]
fn without_a_link_there_is_nothing_to_undo() {
    let mut rig = Rig::new();
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), Some(Err(CommandError::NotLinked)));
    rig.command(Command::Start);
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), Some(Err(CommandError::NotLinked)));
    assert_eq!(rig.state(), "awaiting_pairing");
}

#[test]
fn another_start_pairs_with_fresh_keys() {
    let mut rig = Rig::online();
    let identity = rig.engine_identity();
    rig.command(Command::Logout(LogoutOptions::default()));
    rig.events.clear();
    rig.pair();
    assert_eq!(rig.state(), "online");
    assert_ne!(rig.engine_identity(), identity);
    assert_eq!(rig.service.linked.len(), 1);
}
