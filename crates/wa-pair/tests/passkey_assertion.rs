//! An assertion is taken as authenticators write it, checked, and written in one form.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use support::{unhex, vectors};
use wa_pair::{
    AssertionError, MAX_ASSERTION_FIELD_LEN, MAX_ASSERTION_JSON_LEN, MAX_CREDENTIAL_ID_LEN,
    MAX_USER_HANDLE_LEN, PasskeyAssertion,
};

fn vector() -> String {
    vectors()["passkey_json"]["assertion"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_assertion_of_the_vectors_comes_out_as_it_went_in() {
    let assertion = PasskeyAssertion::from_json(&vector()).unwrap();
    assert_eq!(assertion.to_json().as_str(), vector());
    let id = unhex(&vectors()["passkey_json"]["credential_id"]);
    assert_eq!(assertion.raw_id(), id);
}

#[test]
fn the_five_parts_make_the_same() {
    let json: serde_json::Value = serde_json::from_str(&vector()).unwrap();
    let part = |name: &str| {
        let text = json["response"][name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let id = unhex(&vectors()["passkey_json"]["credential_id"]);
    let parts = |handle| {
        PasskeyAssertion::from_parts(
            &id,
            &part("clientDataJSON"),
            &part("authenticatorData"),
            &part("signature"),
            handle,
        )
        .unwrap()
    };
    assert_eq!(parts(None).to_json().as_str(), vector());
    assert_eq!(parts(Some(b"")).to_json().as_str(), vector());
    let with_handle = parts(Some(b"user")).to_json();
    assert!(with_handle.ends_with(",\"userHandle\":\"dXNlcg\"}}"));
    let again = PasskeyAssertion::from_json(&with_handle).unwrap();
    assert_eq!(again, parts(Some(b"user")));
}

#[test]
fn order_spaces_padding_and_further_fields_do_not_matter() {
    let json = "{ \"authenticatorAttachment\":\"platform\", \"clientExtensionResults\":{\"uvm\":[[2,4,2]]},
        \"response\":{\"signature\":\"AQ==\",\"authenticatorData\":\"Ag\",\"clientDataJSON\":\"Aw\",
        \"attestationObject\":null}, \"type\":\"public-key\", \"rawId\":\"_-8=\", \"id\":\"_-8\"}";
    let assertion = PasskeyAssertion::from_json(json).unwrap();
    assert_eq!(
        assertion.to_json().as_str(),
        "{\"id\":\"_-8\",\"rawId\":\"_-8\",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"Aw\",\
         \"authenticatorData\":\"Ag\",\"signature\":\"AQ\",\"userHandle\":null}}"
    );
}

fn json(id: &str, raw_id: &str, kind: &str, response: &str) -> String {
    format!("{{\"id\":{id},\"rawId\":{raw_id},\"type\":{kind},\"response\":{response}}}")
}

const RESPONSE: &str =
    "{\"clientDataJSON\":\"AQ\",\"authenticatorData\":\"AQ\",\"signature\":\"AQ\"}";

#[test]
fn what_is_wrong_is_named() {
    let key = "\"public-key\"";
    let id = "\"AQ\"";
    for (text, error) in [
        (String::new(), AssertionError::NotJson),
        ("[]".to_owned(), AssertionError::NotJson),
        ("7".to_owned(), AssertionError::NotJson),
        (json(id, id, "\"password\"", RESPONSE), AssertionError::Type),
        (json(id, id, "null", RESPONSE), AssertionError::Type),
        (
            json(id, "\"Ag\"", key, RESPONSE),
            AssertionError::IdMismatch,
        ),
        (
            json("null", id, key, RESPONSE),
            AssertionError::Missing { field: "id" },
        ),
        (
            json(id, "7", key, RESPONSE),
            AssertionError::Missing { field: "rawId" },
        ),
        (
            json(id, "\"A*\"", key, RESPONSE),
            AssertionError::Base64 { field: "rawId" },
        ),
        (
            json("\"\"", "\"\"", key, RESPONSE),
            AssertionError::Missing { field: "rawId" },
        ),
        (
            json(id, id, key, "{}"),
            AssertionError::Missing {
                field: "clientDataJSON",
            },
        ),
        (
            format!("{{\"rawId\":{id}}}"),
            AssertionError::Missing { field: "response" },
        ),
        (
            json(
                id,
                id,
                key,
                &RESPONSE.replace("\"signature\":\"AQ\"", "\"signature\":\"\""),
            ),
            AssertionError::Missing { field: "signature" },
        ),
        (
            json(
                id,
                id,
                key,
                &RESPONSE.replace(
                    "\"signature\":\"AQ\"",
                    "\"signature\":\"AQ\",\"userHandle\":7",
                ),
            ),
            AssertionError::Missing {
                field: "userHandle",
            },
        ),
    ] {
        assert_eq!(PasskeyAssertion::from_json(&text), Err(error), "{text}");
    }
}

#[test]
fn lengths_are_checked_at_their_bounds() {
    let make = |id: usize, field: usize, handle: usize| {
        let (id, field, handle) = (vec![1; id], vec![1; field], vec![1; handle]);
        PasskeyAssertion::from_parts(&id, &field, &field, &field, Some(&handle)).map(|_| ())
    };
    let (id, field, handle) = (
        MAX_CREDENTIAL_ID_LEN,
        MAX_ASSERTION_FIELD_LEN,
        MAX_USER_HANDLE_LEN,
    );
    let too_long = |name, limit: usize| {
        Err(AssertionError::TooLong {
            field: name,
            got: limit + 1,
            limit,
        })
    };
    assert_eq!(make(id, field, handle), Ok(()));
    assert_eq!(make(id + 1, 1, 1), too_long("rawId", id));
    assert_eq!(make(1, field + 1, 1), too_long("clientDataJSON", field));
    assert_eq!(make(1, 1, handle + 1), too_long("userHandle", handle));

    let padded = |len: usize| format!("{}{}", vector(), " ".repeat(len - vector().len()));
    assert!(PasskeyAssertion::from_json(&padded(MAX_ASSERTION_JSON_LEN)).is_ok());
    assert_eq!(
        PasskeyAssertion::from_json(&padded(MAX_ASSERTION_JSON_LEN + 1)),
        too_long("assertion", MAX_ASSERTION_JSON_LEN).map(|()| unreachable!())
    );
}
