#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{Command, LogoutOptions, Record, RecordKind};
use wa_proto::Node;

fn rig() -> Rig {
    let mut rig = Rig::online();
    let peer = Record::new(RecordKind::PeerIdentity, b"somebody".to_vec(), vec![8, 1]);
    rig.store.replace(peer);
    rig
}

#[test]
fn a_plain_logout_keeps_nothing() {
    let mut rig = rig();
    rig.command(Command::Logout(LogoutOptions::default()));
    assert!(rig.store.is_empty());
}

#[test]
fn what_is_named_is_kept_and_outlives_pairing_anew() {
    let mut rig = rig();
    let before = rig.store.count(RecordKind::PeerIdentity);
    rig.command(Command::Logout(LogoutOptions::keep([
        RecordKind::PeerIdentity,
    ])));
    assert_eq!(rig.store.count(RecordKind::PeerIdentity), before);
    assert_eq!(rig.store.count(RecordKind::Device), 0);
    rig.restart();
    rig.pair();
    assert_eq!(rig.state(), "online");
    assert!(rig.store.count(RecordKind::PeerIdentity) >= before);
}

#[test]
fn credentials_are_never_kept() {
    let mut rig = rig();
    rig.command(Command::Logout(LogoutOptions::keep(
        RecordKind::ALL.iter().copied(),
    )));
    for kind in RecordKind::ALL {
        let kept = rig.store.count(*kind) > 0;
        assert!(!kept || kind.may_outlive_the_link(), "{kind:?}");
    }
    assert!(rig.store.count(RecordKind::PeerIdentity) > 0);
}

#[test]
fn what_the_phone_or_the_server_ends_keeps_nothing() {
    let mut rig = rig();
    rig.serve(&Node::new("failure").attr("reason", "401"));
    assert!(rig.store.is_empty());
}
