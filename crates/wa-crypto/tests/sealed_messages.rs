#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use proptest::prelude::*;
use support::{array, bytes, list, noise, pairing, providers};
use wa_crypto::{AEAD_TAG_LEN, AeadKey, OpenError};

#[test]
fn frames_come_out_as_recorded_under_every_nonce() {
    let layout = &noise()["nonce_layout"];
    let plaintext = bytes(layout, "plaintext");
    for provider in providers() {
        let key = AeadKey::new(provider, &array(layout, "key"));
        for frame in list(layout, "frames") {
            let nonce = array(frame, "nonce");
            let mut sealed = b"before".to_vec();
            key.seal_append(&nonce, &[], &plaintext, &mut sealed);
            assert_eq!(sealed[..6], *b"before");
            assert_eq!(sealed[6..], bytes(frame, "ciphertext"));

            let mut in_place = plaintext.clone();
            let tag = key.seal_in_place(&nonce, &[], &mut in_place);
            in_place.extend_from_slice(&tag);
            assert_eq!(in_place, bytes(frame, "ciphertext"));
            let opened = key.open_in_place(&nonce, &[], &mut in_place).unwrap();
            assert_eq!(opened, plaintext);
        }
    }
}

#[test]
fn the_key_bundle_of_the_pairing_code_opens() {
    let pairing = pairing();
    let bundle = &pairing["key_bundle"];
    for provider in providers() {
        let key = AeadKey::new(provider, &array(bundle, "bundle_key"));
        let mut sealed = [bytes(bundle, "salt"), bytes(bundle, "iv")].concat();
        key.seal_append(
            &array(bundle, "iv"),
            &[],
            &bytes(bundle, "plaintext"),
            &mut sealed,
        );
        assert_eq!(sealed, bytes(bundle, "wrapped_bundle"));
        let opened = key
            .open_in_place(&array(bundle, "iv"), &[], &mut sealed[44..])
            .unwrap();
        assert_eq!(opened, bytes(bundle, "plaintext"));
    }
}

#[test]
fn the_passkey_request_is_sealed_as_recorded() {
    for provider in providers() {
        for case in list(&pairing(), "passkey") {
            let key = AeadKey::new(provider, &array(case, "encryption_key"));
            let mut sealed = Vec::new();
            key.seal_append(
                &array(case, "iv"),
                &[],
                &bytes(case, "pairing_request"),
                &mut sealed,
            );
            let message = bytes(case, "encrypted_pairing_request");
            assert!(message.windows(sealed.len()).any(|window| window == sealed));
        }
    }
}

#[test]
fn fewer_bytes_than_a_tag_are_too_short_and_a_tag_alone_is_not() {
    for provider in providers() {
        let key = AeadKey::new(provider, &[1; 32]);
        for got in [0, 1, AEAD_TAG_LEN - 1] {
            let mut short = vec![0; got];
            let refused = key.open_in_place(&[0; 12], &[], &mut short);
            assert_eq!(refused, Err(OpenError::TooShort { got }));
        }
        let mut tag = key.seal_in_place(&[0; 12], b"aad", &mut []);
        assert_eq!(key.open_in_place(&[0; 12], b"aad", &mut tag).unwrap(), b"");
        tag[0] ^= 1;
        let refused = key.open_in_place(&[0; 12], b"aad", &mut tag);
        assert_eq!(refused, Err(OpenError::Authentication));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn providers_agree_and_any_change_is_noticed(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 12]>(),
        aad in proptest::collection::vec(any::<u8>(), 0..40),
        plaintext in proptest::collection::vec(any::<u8>(), 0..300),
        change in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut all = Vec::new();
        for provider in providers() {
            let key = AeadKey::new(provider, &key);
            let mut sealed = Vec::new();
            key.seal_append(&nonce, &aad, &plaintext, &mut sealed);
            all.push(sealed.clone());

            let mut copy = sealed.clone();
            prop_assert_eq!(key.open_in_place(&nonce, &aad, &mut copy).unwrap(), &plaintext);
            let mut changed = sealed.clone();
            let at = change.index(changed.len());
            changed[at] ^= 1 << bit;
            let refused = key.open_in_place(&nonce, &aad, &mut changed);
            prop_assert_eq!(refused, Err(OpenError::Authentication));

            let mut other_nonce = nonce;
            other_nonce[11] ^= 1;
            let mut copy = sealed.clone();
            prop_assert!(key.open_in_place(&other_nonce, &aad, &mut copy).is_err());
            let mut other_aad = aad.clone();
            other_aad.push(0);
            let mut copy = sealed;
            prop_assert!(key.open_in_place(&nonce, &other_aad, &mut copy).is_err());
        }
        all.dedup();
        prop_assert_eq!(all.len(), 1);
    }
}
