#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, START_UNIX_MS, secs};
use wa_core::Command;

#[test]
fn the_offset_comes_from_success() {
    let mut rig = Rig::new();
    let ahead = START_UNIX_MS / 1000 + 90;
    rig.service.success = vec![("t", ahead.to_string())];
    assert_eq!(rig.engine.server_offset_ms(), 0);
    rig.pair();
    assert_eq!(rig.engine.server_offset_ms(), 90_000);
}

#[test]
fn a_success_without_a_time_leaves_it() {
    let mut rig = Rig::new();
    rig.service.success = vec![];
    rig.pair();
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.engine.server_offset_ms(), 0);
}

#[test]
fn the_session_id_counts_the_servers_week() {
    let mut rig = Rig::new();
    let ahead = START_UNIX_MS / 1000 + 90;
    rig.service.success = vec![("t", ahead.to_string())];
    rig.pair();
    let expected = (START_UNIX_MS + 90_000 + 3 * 86_400_000) % (7 * 86_400_000);
    let ids: Vec<_> = rig
        .service
        .sent("ib")
        .into_iter()
        .filter_map(|ib| ib.get_child("unified_session")?.get_u64("id"))
        .collect();
    assert_eq!(ids, [expected]);
}

#[test]
fn the_session_id_can_be_left_out() {
    let rig = Rig::online_with(|config| config.login.unified_session = false);
    assert!(rig.service.sent("ib").is_empty());
}

#[test]
fn a_second_success_means_nothing() {
    let mut rig = Rig::online();
    rig.advance(secs(1));
    let commits = rig.store.commits;
    rig.serve(&wa_proto::Node::new("success").attr("t", "5"));
    assert_eq!(rig.store.commits, commits);
    assert!(rig.engine.server_offset_ms().abs() < 1000);
    rig.command(Command::Stop);
}
