//! Linking guarded by a passkey.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::ceremony::{CodeSide, PasskeySide, ack_of, base64url};
use common::device::{Keys, answer_pair_success, child, request};
use common::lab::{Lab, number};
use serde_json::Value;
use wa_proto::Node;
use wa_sim::{
    AssertError, ConfirmError, ConnId, Fault, IqKind, PasskeyPolicy, PhoneConfig, ProofPolicy,
    ScanFailure, ScanId, ScanOutcome, World, WorldConfig, WorldState,
};

/// A lab whose phone guards its links like this.
fn guarded(policy: PasskeyPolicy) -> Lab {
    let mut lab = Lab::new();
    let phone = number(15_559_990_001);
    let config = PhoneConfig {
        passkey: policy,
        ..PhoneConfig::default()
    };
    lab.world.add_phone(lab.now, phone, config).unwrap();
    lab.phone = phone;
    lab
}

fn after_qr() -> PasskeyPolicy {
    PasskeyPolicy {
        after_qr: true,
        ..PasskeyPolicy::default()
    }
}

/// A companion whose code was scanned and whose passkey was asked for.
struct Asked {
    id: ConnId,
    keys: Keys,
    scan: ScanId,
    refs: Vec<String>,
    options: Option<String>,
}

fn scanned(lab: &mut Lab, seed: u64) -> Asked {
    let keys = Keys::new(seed);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let scan = lab.scan(&keys.qr(&refs[0]));
    let options = asked(lab, id);
    Asked {
        id,
        keys,
        scan,
        refs,
        options,
    }
}

/// Reads and acknowledges passkey_prologue_request; returns the options in it.
fn asked(lab: &mut Lab, id: ConnId) -> Option<String> {
    let notification = lab.hear(id);
    assert_eq!(
        notification.get_text("type").as_deref(),
        Some("passkey_prologue_request")
    );
    lab.send(id, &ack_of(&notification));
    let options = notification.get_child("passkey_request_options")?;
    Some(String::from_utf8(options.get_bytes().unwrap().to_vec()).unwrap())
}

fn get(lab: &mut Lab, id: ConnId, tag: &'static str) -> Node {
    lab.ask(id, &request(tag, "get", "md", Some(Node::new(tag))))
}

fn text_in(answer: &Node, tag: &str) -> String {
    String::from_utf8(child(answer, tag).get_bytes().unwrap().to_vec()).unwrap()
}

fn is_result(answer: &Node) -> bool {
    answer.get_text("type").as_deref() == Some("result")
}

fn refused(answer: &Node) {
    let error = child(answer, "error");
    assert_eq!(error.get_u64("code"), Some(400), "{answer:?}");
    assert_eq!(error.get_text("text").as_deref(), Some("bad-request"));
}

