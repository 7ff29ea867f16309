//! The application's veto: asked after the checks, before the signature.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{
    JID, LID, Rig, error_reply, names, pair_device, pair_success, refresh, sent, vector_container,
};
use wa_pair::{APPROVAL_WINDOW, PairConfig, PairError, PairOutput};

fn asking() -> Rig {
    let mut rig = Rig::new(PairConfig {
        require_approval: true,
        ..PairConfig::default()
    });
    let _ = rig.feed(&pair_device("1", 6, "ref"));
    rig.drain();
    let _ = rig.feed(&pair_success("5", vector_container()));
    rig
}

#[test]
fn the_application_is_asked_before_anything_is_stored_or_sent() {
    let mut rig = asking();
    let outputs = rig.drain();
    assert_eq!(
        names(&outputs),
        ["qr-expired", "verifying", "approval-needed"]
    );
    let PairOutput::ApprovalNeeded(candidate) = &outputs[2] else {
        panic!()
    };
    assert_eq!(candidate.jid, JID.parse().unwrap());
    assert_eq!(candidate.lid, Some(LID.parse().unwrap()));
    assert_eq!(candidate.platform.as_deref(), Some("android"));
}

#[test]
fn acceptance_persists_then_replies() {
    let mut rig = asking();
    rig.drain();
    assert!(rig.pairing.approve(true, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["persist-paired", "send", "paired"]);
    assert!(!rig.pairing.approve(false, &mut rig.rng), "it was answered");
    assert!(rig.drain().is_empty());
}

#[test]
fn a_veto_is_answered_with_500() {
    let mut rig = asking();
    rig.drain();
    assert!(rig.pairing.approve(false, &mut rig.rng));
    let outputs = rig.drain();
    assert_eq!(sent(&outputs), [&error_reply("5", 500, "internal-error")]);
    assert!(matches!(
        outputs.last(),
        Some(PairOutput::Failed(PairError::Refused))
    ));
}

#[test]
fn silence_is_a_veto() {
    let mut rig = asking();
    rig.drain();
    assert_eq!(rig.next_timeout(), Some(APPROVAL_WINDOW.as_secs()));
    assert!(rig.at(APPROVAL_WINDOW.as_secs() - 1).is_empty());
    let outputs = rig.at(APPROVAL_WINDOW.as_secs());
    assert_eq!(sent(&outputs), [&error_reply("5", 500, "internal-error")]);
    assert!(matches!(
        outputs.last(),
        Some(PairOutput::Failed(PairError::ApprovalTimedOut))
    ));
    assert!(!rig.pairing.approve(true, &mut rig.rng));
}

#[test]
fn nobody_is_asked_about_a_pair_success_that_does_not_verify() {
    let mut rig = Rig::new(PairConfig {
        require_approval: true,
        ..PairConfig::default()
    });
    let _ = rig.feed(&pair_success("5", vec![1, 2, 3]));
    assert_eq!(names(&rig.drain()), ["verifying", "send", "failed"]);
}

#[test]
fn nothing_else_happens_while_the_application_thinks() {
    let mut rig = asking();
    rig.drain();
    let _ = rig.feed(&pair_success("6", vector_container()));
    assert!(rig.drain().is_empty(), "ignored");
    let _ = rig.feed(&pair_device("7", 6, "new"));
    assert_eq!(names(&rig.drain()), ["send"]);
    let _ = rig.feed(&refresh("8", Some("companion_reg_refresh")));
    assert_eq!(names(&rig.drain()), ["send"]);
    assert!(rig.pairing.approve(true, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["persist-paired", "send", "paired"]);
}

#[test]
fn an_answer_nobody_asked_for_does_nothing() {
    let mut rig = Rig::offering(6);
    assert!(!rig.pairing.approve(false, &mut rig.rng));
    assert!(rig.drain().is_empty());
    assert_eq!(rig.next_timeout(), Some(60));
}
