//! The proof that a ceremony follows from the scan, and what stands in when there is none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{Phone, assertion, bring_to, confirmation, reference};
use support::{Rig, asked, pair_device, persisted, refresh, vector_keys};
use wa_pair::{Handoff, PairConfig, PasskeyStage};

/// The assertion comes at `seconds`: the phone's view of the prologue.
fn asserted_at(rig: &mut Rig, seconds: u64) -> Phone {
    bring_to(rig, PasskeyStage::Assertion);
    rig.set(seconds);
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    let (request, ..) = asked(&rig.drain());
    let (request, prologue, _) = asked(&rig.result(request, reference()));
    rig.result(request, vec![]);
    Phone::reads(&prologue)
}

#[test]
fn it_is_good_for_five_minutes_and_then_the_user_compares() {
    for (seconds, proven) in [(299, true), (300, false)] {
        let mut rig = Rig::offering(1);
        let mut phone = asserted_at(&mut rig, seconds);
        assert_eq!(phone.proof.is_some(), proven);
        let (request, nonce, _) = asked(&rig.stanza(&phone.answers("c")));
        phone.takes_nonce(&nonce);
        let outputs = rig.result(request, vec![]);
        assert_eq!(confirmation(&outputs).unwrap().is_none(), proven);
        assert_eq!(persisted(&outputs).is_some(), proven);
    }
}

#[test]
fn withheld_it_is_never_sent() {
    let mut rig = Rig::new(PairConfig {
        handoff: Handoff::Withhold,
        ..PairConfig::default()
    });
    rig.stanza(&pair_device("1", 1, "ref"));
    assert_eq!(asserted_at(&mut rig, 1).proof, None);
}

#[test]
fn it_is_made_with_the_secret_of_the_moment_the_ceremony_began() {
    let mut rig = Rig::offering(6);
    bring_to(&mut rig, PasskeyStage::Assertion);
    rig.stanza(&refresh("7", Some("companion_reg_refresh")));
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    let (request, ..) = asked(&rig.drain());
    let (_, prologue, _) = asked(&rig.result(request, reference()));
    assert!(Phone::reads(&prologue).trusts(vector_keys().adv.expose_bytes()));
}
