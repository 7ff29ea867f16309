//! The node codec on six recorded stanzas.

use crate::{Op, Target, op};
use std::hint::black_box;
use wa_proto::{Decoder, Node};

const CORPUS: [(&str, &[u8]); 6] = [
    (
        "ping",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/ping.bin"),
    ),
    (
        "success",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/success.bin"),
    ),
    (
        "message300",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/message300.bin"),
    ),
    (
        "usync200",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/usync200.bin"),
    ),
    (
        "prekeys812",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/prekeys812.bin"),
    ),
    (
        "group1024",
        include_bytes!("../../crates/wa-proto/tests/vectors/corpus/group1024.bin"),
    ),
];
const LARGE: [&str; 3] = ["usync200", "prekeys812", "group1024"];

pub(crate) fn operations() -> Vec<Op> {
    let mut ops = Vec::new();
    for (name, plaintext) in CORPUS {
        let body = plaintext.get(1..).expect("a plaintext has a flag byte");

        let mut decoder = Decoder::new();
        ops.push(op(format!("decode {name}"), "wa", move || {
            black_box(decoder.decode(black_box(plaintext)).expect("decodes"));
        }));
        ops.push(op(format!("decode {name}"), "wacore", move || {
            black_box(wacore_binary::marshal::unmarshal_ref(black_box(body)).expect("decodes"));
        }));

        let mut decoder = Decoder::new();
        ops.push(op(format!("decode and walk {name}"), "wa", move || {
            black_box(walk(decoder.decode(black_box(plaintext)).expect("decodes")));
        }));
        ops.push(op(format!("decode and walk {name}"), "wacore", move || {
            let node = wacore_binary::marshal::unmarshal_ref(black_box(body)).expect("decodes");
            black_box(walk_peer(&node));
        }));

        let node = Node::from_bytes(plaintext).expect("decodes");
        let mut out = Vec::with_capacity(plaintext.len() * 2);
        ops.push(op(format!("encode {name}"), "wa", move || {
            out.clear();
            black_box(&node).encode_into(&mut out).expect("encodes");
            black_box(out.as_slice());
        }));
        let peer = wacore_binary::marshal::unmarshal_ref(body)
            .expect("decodes")
            .to_owned();
        let again = peer.clone();
        let mut out = Vec::with_capacity(plaintext.len() * 2);
        ops.push(op(format!("encode {name}"), "wacore", move || {
            out.clear();
            wacore_binary::marshal::marshal_to_vec(black_box(&peer), &mut out).expect("encodes");
            black_box(out.as_slice());
        }));
        ops.push(op(format!("encode {name}"), "wacore exact", move || {
            black_box(wacore_binary::marshal::marshal_exact(black_box(&again)).expect("encodes"));
        }));
    }
    ops
}

pub(crate) fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for (name, _) in CORPUS {
        let large = LARGE.contains(&name);
        let (decode, encode) = if large {
            (1.0 / 3.0, 1.0 / 2.5)
        } else {
            (0.5, 0.5)
        };
        let walk = if large { 0.55 } else { 0.85 };
        targets.push(Target {
            group: format!("decode {name}"),
            row: "wa",
            against: &["wacore"],
            at_most: decode,
        });
        targets.push(Target {
            group: format!("decode and walk {name}"),
            row: "wa",
            against: &["wacore"],
            at_most: walk,
        });
        targets.push(Target {
            group: format!("encode {name}"),
            row: "wa",
            against: &["wacore", "wacore exact"],
            at_most: encode,
        });
    }
    targets
}

/// Touches every tag, attribute and content. A JID is read as a JID, which is what either library hands out.
fn walk(node: wa_proto::NodeRef<'_>) -> usize {
    let mut sum = node.tag().with(str::len);
    for (key, value) in node.attrs() {
        sum += key.with(str::len);
        sum += match value {
            wa_proto::ValueRef::Text(text) => text.with(|text| black_box(text).len()),
            wa_proto::ValueRef::Jid(jid) => usize::from(black_box(jid.to_jid()).device()),
        };
    }
    if node.has_children() {
        node.children().fold(sum, |sum, child| sum + walk(child))
    } else {
        sum + node.bytes().map_or(0, |bytes| bytes.len())
    }
}

fn walk_peer(node: &wacore_binary::NodeRef<'_>) -> usize {
    use wacore_binary::node::ValueRef;
    let mut sum = node.tag.len();
    for (key, value) in node.attrs_iter() {
        sum += key.len();
        sum += match value {
            ValueRef::String(text) => black_box(&**text).len(),
            ValueRef::Jid(jid) => usize::from(black_box(jid).device),
        };
    }
    match node.children() {
        Some(children) => children
            .iter()
            .fold(sum, |sum, child| sum + walk_peer(child)),
        None => sum + node.content_bytes().map_or(0, <[u8]>::len),
    }
}
