//! What comes at the wrong moment is acked and changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{Phone, assertion, bring_to, continuation, options, prologue_request};
use support::{Rig, asked, code, error, from_server, names, pair_device, refresh, vectors};
use wa_pair::{CodeError, PairConfig, PairRequest, PasskeyError, PasskeyStage};
use wa_proto::Node;

const STAGES: [PasskeyStage; 8] = [
    PasskeyStage::Options,
    PasskeyStage::Assertion,
    PasskeyStage::Ref,
    PasskeyStage::Prologue,
    PasskeyStage::Primary,
    PasskeyStage::Nonce,
    PasskeyStage::PairingRequest,
    PasskeyStage::PairSuccess,
];

fn at(stage: PasskeyStage) -> Rig {
    let mut rig = Rig::offering(6);
    bring_to(&mut rig, stage);
    rig
}

fn identity() -> Vec<u8> {
    let vectors = vectors();
    support::unhex(&vectors["passkey"][0]["primary_ephemeral_identity"])
}

#[test]
fn a_continuation_counts_only_after_the_prologue() {
    let mut rig = Rig::offering(6);
    assert_eq!(names(&rig.stanza(&continuation("c", identity()))), ["send"]);
    for stage in STAGES {
        if matches!(stage, PasskeyStage::Prologue | PasskeyStage::Primary) {
            continue;
        }
        for content in [identity(), vec![], vec![0xFF; 2000]] {
            let mut rig = at(stage);
            let outputs = rig.stanza(&continuation("c", content));
            assert_eq!(names(&outputs), ["send"], "{stage:?}");
            assert!(rig.pairing.is_awaiting_passkey());
        }
    }
}

#[test]
fn a_second_request_during_a_ceremony_is_ignored() {
    for stage in STAGES {
        let mut rig = at(stage);
        let outputs = rig.stanza(&prologue_request("q", Some(&options())));
        assert_eq!(names(&outputs), ["send"], "{stage:?}");
    }
}

#[test]
fn answers_of_the_application_count_only_when_asked_for() {
    let mut rig = Rig::offering(6);
    let respond = |rig: &mut Rig| {
        rig.pairing
            .respond_passkey(rig.now, assertion(), &mut rig.rng)
    };
    let confirm =
        |rig: &mut Rig, accept| rig.pairing.confirm_passkey(rig.now, accept, &mut rig.rng);
    assert_eq!(respond(&mut rig), Err(PasskeyError::NotAsked));
    assert_eq!(confirm(&mut rig, true), Err(PasskeyError::NotAsked));
    assert_eq!(confirm(&mut rig, false), Err(PasskeyError::NotAsked));
    for stage in STAGES {
        let mut rig = at(stage);
        assert_eq!(
            confirm(&mut rig, true),
            Err(PasskeyError::NotAsked),
            "{stage:?}"
        );
        let answered = respond(&mut rig);
        assert_eq!(
            answered.is_ok(),
            stage == PasskeyStage::Assertion,
            "{stage:?}"
        );
        rig.drain();
    }
    for stage in [PasskeyStage::PairingRequest, PasskeyStage::PairSuccess] {
        let mut rig = at(stage);
        assert_eq!(
            confirm(&mut rig, false),
            Err(PasskeyError::NotAsked),
            "too late"
        );
    }
}

#[test]
fn an_assertion_is_taken_once() {
    let mut rig = at(PasskeyStage::Assertion);
    let respond = |rig: &mut Rig| {
        rig.pairing
            .respond_passkey(rig.now, assertion(), &mut rig.rng)
    };
    assert_eq!(respond(&mut rig), Ok(()));
    assert_eq!(respond(&mut rig), Err(PasskeyError::NotAsked));
}

/// The requests of a whole ceremony that was given up.
fn old_requests() -> (Rig, Vec<PairRequest>) {
    let mut rig = Rig::offering(32);
    let mut requests = Vec::new();
    requests.push(asked(&rig.stanza(&prologue_request("p", None))).0);
    rig.result(
        requests[0],
        vec![support::passkey::options_node(&options())],
    );
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    requests.push(asked(&rig.drain()).0);
    let (request, prologue, _) = asked(&rig.result(requests[1], support::passkey::reference()));
    requests.push(request);
    let phone = Phone::reads(&prologue);
    rig.result(request, vec![]);
    requests.push(asked(&rig.stanza(&phone.answers("c"))).0);
    rig.pairing
        .confirm_passkey(rig.now, false, &mut rig.rng)
        .unwrap();
    rig.drain();
    (rig, requests)
}

