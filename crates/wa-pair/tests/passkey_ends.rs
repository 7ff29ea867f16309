//! What ends a ceremony without a link, and what is left then.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{
    assertion, bring_to, continuation, end, options, prologue_request, reference,
};
use support::{Rig, asked, error, names, pair_device, persisted};
use wa_pair::{Handoff, MAX_REF_LEN, PairConfig, PairOutput, PairStep, PasskeyEnd, PasskeyStage};
use wa_proto::Node;

/// Brings a new ceremony just before the answer to a request.
fn before(step: PairStep) -> (Rig, wa_pair::PairRequest) {
    let mut rig = Rig::offering(6);
    let inline = (step != PairStep::PasskeyOptions).then(options);
    let mut outputs = rig.stanza(&prologue_request("p", inline.as_deref()));
    if step == PairStep::PasskeyOptions {
        return (rig, asked(&outputs).0);
    }
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    outputs = rig.drain();
    for _ in 0..4 {
        let (request, iq, _) = asked(&outputs);
        if request.step() == step {
            return (rig, request);
        }
        outputs = match request.step() {
            PairStep::PasskeyRef => rig.result(request, reference()),
            PairStep::PasskeyPrologue => {
                let phone = support::passkey::Phone::reads(&iq);
                rig.result(request, vec![]);
                rig.stanza(&phone.answers("c"))
            }
            _ => rig.result(request, vec![]),
        };
    }
    panic!("no such request")
}

const STEPS: [(PairStep, PasskeyStage); 5] = [
    (PairStep::PasskeyOptions, PasskeyStage::Options),
    (PairStep::PasskeyRef, PasskeyStage::Ref),
    (PairStep::PasskeyPrologue, PasskeyStage::Prologue),
    (PairStep::PasskeyNonce, PasskeyStage::Nonce),
    (
        PairStep::PasskeyPairingRequest,
        PasskeyStage::PairingRequest,
    ),
];

#[test]
fn every_request_can_be_refused() {
    for (step, _) in STEPS {
        let (mut rig, request) = before(step);
        let outputs = rig.error(request, error(403, Some("not\nallowed")));
        let expected = PasskeyEnd::RequestRefused {
            step,
            code: Some(403),
            text: Some("notallowed".to_owned()),
        };
        assert_eq!(end(&outputs), Some(&expected));
        assert!(!expected.to_string().is_empty());
        let staged = step == PairStep::PasskeyPairingRequest;
        assert_eq!(persisted(&outputs).is_some(), staged);
        assert_eq!(
            names(&outputs).last(),
            Some(&"qr"),
            "it can be scanned again"
        );
    }
}

#[test]
fn an_error_without_words_is_an_error_too_and_a_long_one_is_cut() {
    let long = "x".repeat(65);
    for (child, code, text) in [
        (Node::new("error"), None, None),
        (Node::new("other"), None, None),
        (error(500, Some(&long)), Some(500), Some("x".repeat(64))),
    ] {
        let (mut rig, request) = before(PairStep::PasskeyPrologue);
        let outputs = rig.error(request, child);
        let Some(PasskeyEnd::RequestRefused {
            code: got,
            text: words,
            ..
        }) = end(&outputs)
        else {
            panic!("{outputs:?}")
        };
        assert_eq!((got, words), (&code, &text));
    }
}

#[test]
fn every_request_can_stay_without_an_answer() {
    for (step, stage) in STEPS {
        let (mut rig, request) = before(step);
        let outputs = rig.no_answer(request);
        if step == PairStep::PasskeyPairingRequest {
            assert!(outputs.is_empty(), "the keys may be with the phone");
            assert!(rig.pairing.is_awaiting_passkey());
        } else {
            assert_eq!(end(&outputs), Some(&PasskeyEnd::TimedOut { stage }));
        }
        assert!(rig.no_answer(request).is_empty());
    }
}

#[test]
fn a_lost_receipt_of_our_keys_does_not_end_it() {
    let mut rig = Rig::offering(6);
    let phone = bring_to(&mut rig, PasskeyStage::PairingRequest).unwrap();
    assert!(rig.at(30).is_empty());
    assert!(!rig.pairing.holds_restart(), "all is with the phone");
    let adv = wa_crypto::AdvSecret::from_bytes(phone.adv.unwrap());
    let identity = support::companion_identity().public();
    let container = support::container_for(&adv, &identity, &mut rig.rng);
    rig.set(80);
    let outputs = rig.stanza(&support::pair_success("5", container));
    assert!(names(&outputs).contains(&"paired"), "{outputs:?}");
}

