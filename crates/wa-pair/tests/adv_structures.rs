//! Device identities of others, key index lists and the device list hash.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use prost::Message as _;
use serde_json::Value;
use support::{hex32, unhex, vectors};
use wa_crypto::{IdentityPublic, IdentitySecret, Provider, PublicKey as _};
use wa_pair::{
    AdvFamily, KeyIndexList, KeyIndexListError, MAX_KEY_INDEX_LIST_LEN, SignedIdentity,
    SignedIdentityError, SignedKeyIndexList, device_list_hash,
};
use wa_proto::Jid;
use wa_proto::pb::{AdvKeyIndexList, AdvSignedDeviceIdentity, AdvSignedKeyIndexList};

fn companion(vectors: &Value) -> IdentityPublic {
    IdentityPublic::from_bytes(hex32(&vectors["keys"]["companion_identity"]["public"]))
}

fn primary(vectors: &Value) -> IdentityPublic {
    IdentityPublic::from_bytes(hex32(&vectors["keys"]["primary_identity"]["public"]))
}

fn identity_with(
    vectors: &Value,
    device_signature: Vec<u8>,
    account_key: Option<Vec<u8>>,
) -> Vec<u8> {
    let identity = &vectors["adv_identity"];
    AdvSignedDeviceIdentity {
        details: Some(unhex(&identity["details"])),
        account_signature_key: account_key,
        account_signature: Some(unhex(&identity["account_signature"])),
        device_signature: Some(device_signature),
    }
    .encode_to_vec()
}

#[test]
fn device_signatures_of_the_vectors_verify_or_do_not() {
    let vectors = vectors();
    let key = Some(primary(&vectors).as_bytes().to_vec());
    let verify = |case: &Value| {
        let bytes = identity_with(&vectors, unhex(&case["signature"]), key.clone());
        SignedIdentity::decode(&bytes).map(|identity| identity.verify(&companion(&vectors)))
    };
    let cases = &vectors["device_signature"];
    for case in cases["valid"].as_array().unwrap() {
        assert_eq!(verify(case), Ok(Ok(AdvFamily::E2ee)), "{case}");
    }
    for case in cases["invalid"].as_array().unwrap() {
        assert!(!matches!(verify(case), Ok(Ok(_))), "{case}");
    }
    for case in cases["implementation_defined"].as_array().unwrap() {
        assert!(
            !matches!(verify(case), Ok(Ok(_))),
            "we reject a non-canonical signature"
        );
    }
}

#[test]
fn hosted_devices_verify_under_their_own_family_only() {
    let vectors = vectors();
    let mut rng = support::Rig::offering(1).rng;
    let account = IdentitySecret::generate(Provider::rust(), &mut rng);
    let device = IdentitySecret::generate(Provider::rust(), &mut rng);
    let details = unhex(&vectors["adv_identity"]["details"]);
    let mut identity = |account_prefix: &[u8], device_prefix: &[u8]| {
        let public = device.public();
        let account_public = account.public();
        let account_signature =
            account.sign(&mut rng, &[account_prefix, &details, public.as_bytes()]);
        let message = [
            device_prefix,
            &details,
            public.as_bytes(),
            account_public.as_bytes(),
        ];
        let device_signature = device.sign(&mut rng, &message);
        let message = AdvSignedDeviceIdentity {
            details: Some(details.clone()),
            account_signature_key: Some(account_public.as_bytes().to_vec()),
            account_signature: Some(account_signature.as_bytes().to_vec()),
            device_signature: Some(device_signature.as_bytes().to_vec()),
        };
        SignedIdentity::decode(&message.encode_to_vec())
            .unwrap()
            .verify(&public)
    };
    assert_eq!(identity(&[6, 5], &[6, 6]), Ok(AdvFamily::Hosted));
    assert_eq!(identity(&[6, 0], &[6, 1]), Ok(AdvFamily::E2ee));
    assert!(identity(&[6, 0], &[6, 6]).is_err());
    assert!(identity(&[6, 5], &[6, 1]).is_err());
}

#[test]
fn a_blob_without_the_account_key_takes_the_stored_one() {
    let vectors = vectors();
    let signature = unhex(&vectors["device_signature"]["valid"][0]["signature"]);
    let omitted = identity_with(&vectors, signature.clone(), None);
    assert_eq!(
        SignedIdentity::decode(&omitted),
        Err(SignedIdentityError::AccountKeyLength { got: 0 })
    );
    let stored = primary(&vectors);
    for bytes in [
        omitted,
        identity_with(&vectors, signature, Some(Vec::new())),
    ] {
        let identity = SignedIdentity::decode_for(&bytes, Some(&stored)).unwrap();
        assert_eq!(identity.verify(&companion(&vectors)), Ok(AdvFamily::E2ee));
        let other = SignedIdentity::decode_for(&bytes, Some(&companion(&vectors))).unwrap();
        assert!(other.verify(&companion(&vectors)).is_err());
    }
}

#[test]
fn identities_that_do_not_decode_are_refused() {
    assert_eq!(
        SignedIdentity::decode(&[0xFF]),
        Err(SignedIdentityError::Undecodable)
    );
    let no_details = AdvSignedDeviceIdentity {
        account_signature_key: Some(vec![1; 32]),
        ..AdvSignedDeviceIdentity::default()
    };
    assert_eq!(
        SignedIdentity::decode(&no_details.encode_to_vec()),
        Err(SignedIdentityError::DetailsMissing)
    );
    let vectors = vectors();
    let short = identity_with(&vectors, vec![0; 63], Some(vec![1; 32]));
    assert_eq!(
        SignedIdentity::decode(&short),
        Err(SignedIdentityError::SignatureLength { got: 63 })
    );
}

