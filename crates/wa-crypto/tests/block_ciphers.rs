#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{array, bytes, pairing, text};
use wa_crypto::{
    CbcError, aes256_cbc_decrypt, aes256_cbc_encrypt, aes256_ctr_apply, pbkdf2_sha256,
};

const ROUNDS: u32 = 131_072;

/// Opens salt ‖ iv ‖ ciphertext with the code and returns the stretched key and the plaintext.
fn unwrap(code: &str, wrapped: &[u8]) -> ([u8; 32], [u8; 32]) {
    let mut key = [0; 32];
    pbkdf2_sha256(code.as_bytes(), &wrapped[..32], ROUNDS, &mut key);
    let mut data: [u8; 32] = wrapped[48..].try_into().unwrap();
    aes256_ctr_apply(&key, wrapped[32..48].try_into().unwrap(), &mut data);
    (key, data)
}

#[test]
fn wrapped_ephemeral_keys_open_with_their_code() {
    let pairing = pairing();
    let names = [
        "wrapped_companion_ephemeral",
        "wrapped_primary_ephemeral",
        "wrapped_ephemeral_counter_carry",
        "wrapped_ephemeral_counter_carry64",
    ];
    for name in names {
        let case = &pairing[name];
        let wrapped = bytes(case, "wrapped");
        assert_eq!(wrapped.len(), 80);
        assert_eq!(wrapped[..32], bytes(case, "salt"));
        assert_eq!(wrapped[32..48], bytes(case, "iv"));
        let (key, public) = unwrap(text(case, "code"), &wrapped);
        assert_eq!(public, array(case, "ephemeral_public"), "{name}");
        if case["pbkdf2_key"].is_string() {
            assert_eq!(key, array(case, "pbkdf2_key"));
        }
    }
}

#[test]
fn a_wrong_code_gives_another_key_and_no_error() {
    let pairing = pairing();
    let case = &pairing["wrapped_primary_ephemeral_wrong_code"];
    let (_, public) = unwrap(text(case, "code"), &bytes(case, "wrapped"));
    assert_eq!(public, array(case, "decrypts_to"));
}

#[test]
fn ctr_undoes_itself_at_any_length() {
    for len in [0, 1, 15, 16, 17, 100] {
        let plaintext: Vec<u8> = (0..len).collect();
        let mut data = plaintext.clone();
        aes256_ctr_apply(&[5; 32], &[6; 16], &mut data);
        assert!(len == 0 || data != plaintext);
        aes256_ctr_apply(&[5; 32], &[6; 16], &mut data);
        assert_eq!(data, plaintext);
    }
}

#[test]
fn cbc_pads_to_the_next_whole_block() {
    for len in [0, 1, 15, 16, 17, 31, 32] {
        let plaintext: Vec<u8> = (0..len).collect();
        let ciphertext = aes256_cbc_encrypt(&[7; 32], &[8; 16], &plaintext);
        assert_eq!(ciphertext.len(), (usize::from(len) / 16 + 1) * 16);
        assert_eq!(
            aes256_cbc_decrypt(&[7; 32], &[8; 16], &ciphertext),
            Ok(plaintext)
        );
    }
}

#[test]
fn cbc_refuses_lengths_that_cannot_be() {
    for got in [0, 1, 15, 17, 33] {
        let refused = aes256_cbc_decrypt(&[7; 32], &[8; 16], &vec![0; got]);
        assert_eq!(refused, Err(CbcError::Length { got }));
    }
}

#[test]
fn cbc_refuses_wrong_padding() {
    let ciphertext = aes256_cbc_encrypt(&[7; 32], &[8; 16], &[1; 20]);
    // The last byte before it goes through the cipher again is the last byte of the block before.
    for last in [0x00, 0x01, 0x0B, 0x0D, 0x10, 0x11, 0xFF] {
        let mut changed = ciphertext.clone();
        changed[15] ^= 0x0C ^ last;
        let opened = aes256_cbc_decrypt(&[7; 32], &[8; 16], &changed);
        // A single 0x01 is well-formed padding.
        assert_eq!(
            opened == Err(CbcError::Padding),
            last != 0x01,
            "{last:#04x}"
        );
    }
    assert!(aes256_cbc_decrypt(&[9; 32], &[8; 16], &ciphertext).is_err());
}
