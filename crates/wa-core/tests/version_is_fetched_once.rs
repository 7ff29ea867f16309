#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Fault, Point, Rig, secs};
use wa_core::{
    ClientVersion, Command, CommandError, FetchedVersion, LogoutOptions, MAX_VERSION_SOURCE_LEN,
    RecordKind, VersionChoice,
};
use wa_proto::Node;

const NEWER: ClientVersion = ClientVersion::new(2, 3000, 2_000_000_000);

fn too_old() -> Fault {
    Fault::Stanzas(vec![Node::new("failure").attr("reason", "405")])
}

fn found(version: ClientVersion) -> Option<Result<FetchedVersion, String>> {
    let source = "https://service.test/sw.js".to_owned();
    Some(Ok(FetchedVersion { version, source }))
}

fn fetches(rig: &Rig) -> usize {
    rig.log
        .iter()
        .filter(|done| **done == Done::FetchVersion)
        .count()
}

#[test]
fn a_newer_one_is_kept_and_used_at_once() {
    let mut rig = Rig::new();
    rig.version_source = found(NEWER);
    rig.service.fail(Point::Finish, too_old(), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!((fetches(&rig), rig.opens.len()), (1, 2));
    assert_eq!(rig.engine.version(), NEWER);
    let known = rig.engine.known_version().unwrap();
    assert_eq!(known.source, "https://service.test/sw.js");
    assert_eq!(known.fetched_at, rig.now.unix_secs());
    rig.restart();
    assert_eq!(rig.engine.version(), NEWER, "over a restart as well");
}

#[test]
fn it_is_asked_for_once_and_then_the_state_is_outdated() {
    for (version, opens) in [
        (ClientVersion::COMPILED_IN, 1),
        (ClientVersion::new(2, 3000, 1), 1),
        (NEWER, 2),
    ] {
        let mut rig = Rig::new();
        rig.version_source = found(version);
        rig.service.fail(Point::Finish, too_old(), u32::MAX);
        let op = rig.command(Command::Start);
        assert_eq!(rig.state(), "outdated");
        assert_eq!(rig.result(op), Some(Err(CommandError::Outdated)));
        assert_eq!((fetches(&rig), rig.opens.len()), (1, opens));
        rig.advance(secs(100_000));
        assert_eq!((fetches(&rig), rig.opens.len()), (1, opens));
    }
}

#[test]
fn no_answer_is_waited_for_half_a_minute() {
    let mut rig = Rig::new();
    rig.version_source = None;
    rig.service.fail(Point::Finish, too_old(), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "starting");
    rig.advance(std::time::Duration::from_millis(29_999));
    assert_eq!(rig.state(), "starting");
    rig.advance(std::time::Duration::from_millis(1));
    assert_eq!(rig.state(), "outdated");
}

#[test]
fn a_late_answer_starts_nothing() {
    let mut rig = Rig::new();
    rig.version_source = None;
    rig.service.fail(Point::Finish, too_old(), 1);
    rig.command(Command::Start);
    rig.command(Command::Stop);
    let fetched = found(NEWER).unwrap();
    rig.input(wa_core::Input::VersionFetched(fetched));
    assert_eq!((rig.state(), rig.opens.len()), ("idle", 1));
}

#[test]
fn a_pinned_one_that_is_refused_is_outdated_at_once() {
    let mut rig = Rig::with(|config| {
        config.version = VersionChoice::Pinned(ClientVersion::COMPILED_IN);
    });
    rig.version_source = found(NEWER);
    rig.service.fail(Point::Finish, too_old(), 1);
    let op = rig.command(Command::Start);
    assert_eq!((rig.state(), fetches(&rig)), ("outdated", 0));
    let error = rig.result(op).unwrap().unwrap_err();
    assert!(error.to_string().contains("pin"), "{error}");
}

#[test]
fn it_is_no_part_of_the_link() {
    let mut rig = Rig::new();
    rig.version_source = found(NEWER);
    rig.service.fail(Point::Finish, too_old(), 1);
    rig.pair();
    rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.store.count(RecordKind::Version), 1);
    rig.restart();
    assert_eq!(rig.engine.version(), NEWER);
}

#[test]
fn the_text_about_the_source_is_bounded() {
    for (len, kept) in [
        (MAX_VERSION_SOURCE_LEN, MAX_VERSION_SOURCE_LEN),
        (MAX_VERSION_SOURCE_LEN + 1, MAX_VERSION_SOURCE_LEN),
    ] {
        let mut rig = Rig::new();
        let source = "x".repeat(len);
        rig.version_source = Some(Ok(FetchedVersion {
            version: NEWER,
            source,
        }));
        rig.service.fail(Point::Finish, too_old(), 1);
        rig.command(Command::Start);
        assert_eq!(rig.engine.known_version().unwrap().source.len(), kept);
    }
}

#[test]
fn a_wrong_one_that_was_fetched_is_replaced_by_the_next() {
    let right = ClientVersion::new(2, 3000, 1_999_999_999);
    for (next, state) in [
        (right, "awaiting_pairing"),
        (ClientVersion::COMPILED_IN, "awaiting_pairing"),
        (NEWER, "outdated"),
        (ClientVersion::new(2, 3000, 1), "outdated"),
    ] {
        let mut rig = Rig::new();
        rig.version_source = found(NEWER);
        rig.service.fail(Point::Finish, too_old(), 2);
        rig.command(Command::Start);
        assert_eq!((rig.state(), rig.engine.version()), ("outdated", NEWER));
        rig.restart();
        rig.version_source = found(next);
        rig.service.fail(Point::Finish, too_old(), 1);
        rig.command(Command::Start);
        assert_eq!(rig.state(), state, "{next}");
        if state == "awaiting_pairing" {
            rig.restart();
            assert_eq!(rig.engine.version(), next, "and kept");
        }
    }
}