fn failure(lab: &Lab, scan: ScanId) -> ScanFailure {
    match lab.outcome(scan) {
        ScanOutcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn broke_off(lab: &Lab, scan: ScanId) -> String {
    match failure(lab, scan) {
        ScanFailure::Passkey { rule } => rule,
        other => panic!("{other:?}"),
    }
}

/// Up to the phone's key: sends the prologue and reads the continuation.
fn continued(lab: &mut Lab, asked: &Asked, proof: bool) -> (PasskeySide, Node) {
    let options = asked.options.clone().unwrap();
    let assertion = lab.world.assert_passkey(lab.now, &options).unwrap();
    let reference = text_in(&get(lab, asked.id, "ref"), "ref");
    let side = PasskeySide::new(&reference, 77);
    let proof = proof.then(|| side.proof(&asked.keys.adv));
    let answer = lab.ask(asked.id, &side.prologue("prologue", &assertion, proof));
    assert!(is_result(&answer), "{answer:?}");
    let continuation = lab.hear(asked.id);
    assert_eq!(
        continuation.get_text("type").as_deref(),
        Some("crsc_continuation")
    );
    lab.send(asked.id, &ack_of(&continuation));
    (side, continuation)
}

/// From pair-success to the restart, under the new secret.
fn linked(lab: &mut Lab, asked: &mut Asked, side: &PasskeySide) {
    asked.keys.adv = side.new_adv;
    let success = lab.hear(asked.id);
    let reply = answer_pair_success(&mut asked.keys, &success, 5).unwrap();
    lab.send(asked.id, &reply);
    assert!(matches!(
        lab.outcome(asked.scan),
        ScanOutcome::Linked { .. }
    ));
    assert_eq!(lab.hear(asked.id).get_u64("code"), Some(515));
}

#[test]
fn the_whole_way_from_a_scan_to_online() {
    let mut lab = guarded(after_qr());
    let mut asked = scanned(&mut lab, 1);
    let (side, continuation) = continued(&mut lab, &asked, true);
    assert!(is_result(&lab.ask(asked.id, &side.nonce_request("nonce"))));
    assert_eq!(
        lab.world.passkey_code(lab.phone),
        Some(side.code(&continuation)),
        "both screens show the same"
    );
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    assert!(is_result(&lab.ask(asked.id, &pairing)));
    linked(&mut lab, &mut asked, &side);
    assert_eq!(lab.world.passkey_code(lab.phone), None);
    lab.come_online(&mut asked.keys);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn the_whole_way_from_a_code_to_online() {
    let mut lab = guarded(PasskeyPolicy {
        after_code: true,
        precursor: true,
        inline_options: false,
        discoverable: true,
        ..PasskeyPolicy::default()
    });
    let mut keys = Keys::new(2);
    let id = lab.register(&keys);
    lab.refs(id);
    let mut code = CodeSide::new(lab.phone, "3C6FVDRD", 2);
    let hello = code.hello(&keys, "hello");
    lab.ask(id, &hello);
    let scan = lab
        .world
        .enter_code(lab.now, lab.phone, "3C6FVDRD")
        .unwrap();
    lab.advance(Duration::ZERO);
    let precursor = lab.hear(id);
    assert_eq!(
        child(&precursor, "link_code_companion_reg")
            .get_children()
            .len(),
        1
    );
    lab.send(id, &ack_of(&precursor));
    let primary = lab.hear(id);
    lab.send(id, &ack_of(&primary));
    let (secret, finish) = code.finish(&keys, &primary, "finish");
    assert!(is_result(&lab.ask(id, &finish)));
    keys.adv = secret;

    assert_eq!(asked(&mut lab, id), None, "the options are to be fetched");
    let options = text_in(
        &get(&mut lab, id, "passkey_request_options"),
        "passkey_request_options",
    );
    let mut asked = Asked {
        id,
        keys,
        scan,
        refs: Vec::new(),
        options: Some(options),
    };
    let (side, continuation) = continued(&mut lab, &asked, true);
    lab.ask(id, &side.nonce_request("nonce"));
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    lab.ask(id, &pairing);
    linked(&mut lab, &mut asked, &side);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn the_options_are_as_the_chapter_writes_them_and_never_the_same() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 3);
    let inline: Value = serde_json::from_str(&asked.options.unwrap()).unwrap();
    assert_eq!(inline["rpId"], "whatsapp.com");
    assert_eq!(inline["timeout"], 600_000);
    assert_eq!(inline["userVerification"], "required");
    assert_eq!(inline["extensions"]["uvm"], true);
    assert_eq!(inline["allowCredentials"][0]["type"], "public-key");
    assert_eq!(base64url(inline["challenge"].as_str().unwrap()).len(), 32);
    let fetched = get(&mut lab, asked.id, "passkey_request_options");
    let fetched: Value =
        serde_json::from_str(&text_in(&fetched, "passkey_request_options")).unwrap();
    assert_ne!(inline["challenge"], fetched["challenge"]);
    assert_eq!(inline["allowCredentials"], fetched["allowCredentials"]);
}

#[test]
fn without_a_proof_the_owner_confirms_after_a_while() {
    let mut lab = guarded(PasskeyPolicy {
        confirm_ms: Some(3_000),
        ..after_qr()
    });
    let mut asked = scanned(&mut lab, 4);
    let (side, continuation) = continued(&mut lab, &asked, false);
    lab.ask(asked.id, &side.nonce_request("nonce"));
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    assert!(is_result(&lab.ask(asked.id, &pairing)));
    lab.advance(Duration::from_millis(2_999));
    assert_eq!(lab.outcome(asked.scan), ScanOutcome::Pending);
    assert!(lab.heard(asked.id).is_empty());
    lab.advance(Duration::from_millis(1));
    linked(&mut lab, &mut asked, &side);
}

#[test]
fn the_owner_accepts_or_refuses_by_hand() {
    let by_hand = PasskeyPolicy {
        confirm_ms: None,
        proof: ProofPolicy::Confirmed,
        ..after_qr()
    };
    for accept in [true, false] {
        let mut lab = guarded(by_hand);
        let mut asked = scanned(&mut lab, 5);
        let phone = lab.phone;
        assert_eq!(
            lab.world.confirm_on_phone(lab.now, phone, accept),
            Err(ConfirmError::NothingShown(phone))
        );
        let (side, continuation) = continued(&mut lab, &asked, true);
        lab.ask(asked.id, &side.nonce_request("nonce"));
        assert_eq!(lab.world.confirm_on_phone(lab.now, phone, accept), Ok(()));
        let pairing = side.pairing_request(&asked.keys, &continuation, "request");
        let answer = lab.ask(asked.id, &pairing);
        if accept {
            assert!(is_result(&answer));
            linked(&mut lab, &mut asked, &side);
        } else {
            refused(&answer);
            assert_eq!(failure(&lab, asked.scan), ScanFailure::PasskeyRefused);
            assert!(lab.heard(asked.id).is_empty());
        }
    }
    let mut lab = guarded(by_hand);
    let nobody = number(15_559_999_999);
    assert_eq!(
        lab.world.confirm_on_phone(lab.now, nobody, true),
        Err(ConfirmError::NoPhone(nobody))
    );
}

#[test]
fn a_phone_that_requires_the_proof_gives_up_without_one() {
    let mut lab = guarded(PasskeyPolicy {
        proof: ProofPolicy::Required,
        ..after_qr()
    });
    let asked = scanned(&mut lab, 6);
    let options = asked.options.clone().unwrap();
    let assertion = lab.world.assert_passkey(lab.now, &options).unwrap();
    let reference = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    let side = PasskeySide::new(&reference, 6);
    assert!(is_result(
        &lab.ask(asked.id, &side.prologue("prologue", &assertion, None))
    ));
    assert_eq!(broke_off(&lab, asked.scan), "no pairing_handoff_proof");
    assert!(lab.heard(asked.id).is_empty());
}

#[test]
fn a_proof_under_another_secret_ends_the_ceremony() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 7);
    let options = asked.options.clone().unwrap();
    let assertion = lab.world.assert_passkey(lab.now, &options).unwrap();
    let reference = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    let side = PasskeySide::new(&reference, 7);
    let proof = Some(side.proof(&[1; 32]));
    assert!(is_result(
        &lab.ask(asked.id, &side.prologue("prologue", &assertion, proof))
    ));
    assert_eq!(
        broke_off(&lab, asked.scan),
        "the handoff proof does not verify"
    );
    assert!(
        lab.heard(asked.id).is_empty(),
        "the companion hears nothing"
    );
    assert_eq!(
        lab.remarks(),
        ["passkey_prologue: the handoff proof does not verify"]
    );
}

