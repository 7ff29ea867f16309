//! Linking by an eight-character code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::ceremony::{CodeSide, ack_of, reference_of, user_jid};
use common::device::{Keys, answer_pair_success, child, request};
use common::lab::{Lab, number};
use wa_proto::Node;
use wa_sim::{
    ConnId, Fault, FaultRule, IqKind, MAX_CODES_PER_CONNECTION, PhoneConfig, ScanError,
    ScanFailure, ScanId, ScanOutcome, WorldConfig,
};

const CODE: &str = "3C6FVDRD";

/// A companion that shows a code for the lab's phone.
struct Shown {
    id: ConnId,
    keys: Keys,
    side: CodeSide,
    reference: String,
}

fn asks(lab: &mut Lab, seed: u64, code: &'static str) -> Shown {
    let keys = Keys::new(seed);
    let id = lab.register(&keys);
    lab.refs(id);
    asks_again(lab, id, keys, seed, code)
}

fn asks_again(lab: &mut Lab, id: ConnId, keys: Keys, seed: u64, code: &'static str) -> Shown {
    let mut side = CodeSide::new(lab.phone, code, seed);
    let hello = side.hello(&keys, "hello");
    let answer = lab.ask(id, &hello);
    assert_eq!(
        answer.get_text("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
    let reference = reference_of(child(&answer, "link_code_companion_reg"));
    Shown {
        id,
        keys,
        side,
        reference,
    }
}

fn enter(lab: &mut Lab, code: &str) -> ScanId {
    let scan = lab.world.enter_code(lab.now, lab.phone, code).unwrap();
    lab.advance(Duration::ZERO);
    scan
}

/// Reads primary_hello, acknowledges it and answers; returns the new secret.
fn answers(lab: &mut Lab, shown: &mut Shown) -> [u8; 32] {
    let hello = lab.hear(shown.id);
    lab.send(shown.id, &ack_of(&hello));
    let (secret, finish) = shown.side.finish(&shown.keys, &hello, "finish");
    let answer = lab.ask(shown.id, &finish);
    assert_eq!(
        answer.get_text("type").as_deref(),
        Some("result"),
        "{answer:?}"
    );
    secret
}

fn failure(lab: &Lab, scan: ScanId) -> ScanFailure {
    match lab.outcome(scan) {
        ScanOutcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn error_of(answer: &Node) -> (u64, String) {
    let error = child(answer, "error");
    let text = error.get_text("text").unwrap().into_owned();
    (error.get_u64("code").unwrap(), text)
}

fn bad_request() -> (u64, String) {
    (400, "bad-request".to_owned())
}

#[test]
fn the_whole_way_from_the_code_to_online() {
    let mut lab = Lab::new();
    let mut shown = asks(&mut lab, 1, CODE);
    let wanted = lab.world.phone(lab.phone).unwrap().code_wanted.unwrap();
    assert_eq!(
        (wanted.companion.as_str(), wanted.push),
        ("Chrome (Linux)", true)
    );
    let scan = enter(&mut lab, "3c6f-vdrd");
    shown.keys.adv = answers(&mut lab, &mut shown);
    let success = lab.hear(shown.id);
    let reply = answer_pair_success(&mut shown.keys, &success, 1).unwrap();
    lab.send(shown.id, &reply);
    assert!(matches!(lab.outcome(scan), ScanOutcome::Linked { .. }));
    assert_eq!(lab.hear(shown.id).get_u64("code"), Some(515));
    assert!(lab.world.phone(lab.phone).unwrap().code_wanted.is_none());
    lab.come_online(&mut shown.keys);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn a_wrong_code_is_told_to_the_owner_only_and_may_be_entered_again() {
    let mut lab = Lab::new();
    let mut shown = asks(&mut lab, 2, CODE);
    let wrong = enter(&mut lab, "ABCD1234");
    answers(&mut lab, &mut shown);
    assert_eq!(failure(&lab, wrong), ScanFailure::WrongCode);
    assert!(
        lab.heard(shown.id).is_empty(),
        "the companion hears nothing"
    );
    assert!(!lab.is_closed(shown.id));

    let right = enter(&mut lab, CODE);
    shown.keys.adv = answers(&mut lab, &mut shown);
    let success = lab.hear(shown.id);
    let reply = answer_pair_success(&mut shown.keys, &success, 2).unwrap();
    lab.send(shown.id, &reply);
    assert!(matches!(lab.outcome(right), ScanOutcome::Linked { .. }));
}

#[test]
fn a_second_code_makes_the_first_one_fail_silently() {
    let mut lab = Lab::new();
    let mut first = asks(&mut lab, 3, CODE);
    let mut second = asks(&mut lab, 4, "ABCD1234");
    assert!(lab.heard(first.id).is_empty());
    // The owner types the first code; the server knows only of the second.
    let scan = enter(&mut lab, CODE);
    assert!(lab.heard(first.id).is_empty());
    answers(&mut lab, &mut second);
    assert_eq!(failure(&lab, scan), ScanFailure::WrongCode);
    // The first companion's answer, to whatever it is, has nowhere to go.
    let finish = first
        .side
        .finish_with(&first.keys, "finish", vec![0; 156], &first.reference);
    assert_eq!(error_of(&lab.ask(first.id, &finish)), bad_request());
    first.keys.adv = [0; 32];
}

#[test]
fn a_second_code_on_the_same_connection_takes_the_place_of_the_first() {
    let mut lab = Lab::new();
    let first = asks(&mut lab, 5, CODE);
    let scan = enter(&mut lab, CODE);
    let hello = lab.hear(first.id);
    lab.send(first.id, &ack_of(&hello));
    let mut second = asks_again(&mut lab, first.id, first.keys.clone(), 6, "ABCD1234");
    assert_ne!(first.reference, second.reference);
    assert_eq!(failure(&lab, scan), ScanFailure::Overtaken);
    let mut old = first.side;
    let (_, finish) = old.finish(&first.keys, &hello, "late");
    assert_eq!(error_of(&lab.ask(first.id, &finish)), bad_request());
    assert_eq!(
        lab.remarks(),
        ["companion_finish: another ref than the one that was given"]
    );
    let scan = enter(&mut lab, "ABCD1234");
    answers(&mut lab, &mut second);
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);
}

#[test]
fn a_hello_with_a_field_of_another_size_is_refused() {
    let mut lab = Lab::new();
    let keys = Keys::new(7);
    let id = lab.register(&keys);
    lab.refs(id);
    let mut side = CodeSide::new(lab.phone, CODE, 7);
    let wrapped = side.wrapped();
    let noise = keys.noise.public();
    let noise = wa_crypto::PublicKey::as_bytes(&noise).to_vec();
    let hellos = [
        side.hello_with("1", wrapped[..79].to_vec(), noise.clone(), vec![0]),
        side.hello_with(
            "2",
            [wrapped.clone(), vec![0]].concat(),
            noise.clone(),
            vec![0],
        ),
        side.hello_with("3", wrapped.clone(), noise[..31].to_vec(), vec![0]),
        side.hello_with("4", wrapped.clone(), noise.clone(), vec![]),
        side.hello_with("5", wrapped.clone(), noise.clone(), vec![1]),
        side.hello_with("6", wrapped.clone(), vec![9; 32], vec![0]),
    ];
    for hello in &hellos {
        assert_eq!(error_of(&lab.ask(id, hello)), bad_request());
    }
    assert_eq!(
        lab.remarks(),
        [
            "companion_hello: link_code_pairing_wrapped_companion_ephemeral_pub has 79 bytes instead of 80",
            "companion_hello: link_code_pairing_wrapped_companion_ephemeral_pub has 81 bytes instead of 80",
            "companion_hello: companion_server_auth_key_pub has 31 bytes instead of 32",
            "companion_hello: link_code_pairing_nonce has 0 bytes instead of 1",
            "companion_hello: link_code_pairing_nonce has a value it may not have",
            "companion_hello: another Noise key than that of the connection",
        ]
    );
    // The other nonce that clients send.
    let answer = lab.ask(id, &side.hello_with("7", wrapped, noise, b"0".to_vec()));
    assert_eq!(answer.get_text("type").as_deref(), Some("result"));
}

#[test]
fn a_display_without_a_real_system_and_an_unknown_platform_are_refused() {
    let mut lab = Lab::new();
    let keys = Keys::new(8);
    let id = lab.register(&keys);
    lab.refs(id);
    for (display, platform) in [
        ("Chrome (wa)", "1"),
        ("Chrome", "1"),
        ("Chrome (Linux)", "0"),
        ("Chrome (Linux)", "z"),
        ("Chrome (Linux)", "10"),
    ] {
        let mut side = CodeSide::new(lab.phone, CODE, 8);
        (side.display, side.platform) = (display, platform);
        let hello = side.hello(&keys, "hello");
        assert_eq!(error_of(&lab.ask(id, &hello)), bad_request());
    }
    assert_eq!(lab.remarks().len(), 5);
    assert!(lab.world.phone(lab.phone).unwrap().code_wanted.is_none());
}

#[test]
fn a_number_without_a_phone_is_not_found() {
    let mut lab = Lab::new();
    let keys = Keys::new(9);
    let id = lab.register(&keys);
    lab.refs(id);
    let mut side = CodeSide::new(number(15_559_999_999), CODE, 9);
    let hello = side.hello(&keys, "hello");
    assert_eq!(
        error_of(&lab.ask(id, &hello)),
        (404, "item-not-found".to_owned())
    );
}

#[test]
fn a_linked_companion_may_not_ask_for_a_code() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(10);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    let mut side = CodeSide::new(lab.phone, CODE, 10);
    let hello = side.hello(&keys, "hello");
    assert_eq!(error_of(&lab.ask(id, &hello)), bad_request());
    assert_eq!(
        lab.remarks(),
        ["link_code_companion_reg: on a connection that is logged in"]
    );
}

#[test]
fn one_connection_may_ask_for_so_many_codes_and_no_more() {
    let mut lab = Lab::new();
    let keys = Keys::new(11);
    let id = lab.register(&keys);
    lab.refs(id);
    let mut side = CodeSide::new(lab.phone, CODE, 11);
    let hello = side.hello(&keys, "hello");
    for _ in 0..MAX_CODES_PER_CONNECTION {
        let answer = lab.ask(id, &hello);
        assert_eq!(answer.get_text("type").as_deref(), Some("result"));
    }
    assert_eq!(
        error_of(&lab.ask(id, &hello)),
        (429, "rate-overlimit".to_owned())
    );
}

#[test]
fn a_finish_with_something_wrong_in_it_is_refused() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 12, CODE);
    enter(&mut lab, CODE);
    let hello = lab.hear(shown.id);
    lab.send(shown.id, &ack_of(&hello));
    let finish = |keys: &Keys, length: usize, reference: &str| {
        shown
            .side
            .finish_with(keys, "finish", vec![0; length], reference)
    };
    let other = Keys::new(99);
    for finish in [
        finish(&shown.keys, 155, &shown.reference),
        finish(&shown.keys, 157, &shown.reference),
        finish(&shown.keys, 156, "2@other"),
        finish(&other, 156, &shown.reference),
    ] {
        assert_eq!(error_of(&lab.ask(shown.id, &finish)), bad_request());
    }
    assert_eq!(
        lab.remarks(),
        [
            "companion_finish: link_code_pairing_wrapped_key_bundle has 155 bytes instead of 156",
            "companion_finish: link_code_pairing_wrapped_key_bundle has 157 bytes instead of 156",
            "companion_finish: another ref than the one that was given",
            "companion_finish: another identity key than that of the registration",
        ]
    );
}

#[test]
fn a_finish_before_the_ack_is_remarked() {
    let mut lab = Lab::new();
    let mut shown = asks(&mut lab, 13, CODE);
    enter(&mut lab, CODE);
    let hello = lab.hear(shown.id);
    let (_, finish) = shown.side.finish(&shown.keys, &hello, "finish");
    lab.ask(shown.id, &finish);
    assert_eq!(
        lab.remarks(),
        ["no ack of a notification of type link_code_companion_reg before what follows from it"]
    );
}

#[test]
fn a_finish_that_nobody_waits_for_is_refused() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 14, CODE);
    let finish = shown
        .side
        .finish_with(&shown.keys, "finish", vec![0; 156], &shown.reference);
    assert_eq!(error_of(&lab.ask(shown.id, &finish)), bad_request());
}

