//! A refresh replaces the secret behind the code on show, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{
    Rig, codes, companion_identity, container_for, facts, names, pair_device, pair_success,
    refresh, sent, vector_container,
};
use wa_crypto::AdvSecret;
use wa_pair::{Handled, PairConfig, PairError, PairOutput};
use wa_proto::{Jid, Node};

fn ack(id: &str) -> Node {
    Node::new("ack")
        .attr("class", "notification")
        .attr("type", "companion_reg_refresh")
        .attr("id", id.to_owned())
        .attr("to", Jid::server_jid())
}

#[test]
fn the_new_secret_is_persisted_before_the_ack_and_shown_after_it() {
    for child in ["companion_reg_refresh", "pair-device-rotate-qr"] {
        let mut rig = Rig::offering(6);
        rig.at(25);
        assert_eq!(rig.feed(&refresh("9", Some(child))), Handled::Yes);
        let outputs = rig.drain();
        assert_eq!(names(&outputs), ["persist-adv", "send", "qr"]);
        assert_eq!(sent(&outputs), [&ack("9")]);
        let PairOutput::PersistAdvSecret(secret) = &outputs[0] else {
            panic!("the secret first")
        };
        let (reference, seq, ttl, shown) = facts(codes(&outputs)[0]);
        assert_eq!(
            (reference.as_str(), seq, ttl),
            ("2@ref0", 2, 35),
            "same ref, same deadline"
        );
        assert_eq!(shown, *secret.expose_bytes());
    }
}

#[test]
fn the_deadline_does_not_move() {
    let mut rig = Rig::offering(2);
    rig.at(59);
    let _ = rig.feed(&refresh("9", Some("companion_reg_refresh")));
    rig.drain();
    assert_eq!(rig.next_timeout(), Some(60));
    let outputs = rig.at(60);
    let (reference, seq, ttl, _) = facts(codes(&outputs)[0]);
    assert_eq!((reference.as_str(), seq, ttl), ("2@ref1", 3, 20));
    assert_eq!(names(&rig.at(80)), ["qr-expired", "exhausted"]);
}

#[test]
fn later_codes_carry_the_new_secret() {
    let mut rig = Rig::offering(3);
    let _ = rig.feed(&refresh("9", Some("pair-device-rotate-qr")));
    let refreshed = facts(codes(&rig.drain())[0]).3;
    assert_eq!(facts(codes(&rig.at(60))[0]).3, refreshed);
    let _ = rig.feed(&pair_device("2", 1, "new"));
    assert_eq!(facts(codes(&rig.drain())[0]).3, refreshed);
}

#[test]
fn a_notification_with_other_content_is_only_acked() {
    for child in [None, Some("something-else")] {
        let mut rig = Rig::offering(6);
        assert_eq!(rig.feed(&refresh("9", child)), Handled::Yes);
        let outputs = rig.drain();
        assert_eq!(names(&outputs), ["send"]);
        assert_eq!(sent(&outputs), [&ack("9")]);
    }
}

#[test]
fn without_a_code_on_show_only_the_secret_changes() {
    let mut rig = Rig::new(PairConfig::default());
    let _ = rig.feed(&refresh("9", Some("companion_reg_refresh")));
    assert_eq!(names(&rig.drain()), ["persist-adv", "send"]);
}

#[test]
fn a_refresh_that_meets_a_code_whose_time_is_over_shows_the_next_one() {
    let mut rig = Rig::offering(2);
    rig.now = rig.start + std::time::Duration::from_secs(61);
    let _ = rig.feed(&refresh("9", Some("companion_reg_refresh")));
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["persist-adv", "send", "qr"]);
    assert_eq!(facts(codes(&outputs)[0]).0, "2@ref1");
}

#[test]
fn pairing_succeeds_with_the_new_secret_and_not_with_the_old() {
    let mut rig = Rig::offering(6);
    let _ = rig.feed(&refresh("9", Some("companion_reg_refresh")));
    let secret = AdvSecret::from_bytes(facts(codes(&rig.drain())[0]).3);
    let container = container_for(&secret, &companion_identity().public(), &mut rig.rng);
    let _ = rig.feed(&pair_success("10", container));
    assert_eq!(
        names(&rig.drain()),
        [
            "qr-expired",
            "verifying",
            "persist-paired",
            "send",
            "paired"
        ]
    );

    let mut rig = Rig::offering(6);
    let _ = rig.feed(&refresh("9", Some("companion_reg_refresh")));
    rig.drain();
    let _ = rig.feed(&pair_success("10", vector_container()));
    assert!(matches!(
        rig.drain().last(),
        Some(PairOutput::Failed(PairError::Hmac))
    ));
}

#[test]
fn after_pair_success_a_refresh_changes_nothing() {
    let mut rig = Rig::offering(6);
    let _ = rig.feed(&pair_success("10", vector_container()));
    rig.drain();
    assert_eq!(
        rig.feed(&refresh("11", Some("companion_reg_refresh"))),
        Handled::Yes
    );
    assert_eq!(names(&rig.drain()), ["send"]);
}
