#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::Value;
use support::{array, bytes, list, noise, pairing, providers, signal, signature, text};
use wa_crypto::{
    CertificatePublic, CertificateSecret, IdentityPublic, IdentitySecret, PublicKey,
    SenderSigningPublic, SenderSigningSecret, Signature,
};

fn public(value: &Value, key: &str) -> IdentityPublic {
    IdentityPublic::try_from(bytes(value, key).as_slice()).unwrap()
}

#[test]
fn recorded_signatures_are_reproduced_byte_for_byte() {
    for provider in providers() {
        for case in list(&signal(), "xeddsa_sign") {
            let secret = IdentitySecret::from_bytes(provider, &array(case, "private_key"));
            assert_eq!(secret.public(), public(case, "public_key"));
            let message = bytes(case, "message");
            let signed = secret.sign_with_nonce(&array(case, "random64"), &[&message]);
            assert_eq!(signed, signature(case, "signature"), "{}", case["name"]);
            let sign_bit = u64::from(signed.as_bytes()[63] >> 7);
            assert_eq!(sign_bit, case["sign_bit"].as_u64().unwrap());
        }
    }
}

#[test]
fn certificate_keys_sign_and_verify_the_noise_vectors() {
    for provider in providers() {
        for case in list(&noise(), "xeddsa") {
            let secret = CertificateSecret::from_bytes(provider, &array(case, "priv"));
            assert_eq!(secret.public().as_bytes(), &array(case, "pub"));
            let message = bytes(case, "message");
            let recorded = signature(case, "signature");
            let valid = case["valid"].as_bool().unwrap();
            let verdict = secret.public().verify(&[&message], &recorded);
            assert_eq!(verdict.is_ok(), valid, "{case}");
            if valid {
                let signed = secret.sign_with_nonce(&array(case, "random64"), &[&message]);
                assert_eq!(signed, recorded);
            }
        }
    }
}

#[test]
fn every_recorded_verdict_is_reached() {
    let mut refused = 0;
    for case in list(&signal(), "xeddsa_verify") {
        let message = bytes(case, "message");
        let verdict = public(case, "public_key").verify(&[&message], &signature(case, "signature"));
        assert_eq!(
            verdict.is_ok(),
            case["valid"].as_bool().unwrap(),
            "{}",
            case["name"]
        );
        refused += usize::from(verdict.is_err());
    }
    assert_eq!(refused, 7);
}

#[test]
fn a_certificate_chain_holds_under_its_issuers_only() {
    let noise = noise();
    let root = bytes(&noise["test_root"], "pub");
    let root = CertificatePublic::try_from(root.as_slice()).unwrap();
    let intermediate = CertificatePublic::from_bytes(array(&noise["test_intermediate"], "pub"));
    for case in list(&noise, "certificates") {
        for (name, issuer, other) in [
            ("intermediate", &root, &intermediate),
            ("leaf", &intermediate, &root),
        ] {
            let details = bytes(case, &format!("{name}_details"));
            let recorded = signature(case, &format!("{name}_signature"));
            assert_eq!(issuer.verify(&[&details], &recorded), Ok(()), "{name}");
            assert!(other.verify(&[&details], &recorded).is_err(), "{name}");
        }
    }
}

#[test]
fn device_signatures_match_every_recorded_verdict() {
    let vectors = &pairing()["device_signature"];
    let message = bytes(vectors, "message");
    let key = public(vectors, "public_key");
    for provider in providers() {
        let secret = IdentitySecret::from_bytes(provider, &array(vectors, "private_key"));
        let signed = secret.sign_with_nonce(&array(vectors, "xeddsa_random_z"), &[&message]);
        assert_eq!(signed, signature(&vectors["valid"][0], "signature"));
    }
    for case in list(vectors, "valid") {
        assert_eq!(
            key.verify(&[&message], &signature(case, "signature")),
            Ok(()),
            "{case}"
        );
    }
    let mut short = 0;
    for case in list(vectors, "invalid") {
        match Signature::try_from(bytes(case, "signature").as_slice()) {
            Ok(signature) => assert!(key.verify(&[&message], &signature).is_err(), "{case}"),
            Err(error) => {
                assert_eq!(error.got, 63);
                short += 1;
            }
        }
    }
    assert_eq!(short, 1);
    // S + L: other implementations accept it, this one does not.
    for case in list(vectors, "implementation_defined") {
        assert!(
            key.verify(&[&message], &signature(case, "signature"))
                .is_err(),
            "{case}"
        );
    }
    let hosted = bytes(vectors, "hosted_message");
    assert_eq!(
        key.verify(&[&hosted], &signature(vectors, "hosted_valid_signature")),
        Ok(())
    );
}

