#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{
    ClientVersion, CloseCause, Command, CommandError, ConnectionState, Event, FetchedVersion,
    LogoutOptions, LogoutReason, OpOutcome, RecordKind,
};
use wa_proto::Node;

fn log_out(rig: &mut Rig) -> wa_core::OpId {
    rig.command(Command::Logout(LogoutOptions::default()))
}

/// Logged out while nothing reaches the server.
fn offline() -> Rig {
    let mut rig = Rig::online();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    rig.events.clear();
    rig.opens.clear();
    let op = log_out(&mut rig);
    let server_unlinked = None;
    assert_eq!(
        rig.result(op),
        Some(Ok(OpOutcome::LoggedOut { server_unlinked }))
    );
    rig
}

fn finished(rig: &Rig) -> Vec<bool> {
    let events = rig.events.iter();
    events
        .filter_map(|event| match event {
            Event::UnlinkFinished { server_unlinked } => Some(*server_unlinked),
            _ => None,
        })
        .collect()
}

fn assert_logged_out(rig: &Rig) {
    let reason = LogoutReason::Requested;
    assert_eq!(*rig.engine.state(), ConnectionState::LoggedOut { reason });
}

#[test]
fn only_what_a_login_needs_is_left() {
    let rig = offline();
    assert!(rig.store.has_a_tombstone_only());
    assert_eq!(rig.store.identity, None);
    assert!(rig.engine.credentials().is_none());
}

#[test]
fn it_finishes_by_itself_as_soon_as_the_server_can_be_reached() {
    let mut rig = offline();
    rig.service.heal();
    rig.advance(secs(2));
    assert_logged_out(&rig);
    assert_eq!(finished(&rig), [true]);
    assert!(rig.service.linked.is_empty());
    assert!(rig.store.is_empty());
    assert!(!rig.is_connected());
    rig.advance(secs(100_000));
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn nothing_but_the_state_shows_that_it_goes_on() {
    let mut rig = offline();
    rig.events.clear();
    rig.advance(secs(20));
    assert!(rig.opens.len() > 2);
    assert_eq!(rig.events, [], "no progress, no reconnecting");
    assert_logged_out(&rig);
}

#[test]
fn attempts_in_one_run_are_bounded_and_the_next_start_goes_on() {
    let mut rig = offline();
    rig.advance(secs(100_000));
    assert_eq!(rig.opens.len(), 8);
    assert!(rig.store.has_a_tombstone_only());
    rig.service.heal();
    rig.restart();
    assert_logged_out(&rig);
    rig.advance(secs(1000));
    assert_eq!(rig.opens.len(), 8, "not by itself");
    rig.command(Command::Start);
    assert_eq!(finished(&rig), [true]);
    assert!(rig.service.linked.is_empty());
    assert_eq!(rig.state(), "awaiting_pairing", "pairing anew comes next");
    assert_eq!(rig.store.count(RecordKind::Tombstone), 0);
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn another_logout_tries_at_once() {
    let mut rig = offline();
    rig.restart();
    let op = log_out(&mut rig);
    let outcome = |server_unlinked| Some(Ok(OpOutcome::LoggedOut { server_unlinked }));
    assert_eq!(rig.result(op), outcome(None), "one attempt is waited for");
    rig.service.heal();
    let op = log_out(&mut rig);
    assert_eq!(rig.result(op), outcome(Some(true)));
    assert_eq!(finished(&rig), [true]);
    let op = log_out(&mut rig);
    assert_eq!(rig.result(op), Some(Err(CommandError::NotLinked)));
}

#[test]
fn a_link_that_is_gone_already_is_settled() {
    let removed = Node::new("stream:error")
        .attr("code", "401")
        .child(Node::new("conflict").attr("type", "device_removed"));
    let whatever = Node::new("stream:error").child(Node::new("conflict").attr("type", "whatever"));
    for (answer, unlinked) in [
        (Node::new("failure").attr("reason", "401"), true),
        (Node::new("stream:error").attr("code", "401"), true),
        (removed, true),
        // These end the link; that the device is off the phone's list they do not say.
        (Node::new("failure").attr("reason", "403"), false),
        (Node::new("failure").attr("reason", "406"), false),
        (Node::new("stream:error").attr("code", "516"), false),
        (whatever, false),
    ] {
        let mut rig = offline();
        rig.service.heal();
        rig.service
            .fail(Point::Login, Fault::Stanzas(vec![answer]), 1);
        rig.advance(secs(2));
        assert_eq!(finished(&rig), [unlinked]);
        assert!(rig.store.is_empty());
    }
}

#[test]
fn a_server_that_lets_us_in_and_does_not_unlink_is_asked_three_times() {
    for fault in [Fault::Error(500), Fault::Silent, Fault::Close] {
        let mut rig = offline();
        rig.service.heal();
        rig.service.fail(Point::Unlink, fault, u32::MAX);
        rig.advance(secs(100));
        assert_eq!(rig.service.requests("remove-companion-device").len(), 3);
        assert_eq!(finished(&rig), [false], "the owner has to do it");
        assert!(rig.store.is_empty());
        rig.command(Command::Start);
        assert_eq!(rig.state(), "awaiting_pairing");
    }
}

#[test]
fn a_stop_ends_it_until_the_next_start() {
    for seconds in [0, 2] {
        let mut rig = offline();
        rig.advance(secs(seconds));
        rig.command(Command::Stop);
        assert_logged_out(&rig);
        let opens = rig.opens.len();
        rig.advance(secs(100_000));
        assert_eq!(rig.opens.len(), opens);
        assert!(rig.store.has_a_tombstone_only());
    }
}

#[test]
fn a_start_meanwhile_waits_for_it_and_pairs() {
    let mut rig = offline();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "reconnecting");
    rig.service.heal();
    rig.advance(secs(3));
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(finished(&rig), [true]);
}

#[test]
fn a_logout_the_server_did_not_confirm_is_finished_too() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    log_out(&mut rig);
    rig.advance(secs(3));
    assert!(rig.store.has_a_tombstone_only());
    rig.advance(secs(2));
    assert_eq!(finished(&rig), [true]);
    assert!(rig.service.linked.is_empty());
}

