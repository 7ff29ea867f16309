//! The whole ceremony, after a scan and after a code, to the link.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{self, Phone as CodePhone};
use support::passkey::{
    Phone, REF, assertion, bring_to, challenge, confirmation, prologue_request, reference,
};
use support::{
    Rig, ack_of, asked, companion_identity, container_for, content, names, pair_success, persisted,
    sent, vector_keys,
};
use wa_crypto::{AdvSecret, PublicKey as _};
use wa_pair::{CodeEnd, Handoff, PairConfig, PairOutput, PasskeyStage};
use wa_proto::{Jid, Node};

fn iq(kind: &'static str, child: Node) -> Node {
    Node::new("iq")
        .attr("type", kind)
        .attr("xmlns", "md")
        .attr("to", Jid::server_jid())
        .child(child)
}

/// From the challenge to the link, whose secret the phone learnt before.
fn run(rig: &mut Rig, known: [u8; 32]) {
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["ask-ref"]);
    let (request, stanza, _) = asked(&outputs);
    assert_eq!(stanza, iq("get", Node::new("ref")));

    let outputs = rig.result(request, reference());
    assert_eq!(names(&outputs), ["ask-prologue"]);
    let (request, prologue, _) = asked(&outputs);
    let mut phone = Phone::reads(&prologue);
    assert!(phone.trusts(&known));
    let body = Node::new("passkey_prologue").children([
        Node::new("credential_id").bytes(assertion().raw_id().to_vec()),
        Node::new("webauthn_assertion").bytes(assertion().to_json().as_bytes().to_vec()),
        Node::new("prologue_payload").bytes(phone.payload.clone()),
        Node::new("pairing_handoff_proof").bytes(phone.proof.clone().unwrap()),
    ]);
    assert_eq!(prologue, iq("set", body));
    assert!(rig.result(request, vec![]).is_empty());

    let outputs = rig.stanza(&phone.answers("c"));
    assert_eq!(names(&outputs), ["send", "ask-nonce"]);
    assert_eq!(sent(&outputs), [&ack_of("c", "crsc_continuation")]);
    let (request, nonce, _) = asked(&outputs);
    phone.takes_nonce(&nonce);
    let bytes = content(&nonce, &["companion_nonce"]);
    assert_eq!(bytes.len(), 32);
    assert_eq!(nonce, iq("set", Node::new("companion_nonce").bytes(bytes)));

    let outputs = rig.result(request, vec![]);
    assert_eq!(
        names(&outputs),
        ["passkey-confirmation", "persist-adv", "ask-pairing"],
        "the secret is durable before the phone gets it"
    );
    assert_eq!(confirmation(&outputs), Some(None));
    let (request, sealed, _) = asked(&outputs);
    assert_eq!(content(&sealed, &["encrypted_pairing_request"]).len(), 134);
    let learnt = phone.opens(&sealed);
    let keys = vector_keys();
    assert_eq!(
        learnt.companion_public_key.as_deref(),
        Some(keys.noise.as_bytes().as_slice())
    );
    let identity = keys.identity.public();
    assert_eq!(
        learnt.companion_identity_key.as_deref(),
        Some(identity.as_bytes().as_slice())
    );
    assert_eq!(phone.adv, persisted(&outputs));
    assert_ne!(phone.adv, Some(known));
    assert!(rig.result(request, vec![]).is_empty());

    let adv = AdvSecret::from_bytes(phone.adv.unwrap());
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    assert_eq!(
        names(&rig.stanza(&pair_success("5", container))),
        ["verifying", "persist-paired", "send", "paired"]
    );
    assert!(!rig.pairing.is_awaiting_passkey());
    assert_eq!(rig.next_timeout(), None);
}

#[test]
fn after_a_scan_with_the_refs_running_out_in_the_middle() {
    let mut rig = Rig::offering(2);
    let outputs = rig.stanza(&prologue_request("p", Some(&support::passkey::options())));
    assert_eq!(names(&outputs), ["send", "qr-expired", "passkey-requested"]);
    assert_eq!(sent(&outputs), [&ack_of("p", "passkey_prologue_request")]);
    assert!(challenge(&outputs).is_some());
    assert!(rig.at(60).is_empty() && rig.at(80).is_empty() && rig.at(299).is_empty());
    run(&mut rig, *vector_keys().adv.expose_bytes());
}

