#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{Command, CommandError, Event, OpOutcome, PairError, PairingFailure};

fn asked() -> Rig {
    let mut rig = Rig::with(|config| config.require_approval = true);
    rig.command(Command::Start);
    rig.scan();
    let candidate = rig.heard(|event| match event {
        Event::ApprovalNeeded(candidate) => Some(candidate.clone()),
        _ => None,
    });
    assert_eq!(candidate.jid, rig.service.pn(48));
    assert!(rig.service.linked.is_empty(), "nothing is sent before");
    rig
}

fn failure(rig: &Rig) -> PairingFailure {
    rig.heard(|event| match event {
        Event::PairingFailed(failure) => Some(failure.clone()),
        _ => None,
    })
}

#[test]
fn an_approved_phone_is_linked() {
    let mut rig = asked();
    let op = rig.command(Command::ApprovePairing(true));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::ApprovalSent)));
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_restart_waits_for_the_answer() {
    let mut rig = asked();
    rig.serve(&wa_proto::Node::new("stream:error").attr("code", "515"));
    assert_eq!(rig.opens.len(), 1, "it waits");
    rig.command(Command::ApprovePairing(true));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.opens.len(), 2);
    let lost = |event: &Event| matches!(event, Event::Disconnected { .. });
    assert!(!rig.events.iter().any(lost));
}

#[test]
fn a_refused_phone_is_not() {
    let mut rig = asked();
    let op = rig.command(Command::ApprovePairing(false));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::ApprovalSent)));
    assert_eq!(failure(&rig), PairingFailure::Identity(PairError::Refused));
    assert!(rig.service.linked.is_empty());
}

#[test]
fn no_answer_is_a_refusal() {
    let mut rig = asked();
    rig.advance(secs(60));
    let timed_out = PairingFailure::Identity(PairError::ApprovalTimedOut);
    assert_eq!(failure(&rig), timed_out);
    assert_eq!(rig.state(), "failed");
}

#[test]
fn an_answer_nobody_asked_for_is_refused() {
    let mut rig = Rig::new();
    let op = rig.command(Command::ApprovePairing(true));
    assert_eq!(rig.result(op), Some(Err(CommandError::NothingToApprove)));
    rig.command(Command::Start);
    let op = rig.command(Command::ApprovePairing(true));
    assert_eq!(rig.result(op), Some(Err(CommandError::NothingToApprove)));
    rig.scan();
    let op = rig.command(Command::ApprovePairing(true));
    assert_eq!(rig.result(op), Some(Err(CommandError::NothingToApprove)));
    assert_eq!(rig.state(), "online");
}
