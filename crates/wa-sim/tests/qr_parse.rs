//! What a phone takes for a linking code (pairing chapter, A.2).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use serde_json::Value;
use wa_crypto::PublicKey as _;
use wa_sim::{DEEP_LINK_PREFIX, MAX_QR_LEN, QrField, QrForms, QrParseError, parse_qr};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/adv.json")).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn both_forms_of_every_vector_are_read() {
    let vectors = vectors();
    let codes = vectors["qr"].as_array().unwrap();
    assert!(!codes.is_empty());
    for code in codes {
        for form in ["plain", "deep_link"] {
            let parsed = parse_qr(code[form].as_str().unwrap(), QrForms::FiveFields).unwrap();
            assert_eq!(parsed.reference, code["ref"].as_str().unwrap());
            assert_eq!(
                hex(parsed.noise.as_bytes()),
                code["noise_public"].as_str().unwrap()
            );
            assert_eq!(
                hex(parsed.identity.as_bytes()),
                code["identity_public"].as_str().unwrap()
            );
            assert_eq!(
                hex(parsed.adv.expose_bytes()),
                code["adv_secret"].as_str().unwrap()
            );
            assert_eq!(parsed.client_type.as_deref(), code["client_type"].as_str());
        }
    }
}

#[test]
fn the_rejects_of_the_vectors_are_rejected() {
    let vectors = vectors();
    let rejects = vectors["qr_parse_rejects"].as_array().unwrap();
    assert!(!rejects.is_empty());
    for text in rejects {
        assert!(
            parse_qr(text.as_str().unwrap(), QrForms::FiveFields).is_err(),
            "{text}"
        );
        assert!(
            parse_qr(text.as_str().unwrap(), QrForms::FourOrFiveFields).is_err(),
            "{text}"
        );
    }
}

#[test]
fn a_reference_may_hold_commas() {
    let vectors = vectors();
    let plain = vectors["qr"][0]["plain"].as_str().unwrap();
    let parsed = parse_qr(&format!("a,b,{plain}"), QrForms::FiveFields).unwrap();
    let reference = vectors["qr"][0]["ref"].as_str().unwrap();
    assert_eq!(parsed.reference, format!("a,b,{reference}"));
}

#[test]
fn the_url_safe_alphabet_and_missing_padding_are_taken() {
    let vectors = vectors();
    let plain = vectors["qr"][0]["plain"].as_str().unwrap();
    let (reference, keys) = plain.split_once(',').unwrap();
    let loose = keys.replace('+', "-").replace('/', "_").replace('=', "");
    assert_ne!(loose, keys);
    let parsed = parse_qr(&format!("{reference},{loose}"), QrForms::FiveFields).unwrap();
    assert_eq!(
        hex(parsed.noise.as_bytes()),
        vectors["qr"][0]["noise_public"].as_str().unwrap()
    );
}

#[test]
fn four_fields_are_taken_only_when_allowed() {
    let vectors = vectors();
    let plain = vectors["qr"][0]["plain"].as_str().unwrap();
    let (four, _) = plain.rsplit_once(',').unwrap();
    let refused = parse_qr(four, QrForms::FiveFields).unwrap_err();
    assert_eq!(
        refused,
        QrParseError::Fields {
            got: 4,
            expected: 5
        }
    );
    let parsed = parse_qr(four, QrForms::FourOrFiveFields).unwrap();
    assert_eq!(parsed.client_type, None);
    assert_eq!(
        hex(parsed.adv.expose_bytes()),
        vectors["qr"][0]["adv_secret"].as_str().unwrap()
    );
}

#[test]
fn wrong_key_lengths_and_empty_fields_name_the_field() {
    let vectors = vectors();
    let plain = vectors["qr"][0]["plain"].as_str().unwrap();
    let fields: Vec<&str> = plain.split(',').collect();
    let with = |index: usize, value: &str| {
        let mut fields = fields.clone();
        fields[index] = value;
        parse_qr(&fields.join(","), QrForms::FiveFields).unwrap_err()
    };
    assert_eq!(with(0, ""), QrParseError::Empty(QrField::Reference));
    assert_eq!(with(4, ""), QrParseError::Empty(QrField::ClientType));
    assert_eq!(with(1, ""), QrParseError::Empty(QrField::NoiseKey));
    assert_eq!(
        with(2, "AAAA"),
        QrParseError::KeyLength {
            field: QrField::IdentityKey,
            got: 3
        }
    );
    assert_eq!(with(3, "%%%%"), QrParseError::Base64(QrField::AdvSecret));
}

#[test]
fn a_code_has_a_longest_length() {
    let vectors = vectors();
    let plain = vectors["qr"][0]["plain"].as_str().unwrap();
    let fit = format!("{}{plain}", "x".repeat(MAX_QR_LEN - plain.len()));
    assert!(parse_qr(&fit, QrForms::FiveFields).is_ok());
    assert_eq!(
        parse_qr(&format!("x{fit}"), QrForms::FiveFields).unwrap_err(),
        QrParseError::TooLong {
            got: MAX_QR_LEN + 1,
            limit: MAX_QR_LEN
        }
    );
}

#[test]
fn a_scanned_code_shows_nothing_of_itself() {
    let vectors = vectors();
    let code = vectors["qr"][0]["plain"].as_str().unwrap();
    let parsed = parse_qr(&format!("{DEEP_LINK_PREFIX}{code}"), QrForms::FiveFields).unwrap();
    assert_eq!(format!("{parsed:?}"), "ScannedQr");
}
