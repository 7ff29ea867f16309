//! Every stage of a ceremony has its own time, and the refs have no say in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::passkey::{bring_to, challenge, end, prologue_request};
use support::{Rig, names, pair_device, persisted};
use wa_pair::{Handoff, PairConfig, PairTimings, PasskeyEnd, PasskeyStage};

/// A stage and its seconds.
const WINDOWS: [(PasskeyStage, u64); 9] = [
    (PasskeyStage::Options, 30),
    (PasskeyStage::Assertion, 600),
    (PasskeyStage::Ref, 30),
    (PasskeyStage::Prologue, 30),
    (PasskeyStage::Primary, 180),
    (PasskeyStage::Nonce, 30),
    (PasskeyStage::Confirmation, 180),
    (PasskeyStage::PairingRequest, 30),
    (PasskeyStage::PairSuccess, 60),
];

fn at(stage: PasskeyStage, refs: usize) -> Rig {
    let handoff = match stage {
        PasskeyStage::Confirmation => Handoff::Withhold,
        _ => Handoff::Send,
    };
    let mut rig = Rig::new(PairConfig {
        handoff,
        ..PairConfig::default()
    });
    rig.stanza(&pair_device("1", refs, "ref"));
    bring_to(&mut rig, stage);
    rig
}

#[test]
fn every_stage_ends_at_its_bound() {
    for (stage, window) in WINDOWS {
        let mut rig = at(stage, 1);
        assert!(rig.at(window - 1).is_empty(), "{stage:?}");
        let mut outputs = rig.at(window);
        let mut stage = stage;
        if stage == PasskeyStage::PairingRequest {
            assert!(outputs.is_empty(), "the receipt alone may be lost");
            stage = PasskeyStage::PairSuccess;
            assert!(rig.at(window + 59).is_empty());
            outputs = rig.at(window + 60);
        }
        assert_eq!(
            end(&outputs),
            Some(&PasskeyEnd::TimedOut { stage }),
            "{stage:?}"
        );
        assert!(!rig.pairing.is_awaiting_passkey());
        assert!(
            rig.at(window + 1000)
                .iter()
                .all(|output| end(std::slice::from_ref(output)).is_none())
        );
    }
}

#[test]
fn the_connection_stays_open_until_the_ceremony_ends() {
    let mut rig = at(PasskeyStage::Assertion, 1);
    assert!(rig.at(60).is_empty(), "the ref goes without a word");
    assert_eq!(rig.next_timeout(), Some(600));
    assert_eq!(names(&rig.at(600)), ["passkey-ended", "exhausted"]);
}

#[test]
fn a_qr_code_that_still_lives_comes_back() {
    let mut rig = at(PasskeyStage::Assertion, 32);
    let outputs: Vec<_> = (1..600).flat_map(|second| rig.at(second)).collect();
    assert!(outputs.is_empty());
    let outputs = rig.at(600);
    assert_eq!(names(&outputs), ["passkey-ended", "qr"]);
    let (reference, _, ttl, _) = support::facts(support::codes(&outputs)[0]);
    assert_eq!((reference.as_str(), ttl), ("2@ref28", 20));
}

#[test]
fn a_secret_the_phone_may_have_dies_with_the_ceremony() {
    for (stage, window) in WINDOWS {
        let mut rig = at(stage, 1);
        let mut outputs = rig.at(window);
        if stage == PasskeyStage::PairingRequest {
            assert_eq!(persisted(&outputs), None, "the phone may use it yet");
            outputs = rig.at(window + 60);
        }
        let staged = matches!(
            stage,
            PasskeyStage::PairingRequest | PasskeyStage::PairSuccess
        );
        assert_eq!(persisted(&outputs).is_some(), staged, "{stage:?}");
    }
}

#[test]
fn a_shorter_timeout_of_the_options_is_obeyed() {
    for (timeout, seconds) in [
        ("90000", 90),
        ("600000", 600),
        ("601000", 600),
        ("0", 600),
        ("18446744073709551615", 600),
    ] {
        let mut rig = Rig::offering(1);
        let json = format!("{{\"challenge\":\"a\",\"timeout\":{timeout}}}");
        let outputs = rig.stanza(&prologue_request("p", Some(&json)));
        let deadline = challenge(&outputs).unwrap().deadline;
        assert_eq!(deadline, rig.start + Duration::from_secs(seconds));
        rig.at(60);
        assert_eq!(rig.next_timeout(), Some(seconds));
    }
}

#[test]
fn the_timings_are_the_ones_given() {
    let mut rig = Rig::new(PairConfig {
        timings: PairTimings {
            passkey_assertion: Duration::from_secs(7),
            ..PairTimings::default()
        },
        ..PairConfig::default()
    });
    rig.stanza(&pair_device("1", 1, "ref"));
    bring_to(&mut rig, PasskeyStage::Assertion);
    assert_eq!(rig.next_timeout(), Some(7));
}
