//! What every vector test needs. Each test file compiles its own copy and uses a part of it.
#![allow(dead_code)]

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use wa_crypto::{Provider, Signature};

/// Every provider this build has.
pub(crate) fn providers() -> Vec<Provider> {
    vec![
        Provider::rust(),
        #[cfg(feature = "aws-lc")]
        Provider::aws_lc(),
    ]
}

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn noise() -> Value {
    serde_json::from_str(include_str!("../vectors/noise.json")).unwrap()
}

pub(crate) fn pairing() -> Value {
    serde_json::from_str(include_str!("../vectors/pairing.json")).unwrap()
}

pub(crate) fn signal() -> Value {
    serde_json::from_str(include_str!("../vectors/signal.json")).unwrap()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hex: {text}");
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

pub(crate) fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// The list under `key`, which must not be empty: a loop over nothing proves nothing.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    let list = value[key].as_array().unwrap();
    assert!(!list.is_empty(), "no vectors under {key}");
    list
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text under {key}"))
}

pub(crate) fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex(text(value, key))
}

pub(crate) fn array<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    hex_array(text(value, key))
}

pub(crate) fn signature(value: &Value, key: &str) -> Signature {
    Signature::from_bytes(array(value, key))
}
