//! The checks of pair-success on the vectors, as whole stanzas, and the reply byte for byte.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::Value;
use support::{
    Fixed, Rig, companion_identity, error_reply, hex, hex32, names, pair_device, pair_success,
    sent, unhex, vector_container, vector_keys, vectors,
};
use wa_crypto::{AdvSecret, IdentityPublic, IdentitySecret, Provider, PublicKey as _};
use wa_pair::{
    Handled, MAX_DEVICE_IDENTITY_LEN, PairConfig, PairError, PairKeys, PairOutput, Pairing,
    SignedIdentity, verify_pair_success,
};
use wa_proto::{Decoder, Jid, Node};

/// Feeds a container to a machine with the keys of the case.
fn outputs_of(case: &Value) -> Vec<PairOutput> {
    let mut rig = Rig::new(PairConfig::default());
    let identity = IdentitySecret::from_bytes(
        Provider::rust(),
        &hex32(&case["companion_identity_private"]),
    );
    assert_eq!(
        *identity.public().as_bytes(),
        hex32(&case["companion_identity_public"])
    );
    let adv = AdvSecret::from_bytes(hex32(&case["adv_secret"]));
    rig.pairing = Pairing::new(
        PairKeys {
            identity,
            adv,
            ..vector_keys()
        },
        PairConfig::default(),
    );
    assert_eq!(
        rig.feed(&pair_success("5", unhex(&case["container"]))),
        Handled::Yes
    );
    rig.drain()
}

#[test]
fn every_case_of_the_vectors_gets_its_reply() {
    let vectors = vectors();
    let cases = vectors["pair_success_cases"].as_array().unwrap();
    assert_eq!(cases.len(), 27);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let outputs = outputs_of(case);
        let expect = &case["expect"];
        let code = match (expect["result"].as_str().unwrap(), name) {
            ("accept", _) => None,
            ("reject", "container_empty") => Some(500),
            ("reject", _) => expect["error_code"].as_u64(),
            ("accept-or-500", _) => Some(500),
            ("implementation-defined", "account_key_33_bytes") => Some(401),
            (other, _) => panic!("{name}: {other}"),
        };
        match code {
            None => assert_eq!(
                names(&outputs),
                ["verifying", "persist-paired", "send", "paired"],
                "{name}"
            ),
            Some(code) => {
                assert_eq!(names(&outputs), ["verifying", "send", "failed"], "{name}");
                let text = if code == 401 {
                    "not-authorized"
                } else {
                    "internal-error"
                };
                let reply = error_reply("5", u16::try_from(code).unwrap(), text);
                assert_eq!(sent(&outputs), [&reply], "{name}");
            }
        }
    }
}

#[test]
fn every_refusal_names_its_stage() {
    let vectors = vectors();
    for case in vectors["pair_success_cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let Some(PairOutput::Failed(error)) = outputs_of(case).pop() else {
            continue;
        };
        let matches = match case["expect"]["stage"].as_str() {
            Some("hmac") => error == PairError::Hmac,
            Some("account_signature") => matches!(
                error,
                PairError::AccountSignature
                    | PairError::AccountKeyLength { .. }
                    | PairError::AccountSignatureLength { .. }
            ),
            Some("decode") => matches!(error, PairError::Container | PairError::Identity),
            Some("length-or-hmac") => {
                matches!(error, PairError::DeviceIdentityLength { got: 0, .. })
            }
            _ => matches!(
                error,
                PairError::KeyIndexMissing | PairError::AccountKeyLength { got: 33 }
            ),
        };
        assert!(matches, "{name}: {error:?}");
    }
}

#[test]
fn hosted_accounts_take_the_prefixes_of_their_types() {
    let vectors = vectors();
    let cases = vectors["hosted_matrix"]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let verified = verify_pair_success(
            &unhex(&case["container"]),
            &AdvSecret::from_bytes(hex32(&case["adv_secret"])),
            &IdentityPublic::from_bytes(hex32(&case["companion_identity_public"])),
        );
        let accepted = case["rule_primary"].as_str().unwrap() == "accept";
        assert_eq!(verified.is_ok(), accepted, "{case}");
    }
}

