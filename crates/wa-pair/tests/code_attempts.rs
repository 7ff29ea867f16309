//! Which primary_hello counts, and how often.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{
    self, Phone, REF, blind_hello, compute, hello, keys, notification, primary_hello, run,
    with_code,
};
use support::{
    Rig, ack_of, asked, companion_identity, container_for, from_server, names, pair_success,
    persisted, sent,
};
use wa_crypto::AdvSecret;
use wa_pair::{CodeEnd, Handled, MAX_PRIMARY_HELLOS, PairOutput};
use wa_proto::Node;

/// One with other keys than the blind one, which the machine takes too.
fn other_hello(attempt: u8) -> Node {
    primary_hello("1", REF, &[attempt; 80], &[9; 32])
}

/// Acked and nothing else.
fn is_ignored(rig: &mut Rig, stanza: &Node) {
    let outputs = rig.stanza(stanza);
    assert_eq!(names(&outputs), ["send"]);
    assert_eq!(sent(&outputs), [&ack_of("9", "link_code_companion_reg")]);
}

#[test]
fn the_ack_leaves_before_the_work() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("9"));
    assert_eq!(names(&outputs), ["send", "compute"]);
    assert_eq!(sent(&outputs), [&ack_of("9", "link_code_companion_reg")]);
}

#[test]
fn another_ref_is_ignored() {
    let (mut rig, _) = with_code(6);
    for reference in [
        b"link-ref-2".as_slice(),
        b"link-ref",
        b"link-ref-1 ",
        b"",
        b"LINK-REF-1",
    ] {
        is_ignored(&mut rig, &primary_hello("9", reference, &[7; 80], &[9; 32]));
    }
    let body = Node::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .children(keys(&[7; 80], &[9; 32]));
    is_ignored(
        &mut rig,
        &from_server("notification", "link_code_companion_reg", "9").child(body),
    );
    assert_eq!(rig.next_timeout(), Some(60), "no watchdog runs");
    let outputs = rig.stanza(&blind_hello("9"));
    assert_eq!(names(&outputs), ["send", "compute"]);
}

#[test]
fn keys_of_a_wrong_length_are_ignored_and_not_counted() {
    let (mut rig, _) = with_code(6);
    for (wrapped, identity) in [(79, 32), (81, 32), (0, 32), (80, 31), (80, 33), (80, 0)] {
        for _ in 0..=MAX_PRIMARY_HELLOS {
            let stanza = primary_hello("9", REF, &vec![7; wrapped], &vec![9; identity]);
            is_ignored(&mut rig, &stanza);
        }
    }
    assert_eq!(names(&rig.stanza(&blind_hello("9"))), ["send", "compute"]);
}