#[test]
fn a_ref_that_cannot_be_used_ends_it() {
    let reference = |bytes: Vec<u8>| vec![Node::new("ref").bytes(bytes)];
    for (children, usable) in [
        (vec![], false),
        (vec![Node::new("ref")], false),
        (reference(vec![]), false),
        (reference(vec![0xFF, 0xFE]), false),
        (reference(vec![b'r'; MAX_REF_LEN]), true),
        (reference(vec![b'r'; MAX_REF_LEN + 1]), false),
    ] {
        let (mut rig, request) = before(PairStep::PasskeyRef);
        let outputs = rig.result(request, children);
        assert_eq!(end(&outputs).is_none(), usable);
        if !usable {
            assert_eq!(end(&outputs), Some(&PasskeyEnd::BadRef));
        }
    }
}

#[test]
fn a_bad_half_of_the_phone_ends_it_before_our_nonce_leaves() {
    let long = [vec![0x1A, 0xFF, 0x07], vec![0; 1023]].concat();
    for bytes in [vec![], vec![0xFF; 9], long, low_order()] {
        for stage in [PasskeyStage::Prologue, PasskeyStage::Primary] {
            let mut rig = Rig::offering(6);
            bring_to(&mut rig, stage);
            let outputs = rig.stanza(&continuation("c", bytes.clone()));
            let early = stage == PasskeyStage::Prologue && bytes == low_order();
            if !early {
                assert_eq!(names(&outputs), ["send", "passkey-ended", "qr"]);
                assert_eq!(end(&outputs), Some(&PasskeyEnd::BadPrimaryIdentity));
            }
        }
    }
    let mut rig = Rig::offering(6);
    bring_to(&mut rig, PasskeyStage::Primary);
    let empty = support::from_server("notification", "crsc_continuation", "c");
    assert_eq!(
        end(&rig.stanza(&empty)),
        Some(&PasskeyEnd::BadPrimaryIdentity)
    );
}

fn low_order() -> Vec<u8> {
    let mut bytes = vec![0x0A, 32];
    bytes.extend([0; 32]);
    bytes.extend([0x12, 32]);
    bytes.extend([7; 32]);
    bytes
}

#[test]
fn the_application_can_refuse_until_our_keys_leave() {
    for stage in [
        PasskeyStage::Options,
        PasskeyStage::Assertion,
        PasskeyStage::Ref,
        PasskeyStage::Prologue,
        PasskeyStage::Primary,
        PasskeyStage::Nonce,
        PasskeyStage::Confirmation,
    ] {
        let mut rig = Rig::new(PairConfig {
            handoff: Handoff::Withhold,
            ..PairConfig::default()
        });
        rig.stanza(&pair_device("1", 6, "ref"));
        bring_to(&mut rig, stage);
        rig.pairing
            .confirm_passkey(rig.now, false, &mut rig.rng)
            .unwrap();
        let outputs = rig.drain();
        assert!(
            matches!(
                outputs.as_slice(),
                [
                    PairOutput::PasskeyEnded(PasskeyEnd::Refused),
                    PairOutput::Qr(_)
                ]
            ),
            "{stage:?}"
        );
    }
}

#[test]
fn after_the_last_ref_the_end_of_a_ceremony_leaves_nothing_open() {
    let mut rig = Rig::offering(1);
    bring_to(&mut rig, PasskeyStage::Assertion);
    rig.at(60);
    rig.pairing
        .confirm_passkey(rig.now, false, &mut rig.rng)
        .unwrap();
    assert_eq!(names(&rig.drain()), ["passkey-ended", "exhausted"]);
}

#[test]
fn the_next_ceremony_after_the_same_scan_proves_the_same_secret() {
    let mut rig = Rig::offering(32);
    bring_to(&mut rig, PasskeyStage::Prologue);
    rig.pairing
        .confirm_passkey(rig.now, false, &mut rig.rng)
        .unwrap();
    rig.drain();
    let phone = bring_to(&mut rig, PasskeyStage::Prologue).unwrap();
    assert!(phone.trusts(support::vector_keys().adv.expose_bytes()));
}
