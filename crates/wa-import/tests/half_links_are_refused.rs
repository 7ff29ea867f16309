//! Half a link, or one whose parts do not belong together, is refused, and the reason names the part.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::{Value, json};
use support::baileys::{buffer, creds, write, write_folder};
use support::{Link, whatsmeow};
use wa_import::{ReadError, Service, read_baileys, read_whatsmeow};

/// What an import of these credentials comes to.
fn refused(change: impl FnOnce(&mut Value)) -> ReadError {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(1);
    let path = write_folder(&link, folder.path());
    let mut creds = creds(&link, buffer);
    change(&mut creds);
    write(&path, "creds.json", &creds);
    read_baileys(&path, &Service::production()).unwrap_err()
}

#[test]
fn every_part_that_is_missing_is_named() {
    let parts = [
        ("noiseKey", "/noiseKey"),
        ("signedIdentityKey", "/signedIdentityKey"),
        ("signedPreKey", "/signedPreKey"),
        ("registrationId", "/registrationId"),
        ("advSecretKey", "/advSecretKey"),
        ("nextPreKeyId", "/nextPreKeyId"),
        ("me.id", "/me/id"),
        ("me.id", "/me"),
        ("account.details", "/account/details"),
        (
            "account.accountSignatureKey",
            "/account/accountSignatureKey",
        ),
        ("account.accountSignature", "/account/accountSignature"),
        ("account.deviceSignature", "/account/deviceSignature"),
    ];
    for (name, pointer) in parts {
        let error = refused(|creds| *creds.pointer_mut(pointer).unwrap() = Value::Null);
        match error {
            ReadError::Incomplete { missing } => assert_eq!(missing, [name]),
            other => panic!("{pointer}: {other}"),
        }
    }
    // A phone that was never asked: what the library stores before any link.
    let error = refused(|creds| {
        let fields = creds.as_object_mut().unwrap();
        fields.remove("account");
        fields.remove("me");
    });
    assert!(error.to_string().contains("me.id"), "{error}");
    assert!(error.to_string().contains("account.details"), "{error}");
}

#[test]
fn halves_of_key_pairs_must_belong_together() {
    let other = Link::fresh(2);
    for pointer in [
        "/noiseKey/public",
        "/signedIdentityKey/public",
        "/signedPreKey/keyPair/public",
    ] {
        let error = refused(|creds| {
            *creds.pointer_mut(pointer).unwrap() = buffer(&other.noise.public);
        });
        assert!(
            error.to_string().contains("public half"),
            "{pointer}: {error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let mut link = Link::fresh(1);
    link.prekeys[1].1.public = other.noise.public;
    let path = write_folder(&link, folder.path());
    let error = read_baileys(&path, &Service::production()).unwrap_err();
    assert!(error.to_string().contains("pre-key-4.json"), "{error}");
}

#[test]
fn signatures_are_verified() {
    let other = Link::fresh(2);
    let base64 = |bytes: &[u8]| buffer(bytes)["data"].clone();
    let cases = [
        (
            "/signedPreKey/signature",
            buffer(&other.signed_signature),
            "signed prekey",
        ),
        (
            "/account/accountSignature",
            base64(&other.account_signature),
            "account's signature",
        ),
        (
            "/account/accountSignatureKey",
            base64(&other.account_key),
            "account's signature",
        ),
        (
            "/account/details",
            base64(&[8, 1, 16, 1, 24, 2]),
            "account's signature",
        ),
        (
            "/account/deviceSignature",
            base64(&other.device_signature),
            "device's signature",
        ),
    ];
    for (pointer, value, expected) in cases {
        let error = refused(|creds| *creds.pointer_mut(pointer).unwrap() = value);
        assert!(matches!(error, ReadError::Device(_)), "{pointer}: {error}");
        assert!(error.to_string().contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn the_address_must_be_that_of_a_companion() {
    for jid in [
        "12025550123@s.whatsapp.net",
        "12025550123:0@s.whatsapp.net",
        "186303081611421:48@lid",
        "ann:48@s.whatsapp.net",
        "",
    ] {
        let error = refused(|creds| creds["me"]["id"] = json!(jid));
        assert!(error.to_string().contains("JID"), "{jid}: {error}");
    }
    for lid in ["186303081611421:47@lid", "12025550123:48@s.whatsapp.net"] {
        let error = refused(|creds| creds["me"]["lid"] = json!(lid));
        assert!(error.to_string().contains("LID"), "{lid}: {error}");
    }
}

#[test]
fn sizes_and_ranges_are_checked() {
    let cases = [
        ("/registrationId", json!(0)),
        ("/registrationId", json!(0x1_0000_0000_u64)),
        ("/registrationId", json!(-1)),
        ("/signedPreKey/keyId", json!(0)),
        ("/signedPreKey/keyId", json!(0x0100_0000)),
        ("/nextPreKeyId", json!(0x0100_0001)),
        ("/advSecretKey", json!("AAAA")),
        ("/noiseKey/private", buffer(&[1; 31])),
        ("/signedPreKey/signature", buffer(&[1; 63])),
        ("/account/accountSignature", json!("AAAA")),
    ];
    for (pointer, value) in cases {
        let error = refused(|creds| *creds.pointer_mut(pointer).unwrap() = value.clone());
        let is_typed = matches!(
            error,
            ReadError::Part { .. } | ReadError::Content { .. } | ReadError::Device(_)
        );
        assert!(is_typed, "{pointer} = {value}: {error}");
    }
}

#[test]
fn a_registration_id_of_0_is_refused_with_the_reason() {
    let error = refused(|creds| creds["registrationId"] = json!(0)).to_string();
    assert!(
        error.contains("absent") && error.contains("link again"),
        "{error}"
    );
}

#[tokio::test]
async fn rows_are_verified_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("noise_key = x'01'", "noise_key"),
        ("identity_key = zeroblob(32)", "signature"),
        ("signed_pre_key = zeroblob(32)", "signed prekey"),
        ("signed_pre_key_sig = zeroblob(64)", "signed prekey"),
        ("signed_pre_key_id = 0", "signed_pre_key_id"),
        ("registration_id = 0", "registration_id"),
        ("adv_key = x''", "adv_key"),
        ("adv_details = x''", "signature"),
        ("adv_account_sig = zeroblob(64)", "account's signature"),
        ("adv_account_sig_key = zeroblob(32)", "account's signature"),
        ("adv_device_sig = zeroblob(64)", "device's signature"),
        ("adv_details = zeroblob(100000000)", "adv_details"),
        ("jid = '12025550123@s.whatsapp.net'", "JID"),
        ("lid = '186303081611421:47@lid'", "LID"),
        ("push_name = printf('%.*c', 2000, 'x')", "push name"),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.db"));
        whatsmeow::write(&[&Link::fresh(1)], &path).await;
        whatsmeow::change(&path, &format!("UPDATE whatsmeow_device SET {change}")).await;
        let error = read_whatsmeow(&path, None, &Service::production())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{change}: {error}");
    }
    let path = folder.path().join("prekey.db");
    whatsmeow::write(&[&Link::fresh(1)], &path).await;
    whatsmeow::change(
        &path,
        "UPDATE whatsmeow_pre_keys SET key = x'01' WHERE key_id = 4",
    )
    .await;
    let error = read_whatsmeow(&path, None, &Service::production())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("prekey 4"), "{error}");
}
