//! Counters at their end, which no test could reach by sealing 2^32 frames.

use serde_json::Value;
use wa_crypto::{AeadKey, Provider};

use super::{Counter, Opener, Sealer, TransportError};

fn key() -> AeadKey {
    AeadKey::new(Provider::rust(), &[5; 32])
}

fn at(counter: u32) -> (Sealer, Opener) {
    let (mut sealer, mut opener) = (Sealer::new(key()), Opener::new(key()));
    sealer.counter = Counter {
        next: Some(counter),
    };
    opener.counter = Counter {
        next: Some(counter),
    };
    (sealer, opener)
}

#[test]
fn the_last_counter_is_used_and_the_next_frame_is_refused() {
    let (mut sealer, mut opener) = at(u32::MAX);
    let mut wire = Vec::new();
    sealer.seal_frame(b"last", &mut wire).unwrap();
    assert_eq!(opener.open_frame(&mut wire.split_off(3)), Ok(&b"last"[..]));

    let mut wire = b"before".to_vec();
    assert_eq!(
        sealer.seal_frame(b"one more", &mut wire),
        Err(TransportError::CounterExhausted)
    );
    assert_eq!(wire, b"before");
    assert_eq!(
        sealer.seal_written(1, &mut wire),
        Err(TransportError::CounterExhausted)
    );
    assert_eq!(wire, b"before");
    assert_eq!(
        opener.open_frame(&mut [0; 40]),
        Err(TransportError::CounterExhausted)
    );
}

#[test]
fn the_counter_fills_the_last_four_bytes_of_the_nonce() {
    let document = include_str!("../../tests/vectors/vectors-noise.json");
    let layout = serde_json::from_str::<Value>(document).unwrap()["nonce_layout"].clone();
    let frames = layout["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 8);
    for frame in frames {
        let counter = u32::try_from(frame["counter"].as_u64().unwrap()).unwrap();
        assert_eq!(hex(&frame["nonce"]), super::nonce(counter));

        let key = || AeadKey::new(Provider::rust(), &hex(&layout["key"]).try_into().unwrap());
        let (mut sealer, mut opener) = (Sealer::new(key()), Opener::new(key()));
        sealer.counter = Counter {
            next: Some(counter),
        };
        opener.counter = Counter {
            next: Some(counter),
        };
        let plaintext = hex(&layout["plaintext"]);
        let mut wire = Vec::new();
        sealer.seal_frame(&plaintext, &mut wire).unwrap();
        let mut body = wire.split_off(3);
        assert_eq!(body, hex(&frame["ciphertext"]), "counter {counter}");
        assert_eq!(opener.open_frame(&mut body).unwrap(), plaintext);
    }
}

#[test]
fn a_refused_frame_does_not_use_a_counter() {
    let (mut sealer, mut opener) = at(7);
    let mut wire = Vec::new();
    let refused = sealer.seal_frame_with(&mut wire, |_| Err("no"));
    assert!(refused.is_err());
    assert!(sealer.seal_written(1, &mut wire).is_err());
    assert_eq!(
        opener.open_frame(&mut [0; 20]),
        Err(TransportError::NotAuthentic { counter: 7 })
    );
    assert_eq!(sealer.counter.next, Some(7));
    assert_eq!(opener.counter.next, Some(7));
}

fn hex(value: &Value) -> Vec<u8> {
    let (pairs, _) = value.as_str().unwrap().as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}