#[test]
fn a_nonce_that_was_not_committed_to_ends_the_ceremony() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 8);
    let (mut side, continuation) = continued(&mut lab, &asked, true);
    side.nonce[0] ^= 1;
    assert!(is_result(&lab.ask(asked.id, &side.nonce_request("nonce"))));
    assert_eq!(
        broke_off(&lab, asked.scan),
        "the nonce is not the one committed to"
    );
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    refused(&lab.ask(asked.id, &pairing));
}

#[test]
fn a_request_that_does_not_open_ends_the_ceremony() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 9);
    let (mut side, continuation) = continued(&mut lab, &asked, true);
    lab.ask(asked.id, &side.nonce_request("nonce"));
    side.device_type = 1;
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    assert!(is_result(&lab.ask(asked.id, &pairing)));
    assert_eq!(broke_off(&lab, asked.scan), "the request does not open");
}

/// Sends a prologue whose assertion was changed; returns the rule it breaks.
fn assertion_refused(change: impl FnOnce(&mut Lab, &str) -> String) -> String {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 10);
    let assertion = change(&mut lab, &asked.options.clone().unwrap());
    let reference = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    let side = PasskeySide::new(&reference, 10);
    refused(&lab.ask(asked.id, &side.prologue("prologue", &assertion, None)));
    let rule = broke_off(&lab, asked.scan);
    assert_eq!(lab.remarks(), [format!("passkey_prologue: {rule}")]);
    // The companion may be scanned anew on the same connection.
    assert!(!lab.is_closed(asked.id));
    rule
}

fn patched(assertion: &str, field: &str, patch: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut value: Value = serde_json::from_str(assertion).unwrap();
    let bytes = base64url(value["response"][field].as_str().unwrap());
    value["response"][field] = URL_SAFE_NO_PAD.encode(patch(bytes)).into();
    value.to_string()
}

#[test]
fn an_assertion_of_another_challenge_is_refused() {
    let rule = assertion_refused(|lab, options| {
        let mut options: Value = serde_json::from_str(options).unwrap();
        options["challenge"] = "AAAA".into();
        lab.world
            .assert_passkey(lab.now, &options.to_string())
            .unwrap()
    });
    assert_eq!(
        rule,
        "the assertion does not hold: another challenge than the one issued"
    );
}