#[test]
fn a_companion_that_does_not_answer_fails_the_code() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 15, CODE);
    let scan = enter(&mut lab, CODE);
    lab.hear(shown.id);
    lab.advance(Duration::from_secs(119));
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);
    lab.advance(Duration::from_secs(1));
    assert_eq!(failure(&lab, scan), ScanFailure::NoFinish);
}

#[test]
fn a_code_can_be_entered_for_three_minutes() {
    let mut config = WorldConfig::default();
    config.ref_window = Duration::from_secs(600);
    config.idle_timeout = Duration::from_secs(600);
    let mut lab = Lab::with(config.clone());
    asks(&mut lab, 16, CODE);
    lab.advance(Duration::from_secs(180));
    let scan = enter(&mut lab, CODE);
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);

    let mut lab = Lab::with(config);
    asks(&mut lab, 17, CODE);
    lab.advance(Duration::from_millis(180_001));
    let scan = enter(&mut lab, CODE);
    assert_eq!(failure(&lab, scan), ScanFailure::CodeExpired);
}

#[test]
fn the_refs_may_run_out_while_a_code_lives() {
    let mut config = WorldConfig::default();
    config.idle_timeout = Duration::from_secs(1_000);
    let mut lab = Lab::with(config);
    let keys = Keys::new(18);
    let id = lab.register(&keys);
    lab.refs(id);
    lab.advance(Duration::from_secs(100));
    asks_again(&mut lab, id, keys, 18, CODE);
    lab.advance(Duration::from_secs(179));
    assert!(!lab.is_closed(id));
    lab.advance(Duration::from_secs(1));
    assert!(lab.is_closed(id));
}

