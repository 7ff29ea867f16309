#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{CloseCause, Command, Input, OpOutcome};

#[test]
fn the_outcome_for_a_connection_that_is_over_is_dropped() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.hold_jobs = true;
    rig.ask_for_code();
    let old = rig.jobs.pop().expect("a job");
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    rig.advance(secs(5));
    rig.hold_jobs = false;
    let op = rig.ask_for_code();
    assert!(matches!(
        rig.result(op),
        Some(Ok(OpOutcome::PairingCode { .. }))
    ));
    let before = rig.service.seen.stanzas.len();
    rig.input(Input::Computed(old.run()));
    assert_eq!(rig.service.seen.stanzas.len(), before);
    let code = rig.code().unwrap();
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn the_outcome_for_a_code_that_is_cancelled_is_dropped() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.hold_jobs = true;
    rig.ask_for_code();
    rig.command(Command::CancelPairingCode);
    rig.run_jobs();
    assert!(rig.service.requests("link_code_companion_reg").is_empty());
    assert_eq!(rig.code(), None);
}

#[test]
fn nothing_waits_for_a_computation() {
    let (mut rig, code) = Rig::showing_code();
    rig.hold_jobs = true;
    rig.type_in(&code);
    assert_eq!(rig.jobs.len(), 1);
    rig.scan();
    assert_eq!(rig.state(), "online");
    rig.run_jobs();
    assert_eq!(rig.state(), "online");
}