#[test]
fn our_signature_is_an_ordinary_one_even_for_a_hosted_account() {
    let vectors = vectors();
    let case = vectors["hosted_matrix"]["cases"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(case["details_device_type"], 1);
    let identity = companion_identity();
    let adv = AdvSecret::from_bytes(hex32(&case["adv_secret"]));
    let verified =
        verify_pair_success(&unhex(&case["container"]), &adv, &identity.public()).unwrap();
    let account = verified.sign(&identity, &mut Rig::offering(1).rng);
    let public = identity.public();
    let message = [
        &[6, 1],
        account.details(),
        public.as_bytes(),
        account.account_key().as_bytes(),
    ];
    assert_eq!(public.verify(&message, account.device_signature()), Ok(()));
}

#[test]
fn the_reply_and_the_stored_account_are_byte_exact() {
    let vectors = vectors();
    let expected = &vectors["pair_device_sign_reply"];
    let mut rng = Fixed(unhex(&vectors["device_signature"]["xeddsa_random_z"]));
    let mut pairing = Pairing::new(vector_keys(), PairConfig::default());
    let stanza = pair_success("5", vector_container()).to_bytes().unwrap();
    let mut decoder = Decoder::new();
    let handled = pairing.handle_stanza(
        std::time::Instant::now(),
        &decoder.decode(&stanza).unwrap(),
        &mut rng,
    );
    assert_eq!(handled, Handled::Yes);
    let outputs: Vec<_> = std::iter::from_fn(|| pairing.poll_output()).collect();

    let content = unhex(&expected["device_identity_content"]);
    assert_eq!(
        content.len() + 4,
        vector_container().len(),
        "always 4 less than what was received"
    );
    let identity = Node::new("device-identity")
        .attr(
            "key-index",
            expected["key_index_attr"].as_str().unwrap().to_owned(),
        )
        .bytes(content);
    let reply = Node::new("iq")
        .attr("type", "result")
        .attr("id", "5")
        .attr("to", Jid::server_jid())
        .child(Node::new("pair-device-sign").child(identity));
    assert_eq!(sent(&outputs), [&reply]);

    let PairOutput::PersistPaired(paired) = &outputs[1] else {
        panic!("{:?}", names(&outputs))
    };
    assert_eq!(
        hex(&paired.account.encode()),
        expected["persisted_account"].as_str().unwrap()
    );
    assert_eq!(
        SignedIdentity::decode(&paired.account.encode()).unwrap(),
        paired.account
    );
    assert_eq!(paired.key_index, 3);
    assert_eq!(
        hex(paired.primary_identity.as_bytes()),
        vectors["keys"]["primary_identity"]["public"]
    );
}

#[test]
fn the_content_is_looked_at_up_to_500_bytes() {
    let adv = AdvSecret::from_bytes([1; 32]);
    let identity = IdentityPublic::from_bytes([2; 32]);
    // Field 15 with padding: decodes, and then fails the next check.
    let container = |length: usize| {
        let mut bytes = vec![0x7A, 0, 0];
        let padding = length - bytes.len();
        bytes[1] = u8::try_from(padding & 0x7F | 0x80).unwrap();
        bytes[2] = u8::try_from(padding >> 7).unwrap();
        bytes.resize(length, 0);
        bytes
    };
    let verify = |length| verify_pair_success(&container(length), &adv, &identity).unwrap_err();
    assert_eq!(verify(MAX_DEVICE_IDENTITY_LEN), PairError::Hmac);
    assert_eq!(
        verify(MAX_DEVICE_IDENTITY_LEN + 1),
        PairError::DeviceIdentityLength {
            got: 501,
            limit: MAX_DEVICE_IDENTITY_LEN
        }
    );
    let empty = verify_pair_success(&[], &adv, &identity).unwrap_err();
    assert_eq!(
        empty,
        PairError::DeviceIdentityLength {
            got: 0,
            limit: MAX_DEVICE_IDENTITY_LEN
        }
    );
}

#[test]
fn a_code_on_show_is_blanked_as_soon_as_it_was_scanned() {
    let mut rig = Rig::new(PairConfig::default());
    let _ = rig.feed(&pair_device("1", 6, "ref"));
    rig.drain();
    let _ = rig.feed(&pair_success("5", vector_container()));
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
    assert_eq!(rig.next_timeout(), None);
    assert!(rig.at(1000).is_empty());
}
