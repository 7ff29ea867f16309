#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use curve25519_dalek::MontgomeryPoint;
use proptest::prelude::*;
use support::{array, bytes, list, providers, rng, signal, signature};
use wa_crypto::{IdentityPublic, IdentitySecret, Provider, PublicKey, Signature, SignatureError};

/// The order of the base point, little-endian.
const L: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn known() -> (IdentityPublic, Vec<u8>, Signature) {
    let signal = signal();
    let case = &list(&signal, "xeddsa_verify")[0];
    let key = IdentityPublic::from_bytes(array(case, "public_key"));
    (key, bytes(case, "message"), signature(case, "signature"))
}

#[test]
fn any_forbidden_bit_of_the_last_byte() {
    let (key, message, signature) = known();
    for bits in [0x20, 0x40, 0x60] {
        let mut changed = *signature.as_bytes();
        changed[63] |= bits;
        let changed = Signature::from_bytes(changed);
        assert_eq!(key.verify(&[&message], &changed), Err(SignatureError));
    }
}

#[test]
fn a_response_of_the_group_order_or_more() {
    let (key, message, signature) = known();
    let mut bytes = *signature.as_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(
        bytes[63] & 0x60,
        0,
        "the forbidden bits must not be what refuses it"
    );
    assert_eq!(
        key.verify(&[&message], &Signature::from_bytes(bytes)),
        Err(SignatureError)
    );
}

#[test]
fn a_key_without_an_edwards_point() {
    // u = -1, plainly and as the same residue with the ignored top bit set.
    let mut minus_one = [0xFF; 32];
    minus_one[0] = 0xEC;
    minus_one[31] = 0x7F;
    let (_, message, signature) = known();
    for top in [0x00, 0x80] {
        minus_one[31] = (minus_one[31] & 0x7F) | top;
        let key = IdentityPublic::from_bytes(minus_one);
        assert_eq!(key.verify(&[&message], &signature), Err(SignatureError));
    }
    // u = 2 is on the twist.
    let mut twist = [0; 32];
    twist[0] = 2;
    assert_eq!(MontgomeryPoint(twist).to_edwards(0), None);
    let key = IdentityPublic::from_bytes(twist);
    assert_eq!(key.verify(&[&message], &signature), Err(SignatureError));
}

#[test]
fn an_encoding_of_x_zero_with_a_sign() {
    // u = 0 is y = -1 with x = 0. For such a key R = s·B − h·A is easy to hit without any secret; with the sign
    // bit set the encoding does not exist, so nothing may verify.
    let key = IdentityPublic::from_bytes([0; 32]);
    let mut accepted_without_sign = 0;
    for tries in 0..16u8 {
        // s = 0 and R = the neutral element hold whenever h is even.
        let mut forged = [0; 64];
        forged[0] = 1;
        let message = [tries];
        if key
            .verify(&[&message], &Signature::from_bytes(forged))
            .is_ok()
        {
            accepted_without_sign += 1;
        }
        forged[63] = 0x80;
        let signed = Signature::from_bytes(forged);
        assert_eq!(key.verify(&[&message], &signed), Err(SignatureError));
    }
    assert!(accepted_without_sign > 0, "the test reaches the equation");
}

#[test]
fn the_top_bit_of_the_key_is_ignored_and_not_refused() {
    let (key, message, signature) = known();
    let mut changed = *key.as_bytes();
    changed[31] |= 0x80;
    let key = IdentityPublic::from_bytes(changed);
    assert_eq!(key.verify(&[&message], &signature), Ok(()));
}

#[test]
fn two_signatures_of_one_message_differ_and_both_hold() {
    for provider in providers() {
        let mut rng = rng(1);
        let secret = IdentitySecret::generate(provider, &mut rng);
        let first = secret.sign(&mut rng, &[b"message"]);
        let second = secret.sign(&mut rng, &[b"message"]);
        assert_ne!(first, second);
        for signature in [first, second] {
            assert_eq!(
                secret.public().verify(&[b"mess", b"", b"age"], &signature),
                Ok(())
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit(
        key in any::<[u8; 32]>(),
        random in any::<[u8; 32]>(),
        message in proptest::collection::vec(any::<u8>(), 0..200),
        bit in 0usize..512,
    ) {
        let secret = IdentitySecret::from_bytes(Provider::rust(), &key);
        let mut nonce = [0; 64];
        nonce[..32].copy_from_slice(&random);
        let signature = secret.sign_with_nonce(&nonce, &[&message]);
        prop_assert_eq!(secret.public().verify(&[&message], &signature), Ok(()));

        let mut changed = *signature.as_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = Signature::from_bytes(changed);
        prop_assert_eq!(secret.public().verify(&[&message], &changed), Err(SignatureError));
    }

    #[test]
    fn arbitrary_keys_and_signatures_without_panicking(
        key in any::<[u8; 32]>(),
        signature in any::<[[u8; 32]; 2]>(),
    ) {
        let signature = Signature::try_from(signature.concat().as_slice()).unwrap();
        let verdict = IdentityPublic::from_bytes(key).verify(&[b"message"], &signature);
        prop_assert_eq!(verdict, Err(SignatureError));
    }
}
