#![allow(dead_code, unreachable_pub)]

use serde_json::Value;

pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/signal.json")).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub fn hex32(value: &Value) -> [u8; 32] {
    unhex(value).try_into().unwrap()
}

pub fn hex64(value: &Value) -> [u8; 64] {
    unhex(value).try_into().unwrap()
}
