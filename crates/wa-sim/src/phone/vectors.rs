//! The vectors of codes and passkeys.

use serde_json::Value;

/// Copied from the pairing vectors, which an independent script made.
const CEREMONIES: &str = include_str!("../../tests/vectors/ceremonies.json");

pub(crate) fn ceremonies() -> Value {
    serde_json::from_str(CEREMONIES).unwrap()
}

pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}
