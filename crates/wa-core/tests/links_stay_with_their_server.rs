#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{
    Command, CommandError, ConnectionState, FailReason, LogoutOptions, NoiseRoot, RecordKind,
};

fn elsewhere(rig: &mut Rig) {
    let mut config = (*rig.config).clone();
    config.root = NoiseRoot::production();
    rig.config = config.into();
    rig.restart();
    rig.opens.clear();
}

#[test]
fn a_linked_device_is_not_shown_to_another_server() {
    let mut rig = Rig::online();
    let before = rig.store.clone();
    elsewhere(&mut rig);
    let error = FailReason::OtherServer;
    let op = rig.command(Command::Start);
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(error.clone())))
    );
    assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Failed(FailReason::OtherServer)))
    );
    assert!(rig.opens.is_empty());
    assert_eq!(
        rig.store.count(RecordKind::Device),
        before.count(RecordKind::Device)
    );
    assert_eq!(rig.store.link, before.link);
}

#[test]
fn nor_is_a_tombstone() {
    let mut rig = Rig::online();
    rig.command(Command::Stop);
    rig.command(Command::Logout(LogoutOptions::default()));
    assert!(rig.store.has_a_tombstone_only());
    elsewhere(&mut rig);
    rig.command(Command::Start);
    let error = FailReason::OtherServer;
    assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
    assert!(rig.opens.is_empty());
    assert!(rig.store.has_a_tombstone_only());
}

#[test]
fn a_device_that_is_not_linked_may_go_anywhere() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.command(Command::Stop);
    elsewhere(&mut rig);
    rig.command(Command::Start);
    assert_eq!(rig.opens.len(), 1);
}
