#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{
    Command, CommandError, ConnectionState, DisconnectReason, Event, FailReason, Trouble,
};
use wa_noise::{MAX_HANDSHAKE_FRAME_LEN, NoiseRoot, write_frame};
use wa_proto::Node;

fn name(rig: &Rig) -> &'static str {
    rig.heard(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason.name()),
        _ => None,
    })
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(body, &mut out).unwrap();
    out
}

#[test]
fn a_server_hello_that_is_none_is_a_handshake_failure() {
    for body in [&b""[..], b"garbage", b"\x1a\x02\x0a\x00", &[0xff; 300]] {
        let mut rig = Rig::new();
        rig.service.fail(Point::Hello, Fault::Bytes(frame(body)), 1);
        rig.command(Command::Start);
        assert_eq!(name(&rig), "handshake");
        assert_eq!(rig.state(), "reconnecting");
        rig.advance(secs(2));
        assert_eq!(rig.state(), "awaiting_pairing");
    }
}

#[test]
fn an_oversize_frame_before_the_handshake_is_refused_at_its_header() {
    let announced = MAX_HANDSHAKE_FRAME_LEN + 1;
    let header = u32::try_from(announced).unwrap().to_be_bytes()[1..].to_vec();
    let mut rig = Rig::new();
    rig.service.fail(Point::Hello, Fault::Bytes(header), 1);
    rig.command(Command::Start);
    assert_eq!(name(&rig), "frame");
    let limit = u32::try_from(MAX_HANDSHAKE_FRAME_LEN)
        .unwrap()
        .to_be_bytes()[1..]
        .to_vec();
    let mut rig = Rig::new();
    rig.service.fail(Point::Hello, Fault::Bytes(limit), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "starting", "one less is waited for");
}

#[test]
fn a_first_frame_under_other_keys_ends_the_connection() {
    let mut rig = Rig::new();
    let other = frame(&[0x5a; 40]);
    rig.service.fail(Point::Finish, Fault::Bytes(other), 1);
    rig.command(Command::Start);
    assert_eq!(name(&rig), "handshake");
    assert_eq!(rig.state(), "reconnecting");
}

#[test]
fn a_frame_that_does_not_open_ends_an_established_connection() {
    for bytes in [frame(b""), frame(b"short"), frame(&[7; 100])] {
        let mut rig = Rig::online();
        rig.serve_bytes(&bytes);
        assert_eq!(name(&rig), "transport");
        assert_eq!(rig.state(), "reconnecting");
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_stanza_that_cannot_be_read_is_dropped_and_told() {
    let deep = {
        let mut node = Node::new("iq");
        for _ in 0..2000 {
            node = Node::new("iq").child(node);
        }
        node.to_bytes()
    };
    let mut plaintexts = vec![
        vec![],
        vec![0],
        vec![9, 9, 9],
        vec![0, 0xf8, 0x05, 0x19],
        vec![2, 0x78, 0xda, 1, 2, 3],
    ];
    plaintexts.extend(deep);
    for plaintext in plaintexts {
        let mut rig = Rig::online();
        rig.serve_plaintext(&plaintext);
        assert_eq!(rig.state(), "online");
        let trouble = rig.heard(|event| match event {
            Event::Trouble(trouble) => Some(trouble.clone()),
            _ => None,
        });
        assert!(matches!(trouble, Trouble::UnreadableStanza(_)));
    }
}

#[test]
fn nonsense_in_every_kind_of_stanza_changes_nothing() {
    let mut rig = Rig::online();
    for tag in [
        "iq",
        "ib",
        "message",
        "receipt",
        "notification",
        "call",
        "ack",
        "presence",
        "success",
        "chatstate",
        "unknown",
    ] {
        for kind in ["get", "set", "result", "error", "encrypt", "x"] {
            rig.serve(&Node::new(tag));
            rig.serve(&Node::new(tag).attr("type", kind));
            rig.serve(&Node::new(tag).attr("type", kind).attr("id", "0"));
            rig.serve(
                &Node::new(tag)
                    .attr("type", kind)
                    .attr("from", "x@y")
                    .attr("id", "")
                    .child(Node::new("count").attr("value", "-1"))
                    .child(Node::new("edge_routing"))
                    .child(Node::new("dirty"))
                    .child(Node::new("identity")),
            );
        }
    }
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_server_under_another_root_is_refused_when_linking() {
    let mut rig = Rig::with(|config| config.root = NoiseRoot::production());
    let op = rig.command(Command::Start);
    let ConnectionState::Failed { error } = rig.engine.state().clone() else {
        panic!("failed, not {}", rig.state())
    };
    assert!(matches!(error, FailReason::Server(_)));
    assert!(error.to_string().contains("root key"), "{error}");
    assert_eq!(rig.result(op), Some(Err(CommandError::Failed(error))));
    assert!(rig.service.seen.payloads.is_empty(), "no payload was sent");
    assert!(!rig.is_connected());
}

#[test]
fn a_certificate_that_is_not_valid_now_is_retried() {
    let mut rig = Rig::new();
    // A clock that is eleven years ahead.
    rig.now = wa_core::Now::new(rig.now.instant, rig.now.unix_ms + 347_000_000_000);
    rig.command(Command::Start);
    let reason = rig.heard(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(matches!(&reason, DisconnectReason::Handshake(error) if error.is_clock()));
    assert_eq!(rig.state(), "reconnecting");
}
