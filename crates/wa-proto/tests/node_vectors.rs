//! All vectors of the node chapter.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{hex, node, unhex, vectors};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use wa_proto::{Decoder, NodeRef};

#[test]
fn encodes_every_vector_byte_for_byte_and_reads_it_back() {
    let mut decoder = Decoder::new();
    let vectors = vectors();
    let cases = vectors["encode"].as_array().unwrap();
    assert_eq!(cases.len(), 120);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let node = node(&case["node"]);
        let bytes = node.to_bytes().unwrap();
        if let Some(expected) = case["hex"].as_str() {
            assert_eq!(hex(&bytes), expected, "{id}");
        } else {
            let prefix = unhex(case["hex_prefix"].as_str().unwrap());
            assert_eq!(bytes.len() as u64, case["length"].as_u64().unwrap(), "{id}");
            assert_eq!(hex(&bytes[..prefix.len()]), hex(&prefix), "{id}");
            assert_eq!(
                hex(&Sha256::digest(&bytes)),
                case["sha256"].as_str().unwrap(),
                "{id}"
            );
        }
        assert_eq!(decoder.decode(&bytes).unwrap().to_owned(), node, "{id}");
    }
}

#[test]
fn reads_every_other_encoder() {
    let mut decoder = Decoder::new();
    let mut count = 0;
    for case in vectors()["encode"].as_array().unwrap() {
        let Some(others) = case["encoders_other"].as_object() else {
            continue;
        };
        for (name, bytes) in others {
            let id = case["id"].as_str().unwrap();
            let Some(bytes) = bytes.as_str().filter(|text| text.len() % 2 == 0) else {
                continue;
            };
            if !bytes.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            let bytes = unhex(bytes);
            let decoded = decoder.decode(&bytes);
            assert!(decoded.is_ok(), "{id} of {name}: {decoded:?}");
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn inflates_every_compressed_vector() {
    let vectors = vectors();
    let cases = vectors["compressed"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    let mut decoder = Decoder::new();
    for case in cases {
        let like = case["decodes_like"].as_str().unwrap();
        let original = vectors["encode"]
            .as_array()
            .unwrap()
            .iter()
            .find(|case| case["id"] == like)
            .unwrap();
        let bytes = unhex(case["hex"].as_str().unwrap());
        assert_eq!(
            decoder.decode(&bytes).unwrap().to_owned(),
            node(&original["node"]),
            "{like}"
        );
    }
}

#[test]
fn accepts_every_alternative_form() {
    let vectors = vectors();
    let cases = vectors["accept"].as_array().unwrap();
    assert_eq!(cases.len(), 21);
    let mut decoder = Decoder::new();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let bytes = unhex(case["hex"].as_str().unwrap());
        let stanza = decoder
            .decode(&bytes)
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_reads(stanza, &case["expect"], id);
    }
}

#[test]
fn rejects_every_malformed_input() {
    let vectors = vectors();
    let cases = vectors["reject"].as_array().unwrap();
    assert_eq!(cases.len(), 40);
    let mut decoder = Decoder::new();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let bytes = match case["hex"].as_str() {
            Some(bytes) => unhex(bytes),
            None => by_recipe(case),
        };
        assert!(decoder.decode(&bytes).is_err(), "{id}");
    }
}

/// The two inputs that are too long to be written out.
fn by_recipe(case: &Json) -> Vec<u8> {
    match case["id"].as_str().unwrap() {
        "bad-zlib-bomb" => {
            let mut node = unhex("f80219fe01100000");
            node.resize(node.len() + 17_825_792, 0);
            let mut plaintext = vec![0x02];
            plaintext.extend(compress_to_vec_zlib(&node, 9));
            plaintext
        }
        "bad-depth-20000" => {
            let recipe = &case["recipe"];
            let part = |name: &str| unhex(recipe[name].as_str().unwrap());
            let times = recipe["times"].as_u64().unwrap() as usize;
            [part("prefix"), part("repeat").repeat(times), part("suffix")].concat()
        }
        other => panic!("no recipe for {other}"),
    }
}

fn assert_reads(stanza: NodeRef<'_>, expected: &Json, id: &str) {
    assert!(stanza.tag() == expected["tag"].as_str().unwrap(), "{id}");
    let attributes: Vec<(String, String)> = stanza
        .attrs()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let wanted: Vec<(String, String)> = expected["attrs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            let text = |at: usize| pair[at].as_str().unwrap().to_owned();
            (text(0), text(1))
        })
        .collect();
    assert_eq!(attributes, wanted, "{id}");
    match &expected["content"] {
        Json::Null => assert!(stanza.bytes().is_none() && !stanza.has_children(), "{id}"),
        Json::Array(children) => {
            assert!(stanza.bytes().is_none(), "{id}");
            assert_eq!(stanza.children().count(), children.len(), "{id}");
        }
        content => assert_eq!(
            hex(&stanza.bytes().unwrap()),
            content["hex"].as_str().unwrap(),
            "{id}"
        ),
    }
}