#[test]
fn account_signatures_of_identities_and_key_lists_verify() {
    let pairing = pairing();
    let adv = &pairing["adv_identity"];
    let account = public(adv, "account_signature_key");
    let message = bytes(adv, "account_signature_message");
    assert_eq!(
        account.verify(&[&message], &signature(adv, "account_signature")),
        Ok(())
    );
    for provider in providers() {
        let key = &pairing["keys"]["primary_identity"];
        let secret = IdentitySecret::from_bytes(provider, &array(key, "private_clamped"));
        let signed = secret.sign_with_nonce(&array(adv, "xeddsa_random_z"), &[&message]);
        assert_eq!(signed, signature(adv, "account_signature"));
    }

    let keys = &pairing["key_index_list"];
    let message = bytes(keys, "signature_message");
    assert_eq!(
        account.verify(&[&message], &signature(keys, "account_signature")),
        Ok(())
    );
    for case in list(keys, "invalid") {
        assert!(
            account
                .verify(&[&message], &signature(case, "account_signature"))
                .is_err()
        );
    }
    let hosted = &keys["hosted"];
    let message = bytes(hosted, "signature_message");
    assert_eq!(
        account.verify(&[&message], &signature(hosted, "account_signature")),
        Ok(())
    );
}

#[test]
fn account_signatures_hold_under_the_prefix_they_name_only() {
    let pairing = pairing();
    let account = public(&pairing["adv_identity"], "account_signature_key");
    for case in list(&pairing["hosted_matrix"], "cases") {
        let (details, identity) = (
            bytes(case, "details"),
            bytes(case, "companion_identity_public"),
        );
        let signed = signature(case, "account_signature");
        for prefix in ["0600", "0605"] {
            let verdict = account.verify(&[&support::hex(prefix), &details, &identity], &signed);
            assert_eq!(
                verdict.is_ok(),
                prefix == text(case, "account_signature_prefix"),
                "{case}"
            );
        }
    }
}

#[test]
fn signed_prekeys_verify_in_their_serialized_form() {
    let pairing = pairing();
    let fields = &pairing["registration_fields"];
    let identity = public(&pairing["keys"]["companion_identity"], "public");
    let message = bytes(fields, "e_skey_sig_message");
    assert_eq!(
        identity.verify(&[&message], &signature(fields, "e_skey_sig")),
        Ok(())
    );

    for case in list(&signal(), "x3dh") {
        let responder = &case["responder"];
        let serialized = bytes(responder, "signed_prekey_public");
        let recorded = signature(responder, "signed_prekey_signature");
        let identity = public(responder, "identity_public");
        assert_eq!(identity.verify(&[&serialized], &recorded), Ok(()));
        assert!(identity.verify(&[&serialized[1..]], &recorded).is_err());
        for provider in providers() {
            let secret =
                IdentitySecret::from_bytes(provider, &array(responder, "identity_private"));
            let random = array(responder, "signed_prekey_signature_random64");
            assert_eq!(secret.sign_with_nonce(&random, &[&serialized]), recorded);
        }
    }
}

#[test]
fn group_messages_carry_signatures_of_their_sender_key() {
    for sender in list(&signal(), "sender_keys") {
        let key = bytes(sender, "signing_public");
        let key = SenderSigningPublic::try_from(key.as_slice()).unwrap();
        for message in list(sender, "messages") {
            let wire = bytes(message, "wire");
            let (signed, recorded) = wire.split_at(wire.len() - 64);
            let recorded = Signature::try_from(recorded).unwrap();
            assert_eq!(key.verify(&[signed], &recorded), Ok(()));
            for provider in providers() {
                let secret = array(sender, "signing_private");
                let secret = SenderSigningSecret::from_bytes(provider, &secret);
                let random = array(message, "signature_random64");
                assert_eq!(secret.sign_with_nonce(&random, &[signed]), recorded);
            }
        }
        for case in list(sender, "negative") {
            let wire = bytes(case, "wire");
            let (signed, recorded) = wire.split_at(wire.len() - 64);
            let recorded = Signature::try_from(recorded).unwrap();
            let holds = key.verify(&[signed], &recorded).is_ok();
            assert_eq!(
                holds,
                text(case, "result") != "error:signature",
                "{}",
                case["name"]
            );
        }
    }
}
