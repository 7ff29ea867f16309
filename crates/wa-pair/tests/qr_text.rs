//! The QR text, written and read.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{hex32, vectors};
use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic, PublicKey as _};
use wa_pair::{ClientType, DEEP_LINK_PREFIX, MAX_REF_LEN, QrForm, QrParseError, QrText, parse_qr};
use wa_proto::pb::device_props::PlatformType;

#[test]
fn both_forms_match_the_vectors_for_every_client_type() {
    let vectors = vectors();
    let cases = vectors["qr"].as_array().unwrap();
    for client_type in ClientType::ALL {
        let code = client_type.code().to_string();
        assert!(
            cases.iter().any(|case| case["client_type"] == code),
            "{client_type:?}"
        );
    }
    for case in cases {
        let code = case["client_type"]
            .as_str()
            .unwrap()
            .chars()
            .next()
            .unwrap();
        let client_type = ClientType::from_code(code).unwrap();
        let text = |form| {
            QrText::build(
                form,
                case["ref"].as_str().unwrap(),
                &NoiseStaticPublic::from_bytes(hex32(&case["noise_public"])),
                &IdentityPublic::from_bytes(hex32(&case["identity_public"])),
                &AdvSecret::from_bytes(hex32(&case["adv_secret"])),
                client_type,
            )
        };
        assert_eq!(text(QrForm::Bare).expose(), case["plain"].as_str().unwrap());
        assert_eq!(
            text(QrForm::DeepLink).expose(),
            case["deep_link"].as_str().unwrap()
        );

        for form in ["plain", "deep_link"] {
            let scanned = parse_qr(case[form].as_str().unwrap()).unwrap();
            assert_eq!(scanned.reference, case["ref"].as_str().unwrap());
            assert_eq!(*scanned.noise.as_bytes(), hex32(&case["noise_public"]));
            assert_eq!(
                *scanned.identity.as_bytes(),
                hex32(&case["identity_public"])
            );
            assert_eq!(*scanned.adv.expose_bytes(), hex32(&case["adv_secret"]));
            assert_eq!(scanned.client_type, client_type);
        }
    }
}

#[test]
fn texts_of_the_reject_vectors_are_refused() {
    for case in vectors()["qr_parse_rejects"].as_array().unwrap() {
        assert!(parse_qr(case.as_str().unwrap()).is_err(), "{case}");
    }
}

fn body(reference: &str, adv: &str, client_type: &str) -> String {
    let key = "M9lYnBt+pHewyRkfOLKz4eiCNbD2MXGgfWL2Q53NrXk=";
    format!("{reference},{key},{key},{adv},{client_type}")
}

#[test]
fn a_ref_may_contain_commas_and_keys_may_be_url_safe_and_unpadded() {
    let scanned = parse_qr(&body(
        "2@a,b,,c",
        "M9lYnBt-pHewyRkfOLKz4eiCNbD2MXGgfWL2Q53NrXk",
        "1",
    ))
    .unwrap();
    assert_eq!(scanned.reference, "2@a,b,,c");
    let padded = parse_qr(&body(
        "r",
        "M9lYnBt+pHewyRkfOLKz4eiCNbD2MXGgfWL2Q53NrXk=",
        "1",
    ))
    .unwrap();
    assert_eq!(scanned.adv.expose_bytes(), padded.adv.expose_bytes());
}

#[test]
fn every_reason_to_refuse_a_text_is_named() {
    let good = "M9lYnBt+pHewyRkfOLKz4eiCNbD2MXGgfWL2Q53NrXk=";
    let refusal = |text: &str| parse_qr(text).unwrap_err();
    assert_eq!(refusal("a,b,c,d"), QrParseError::Fields { got: 4 });
    assert_eq!(
        refusal(&body("", good, "1")),
        QrParseError::Reference {
            got: 0,
            limit: MAX_REF_LEN
        }
    );
    assert_eq!(refusal(&body("r", good, "x")), QrParseError::ClientType);
    assert_eq!(refusal(&body("r", good, "11")), QrParseError::ClientType);
    assert_eq!(refusal(&body("r", good, "")), QrParseError::ClientType);
    assert_eq!(
        refusal(&body("r", "!!!!", "1")),
        QrParseError::Base64 {
            field: "ADV secret"
        }
    );
    assert_eq!(
        refusal(&body("r", "", "1")),
        QrParseError::KeyLength {
            field: "ADV secret"
        }
    );
    let long = "A".repeat(4096);
    assert_eq!(
        refusal(&body("r", &long, "1")),
        QrParseError::KeyLength {
            field: "ADV secret"
        }
    );
}

#[test]
fn refs_are_read_up_to_their_limit() {
    let key = "M9lYnBt+pHewyRkfOLKz4eiCNbD2MXGgfWL2Q53NrXk=";
    assert!(parse_qr(&body(&"r".repeat(MAX_REF_LEN), key, "1")).is_ok());
    assert_eq!(
        parse_qr(&body(&"r".repeat(MAX_REF_LEN + 1), key, "1")).unwrap_err(),
        QrParseError::Reference {
            got: MAX_REF_LEN + 1,
            limit: MAX_REF_LEN
        }
    );
}

#[test]
fn client_types_follow_the_platform() {
    let cases = [
        (PlatformType::Chrome, '1'),
        (PlatformType::Firefox, '3'),
        (PlatformType::Ie, '4'),
        (PlatformType::Opera, '5'),
        (PlatformType::Safari, '6'),
        (PlatformType::Edge, '2'),
        (PlatformType::Uwp, '8'),
        (PlatformType::Desktop, '7'),
        (PlatformType::AndroidPhone, '1'),
        (PlatformType::Unknown, '9'),
        (PlatformType::Ipad, '9'),
    ];
    for (platform, code) in cases {
        assert_eq!(
            ClientType::for_platform(platform).code(),
            code,
            "{platform:?}"
        );
    }
    assert_eq!(ClientType::from_code('a'), None);
}

#[test]
fn the_text_shows_nothing_in_debug_and_compares_by_content() {
    let text = |reference: &str| {
        QrText::build(
            QrForm::DeepLink,
            reference,
            &NoiseStaticPublic::from_bytes([1; 32]),
            &IdentityPublic::from_bytes([2; 32]),
            &AdvSecret::from_bytes([3; 32]),
            ClientType::Chrome,
        )
    };
    assert_eq!(format!("{:?}", text("2@ref")), "QrText(..)");
    assert_eq!(text("2@ref"), text("2@ref"));
    assert_ne!(text("2@ref"), text("2@reg"));
    let scanned = parse_qr(text("2@ref").expose()).unwrap();
    assert_eq!(
        format!("{scanned:?}"),
        "ScannedQr { client_type: Chrome, .. }"
    );
    assert!(text("2@ref").expose().starts_with(DEEP_LINK_PREFIX));
}
