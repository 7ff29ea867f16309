//! Reading of the test vectors.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use serde_json::Value as Json;
use wa_proto::{Jid, Node, Server, Str, Value};

pub(crate) fn vectors() -> Json {
    serde_json::from_str(include_str!("../vectors/binary-node.json")).unwrap()
}

pub(crate) fn corpus() -> [(&'static str, &'static [u8]); 6] {
    [
        ("ping", include_bytes!("../vectors/corpus/ping.bin")),
        ("success", include_bytes!("../vectors/corpus/success.bin")),
        (
            "message300",
            include_bytes!("../vectors/corpus/message300.bin"),
        ),
        ("usync200", include_bytes!("../vectors/corpus/usync200.bin")),
        (
            "prekeys812",
            include_bytes!("../vectors/corpus/prekeys812.bin"),
        ),
        (
            "group1024",
            include_bytes!("../vectors/corpus/group1024.bin"),
        ),
    ]
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The JID notation of the vectors: an interop JID may lack its integrator.
fn jid(text: &str) -> Jid {
    match text.strip_suffix("@interop") {
        Some(user) if !user.contains('-') => {
            let (user, device) = user.split_once(':').unwrap();
            Jid::new(user, Server::Interop).with_device(device.parse().unwrap())
        }
        _ => text.parse().unwrap(),
    }
}

pub(crate) fn node(json: &Json) -> Node {
    let mut node = Node::new(json["tag"].as_str().unwrap().to_owned());
    for attribute in json["attrs"].as_array().unwrap() {
        let value = match (&attribute[1]["s"], &attribute[1]["jid"]) {
            (Json::String(text), _) => Value::Text(Str::copy_of(text)),
            (_, Json::String(text)) => Value::Jid(jid(text)),
            other => panic!("{other:?}"),
        };
        node = node.attr(attribute[0].as_str().unwrap().to_owned(), value);
    }
    match &json["content"] {
        Json::Null => node,
        Json::Array(children) => node.children(children.iter().map(self::node)),
        content => {
            if let Some(bytes) = content["hex"].as_str() {
                node.bytes(unhex(bytes))
            } else if let Some(text) = content["utf8"].as_str() {
                node.bytes(text)
            } else if let Some(pattern) = content["fill"].as_str() {
                let count = content["count"].as_u64().unwrap() as usize;
                let pattern = unhex(pattern);
                node.bytes(pattern.into_iter().cycle().take(count).collect::<Vec<u8>>())
            } else {
                let count = content["count"].as_u64().unwrap() as usize;
                let child = self::node(&content["children_fill"]);
                node.children(std::iter::repeat_n(child, count))
            }
        }
    }
}