#[test]
fn a_crash_at_any_commit_leaves_a_link_or_a_tombstone_or_nothing_to_unlink() {
    use support::Kill;
    for number in 1..20 {
        for before in [true, false] {
            let mut rig = Rig::online();
            rig.drop_connection(CloseCause::Network("reset".to_owned()));
            let number = rig.store.commits + number;
            rig.kill = Some(if before {
                Kill::Before(number)
            } else {
                Kill::After(number)
            });
            log_out(&mut rig);
            rig.advance(secs(5));
            if !rig.killed {
                return assert!(rig.service.linked.is_empty());
            }
            rig.restart();
            if rig.engine.credentials().is_some() {
                continue;
            }
            rig.command(Command::Start);
            rig.advance(secs(5));
            assert_eq!(rig.state(), "awaiting_pairing");
            assert!(rig.service.linked.is_empty(), "{number} {before}");
        }
    }
    panic!("it ends");
}

#[test]
fn a_logout_while_a_version_is_looked_for_goes_before_the_start() {
    let mut rig = offline();
    rig.service.heal();
    rig.restart();
    let too_old = Node::new("failure").attr("reason", "405");
    rig.service
        .fail(Point::Finish, Fault::Stanzas(vec![too_old]), 1);
    rig.version_source = None;
    let start = rig.command(Command::Start);
    assert_eq!(rig.result(start), None);
    rig.opens.clear();
    let op = log_out(&mut rig);
    let server_unlinked = Some(true);
    let outcome = OpOutcome::LoggedOut { server_unlinked };
    assert_eq!(rig.result(op), Some(Ok(outcome)));
    let version = ClientVersion::new(2, 3000, 2_000_000_000);
    let source = "late".to_owned();
    let fetched = FetchedVersion { version, source };
    rig.input(wa_core::Input::VersionFetched(Ok(fetched)));
    assert_logged_out(&rig);
    assert_eq!(rig.opens.len(), 1, "for the logout");
    assert_eq!(rig.store.desired, Some(wa_core::Desired::Stop));
}
