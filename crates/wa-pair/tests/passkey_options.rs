//! Options are passed through as they came, and asked for when they did not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::passkey::{challenge, end, options, options_node, prologue_request};
use support::{Rig, asked, names, vectors};
use wa_pair::{MAX_PASSKEY_OPTIONS_LEN, PasskeyEnd, PasskeyOptions, PasskeyOptionsError};
use wa_proto::{Jid, Node};

#[test]
fn inline_options_reach_the_application_letter_for_letter() {
    let mut rig = Rig::offering(6);
    let odd = "{ \"challenge\" :\"abc\",\n\"unknown\":[1.50, \"\\u00e9\"], \"rpId\":\"x\" }";
    for json in [options().as_str(), odd] {
        let mut rig = Rig::offering(6);
        let outputs = rig.stanza(&prologue_request("p", Some(json)));
        assert_eq!(names(&outputs), ["send", "qr-expired", "passkey-requested"]);
        assert_eq!(challenge(&outputs).unwrap().options.expose(), json);
        assert!(rig.pairing.is_awaiting_passkey());
    }
    assert!(rig.drain().is_empty());
}

#[test]
fn missing_and_unreadable_options_are_fetched() {
    for inline in [None, Some(""), Some("no json"), Some("{}"), Some("[]")] {
        let mut rig = Rig::offering(6);
        let outputs = rig.stanza(&prologue_request("p", inline));
        assert_eq!(names(&outputs), ["send", "qr-expired", "ask-options"]);
        let (request, iq, timeout) = asked(&outputs);
        assert_eq!(timeout, 30);
        let expected = Node::new("iq")
            .attr("type", "get")
            .attr("xmlns", "md")
            .attr("to", Jid::server_jid())
            .child(Node::new("passkey_request_options"));
        assert_eq!(iq, expected);
        let outputs = rig.result(request, vec![options_node(&options())]);
        assert_eq!(challenge(&outputs).unwrap().options.expose(), options());
    }
}

#[test]
fn fetched_options_that_cannot_be_used_end_the_ceremony() {
    for (children, error) in [
        (vec![], PasskeyOptionsError::Missing),
        (vec![options_node("x")], PasskeyOptionsError::NotJson),
        (vec![options_node("{}")], PasskeyOptionsError::Challenge),
    ] {
        let mut rig = Rig::offering(6);
        let (request, ..) = asked(&rig.stanza(&prologue_request("p", None)));
        let outputs = rig.result(request, children);
        assert_eq!(names(&outputs), ["passkey-ended", "qr"]);
        assert_eq!(end(&outputs), Some(&PasskeyEnd::BadOptions(error)));
        assert!(!rig.pairing.is_awaiting_passkey());
    }
}

fn parse(json: &str) -> Result<PasskeyOptions, PasskeyOptionsError> {
    PasskeyOptions::parse(json.as_bytes())
}

#[test]
fn the_options_of_the_vectors_are_taken() {
    let vectors = vectors();
    let json = vectors["passkey_json"]["request_options"].as_str().unwrap();
    let options = parse(json).unwrap();
    assert_eq!(options.expose(), json);
    assert_eq!(options.timeout(), Some(std::time::Duration::from_secs(600)));
}

#[test]
fn what_is_not_known_fails_closed() {
    for (json, error) in [
        ("", PasskeyOptionsError::NotJson),
        ("null", PasskeyOptionsError::NotJson),
        ("[]", PasskeyOptionsError::NotJson),
        ("{\"challenge\":\"a\"} x", PasskeyOptionsError::NotJson),
        ("{}", PasskeyOptionsError::Challenge),
        ("{\"challenge\":\"\"}", PasskeyOptionsError::Challenge),
        ("{\"challenge\":7}", PasskeyOptionsError::Challenge),
        (
            "{\"challenge\":\"a\",\"rpId\":7}",
            PasskeyOptionsError::RelyingParty,
        ),
        (
            "{\"challenge\":\"a\",\"allowCredentials\":{}}",
            PasskeyOptionsError::Credentials,
        ),
        (
            "{\"challenge\":\"a\",\"allowCredentials\":[{}]}",
            PasskeyOptionsError::Credentials,
        ),
        (
            "{\"challenge\":\"a\",\"allowCredentials\":[{\"id\":\"\"}]}",
            PasskeyOptionsError::Credentials,
        ),
        (
            "{\"challenge\":\"a\",\"userVerification\":\"strict\"}",
            PasskeyOptionsError::UserVerification,
        ),
        (
            "{\"challenge\":\"a\",\"userVerification\":null}",
            PasskeyOptionsError::UserVerification,
        ),
    ] {
        assert_eq!(parse(json), Err(error), "{json}");
    }
    assert_eq!(
        PasskeyOptions::parse(&[0xFF, 0xFE]),
        Err(PasskeyOptionsError::NotJson)
    );
}

#[test]
fn the_known_forms_are_taken() {
    for rest in [
        "",
        ",\"rpId\":\"web.whatsapp.com\"",
        ",\"allowCredentials\":[]",
        ",\"allowCredentials\":[{\"id\":\"a\",\"type\":\"public-key\"}]",
        ",\"userVerification\":\"required\"",
        ",\"userVerification\":\"preferred\"",
        ",\"userVerification\":\"discouraged\"",
        ",\"timeout\":\"long\"",
        ",\"timeout\":18446744073709551615",
    ] {
        let json = format!("{{\"challenge\":\"a\"{rest}}}");
        assert!(parse(&json).is_ok(), "{json}");
    }
}

#[test]
fn the_length_is_checked_at_its_bound() {
    let json = |len: usize| {
        let frame = "{\"challenge\":\"\"}".len();
        format!("{{\"challenge\":\"{}\"}}", "a".repeat(len - frame))
    };
    assert!(parse(&json(MAX_PASSKEY_OPTIONS_LEN)).is_ok());
    assert_eq!(
        parse(&json(MAX_PASSKEY_OPTIONS_LEN + 1)),
        Err(PasskeyOptionsError::TooLong {
            got: 65_537,
            limit: 65_536
        })
    );
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!("{{\"challenge\":\"a\",\"x\":{}", "[".repeat(60_000));
    assert_eq!(parse(&deep), Err(PasskeyOptionsError::NotJson));
}