fn signed_list(details: Vec<u8>, signature: Vec<u8>, key: Option<Vec<u8>>) -> Vec<u8> {
    AdvSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature),
        account_signature_key: key,
    }
    .encode_to_vec()
}

#[test]
fn key_index_lists_of_the_vectors_verify_or_do_not() {
    let vectors = vectors();
    let case = &vectors["key_index_list"];
    let expected = KeyIndexList {
        raw_id: 305_419_896,
        timestamp: 1_789_000_000,
        current_index: 3,
        valid_indexes: vec![0, 1, 3],
    };
    for form in ["signed_list_without_key", "signed_list_with_key"] {
        let list = SignedKeyIndexList::decode(&unhex(&case[form])).unwrap();
        assert_eq!(
            list.verify(&primary(&vectors)),
            Ok(expected.clone()),
            "{form}"
        );
    }
    let hosted = signed_list(
        unhex(&case["hosted"]["details"]),
        unhex(&case["hosted"]["account_signature"]),
        None,
    );
    assert_eq!(
        SignedKeyIndexList::decode(&hosted)
            .unwrap()
            .verify(&primary(&vectors)),
        Ok(expected)
    );
    for invalid in case["invalid"].as_array().unwrap() {
        let list = signed_list(
            unhex(&case["details"]),
            unhex(&invalid["account_signature"]),
            None,
        );
        let verified = SignedKeyIndexList::decode(&list)
            .unwrap()
            .verify(&primary(&vectors));
        assert_eq!(verified, Err(KeyIndexListError::Signature), "{invalid}");
    }
}

#[test]
fn a_list_with_another_key_than_the_stored_is_refused() {
    let vectors = vectors();
    let bytes = unhex(&vectors["key_index_list"]["signed_list_with_key"]);
    assert_eq!(
        SignedKeyIndexList::decode(&bytes)
            .unwrap()
            .verify(&companion(&vectors)),
        Err(KeyIndexListError::OtherAccountKey)
    );
}

#[test]
fn the_filter_keeps_the_devices_of_the_vectors() {
    for case in vectors()["key_index_list"]["filter_cases"]
        .as_array()
        .unwrap()
    {
        let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let list = KeyIndexList {
            raw_id: 1,
            timestamp: 1,
            current_index: number(&case["current_index"]),
            valid_indexes: case["valid_indexes"]
                .as_array()
                .unwrap()
                .iter()
                .map(number)
                .collect(),
        };
        let kept: Vec<u64> = case["devices"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|device| {
                let id = u16::try_from(device[0].as_u64().unwrap()).unwrap();
                let index = device[1]
                    .as_u64()
                    .map(|index| u32::try_from(index).unwrap());
                list.keeps(id, index)
            })
            .map(|device| device[0].as_u64().unwrap())
            .collect();
        let expected: Vec<u64> = case["kept_device_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_u64().unwrap())
            .collect();
        assert_eq!(kept, expected);
    }
}

#[test]
fn key_index_lists_are_bounded_and_complete() {
    let decode = |bytes: &[u8]| SignedKeyIndexList::decode(bytes).unwrap_err();
    let padded = |length: usize| {
        let mut details = AdvKeyIndexList {
            raw_id: Some(1),
            ..AdvKeyIndexList::default()
        };
        loop {
            let bytes = signed_list(details.encode_to_vec(), vec![0; 64], None);
            if bytes.len() == length {
                return bytes;
            }
            details.valid_indexes.push(1);
        }
    };
    assert!(SignedKeyIndexList::decode(&padded(MAX_KEY_INDEX_LIST_LEN)).is_ok());
    assert_eq!(
        decode(&padded(MAX_KEY_INDEX_LIST_LEN + 1)),
        KeyIndexListError::Length {
            got: MAX_KEY_INDEX_LIST_LEN + 1,
            limit: MAX_KEY_INDEX_LIST_LEN
        }
    );
    assert_eq!(decode(&[0xFF]), KeyIndexListError::Undecodable);
    let details = AdvKeyIndexList {
        raw_id: Some(1),
        ..AdvKeyIndexList::default()
    }
    .encode_to_vec();
    assert_eq!(
        decode(&signed_list(details.clone(), vec![0; 63], None)),
        KeyIndexListError::SignatureLength { got: 63 }
    );
    assert_eq!(
        decode(&signed_list(details, vec![0; 64], Some(vec![0; 33]))),
        KeyIndexListError::AccountKeyLength { got: 33 }
    );
    assert_eq!(
        decode(&signed_list(Vec::new(), vec![0; 64], None)),
        KeyIndexListError::RawIdMissing
    );
}

#[test]
fn the_device_list_hash_matches_the_vectors_in_any_order() {
    for case in vectors()["device_list_hash"].as_array().unwrap() {
        let mut devices: Vec<Jid> = case["devices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| device.as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(device_list_hash(&devices), case["dhash"].as_str().unwrap());
        devices.reverse();
        assert_eq!(device_list_hash(&devices), case["dhash"].as_str().unwrap());
    }
}
