//! A code that was typed right ends in a link, whatever else is on show.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{Phone, compute, with_code, with_code_of};
use support::{
    Rig, asked, companion_identity, container_for, names, pair_success, persisted, refresh,
    vector_container,
};
use wa_crypto::AdvSecret;
use wa_pair::{PairConfig, PairError, PairOutput};

/// Types the code and carries the bundle over: the secret both have.
fn typed(rig: &mut Rig, iq: &wa_proto::Node) -> [u8; 32] {
    let phone = Phone::types("ABCD1234", iq);
    let outputs = rig.stanza(&phone.hello("1"));
    let outputs = compute(rig, outputs);
    let adv = phone.finish(&asked(&outputs).1).unwrap();
    rig.result(asked(&outputs).0, vec![]);
    adv
}

fn success(rig: &mut Rig, adv: [u8; 32]) -> Vec<PairOutput> {
    let adv = AdvSecret::from_bytes(adv);
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    rig.stanza(&pair_success("5", container))
}

const LINKED: [&str; 4] = ["verifying", "persist-paired", "send", "paired"];

#[test]
fn a_typed_code_links() {
    let (mut rig, iq) = with_code(6);
    let adv = typed(&mut rig, &iq);
    let outputs = success(&mut rig, adv);
    assert_eq!(names(&outputs)[0], "qr-expired");
    assert_eq!(names(&outputs)[1..], LINKED);
    assert_eq!(rig.next_timeout(), None);
    assert!(rig.at(1000).is_empty());
}

#[test]
fn a_typed_code_links_after_the_refs_ran_out() {
    let (mut rig, iq) = with_code(6);
    for second in [60, 80, 100, 120, 140, 160] {
        rig.at(second);
    }
    rig.set(170);
    let adv = typed(&mut rig, &iq);
    rig.set(200);
    assert_eq!(names(&success(&mut rig, adv)), LINKED);
}

#[test]
fn the_qr_code_still_links_while_a_code_lives() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&pair_success("5", vector_container()));
    assert_eq!(names(&outputs)[1..], LINKED);
    assert_eq!(rig.next_timeout(), None, "the code's clock stands");
}

#[test]
fn after_a_code_was_typed_only_its_secret_counts() {
    let (mut rig, iq) = with_code(6);
    typed(&mut rig, &iq);
    let outputs = rig.stanza(&pair_success("5", vector_container()));
    assert!(matches!(
        outputs.last(),
        Some(PairOutput::Failed(PairError::Hmac))
    ));
}

#[test]
fn after_the_watchdog_the_secret_of_the_code_is_worthless() {
    let (mut rig, iq) = with_code(6);
    let adv = typed(&mut rig, &iq);
    let outputs = rig.at(60);
    assert_ne!(persisted(&outputs), Some(adv));
    assert!(matches!(
        success(&mut rig, adv).last(),
        Some(PairOutput::Failed(PairError::Hmac))
    ));
}

#[test]
fn a_refresh_waits_for_a_code_that_was_typed() {
    let (mut rig, iq) = with_code(6);
    let refresh = refresh("7", Some("companion_reg_refresh"));
    assert_eq!(
        names(&rig.stanza(&refresh)),
        ["persist-adv", "send", "qr"],
        "not typed yet"
    );
    let adv = typed(&mut rig, &iq);
    assert_eq!(names(&rig.stanza(&refresh)), ["send"]);
    assert_eq!(names(&success(&mut rig, adv))[1..], LINKED);
}

#[test]
fn the_application_is_asked_all_the_same() {
    let config = PairConfig {
        require_approval: true,
        ..PairConfig::default()
    };
    let (mut rig, iq) = with_code_of(config, 6);
    let adv = typed(&mut rig, &iq);
    assert_eq!(
        names(&success(&mut rig, adv)),
        ["qr-expired", "verifying", "approval-needed"]
    );
    assert!(rig.pairing.approve(true, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["persist-paired", "send", "paired"]);
}