#[test]
fn an_assertion_made_on_another_page_is_refused() {
    let rule = assertion_refused(|lab, options| {
        let assertion = lab.world.assert_passkey(lab.now, options).unwrap();
        patched(&assertion, "clientDataJSON", |data| {
            String::from_utf8(data)
                .unwrap()
                .replace("web.whatsapp.com", "web.whatsapp.com.example.org")
                .into_bytes()
        })
    });
    assert_eq!(
        rule,
        "the assertion does not hold: the origin is no page of whatsapp.com"
    );
}

#[test]
fn an_assertion_with_a_wrong_signature_is_refused() {
    let rule = assertion_refused(|lab, options| {
        let assertion = lab.world.assert_passkey(lab.now, options).unwrap();
        patched(&assertion, "authenticatorData", |mut data| {
            data[36] += 1;
            data
        })
    });
    assert_eq!(
        rule,
        "the assertion does not hold: the signature does not verify"
    );
}

#[test]
fn a_counter_that_does_not_go_up_is_refused() {
    let mut lab = guarded(after_qr());
    let first = scanned(&mut lab, 11);
    // A second authenticator with the same key that does not know what the first has signed.
    let state: WorldState =
        serde_json::from_value(serde_json::to_value(lab.world.export()).unwrap()).unwrap();
    continued(&mut lab, &first, true);
    lab.drop_connection(first.id);

    let second = scanned(&mut lab, 12);
    let mut clone = World::import(WorldConfig::default(), [9; 32], lab.now, &state).unwrap();
    let options = second.options.clone().unwrap();
    let assertion = clone.assert_passkey(lab.now, &options).unwrap();
    let reference = text_in(&get(&mut lab, second.id, "ref"), "ref");
    let side = PasskeySide::new(&reference, 12);
    refused(&lab.ask(second.id, &side.prologue("prologue", &assertion, None)));
    assert_eq!(
        broke_off(&lab, second.scan),
        "the assertion does not hold: the signature counter did not go up"
    );
}

#[test]
fn a_prologue_for_another_ref_is_refused() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 13);
    let options = asked.options.clone().unwrap();
    let assertion = lab.world.assert_passkey(lab.now, &options).unwrap();
    let old = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    let new = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    assert_ne!(old, new);
    let side = PasskeySide::new(&old, 13);
    refused(&lab.ask(asked.id, &side.prologue("prologue", &assertion, None)));
    assert_eq!(
        broke_off(&lab, asked.scan),
        "another ref than the one that was given"
    );
}

#[test]
fn another_device_type_than_the_registrations_is_remarked() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 14);
    let options = asked.options.clone().unwrap();
    let assertion = lab.world.assert_passkey(lab.now, &options).unwrap();
    let reference = text_in(&get(&mut lab, asked.id, "ref"), "ref");
    let mut side = PasskeySide::new(&reference, 14);
    side.device_type = 1;
    side.encode_identity();
    assert!(is_result(
        &lab.ask(asked.id, &side.prologue("prologue", &assertion, None))
    ));
    assert_eq!(
        lab.remarks(),
        ["passkey_prologue: another device type than in the registration"]
    );
}

#[test]
fn requests_before_the_passkey_is_asked_for_are_refused_and_change_nothing() {
    let mut lab = guarded(after_qr());
    let keys = Keys::new(15);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    refused(&get(&mut lab, id, "ref"));
    refused(&get(&mut lab, id, "passkey_request_options"));
    let early = PasskeySide::new("2@x", 15);
    refused(&lab.ask(id, &early.nonce_request("early")));
    lab.scan(&keys.qr(&refs[0]));
    assert!(asked(&mut lab, id).is_some());
    assert!(is_result(&get(&mut lab, id, "ref")));
    assert!(
        lab.remarks()
            .iter()
            .all(|remark| remark.ends_with("out of turn"))
    );
}

#[test]
fn a_ceremony_takes_ten_minutes_at_most() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 16);
    for _ in 0..599 {
        lab.advance(Duration::from_secs(1));
        let ping = request("ping", "get", "w:p", None);
        lab.send(asked.id, &ping);
    }
    assert_eq!(lab.outcome(asked.scan), ScanOutcome::Pending);
    assert!(!lab.is_closed(asked.id), "the ref window does not end it");
    lab.advance(Duration::from_secs(1));
    assert_eq!(failure(&lab, asked.scan), ScanFailure::PasskeyTimeout);
}

#[test]
fn a_connection_that_ends_ends_its_ceremony() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 17);
    lab.drop_connection(asked.id);
    assert_eq!(failure(&lab, asked.scan), ScanFailure::Closed);
}

