//! The keys of the ceremony come out as the vectors say, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{assertion, confirmation, continuation, end, prologue_request};
use support::{Fixed, Rig, asked, content, from_server, hex, names, pair_device, persisted, unhex};
use support::{hex32, vectors};
use wa_pair::{Handoff, PairAnswer, PairConfig, PairOutput, PairRequest, PasskeyEnd};
use wa_proto::{Decoder, Node};

fn answer(
    rig: &mut Rig,
    request: PairRequest,
    children: Vec<Node>,
    random: Vec<u8>,
) -> Vec<PairOutput> {
    let iq = from_server("iq", "result", "r").children(children);
    let bytes = iq.to_bytes().unwrap();
    let mut decoder = Decoder::new();
    let iq = decoder.decode(&bytes).unwrap();
    let mut rng = Fixed(random);
    rig.pairing
        .handle_answer(rig.now, request, PairAnswer::Result(&iq), &mut rng);
    assert!(rng.0.is_empty(), "all of it was drawn");
    rig.drain()
}

fn ceremony(handoff: Handoff) {
    for vector in vectors()["passkey"].as_array().unwrap() {
        let mut rig = Rig::new(PairConfig {
            device_type: vector["device_type"].as_u64().unwrap() as u32,
            handoff,
            ..PairConfig::default()
        });
        rig.stanza(&pair_device("1", 6, "ref"));
        rig.stanza(&prologue_request("p", Some(&support::passkey::options())));
        rig.pairing
            .respond_passkey(rig.now, assertion(), &mut rig.rng)
            .unwrap();
        let (request, ..) = asked(&rig.drain());
        let reference = Node::new("ref").bytes(vector["ref"].as_str().unwrap().as_bytes());
        let mut random = unhex(&vector["companion_ephemeral_private"]);
        random.extend(unhex(&vector["companion_nonce"]));
        let outputs = answer(&mut rig, request, vec![reference], random);
        let (request, prologue, _) = asked(&outputs);
        let prologue = prologue.get_child("passkey_prologue").unwrap();
        assert_eq!(
            hex(&content(prologue, &["prologue_payload"])),
            vector["prologue_payload"]
        );
        let proof = prologue.get_child("pairing_handoff_proof");
        match handoff {
            Handoff::Send => {
                let proof = proof.unwrap().get_bytes().unwrap();
                assert_eq!(hex(proof), vector["handoff_proof"]);
            }
            _ => assert!(proof.is_none()),
        }
        rig.result(request, vec![]);

        let identity = unhex(&vector["primary_ephemeral_identity"]);
        let (request, nonce, _) = asked(&rig.stanza(&continuation("c", identity)));
        assert_eq!(
            hex(&content(&nonce, &["companion_nonce"])),
            vector["companion_nonce"]
        );
        let mut random = unhex(&vector["new_adv_secret"]);
        random.extend(unhex(&vector["iv"]));
        let outputs = if handoff == Handoff::Send {
            answer(&mut rig, request, vec![], random)
        } else {
            let outputs = rig.result(request, vec![]);
            let code = confirmation(&outputs).unwrap().unwrap();
            assert_eq!(code.expose(), vector["code"].as_str().unwrap());
            assert_eq!(
                code.display().as_str(),
                vector["code_display"].as_str().unwrap()
            );
            rig.pairing
                .confirm_passkey(rig.now, true, &mut Fixed(random))
                .unwrap();
            rig.drain()
        };
        assert_eq!(persisted(&outputs), Some(hex32(&vector["new_adv_secret"])));
        let (_, request, _) = asked(&outputs);
        assert_eq!(
            hex(&content(&request, &["encrypted_pairing_request"])),
            vector["encrypted_pairing_request"]
        );
    }
}

#[test]
fn with_the_proof_it_is_as_recorded_for_every_device_type() {
    ceremony(Handoff::Send);
}

#[test]
fn with_the_code_it_is_as_recorded_for_every_device_type() {
    ceremony(Handoff::Withhold);
}

#[test]
fn identities_of_a_wrong_form_end_the_ceremony() {
    for vector in vectors()["passkey_primary_identity_rejects"]
        .as_array()
        .unwrap()
    {
        let mut rig = Rig::offering(6);
        support::passkey::bring_to(&mut rig, wa_pair::PasskeyStage::Primary);
        let outputs = rig.stanza(&continuation("c", unhex(&vector["bytes"])));
        assert_eq!(names(&outputs)[..2], ["send", "passkey-ended"]);
        assert_eq!(
            end(&outputs),
            Some(&PasskeyEnd::BadPrimaryIdentity),
            "{}",
            vector["why"]
        );
    }
}
