#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{Command, LogoutOptions};
use wa_proto::{Jid, Node};

/// The recorded stanza with this id.
fn vector(id: &str) -> Node {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("vectors/stanzas.json")).unwrap();
    let hex = file["stanzas"][id].as_str().unwrap();
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    Node::from_bytes(&bytes).unwrap()
}

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

/// What the engine answers to a stanza.
fn answer(stanza: &Node) -> Vec<Node> {
    let mut rig = Rig::online();
    rig.service.seen.stanzas.clear();
    rig.serve(stanza);
    assert_eq!(rig.state(), "online");
    let mut sent = rig.service.seen.stanzas;
    // A note about the own devices is also followed by a question.
    sent.retain(|stanza| stanza.get_child("usync").is_none());
    sent
}

fn stanza(tag: &'static str, from: &str, id: &'static str) -> Node {
    Node::new(tag).attr("from", jid(from)).attr("id", id)
}

#[test]
fn acks_are_the_recorded_ones_byte_for_byte() {
    let group = "120363161500776365@g.us";
    for (received, ack) in [
        (
            stanza("message", group, "3EB0C767D097B7C7C030")
                .attr("type", "text")
                .attr("participant", jid("181531758878822:3@lid")),
            "stanza-ack-message",
        ),
        (
            stanza("notification", "12025550123@s.whatsapp.net", "269488578")
                .attr("type", "devices")
                .attr("t", "1755729499"),
            "stanza-ack-notification",
        ),
        (
            stanza("receipt", "186303081611421:2@lid", "3EB0C767D097B7C7C030"),
            "stanza-ack-receipt",
        ),
        (
            stanza("receipt", group, "3EB0C767D097B7C7C030")
                .attr("type", "read")
                .attr("participant", jid("186303081611421@lid")),
            "stanza-ack-receipt-read",
        ),
        (
            stanza("call", "186303081611421:2@lid", "3EB0AA01").attr("t", "1755729499"),
            "stanza-ack-call",
        ),
    ] {
        let [answer] = &answer(&received)[..] else {
            panic!("one answer")
        };
        assert_eq!(
            answer.to_bytes().unwrap(),
            vector(ack).to_bytes().unwrap(),
            "{ack}"
        );
    }
}

#[test]
fn an_ack_of_a_message_copies_the_recipient_and_never_the_type() {
    let received = stanza("message", "12025550123@s.whatsapp.net", "A")
        .attr("type", "text")
        .attr("recipient", jid("15551234567@s.whatsapp.net"));
    let [ack] = &answer(&received)[..] else {
        panic!("one answer")
    };
    assert_eq!(
        ack.get_jid("recipient"),
        Some(jid("15551234567@s.whatsapp.net"))
    );
    assert_eq!(ack.get_attr("type"), None);
}

#[test]
fn other_stanzas_are_never_acked() {
    for tag in ["ib", "presence", "chatstate", "ack", "success"] {
        let received = stanza(tag, "12025550123@s.whatsapp.net", "1");
        assert!(answer(&received).is_empty(), "{tag}");
    }
}

#[test]
fn a_stanza_without_id_or_sender_cannot_be_acked() {
    let from = jid("12025550123@s.whatsapp.net");
    assert!(answer(&Node::new("message").attr("from", from)).is_empty());
    assert!(answer(&Node::new("receipt").attr("id", "1")).is_empty());
}

#[test]
fn waiting_stanzas_are_acked_alike() {
    let received = stanza("notification", "12025550123@s.whatsapp.net", "7").attr("offline", "0");
    assert_eq!(answer(&received).len(), 1);
}

#[test]
fn pings_of_the_server_in_either_form_are_answered() {
    let ping = |xmlns: &'static str| {
        Node::new("iq")
            .attr("from", Jid::server_jid())
            .attr("type", "get")
            .attr("xmlns", xmlns)
            .attr("id", "1755729499-7")
    };
    for received in [ping("urn:xmpp:ping"), ping("w:p").child(Node::new("ping"))] {
        let [answer] = &answer(&received)[..] else {
            panic!("one answer")
        };
        let pong = vector("stanza-pong");
        assert_eq!(answer.to_bytes().unwrap(), pong.to_bytes().unwrap());
    }
}

#[test]
fn requests_nobody_knows_get_error_501() {
    for kind in ["get", "set"] {
        let received = Node::new("iq")
            .attr("from", Jid::server_jid())
            .attr("type", kind)
            .attr("xmlns", "w:something")
            .attr("id", "9");
        let [answer] = &answer(&received)[..] else {
            panic!("one answer")
        };
        assert_eq!(answer.get_text("type").as_deref(), Some("error"));
        assert_eq!(answer.get_text("id").as_deref(), Some("9"));
        assert_eq!(
            answer.get_child("error").unwrap().get_u64("code"),
            Some(501)
        );
    }
}

#[test]
fn a_connection_that_pairs_acks_as_well() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.serve(&support::notification("server_sync", "whatever"));
    assert_eq!(rig.service.sent("ack").len(), 1);
    assert_eq!(rig.state(), "awaiting_pairing");
}

#[test]
fn our_requests_are_the_recorded_ones_but_for_their_ids() {
    let mut rig = Rig::online();
    rig.advance(std::time::Duration::from_secs(31));
    rig.serve(&vector("stanza-dirty"));
    rig.command(Command::Logout(LogoutOptions::default()));
    let sent = &rig.service.seen.stanzas;
    for id in [
        "stanza-ping",
        "stanza-active",
        "stanza-prekey-count",
        "stanza-dirty-clean",
        "stanza-logout",
    ] {
        let expected = anonymous(&vector(id));
        assert!(
            sent.iter().any(|stanza| anonymous(stanza) == expected),
            "{id}"
        );
    }
}

/// The stanza with its attributes in order and without its id.
fn anonymous(stanza: &Node) -> (String, Vec<(String, String)>, Vec<Node>) {
    let mut attrs: Vec<_> = stanza
        .get_attrs()
        .filter(|(name, _)| **name != *"id")
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    attrs.sort();
    (
        stanza.tag_str().to_owned(),
        attrs,
        stanza.get_children().to_vec(),
    )
}
