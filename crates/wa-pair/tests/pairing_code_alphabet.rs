//! The code a user types: its alphabet, random and chosen codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{unhex, vectors};
use wa_pair::{PairingCode, PairingCodeError};

#[test]
fn random_codes_match_the_vectors() {
    for case in vectors()["code_base32"].as_array().unwrap() {
        let code = PairingCode::from_random(unhex(&case["bytes"]).try_into().unwrap());
        assert_eq!(code.expose(), case["code"].as_str().unwrap());
        assert_eq!(code.display().as_str(), case["display"].as_str().unwrap());
    }
}

#[test]
fn custom_codes_match_the_vectors() {
    for case in vectors()["custom_code"].as_array().unwrap() {
        let code = PairingCode::from_custom(case["input"].as_str().unwrap());
        match case["error"].as_str() {
            None => assert_eq!(code.unwrap().expose(), case["normalized"].as_str().unwrap()),
            Some("invalid-length") => {
                assert!(
                    matches!(code, Err(PairingCodeError::Length { .. })),
                    "{case}"
                );
            }
            Some("invalid-character") => assert_eq!(code, Err(PairingCodeError::Symbol), "{case}"),
            Some(other) => panic!("{other}"),
        }
    }
}

#[test]
fn letters_that_only_look_right_are_refused() {
    // Dotless i and long s turn into ASCII letters under Unicode case rules.
    assert_eq!(
        PairingCode::from_custom("ABCD123\u{17f}"),
        Err(PairingCodeError::Symbol)
    );
    assert_eq!(
        PairingCode::from_custom("\u{131}BCD1234"),
        Err(PairingCodeError::Symbol)
    );
}
