//! Debug output is safe to log: no contents, no secrets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_proto::pb::PairingRequest;
use wa_proto::{Decoder, Jid, Node, Server, tok};

#[test]
fn nodes_show_tags_and_attributes_but_only_the_length_of_contents() {
    let node = Node::new(tok!("iq"))
        .attr(tok!("type"), tok!("set"))
        .attr(tok!("to"), Jid::server_jid())
        .child(Node::new("ref").bytes("a secret of the QR code"))
        .child(Node::new("reason").bytes("result"));
    let expected = "<iq type=\"set\" to=\"s.whatsapp.net\"><ref>(23 bytes)</ref>\
                    <reason>(6 bytes)</reason></iq>";
    assert_eq!(format!("{node:?}"), expected);
    let bytes = node.to_bytes().unwrap();
    let mut decoder = Decoder::new();
    assert_eq!(format!("{:?}", decoder.decode(&bytes).unwrap()), expected);
    assert_eq!(format!("{decoder:?}"), "Decoder { .. }");
}

#[test]
fn a_pairing_request_shows_nothing() {
    let request = PairingRequest {
        companion_public_key: Some(vec![1; 32]),
        companion_identity_key: Some(vec![2; 32]),
        adv_secret: Some(vec![3; 32]),
    };
    assert_eq!(format!("{request:?}"), "PairingRequest { .. }");
}

#[test]
fn jids_show_what_they_are() {
    let jid = Jid::number(12_025_550_123, Server::Pn).with_device(7);
    assert_eq!(format!("{jid:?}"), "Jid(12025550123:7@s.whatsapp.net)");
}
