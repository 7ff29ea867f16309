//! What is written is read again, whatever it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::corpus;
use proptest::collection::vec;
use proptest::prelude::*;
use wa_proto::{Decoder, Jid, Node, Server, Token, Value, encode_with};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.-]{1,140}",
        "[0-9A-F]{1,140}",
        "[a-z_:]{1,20}",
        Just("participant".to_owned()),
        Just("sender_lid".to_owned()),
        "\\PC{0,40}",
    ]
}

fn jid() -> impl Strategy<Value = Jid> {
    let server = prop_oneof![
        Just(Server::Pn),
        Just(Server::Lid),
        Just(Server::Hosted),
        Just(Server::HostedLid),
        Just(Server::Group),
        Just(Server::Broadcast),
        Just(Server::Newsletter),
        Just(Server::Bot),
        Just(Server::Call),
        Just(Server::Messenger),
        Just(Server::Interop),
        Just(Server::Legacy),
    ];
    (server, "[0-9]{0,22}|[a-zA-Z0-9]{1,20}", any::<u8>()).prop_map(|(server, user, device)| {
        let jid = Jid::new(user, server);
        match server {
            Server::Pn | Server::Lid | Server::Hosted | Server::HostedLid => {
                jid.with_device(device.into())
            }
            Server::Messenger | Server::Interop => jid.with_device(u16::from(device) << 4),
            _ => jid,
        }
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_u64..12_000).prop_map(Value::from),
        jid().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn leaf() -> impl Strategy<Value = Node> {
    let content = proptest::option::of(vec(any::<u8>(), 0..400));
    (text(), vec((text(), value()), 0..8), content).prop_map(|(tag, attributes, content)| {
        let tag = if tag.is_empty() { "x".to_owned() } else { tag };
        let node = attributes
            .into_iter()
            .fold(Node::new(tag), |node, (key, value)| node.attr(key, value));
        match content {
            Some(content) => node.bytes(content),
            None => node,
        }
    })
}

fn node() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(5, 40, 8, |inner| {
        (leaf(), vec(inner, 1..8)).prop_map(|(node, children)| node.children(children))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_node_comes_back(node in node()) {
        let bytes = node.to_bytes().unwrap();
        prop_assert_eq!(bytes[0], 0);
        let mut decoder = Decoder::new();
        let stanza = decoder.decode(&bytes).unwrap();
        prop_assert_eq!(&stanza.to_owned(), &node);
        prop_assert_eq!(format!("{stanza:?}"), format!("{node:?}"));
        // Appending, and writing through a writer, give the same bytes.
        let mut out = b"before".to_vec();
        node.encode_into(&mut out).unwrap();
        encode_with(&mut out, |writer| writer.node(&node)).unwrap();
        prop_assert_eq!(out, [b"before".as_slice(), &bytes, &bytes].concat());
        for len in 0..bytes.len() {
            prop_assert!(decoder.decode(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn numbers_are_written_as_their_text(number in any::<u64>(), shift in 0_u32..64) {
        let number = number >> shift;
        let typed = Node::new("iq").attr("id", number);
        let text = Node::new("iq").attr("id", number.to_string());
        prop_assert_eq!(typed.to_bytes().unwrap(), text.to_bytes().unwrap());
        prop_assert_eq!(&typed, &text);
        let bytes = typed.to_bytes().unwrap();
        prop_assert_eq!(Decoder::new().decode(&bytes).unwrap().attr_u64("id"), Some(number));
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn bytes_that_look_like_nodes_never_panic(
        bytes in vec(prop_oneof![
            Just(0xf8_u8), Just(0xf9), Just(0xfa), Just(0xf7), Just(0xf6), Just(0xf5), Just(0xfb),
            Just(0xfc), Just(0xfd), Just(0xff), Just(0xec), 0_u8..20, any::<u8>(),
        ], 0..60)
    ) {
        read_all(&[&[0][..], &bytes].concat());
    }

    #[test]
    fn changed_corpora_never_panic(
        entry in 0_usize..6,
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = corpus()[entry].1.to_vec();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        read_all(&bytes);
    }
}

/// What is accepted can be read whole, and written again if it has servers for all its JIDs.
fn read_all(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    let Ok(stanza) = decoder.decode(bytes) else {
        return;
    };
    let owned = stanza.to_owned();
    assert_eq!(format!("{stanza:?}"), format!("{owned:?}"));
    if let Ok(bytes) = owned.to_bytes() {
        assert_eq!(Node::from_bytes(&bytes).unwrap(), owned);
    }
}

#[test]
fn every_token_is_written_as_itself() {
    let list = include_str!("../tokens.txt");
    let mut count = 0;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let mut fields: Vec<&str> = line.split(' ').collect();
        let text = fields.pop().unwrap();
        assert_eq!(Token::find(text).unwrap().as_str(), text);
        let bytes = Node::new("iq").attr("id", text).to_bytes().unwrap();
        let wire: Vec<u8> = match fields[..] {
            ["S", byte] => vec![byte.parse().unwrap()],
            ["D", dictionary, index] => vec![
                236 + dictionary.parse::<u8>().unwrap(),
                index.parse().unwrap(),
            ],
            _ => panic!("{line}"),
        };
        assert_eq!(bytes[5..], wire, "{text}");
        assert_eq!(
            Decoder::new()
                .decode(&bytes)
                .unwrap()
                .attr_text("id")
                .unwrap(),
            text
        );
        count += 1;
    }
    assert_eq!(count, 1259);
}

#[test]
fn every_corpus_entry_is_written_as_it_was_read() {
    for (name, bytes) in corpus() {
        assert_eq!(
            Node::from_bytes(bytes).unwrap().to_bytes().unwrap(),
            bytes,
            "{name}"
        );
    }
}
