//! What the phone was sent on one connection, it may answer on the next.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::code::{self, blind_hello, compute, request_of, with_code};
use support::passkey::{bring_to, end, prologue_request};
use support::{
    Rig, companion_identity, container_for, names, pair_device, pair_success, persisted, refresh,
    vector_keys,
};
use wa_crypto::AdvSecret;
use wa_pair::{
    AwaitedLink, AwaitedVia, CodeEnd, CodeError, PairConfig, PairOutput, Pairing, PasskeyEnd,
    PasskeyStage,
};

/// The connection ends; the next one has what a driver carries over.
fn reconnect(rig: &mut Rig, adv: [u8; 32]) -> AwaitedLink {
    let awaited = rig.pairing.awaited_link().expect("something is awaited");
    let mut keys = vector_keys();
    keys.adv = AdvSecret::from_bytes(adv);
    rig.pairing = Pairing::new(keys, PairConfig::default());
    rig.pairing.resume(awaited);
    assert_eq!(rig.pairing.awaited_link(), Some(awaited));
    awaited
}

fn link(rig: &mut Rig, adv: [u8; 32]) -> Vec<&'static str> {
    let adv = AdvSecret::from_bytes(adv);
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    names(&rig.stanza(&pair_success("5", container)))
}

/// A code that was typed, and what companion_finish has derived.
fn typed() -> (Rig, [u8; 32]) {
    let (mut rig, _) = with_code(6);
    assert_eq!(rig.pairing.awaited_link(), None);
    let outputs = rig.stanza(&blind_hello("1"));
    assert_eq!(rig.pairing.awaited_link(), None, "nothing has left yet");
    let adv = persisted(&compute(&mut rig, outputs)).unwrap();
    (rig, adv)
}

#[test]
fn nothing_is_awaited_before_our_keys_have_left() {
    for stage in [
        PasskeyStage::Options,
        PasskeyStage::Assertion,
        PasskeyStage::Primary,
        PasskeyStage::Nonce,
    ] {
        let mut rig = Rig::offering(6);
        bring_to(&mut rig, stage);
        assert_eq!(rig.pairing.awaited_link(), None, "{stage:?}");
    }
}

#[test]
fn a_ceremony_is_answered_on_the_next_connection_whatever_comes_before() {
    for stage in [PasskeyStage::PairingRequest, PasskeyStage::PairSuccess] {
        let mut rig = Rig::offering(6);
        let adv = bring_to(&mut rig, stage).unwrap().adv.unwrap();
        reconnect(&mut rig, adv);
        assert!(rig.pairing.is_awaiting_passkey() && !rig.pairing.holds_restart());
        assert_eq!(names(&rig.stanza(&pair_device("1", 6, "ref"))), ["send"]);
        let refresh = refresh("2", Some("companion_reg_refresh"));
        assert_eq!(names(&rig.stanza(&refresh)), ["send"], "the secret stays");
        let again = prologue_request("p", None);
        assert_eq!(names(&rig.stanza(&again)), ["send"]);
        assert!(link(&mut rig, adv).contains(&"paired"), "{stage:?}");
        assert_eq!(rig.pairing.awaited_link(), None);
    }
}

#[test]
fn a_ceremony_that_is_not_answered_there_is_told_and_its_secret_dies() {
    let mut rig = Rig::offering(6);
    let adv = bring_to(&mut rig, PasskeyStage::PairSuccess).unwrap().adv;
    rig.set(20);
    reconnect(&mut rig, adv.unwrap());
    rig.stanza(&pair_device("1", 6, "ref"));
    assert!(rig.at(59).is_empty(), "the minute goes on");
    let outputs = rig.at(60);
    let stage = PasskeyStage::PairSuccess;
    assert_eq!(end(&outputs), Some(&PasskeyEnd::TimedOut { stage }));
    assert_ne!(persisted(&outputs), None);
    assert_eq!(names(&outputs), ["passkey-ended", "persist-adv", "qr"]);
}

#[test]
fn a_typed_code_is_answered_on_the_next_connection() {
    let (mut rig, adv) = typed();
    reconnect(&mut rig, adv);
    assert_eq!(
        names(&rig.stanza(&pair_device("1", 6, "ref"))),
        ["send", "qr"]
    );
    let refresh = refresh("2", Some("companion_reg_refresh"));
    assert_eq!(names(&rig.stanza(&refresh)), ["send"]);
    assert!(link(&mut rig, adv).contains(&"paired"));
}

#[test]
fn a_typed_code_that_is_not_answered_there_is_told_and_its_secret_dies() {
    let (mut rig, adv) = typed();
    let awaited = reconnect(&mut rig, adv);
    let deadline = rig.start + Duration::from_secs(60);
    let via = AwaitedVia::Code;
    assert_eq!(awaited, AwaitedLink { via, deadline });
    rig.set(10);
    rig.stanza(&pair_device("1", 6, "ref"));
    let another = rig
        .pairing
        .request_code(rig.now, request_of("ABCD1234"), &mut rig.rng);
    let remaining = Duration::from_secs(50);
    assert_eq!(another, Err(CodeError::Outstanding { remaining }));
    let outputs = rig.at(60);
    assert!(matches!(
        outputs[0],
        PairOutput::CodeEnded(CodeEnd::NoPairSuccess)
    ));
    assert!(persisted(&outputs).is_some());
    code::hello(&mut rig, "ABCD1234");
}

#[test]
fn a_typed_code_can_be_cancelled_there() {
    let (mut rig, adv) = typed();
    reconnect(&mut rig, adv);
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["code-ended", "persist-adv"]);
    assert!(!rig.pairing.cancel_code(rig.now, &mut rig.rng));
}

#[test]
fn a_passkey_may_follow_a_typed_code_there() {
    let (mut rig, adv) = typed();
    reconnect(&mut rig, adv);
    rig.stanza(&pair_device("1", 6, "ref"));
    let phone = bring_to(&mut rig, PasskeyStage::Prologue).unwrap();
    assert!(phone.trusts(&adv), "tied to the code before it");
}

#[test]
fn a_deadline_that_has_passed_is_told_at_once() {
    let (mut rig, adv) = typed();
    rig.set(100);
    reconnect(&mut rig, adv);
    assert_eq!(rig.next_timeout(), Some(60));
    assert_eq!(names(&rig.at(101)), ["code-ended", "persist-adv"]);
}