#[test]
fn a_companion_that_goes_takes_its_code_along() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 19, CODE);
    let before = enter(&mut lab, CODE);
    lab.drop_connection(shown.id);
    assert_eq!(failure(&lab, before), ScanFailure::Closed);
    let after = enter(&mut lab, CODE);
    assert_eq!(failure(&lab, after), ScanFailure::NoCompanion);
}

#[test]
fn what_is_no_code_is_not_entered() {
    let mut lab = Lab::new();
    let error = lab.world.enter_code(lab.now, lab.phone, "12345");
    assert!(matches!(error, Err(ScanError::Entered(_))));
    let nobody = number(15_559_999_999);
    let error = lab.world.enter_code(lab.now, nobody, CODE);
    assert_eq!(error, Err(ScanError::NoPhone(nobody)));
}

#[test]
fn a_waiting_companion_is_told_to_refresh_its_code() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 20, CODE);
    for (manual, said) in [(false, None), (true, Some("true"))] {
        assert!(lab.world.refresh_pairing_code(lab.now, lab.phone, manual));
        lab.advance(Duration::ZERO);
        let notification = lab.hear(shown.id);
        let stage = child(&notification, "link_code_companion_reg");
        assert_eq!(stage.get_text("stage").as_deref(), Some("refresh_code"));
        assert_eq!(stage.get_text("force_manual_refresh").as_deref(), said);
        assert_eq!(reference_of(stage), shown.reference);
        lab.send(shown.id, &ack_of(&notification));
    }
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
    lab.drop_connection(shown.id);
    assert!(!lab.world.refresh_pairing_code(lab.now, lab.phone, true));
}