#[test]
fn a_notification_without_keys_is_a_precursor_and_changes_nothing() {
    let (mut rig, iq) = with_code(6);
    let kind = "link_code_companion_reg";
    for stanza in [
        notification("9", "primary_hello", REF, vec![]),
        notification("9", "companion_reg", REF, vec![]),
        from_server("notification", kind, "9"),
        from_server("notification", kind, "9").child(Node::new(kind)),
        from_server("notification", kind, "9").child(Node::new("other")),
    ] {
        for _ in 0..=MAX_PRIMARY_HELLOS {
            is_ignored(&mut rig, &stanza);
        }
    }
    assert!(!rig.pairing.is_awaiting_passkey());
    let phone = Phone::types("ABCD1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    assert_eq!(names(&compute(&mut rig, outputs))[0], "persist-adv");
}

#[test]
fn a_phone_may_try_three_times_and_the_newest_try_counts() {
    let (mut rig, iq) = with_code(6);
    let phone = Phone::types("ABCD1234", &iq);
    let mut jobs = Vec::new();
    for attempt in 1..MAX_PRIMARY_HELLOS {
        jobs.push(rig.stanza(&other_hello(attempt)));
    }
    jobs.push(rig.stanza(&phone.hello("1")));
    let last = jobs.pop().unwrap();
    for retired in jobs {
        assert!(
            compute(&mut rig, retired).is_empty(),
            "a job that is retired"
        );
    }
    let outputs = compute(&mut rig, last);
    assert_eq!(names(&outputs), ["persist-adv", "ask-finish", "qr"]);
    assert_eq!(phone.finish(&asked(&outputs).1), persisted(&outputs));
}

#[test]
fn every_try_derives_anew() {
    let (mut rig, iq) = with_code(6);
    let phone = Phone::types("ABCD1234", &iq);
    let mut secrets = Vec::new();
    for stanza in [phone.hello("1"), other_hello(1), phone.hello("1")] {
        let outputs = rig.stanza(&stanza);
        let outputs = compute(&mut rig, outputs);
        secrets.push(persisted(&outputs).unwrap());
    }
    assert_ne!(secrets[0], secrets[2], "the same keys, another random");
    secrets.dedup();
    assert_eq!(secrets.len(), 3);
}

#[test]
fn the_fourth_primary_hello_is_ignored_and_the_watchdog_says_so() {
    let (mut rig, _) = with_code(6);
    for attempt in 1..=MAX_PRIMARY_HELLOS {
        rig.stanza(&other_hello(attempt));
    }
    rig.set(10);
    is_ignored(&mut rig, &blind_hello("9"));
    let ends = |outputs: &[PairOutput]| {
        let ended =
            |output: &PairOutput| matches!(output, PairOutput::CodeEnded(CodeEnd::TooManyAttempts));
        outputs.iter().any(ended)
    };
    assert!(!ends(&rig.at(59)), "it has no say in the time either");
    assert!(ends(&rig.at(60)));
}

#[test]
fn a_pair_success_that_is_awaited_survives_the_fourth() {
    let (mut rig, iq) = with_code(6);
    for attempt in 1..MAX_PRIMARY_HELLOS {
        rig.stanza(&other_hello(attempt));
    }
    let phone = Phone::types("ABCD1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    let adv = persisted(&compute(&mut rig, outputs)).unwrap();
    is_ignored(&mut rig, &blind_hello("9"));
    is_ignored(&mut rig, &primary_hello("9", REF, &[7; 79], &[9; 32]));
    let adv = AdvSecret::from_bytes(adv);
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    let outputs = rig.stanza(&pair_success("5", container));
    assert!(names(&outputs).contains(&"paired"), "{outputs:?}");
}

#[test]
fn a_primary_hello_that_comes_again_is_not_another_attempt() {
    let (mut rig, iq) = with_code(6);
    let phone = Phone::types("ABCD1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    for _ in 0..=MAX_PRIMARY_HELLOS {
        is_ignored(&mut rig, &phone.hello("9"));
    }
    let outputs = compute(&mut rig, outputs);
    assert_eq!(phone.finish(&asked(&outputs).1), persisted(&outputs));
    is_ignored(&mut rig, &phone.hello("9"));
    assert_eq!(rig.next_timeout(), Some(60));
}

#[test]
fn a_primary_hello_before_the_code_was_accepted_is_ignored() {
    let mut rig = Rig::offering(6);
    is_ignored(&mut rig, &blind_hello("9"));
    let (request, _) = hello(&mut rig, "ABCD1234");
    is_ignored(&mut rig, &blind_hello("9"));
    rig.result(request, code::accepted(REF));
    assert_eq!(names(&rig.stanza(&blind_hello("9"))), ["send", "compute"]);
}

#[test]
fn one_that_is_not_from_the_server_is_not_ours() {
    let (mut rig, _) = with_code(6);
    let mut stanza = blind_hello("9");
    stanza.set_attr("from", "15550000000@s.whatsapp.net");
    assert_eq!(rig.feed(&stanza), Handled::No);
    assert!(rig.drain().is_empty());
}

#[test]
fn keys_of_small_order_lead_nowhere() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&primary_hello("1", REF, &[7; 80], &[0; 32]));
    assert!(compute(&mut rig, outputs).is_empty());
    assert_eq!(rig.next_timeout(), Some(60));
}

#[test]
fn a_job_that_comes_after_the_code_is_gone_is_dropped() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    let computed = run(outputs).remove(0);
    rig.pairing.cancel_code(rig.now, &mut rig.rng);
    rig.drain();
    rig.pairing.handle_computed(rig.now, computed, &mut rig.rng);
    assert!(rig.drain().is_empty());
}
