//! JIDs on the wire: the forms of the node chapter, 5.2.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{hex, unhex};
use wa_proto::{Decoder, EncodeError, Jid, Node, Server, Value, tok};

/// `<iq to=…/>` around a value.
fn encoded(jid: Jid) -> Result<String, EncodeError> {
    let bytes = Node::new(tok!("iq")).attr(tok!("to"), jid).to_bytes()?;
    Ok(hex(&bytes).strip_prefix("00f8031911").unwrap().to_owned())
}

fn decoded(value: &str) -> Jid {
    let bytes = unhex(&format!("00f8031911{value}"));
    let mut decoder = Decoder::new();
    let stanza = decoder.decode(&bytes).unwrap();
    let jid = stanza.attr_jid("to").unwrap();
    // The other ways to get at it agree.
    assert_eq!(stanza.attr_text("to").unwrap(), jid.to_string());
    assert_eq!(
        stanza.to_owned().get_attr("to"),
        Some(&Value::Jid(jid.clone()))
    );
    jid
}

#[test]
fn every_form_of_the_chapter_is_written_and_read() {
    let cases = [
        ("s.whatsapp.net", "fa0003"),
        ("g.us", "fa001c"),
        ("12025550123@s.whatsapp.net", "faff8612025550123f03"),
        ("12025550123:7@s.whatsapp.net", "f70007ff8612025550123f"),
        ("12025550123:255@s.whatsapp.net", "f700ffff8612025550123f"),
        ("186303081611421@lid", "faff88186303081611421f76"),
        ("186303081611421:48@lid", "f70130ff88186303081611421f"),
        ("12025550123:99@hosted", "f78063ff8612025550123f"),
        (
            "186303081611421:99@hosted.lid",
            "f78163ff88186303081611421f",
        ),
        ("12025550123@hosted", "faff8612025550123ffc06686f73746564"),
        ("120363161500776365@g.us", "faff091203631615007763651c"),
        (
            "12025550123-1586018947@g.us",
            "faff0b12025550123a15860189471c",
        ),
        ("status@broadcast", "fa0b0d"),
        (
            "120363144038483540@newsletter",
            "faff09120363144038483540fc0a6e6577736c6574746572",
        ),
        ("867051314767696@bot", "faff88867051314767696ffc03626f74"),
        ("100012345678901:5@msgr", "f6ff88100012345678901f0005cc"),
        (
            "0-12025550123:3@interop",
            "f5ff8612025550123f00030000fc07696e7465726f70",
        ),
        (
            "258-12025550123:3@interop",
            "f5ff8612025550123f00030102fc07696e7465726f70",
        ),
        // Users that are tokens, and one with leading zeros.
        ("100@s.whatsapp.net", "faec3303"),
        ("8000@lid", "faec8776"),
        ("9999@lid", "faff02999976"),
        ("007@lid", "faff82007f76"),
        ("0@lid", "fa2d76"),
        // Twenty digits, and one more.
        ("12345678901234567890@lid", "faff0a1234567890123456789076"),
        (
            "123456789012345678901@lid",
            "faff8b123456789012345678901f76",
        ),
        // A server of tomorrow.
        ("12025550123@new", "faff8612025550123ffc036e6577"),
        ("100@new", "faec33fc036e6577"),
    ];
    for (text, wire) in cases {
        let jid: Jid = text.parse().unwrap();
        assert_eq!(encoded(jid.clone()).as_deref(), Ok(wire), "{text}");
        assert_eq!(decoded(wire), jid, "{text}");
    }
}

#[test]
fn devices_that_do_not_fit_are_errors() {
    let pn = Jid::number(12_025_550_123, Server::Pn);
    assert!(encoded(pn.clone().with_device(255)).is_ok());
    assert_eq!(
        encoded(pn.with_device(256)),
        Err(EncodeError::Device { device: 256 })
    );
    assert_eq!(
        encoded(Jid::number(120_363, Server::Group).with_device(1)),
        Err(EncodeError::DeviceNotAllowed { device: 1 })
    );
    // These two have room.
    for server in [Server::Messenger, Server::Interop] {
        let jid = Jid::number(1_234_567, server).with_device(u16::MAX);
        assert_eq!(decoded(&encoded(jid.clone()).unwrap()), jid);
    }
}

#[test]
fn a_jid_without_a_server_is_an_error() {
    assert_eq!(
        encoded(Jid::new("12025550123", Server::Other)),
        Err(EncodeError::NoServer)
    );
}

#[test]
fn other_ways_to_write_a_jid_are_read() {
    let pn: Jid = "12025550123@s.whatsapp.net".parse().unwrap();
    // User and server as raw text, the device explicitly 0, and the server as a plain token.
    assert_eq!(
        decoded("fafc0b3132303235353530313233fc0e732e77686174736170702e6e6574"),
        pn
    );
    assert_eq!(decoded("f70000ff8612025550123f"), pn);
    assert_eq!(decoded("f70200ff8612025550123f"), pn);
    assert_eq!(
        decoded("f78205ff8612025550123f"),
        "12025550123:5@hosted".parse().unwrap()
    );
    let mut decoder = Decoder::new();
    let bytes = unhex("00f803191103");
    let stanza = decoder.decode(&bytes).unwrap();
    assert_eq!(stanza.attr_jid("to"), Some(Jid::server_jid()));
}

#[test]
fn users_that_are_no_numbers_are_read() {
    assert_eq!(decoded("fafc04416e6f6e03"), Jid::new("Anon", Server::Pn));
    assert_eq!(
        decoded("fafb04abcdef1276"),
        Jid::new("ABCDEF12", Server::Lid)
    );
    assert_eq!(decoded("faff02123a76").user(), "123-");
}

#[test]
fn digits_in_the_hex_alphabet_are_the_same_digits() {
    assert_eq!(
        decoded("fafb05123456789003"),
        Jid::number(1_234_567_890, Server::Pn)
    );
}