#[test]
fn answers_to_a_ceremony_that_is_over_are_nobodys() {
    for stage in STAGES {
        let (mut rig, requests) = old_requests();
        bring_to(&mut rig, stage);
        for request in requests {
            assert!(
                rig.result(request, support::passkey::reference())
                    .is_empty()
            );
            assert!(rig.error(request, error(500, None)).is_empty());
            assert!(rig.no_answer(request).is_empty());
        }
        assert!(rig.pairing.is_awaiting_passkey());
    }
}

#[test]
fn no_code_begins_or_goes_on_during_a_ceremony() {
    let mut rig = at(PasskeyStage::Assertion);
    let request = code::request_of("ABCD1234");
    assert_eq!(
        rig.pairing.request_code(rig.now, request, &mut rig.rng),
        Err(CodeError::NotNow)
    );
    let (mut rig, _) = code::with_code(6);
    rig.stanza(&prologue_request("p", Some(&options())));
    assert_eq!(names(&rig.stanza(&code::blind_hello("1"))), ["send"]);
    assert!(!rig.pairing.cancel_code(rig.now, &mut rig.rng));
}

#[test]
fn a_code_that_was_only_asked_for_gives_way() {
    let mut rig = Rig::offering(6);
    let (request, _) = code::hello(&mut rig, "ABCD1234");
    let outputs = rig.stanza(&prologue_request("p", Some(&options())));
    assert_eq!(
        names(&outputs),
        ["send", "qr-expired", "code-ended", "passkey-requested"]
    );
    assert!(rig.result(request, code::accepted(code::REF)).is_empty());

    let mut rig = Rig::new(PairConfig::default());
    rig.pairing
        .request_code(rig.now, code::request_of("ABCD1234"), &mut rig.rng)
        .unwrap();
    let outputs = rig.stanza(&prologue_request("p", Some(&options())));
    assert_eq!(names(&outputs), ["send", "code-ended", "passkey-requested"]);
    assert_eq!(names(&rig.stanza(&pair_device("1", 6, "ref"))), ["send"]);
}

#[test]
fn new_refs_wait_behind_the_ceremony() {
    let mut rig = at(PasskeyStage::Assertion);
    assert_eq!(names(&rig.stanza(&pair_device("2", 6, "new"))), ["send"]);
    rig.pairing
        .confirm_passkey(rig.now, false, &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["passkey-ended", "qr"]);
    assert_eq!(support::facts(support::codes(&outputs)[0]).0, "2@new0");
}

#[test]
fn a_refresh_is_done_until_the_phone_has_the_staged_secret() {
    for stage in STAGES {
        let mut rig = at(stage);
        let held = matches!(
            stage,
            PasskeyStage::PairingRequest | PasskeyStage::PairSuccess
        );
        let outputs = rig.stanza(&refresh("7", Some("companion_reg_refresh")));
        let expected: &[&str] = if held {
            &["send"]
        } else {
            &["persist-adv", "send"]
        };
        assert_eq!(names(&outputs), expected, "{stage:?}");
    }
}

#[test]
fn after_the_link_everything_is_only_acked() {
    let mut rig = Rig::offering(6);
    rig.stanza(&support::pair_success("5", support::vector_container()));
    for stanza in [
        prologue_request("p", Some(&options())),
        continuation("c", identity()),
        code::blind_hello("1"),
    ] {
        assert_eq!(names(&rig.stanza(&stanza)), ["send"]);
    }
    assert!(!rig.pairing.is_awaiting_passkey());
}

#[test]
fn a_notification_of_another_sender_is_not_ours() {
    let mut rig = Rig::offering(6);
    for kind in ["passkey_prologue_request", "crsc_continuation"] {
        let mut stanza = from_server("notification", kind, "1").child(Node::new("x"));
        stanza.set_attr("from", "15550000000@s.whatsapp.net");
        assert_eq!(rig.feed(&stanza), wa_pair::Handled::No);
        assert!(rig.drain().is_empty());
    }
}
