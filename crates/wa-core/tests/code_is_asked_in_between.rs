//! A code can be asked for while something else has to be done first: it waits for that.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{
    ClientVersion, CloseCause, Command, CommandError, FetchedVersion, LogoutOptions, LogoutReason,
    OpOutcome,
};
use wa_proto::Node;

fn is_code(result: Option<Result<OpOutcome, CommandError>>) -> bool {
    matches!(result, Some(Ok(OpOutcome::PairingCode { .. })))
}

/// Logged out while nothing reaches the server, which is asked to unlink beside.
fn logged_out(point: Point) -> Rig {
    let mut rig = Rig::online();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    rig.command(Command::Logout(LogoutOptions::default()));
    rig.service.heal();
    rig.service.fail(point, Fault::Silent, 1);
    rig.events.clear();
    rig
}

#[test]
fn a_logout_that_is_not_finished_comes_first() {
    for point in [Point::Open, Point::Hello, Point::Login, Point::Unlink] {
        let mut rig = logged_out(point);
        rig.advance(secs(2));
        let op = rig.ask_for_code();
        assert_eq!(rig.result(op), None, "{point:?}");
        let second = rig.ask_for_code();
        assert!(matches!(
            rig.result(second),
            Some(Err(CommandError::CodeOutstanding { .. }))
        ));
        rig.advance(secs(60));
        assert!(is_code(rig.result(op)), "{point:?}: {}", rig.state());
        let code = rig.code().unwrap();
        rig.type_in(&code);
        assert_eq!(rig.state(), "online", "{point:?}");
    }
}

#[test]
fn in_the_pause_before_it_the_pause_ends() {
    let mut rig = logged_out(Point::Ping);
    let op = rig.ask_for_code();
    assert!(is_code(rig.result(op)), "{}", rig.state());
}

#[test]
fn a_stop_meanwhile_is_told() {
    let mut rig = logged_out(Point::Login);
    rig.advance(secs(2));
    let op = rig.ask_for_code();
    rig.command(Command::Stop);
    assert_eq!(rig.result(op), Some(Err(CommandError::Stopped)));
}

#[test]
fn a_logout_meanwhile_is_told() {
    for point in [Point::Open, Point::Login, Point::Unlink] {
        let mut rig = logged_out(point);
        rig.advance(secs(2));
        let code = rig.ask_for_code();
        let start = rig.command(Command::Start);
        rig.command(Command::Logout(LogoutOptions::default()));
        let error = CommandError::LoggedOut(LogoutReason::Requested);
        assert_eq!(rig.result(code), Some(Err(error.clone())), "{point:?}");
        assert_eq!(rig.result(start), Some(Err(error)), "{point:?}");
        rig.advance(secs(60));
        assert_eq!(rig.state(), "logged_out", "{point:?}");
    }
}

#[test]
fn a_stop_in_the_pause_before_it_is_told() {
    let mut rig = logged_out(Point::Ping);
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    let op = rig.ask_for_code();
    rig.command(Command::Stop);
    assert_eq!(rig.result(op), Some(Err(CommandError::Stopped)));
}

#[test]
fn a_logout_that_waits_for_a_client_version_is_finished_beside() {
    let mut rig = logged_out(Point::Ping);
    rig.version_source = None;
    rig.service.fail(Point::Login, too_old(), 1);
    let code = rig.ask_for_code();
    assert_eq!(rig.result(code), None);
    let logout = rig.command(Command::Logout(LogoutOptions::default()));
    assert!(matches!(
        rig.result(code),
        Some(Err(CommandError::LoggedOut(_)))
    ));
    let server_unlinked = Some(true);
    assert_eq!(
        rig.result(logout),
        Some(Ok(OpOutcome::LoggedOut { server_unlinked }))
    );
    rig.advance(secs(60));
    assert_eq!(rig.state(), "logged_out");
}

fn too_old() -> Fault {
    Fault::Stanzas(vec![Node::new("failure").attr("reason", "405")])
}

#[test]
fn a_newer_client_version_comes_first() {
    for point in [Point::Finish, Point::PairDevice, Point::CompanionHello] {
        let mut rig = Rig::new();
        let version = ClientVersion::new(2, 3000, 2_000_000_000);
        let source = "https://service.test/sw.js".to_owned();
        rig.version_source = Some(Ok(FetchedVersion { version, source }));
        rig.service.fail(point, too_old(), 1);
        let op = rig.ask_for_code();
        assert_eq!(rig.engine.version(), version);
        assert!(is_code(rig.result(op)), "{point:?}: {}", rig.state());
        let code = rig.code().unwrap();
        rig.type_in(&code);
        assert_eq!(rig.state(), "online", "{point:?}");
    }
}

#[test]
fn without_one_it_fails() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Finish, too_old(), u32::MAX);
    let op = rig.ask_for_code();
    assert_eq!(rig.state(), "outdated");
    assert_eq!(rig.result(op), Some(Err(CommandError::Outdated)));
}