#[test]
fn a_refused_request_ends_the_ceremony() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 18);
    lab.world.inject(Fault::IqError {
        request: IqKind::PasskeyRef,
        code: 500,
        text: None,
        backoff: None,
    });
    let answer = get(&mut lab, asked.id, "ref");
    assert_eq!(child(&answer, "error").get_u64("code"), Some(500));
    assert_eq!(broke_off(&lab, asked.scan), "the server refused a request");
}

#[test]
fn a_code_scanned_again_after_a_broken_ceremony_links() {
    let mut lab = guarded(PasskeyPolicy {
        confirm_ms: None,
        ..after_qr()
    });
    let keys = Keys::new(19);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let scan = lab.scan(&keys.qr(&refs[0]));
    let options = asked(&mut lab, id);
    let first = Asked {
        id,
        keys,
        scan,
        refs: Vec::new(),
        options,
    };
    let (side, _) = continued(&mut lab, &first, false);
    lab.ask(id, &side.nonce_request("nonce"));
    lab.world
        .confirm_on_phone(lab.now, lab.phone, false)
        .unwrap();
    let scan = lab.scan(&first.keys.qr(&refs[0]));
    let options = asked(&mut lab, id);
    let mut second = Asked {
        scan,
        options,
        ..first
    };
    let (side, continuation) = continued(&mut lab, &second, true);
    lab.ask(id, &side.nonce_request("nonce"));
    let pairing = side.pairing_request(&second.keys, &continuation, "request");
    lab.ask(id, &pairing);
    linked(&mut lab, &mut second, &side);
}

#[test]
fn an_authenticator_signs_only_with_passkeys_it_has() {
    let mut lab = guarded(after_qr());
    let no_options = lab.world.assert_passkey(lab.now, "{}");
    assert!(matches!(no_options, Err(AssertError::Options(_))));
    let unknown = r#"{"challenge":"AAAA","allowCredentials":[{"id":"AAAA","type":"public-key"}]}"#;
    let refused = lab.world.assert_passkey(lab.now, unknown);
    assert_eq!(refused, Err(AssertError::NoPasskey));
    let open = r#"{"challenge":"AAAA"}"#;
    let refused = lab.world.assert_passkey(lab.now, open);
    assert_eq!(refused, Err(AssertError::NoPasskey));
}

#[test]
fn an_ack_that_is_missing_is_remarked() {
    let mut lab = guarded(after_qr());
    let keys = Keys::new(20);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    lab.scan(&keys.qr(&refs[0]));
    lab.hear(id);
    get(&mut lab, id, "ref");
    assert_eq!(
        lab.remarks(),
        ["no ack of a notification of type passkey_prologue_request before what follows from it"]
    );
}

#[test]
fn a_request_with_the_secret_of_the_code_links_nothing() {
    let mut lab = guarded(after_qr());
    let asked = scanned(&mut lab, 30);
    let (mut side, continuation) = continued(&mut lab, &asked, true);
    assert!(is_result(&lab.ask(asked.id, &side.nonce_request("nonce"))));
    side.new_adv = asked.keys.adv;
    let pairing = side.pairing_request(&asked.keys, &continuation, "request");
    assert!(is_result(&lab.ask(asked.id, &pairing)));
    assert_eq!(broke_off(&lab, asked.scan), "the secret is not a new one");
    assert_eq!(
        lab.remarks(),
        ["encrypted_pairing_request: the secret is not a new one"]
    );
}

#[test]
fn a_refused_request_ends_the_ceremony_and_the_code_can_be_scanned_again() {
    let node = |tag: &'static str, length: usize| {
        request(
            tag,
            "set",
            "md",
            Some(Node::new(tag).bytes(vec![1; length])),
        )
    };
    let get = |tag: &'static str| request(tag, "get", "md", Some(Node::new(tag)));
    for (at_start, wrong, rule) in [
        (false, get("passkey_request_options"), "out of turn"),
        (false, get("ref"), "out of turn"),
        (true, node("companion_nonce", 32), "out of turn"),
        (
            false,
            node("companion_nonce", 31),
            "companion_nonce has 31 bytes instead of 32",
        ),
        (true, node("encrypted_pairing_request", 134), "out of turn"),
    ] {
        let mut lab = guarded(after_qr());
        let asked = scanned(&mut lab, 31);
        if !at_start {
            continued(&mut lab, &asked, true);
        }
        refused(&lab.ask(asked.id, &wrong));
        assert_eq!(broke_off(&lab, asked.scan), rule);
        let again = lab.scan(&asked.keys.qr(&asked.refs[0]));
        assert_eq!(lab.outcome(again), ScanOutcome::Pending);
    }
}