#[test]
fn after_a_code_which_has_done_its_part() {
    let (mut rig, hello) = code::with_code(6);
    let phone = CodePhone::types("ABCD1234", &hello);
    let outputs = rig.stanza(&phone.hello("1"));
    let outputs = code::compute(&mut rig, outputs);
    let (request, finish, _) = asked(&outputs);
    let known = phone.finish(&finish).unwrap();
    rig.result(request, vec![]);
    // The precursor may come before the request.
    let precursor = code::notification("9", "primary_hello", code::REF, vec![]);
    assert_eq!(names(&rig.stanza(&precursor)), ["send"]);
    let outputs = rig.stanza(&prologue_request("p", Some(&support::passkey::options())));
    assert_eq!(
        names(&outputs),
        ["send", "qr-expired", "code-ended", "passkey-requested"]
    );
    assert!(matches!(
        outputs[2],
        PairOutput::CodeEnded(CodeEnd::PasskeyBegan)
    ));
    assert!(rig.at(60).is_empty(), "the watchdog of the code stands");
    run(&mut rig, known);
}

#[test]
fn after_a_code_whose_bundle_the_server_has_not_confirmed() {
    let (mut rig, hello) = code::with_code(6);
    let phone = CodePhone::types("ABCD1234", &hello);
    let outputs = rig.stanza(&phone.hello("1"));
    let outputs = code::compute(&mut rig, outputs);
    let (request, finish, _) = asked(&outputs);
    rig.stanza(&prologue_request("p", Some(&support::passkey::options())));
    assert!(rig.result(request, vec![]).is_empty());
    run(&mut rig, phone.finish(&finish).unwrap());
}

#[test]
fn without_the_proof_the_user_compares_the_codes() {
    let mut rig = Rig::new(PairConfig {
        handoff: Handoff::Withhold,
        ..PairConfig::default()
    });
    rig.stanza(&support::pair_device("1", 6, "ref"));
    let mut phone = bring_to(&mut rig, PasskeyStage::Primary).unwrap();
    assert_eq!(phone.proof, None);
    let (request, nonce, _) = asked(&rig.stanza(&phone.answers("c")));
    phone.takes_nonce(&nonce);
    let outputs = rig.result(request, vec![]);
    assert_eq!(names(&outputs), ["passkey-confirmation"]);
    let shown = confirmation(&outputs).unwrap().unwrap();
    assert_eq!(Some(shown.expose()), phone.code.as_deref());
    rig.pairing
        .confirm_passkey(rig.now, true, &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["persist-adv", "ask-pairing"]);
    phone.opens(&asked(&outputs).1);
    assert_eq!(phone.adv, persisted(&outputs));
}

#[test]
fn the_salt_holds_the_ref_and_the_device_type() {
    for device_type in [0, 1, 23] {
        let mut rig = Rig::new(PairConfig {
            device_type,
            ..PairConfig::default()
        });
        rig.stanza(&support::pair_device("1", 6, "ref"));
        let phone = bring_to(&mut rig, PasskeyStage::PairSuccess).unwrap();
        assert!(phone.adv.is_some(), "it opened");
        let text = String::from_utf8_lossy(&phone.payload).into_owned();
        assert!(text.contains(REF));
    }
}

#[test]
fn the_pair_success_may_come_before_the_receipt() {
    let mut rig = Rig::offering(6);
    let phone = bring_to(&mut rig, PasskeyStage::PairingRequest).unwrap();
    let adv = AdvSecret::from_bytes(phone.adv.unwrap());
    let container = container_for(&adv, &companion_identity().public(), &mut rig.rng);
    let outputs = rig.stanza(&pair_success("5", container));
    assert_eq!(names(&outputs).last(), Some(&"paired"));
}

#[test]
fn the_phone_may_be_faster_than_the_receipt_of_the_prologue() {
    let mut rig = Rig::offering(6);
    rig.stanza(&prologue_request("p", Some(&support::passkey::options())));
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    let (request, ..) = asked(&rig.drain());
    let (request, prologue, _) = asked(&rig.result(request, reference()));
    let phone = Phone::reads(&prologue);
    assert_eq!(names(&rig.stanza(&phone.answers("c"))), ["send"]);
    assert_eq!(
        names(&rig.stanza(&phone.answers("d"))),
        ["send"],
        "once is enough"
    );
    assert_eq!(names(&rig.result(request, vec![])), ["ask-nonce"]);
}
