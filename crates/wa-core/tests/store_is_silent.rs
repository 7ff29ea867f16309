#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::{Rig, secs};
use wa_core::{Command, CommandError, FailReason, OpOutcome};

fn assert_waits_a_minute(rig: &mut Rig, op: wa_core::OpId, meanwhile: &str) {
    assert_eq!(rig.state(), meanwhile);
    rig.advance(secs(60) - Duration::from_millis(1));
    assert_eq!(rig.state(), meanwhile);
    rig.advance(Duration::from_millis(1));
    assert_eq!(rig.state(), "failed");
    let failed = CommandError::Failed(FailReason::Store("it gives no answer".to_owned()));
    if meanwhile != "online" {
        assert_eq!(rig.result(op), Some(Err(failed)));
    }
    assert!(!rig.is_connected());
    rig.hold_loads = false;
    let op = rig.command(Command::Start);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
}

#[test]
fn what_it_really_holds_is_waited_for_a_minute() {
    let mut rig = Rig::online();
    rig.refuse_commits = true;
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "failed");
    rig.refuse_commits = false;
    rig.hold_loads = true;
    let op = rig.command(Command::Start);
    assert_waits_a_minute(&mut rig, op, "connecting");
}

#[test]
fn so_are_the_keys_of_a_bundle() {
    let mut rig = Rig::online();
    rig.restart();
    rig.hold_loads = true;
    let op = rig.command(Command::Start);
    assert_waits_a_minute(&mut rig, op, "connecting");
}

#[test]
fn and_those_of_an_upload() {
    let mut rig = Rig::online();
    rig.restart();
    rig.service.bundle.prekeys.truncate(1);
    rig.hold_loads = true;
    let op = rig.command(Command::Start);
    assert_waits_a_minute(&mut rig, op, "connecting");
}
