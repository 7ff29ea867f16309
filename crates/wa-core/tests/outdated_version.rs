#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{ClientVersion, Command, CommandError, OpOutcome};
use wa_proto::Node;

fn outdated() -> Rig {
    let mut rig = Rig::new();
    let too_old = vec![Node::new("failure").attr("reason", "405")];
    rig.service.fail(Point::Finish, Fault::Stanzas(too_old), 1);
    let op = rig.command(Command::Start);
    assert_eq!(rig.result(op), Some(Err(CommandError::Outdated)));
    rig
}

#[test]
fn a_version_that_is_too_old_is_not_retried() {
    let mut rig = outdated();
    assert_eq!(rig.state(), "outdated");
    rig.advance(secs(100_000));
    assert_eq!(rig.opens.len(), 1);
    assert!(!rig.store.is_empty(), "the keys stay");
}

#[test]
fn a_newer_version_is_tried_once() {
    let mut rig = outdated();
    let newer = ClientVersion::new(2, 3000, 2_000_000_000);
    let op = rig.command(Command::UseVersion(newer));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::VersionSet)));
    assert_eq!(rig.state(), "awaiting_pairing");
    let payload = rig.service.seen.payloads.last().unwrap();
    let version = payload.user_agent.as_ref().unwrap().app_version.unwrap();
    assert_eq!(version.tertiary, Some(2_000_000_000));
    let registration = payload.device_pairing_data.as_ref().unwrap();
    let hash = wa_crypto::md5(b"2.3000.2000000000");
    assert_eq!(registration.build_hash.as_deref(), Some(&hash[..]));
}

#[test]
fn an_older_or_equal_version_is_not() {
    let mut rig = outdated();
    for version in [
        ClientVersion::COMPILED_IN,
        ClientVersion::new(2, 3000, 1_000_000_000),
    ] {
        rig.command(Command::UseVersion(version));
        assert_eq!(rig.state(), "outdated");
    }
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn a_version_set_while_stopped_waits_for_a_start() {
    let mut rig = outdated();
    rig.command(Command::Stop);
    rig.command(Command::UseVersion(ClientVersion::new(
        2,
        3000,
        2_000_000_000,
    )));
    assert_eq!(rig.state(), "idle");
    rig.command(Command::Start);
    assert_eq!(rig.state(), "awaiting_pairing");
}

#[test]
fn versions_are_three_numbers() {
    assert_eq!("2.3000.1045649367".parse(), Ok(ClientVersion::COMPILED_IN));
    for text in [
        "",
        "2.3000",
        "2.3000.1.2",
        "2.+3000.1",
        "2.3000.x",
        "2..1",
        "2.3000.4294967296",
    ] {
        assert!(text.parse::<ClientVersion>().is_err(), "{text}");
    }
}
