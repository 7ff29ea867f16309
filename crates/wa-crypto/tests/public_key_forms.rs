#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::collections::HashSet;
use support::rng;
use wa_crypto::{
    IdentityPublic, IdentitySecret, InvalidPublicKey, Provider, PublicKey, SERIALIZED_KEY_TYPE,
    Signature, SignatureLengthError,
};

#[test]
fn bare_and_serialized_forms_are_the_same_key() {
    let key = IdentitySecret::generate(Provider::rust(), &mut rng(18)).public();
    let serialized = key.to_serialized();
    assert_eq!(serialized[0], SERIALIZED_KEY_TYPE);
    assert_eq!(serialized[1..], key.as_bytes()[..]);
    assert_eq!(IdentityPublic::try_from(&serialized[..]), Ok(key));
    assert_eq!(IdentityPublic::try_from(&serialized[1..]), Ok(key));
    assert_eq!(IdentityPublic::from_bytes(*key.as_bytes()), key);
    assert_eq!(HashSet::from([key, key]).len(), 1);
}

#[test]
fn other_lengths_are_no_key() {
    for got in [0, 1, 31, 34, 64] {
        let parsed = IdentityPublic::try_from(&vec![SERIALIZED_KEY_TYPE; got][..]);
        assert_eq!(parsed, Err(InvalidPublicKey::Length { got }));
    }
}

#[test]
fn another_type_byte_is_no_key() {
    for got in [0x00, 0x04, 0x06, 0xFF] {
        let parsed = IdentityPublic::try_from(&[got; 33][..]);
        assert_eq!(parsed, Err(InvalidPublicKey::KeyType { got }));
    }
    // Where no type byte stands, the first byte is part of the key.
    assert!(IdentityPublic::try_from(&[0x04; 32][..]).is_ok());
}

#[test]
fn public_values_print_as_hex() {
    let mut bytes = [0; 32];
    bytes[0] = 0xAB;
    let printed = format!("{:?}", IdentityPublic::from_bytes(bytes));
    assert_eq!(printed, format!("IdentityPublic(ab{})", "00".repeat(31)));
    let printed = format!("{:?}", Signature::from_bytes([0x0F; 64]));
    assert_eq!(printed, format!("Signature({})", "0f".repeat(64)));
}

#[test]
fn a_signature_has_sixty_four_bytes() {
    assert!(Signature::try_from(&[0; 64][..]).is_ok());
    for got in [0, 63, 65] {
        let parsed = Signature::try_from(&vec![0; got][..]);
        assert_eq!(parsed, Err(SignatureLengthError { got }));
    }
}