#[test]
fn the_precursor_carries_no_keys() {
    let mut lab = Lab::new();
    let shown = asks(&mut lab, 21, CODE);
    assert!(lab.world.send_passkey_precursor(lab.now, lab.phone));
    lab.advance(Duration::ZERO);
    let notification = lab.hear(shown.id);
    let stage = child(&notification, "link_code_companion_reg");
    assert_eq!(stage.get_children().len(), 1);
    assert_eq!(reference_of(stage), shown.reference);
}

#[test]
fn the_country_is_told() {
    let mut lab = Lab::new();
    let keys = Keys::new(22);
    let id = lab.register(&keys);
    lab.refs(id);
    let stage = Node::new("link_code_companion_reg").attr("stage", "get_country_code");
    let answer = lab.ask(id, &request("country", "get", "md", Some(stage)));
    let country = child(child(&answer, "link_code_companion_reg"), "country_code");
    assert_eq!(country.get_text("iso").as_deref(), Some("US"));
}

#[test]
fn the_codes_of_two_accounts_do_not_meet() {
    let mut lab = Lab::new();
    let other = number(15_559_990_001);
    lab.world
        .add_phone(lab.now, other, PhoneConfig::default())
        .unwrap();
    let mut mine = asks(&mut lab, 23, CODE);
    let phone = std::mem::replace(&mut lab.phone, other);
    let theirs = asks(&mut lab, 24, CODE);
    lab.phone = phone;
    let scan = enter(&mut lab, CODE);
    assert!(lab.heard(theirs.id).is_empty());
    mine.keys.adv = answers(&mut lab, &mut mine);
    let success = lab.hear(mine.id);
    let jid = child(child(&success, "pair-success"), "device").get_jid("jid");
    assert_eq!(jid.unwrap().user(), user_jid(phone).user());
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);
}

#[test]
fn a_fault_refuses_a_code_with_a_backoff() {
    let mut lab = Lab::new();
    let keys = Keys::new(25);
    let id = lab.register(&keys);
    lab.refs(id);
    lab.world.inject(FaultRule {
        account: Some(lab.phone),
        ..FaultRule::once(Fault::IqError {
            request: IqKind::CompanionHello,
            code: 452,
            text: None,
            backoff: Some(30),
        })
    });
    let mut side = CodeSide::new(lab.phone, CODE, 25);
    let hello = side.hello(&keys, "hello");
    let answer = lab.ask(id, &hello);
    assert_eq!(error_of(&answer), (452, "feature-not-available".to_owned()));
    assert_eq!(child(&answer, "error").get_u64("backoff"), Some(30));
}
