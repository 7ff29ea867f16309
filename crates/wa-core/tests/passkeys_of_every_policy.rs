//! Accounts differ in when and how they ask for their passkey; the device is linked all the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod world;

use wa_core::{Command, Handoff};
use wa_sim::{PasskeyPolicy, PhoneConfig, ProofPolicy};
use world::{Universe, secs};

fn links(policy: PasskeyPolicy, by_code: bool) {
    links_with(policy, Handoff::Send, by_code);
}

fn links_with(policy: PasskeyPolicy, handoff: Handoff, by_code: bool) {
    let phone = PhoneConfig {
        passkey: PasskeyPolicy {
            after_qr: true,
            after_code: true,
            ..policy
        },
        ..PhoneConfig::default()
    };
    let mut all = Universe::with_config(phone, |config| config.handoff = handoff);
    all.scans_codes = !by_code;
    if by_code {
        all.ask_for_code();
    } else {
        all.command(Command::Start);
    }
    assert!(
        all.advance_until(secs(30), |all| all.state() == "online"),
        "{policy:?}: {}, {:?}",
        all.state(),
        all.remarks()
    );
    assert!(all.remarks().is_empty(), "{policy:?}: {:?}", all.remarks());
}

fn policies() -> Vec<PasskeyPolicy> {
    let usual = PasskeyPolicy::default();
    vec![
        usual,
        PasskeyPolicy {
            inline_options: false,
            ..usual
        },
        PasskeyPolicy {
            precursor: true,
            ..usual
        },
        PasskeyPolicy {
            discoverable: true,
            ..usual
        },
        PasskeyPolicy {
            proof: ProofPolicy::Required,
            ..usual
        },
        PasskeyPolicy {
            proof: ProofPolicy::Confirmed,
            confirm_ms: Some(4_000),
            ..usual
        },
    ]
}

#[test]
fn after_a_scan() {
    for policy in policies() {
        links(policy, false);
    }
}

#[test]
fn after_a_code() {
    for policy in policies() {
        links(policy, true);
    }
}

/// The owner compares the codes, which the universe holds to be the same.
#[test]
fn without_a_handoff_proof() {
    for policy in policies() {
        if policy.proof == ProofPolicy::Required {
            continue;
        }
        for by_code in [false, true] {
            links_with(policy, Handoff::Withhold, by_code);
        }
    }
}
