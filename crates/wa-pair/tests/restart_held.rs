//! A restart the server asks for waits as long as it would destroy the ceremony.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{bring_to, end};
use support::{Rig, asked, companion_identity, container_for, names, pair_device, pair_success};
use wa_crypto::AdvSecret;
use wa_pair::{
    AwaitedVia, Handoff, PASSKEY_PAIR_SUCCESS, PASSKEY_RECEIPT_GRACE, PairConfig, PasskeyEnd,
    PasskeyStage,
};

const HELD: [PasskeyStage; 7] = [
    PasskeyStage::Options,
    PasskeyStage::Assertion,
    PasskeyStage::Ref,
    PasskeyStage::Prologue,
    PasskeyStage::Primary,
    PasskeyStage::Nonce,
    PasskeyStage::PairingRequest,
];

#[test]
fn without_a_ceremony_nothing_is_held() {
    let mut rig = Rig::offering(6);
    assert!(!rig.pairing.holds_restart());
    rig.pairing.restart_asked(rig.now);
    assert_eq!(names(&rig.drain()), ["restart-now"]);
}

#[test]
fn a_code_holds_nothing() {
    let (mut rig, _) = support::code::with_code(6);
    rig.stanza(&support::code::blind_hello("1"));
    assert!(!rig.pairing.holds_restart());
}

#[test]
fn it_is_held_until_the_server_has_our_keys() {
    for stage in HELD {
        let mut rig = Rig::offering(6);
        bring_to(&mut rig, stage);
        assert!(rig.pairing.holds_restart(), "{stage:?}");
        rig.pairing.restart_asked(rig.now);
        assert!(rig.drain().is_empty(), "{stage:?}");
    }
    let mut rig = Rig::offering(6);
    bring_to(&mut rig, PasskeyStage::PairSuccess);
    assert!(!rig.pairing.holds_restart());
    assert!(rig.pairing.is_awaiting_passkey());
    rig.pairing.restart_asked(rig.now);
    assert_eq!(names(&rig.drain()), ["restart-now"]);
}

#[test]
fn it_is_made_once_the_receipt_is_there() {
    let mut rig = Rig::new(PairConfig {
        handoff: Handoff::Withhold,
        ..PairConfig::default()
    });
    rig.stanza(&pair_device("1", 6, "ref"));
    bring_to(&mut rig, PasskeyStage::Confirmation);
    rig.pairing.restart_asked(rig.now);
    rig.pairing
        .confirm_passkey(rig.now, true, &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["persist-adv", "ask-pairing"]);
    assert_eq!(
        names(&rig.result(asked(&outputs).0, vec![])),
        ["restart-now"]
    );
    assert!(
        rig.at(10_000)
            .iter()
            .all(|output| !matches!(output, wa_pair::PairOutput::RestartNow))
    );
}

#[test]
fn a_receipt_that_does_not_come_holds_it_for_a_moment_only() {
    for asked_first in [true, false] {
        let mut rig = Rig::new(PairConfig {
            handoff: Handoff::Withhold,
            ..PairConfig::default()
        });
        rig.stanza(&pair_device("1", 6, "ref"));
        if asked_first {
            bring_to(&mut rig, PasskeyStage::Confirmation);
            rig.pairing.restart_asked(rig.now);
            let confirmed = rig.pairing.confirm_passkey(rig.now, true, &mut rig.rng);
            assert_eq!(confirmed, Ok(()));
            assert_eq!(names(&rig.drain()), ["persist-adv", "ask-pairing"]);
        } else {
            bring_to(&mut rig, PasskeyStage::PairingRequest);
            rig.pairing.restart_asked(rig.now);
        }
        let grace = PASSKEY_RECEIPT_GRACE.as_secs();
        assert_eq!(rig.next_timeout(), Some(grace));
        assert_eq!(names(&rig.at(grace)), ["restart-now"]);
        let link = rig.pairing.awaited_link().unwrap();
        assert_eq!(link.via, AwaitedVia::Passkey);
        let left = link.deadline.saturating_duration_since(rig.now);
        assert_eq!(left, PASSKEY_PAIR_SUCCESS);
    }
}

#[test]
fn an_approval_that_is_awaited_holds_it() {
    for accept in [true, false] {
        let mut rig = Rig::new(PairConfig {
            require_approval: true,
            ..PairConfig::default()
        });
        rig.stanza(&pair_device("1", 6, "ref"));
        rig.stanza(&pair_success("5", support::vector_container()));
        assert!(rig.pairing.holds_restart());
        rig.pairing.restart_asked(rig.now);
        assert!(rig.drain().is_empty());
        assert!(rig.pairing.approve(accept, &mut rig.rng));
        let outputs = names(&rig.drain());
        assert_eq!(outputs.contains(&"restart-now"), accept, "{outputs:?}");
        assert!(!rig.pairing.holds_restart());
    }
}

#[test]
fn it_is_made_when_the_ceremony_ends_without_a_link() {
    let mut rig = Rig::offering(1);
    bring_to(&mut rig, PasskeyStage::Assertion);
    rig.at(60);
    rig.pairing.restart_asked(rig.now);
    rig.pairing.restart_asked(rig.now);
    let outputs = rig.at(600);
    assert_eq!(
        names(&outputs),
        ["passkey-ended", "restart-now"],
        "and not exhausted"
    );
    let stage = PasskeyStage::Assertion;
    assert_eq!(end(&outputs), Some(&PasskeyEnd::TimedOut { stage }));
}

#[test]
fn it_is_made_after_the_link() {
    let mut rig = Rig::offering(6);
    let phone = bring_to(&mut rig, PasskeyStage::PairingRequest).unwrap();
    rig.pairing.restart_asked(rig.now);
    let adv = AdvSecret::from_bytes(phone.adv.unwrap());
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    assert_eq!(
        names(&rig.stanza(&pair_success("5", container))),
        [
            "verifying",
            "persist-paired",
            "send",
            "paired",
            "restart-now"
        ]
    );
}
