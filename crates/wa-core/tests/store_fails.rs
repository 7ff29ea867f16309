#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Fault, Point, Rig, secs};
use wa_core::{
    Command, CommandError, ConnectionState, Event, FailReason, Input, LinkState, LogoutOptions,
    OpOutcome, Query, RestoreError,
};

fn store_error() -> FailReason {
    FailReason::Store("no space left".to_owned())
}

fn assert_stopped_safe(rig: &Rig) {
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Failed {
            error: store_error()
        }
    );
    assert!(!rig.is_connected());
    assert_eq!(rig.engine.poll_timeout(), None);
    let failed = rig.log.len()
        - 1
        - rig
            .log
            .iter()
            .rev()
            .position(|done| matches!(done, Done::Persist(_)))
            .unwrap();
    assert!(
        !rig.log[failed..]
            .iter()
            .any(|done| matches!(done, Done::Transmit | Done::Open)),
        "nothing was sent after the commit that failed"
    );
}

#[test]
fn keys_that_cannot_be_stored_are_never_used() {
    let mut rig = Rig::new();
    rig.refuse_commits = true;
    let op = rig.command(Command::Start);
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(store_error())))
    );
    assert_stopped_safe(&rig);
    assert_eq!(rig.service.seen.connections, 0);
}

#[test]
fn a_link_that_cannot_be_stored_is_not_confirmed_to_the_phone() {
    let mut rig = Rig::new();
    let op = rig.command(Command::Start);
    rig.refuse_commits = true;
    rig.scan();
    assert_stopped_safe(&rig);
    assert!(rig.service.linked.is_empty(), "the phone has no reply");
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Paired { .. }))
    );
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(store_error())))
    );
    assert_eq!(rig.store.link, Some(LinkState::Unlinked));
}

#[test]
fn prekeys_that_cannot_be_stored_are_not_uploaded() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Count, Fault::Silent, 1);
    rig.pair();
    rig.advance(secs(74));
    rig.refuse_commits = true;
    rig.advance(secs(3));
    assert_stopped_safe(&rig);
    assert_eq!(rig.service.bundle.uploads, 0);
}

#[test]
fn the_next_start_goes_by_what_the_store_holds() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.refuse_commits = true;
    rig.scan();
    rig.refuse_commits = false;
    rig.events.clear();
    let op = rig.command(Command::Start);
    assert_eq!(
        rig.state(),
        "awaiting_pairing",
        "not a login with a link nobody knows"
    );
    rig.scan();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
}

#[test]
fn a_logout_that_cannot_be_stored_is_no_success() {
    let mut rig = Rig::online();
    rig.refuse_commits = true;
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(store_error())))
    );
    assert_eq!(rig.state(), "failed");
    rig.refuse_commits = false;
    rig.command(Command::Start);
    assert_eq!(
        rig.state(),
        "logged_out",
        "the server has unlinked it, and says so"
    );
    assert!(rig.store.is_empty());
}

#[test]
fn a_store_that_cannot_be_read_again_fails() {
    let mut rig = Rig::online();
    rig.refuse_commits = true;
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "failed");
    rig.refuse_commits = false;
    // What the store hands out is damaged.
    let mut record = rig.store.load(Query::Device).remove(0);
    record.value = vec![0xff; 40].into();
    let good = rig.store.clone();
    rig.store.replace(record);
    let op = rig.command(Command::Start);
    let Some(Err(CommandError::Failed(FailReason::Restore(RestoreError::Damaged { .. })))) =
        rig.result(op)
    else {
        panic!("a damaged store is told")
    };
    rig.store = good;
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_read_that_fails_stops_safe_as_well() {
    let mut rig = Rig::online();
    rig.input(Input::LoadFailed(
        Query::Prekeys,
        "no space left".to_owned(),
    ));
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Failed {
            error: store_error()
        }
    );
    assert!(!rig.is_connected());
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}
