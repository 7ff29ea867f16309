//! Every limit of the codec at N and at N + 1.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use miniz_oxide::deflate::compress_to_vec_zlib;
use wa_proto::{
    DecodeError, Decoder, EncodeError, MAX_ATTRIBUTES, MAX_CHILDREN, MAX_ELEMENTS,
    MAX_INFLATED_LEN, MAX_NODE_DEPTH, MAX_PLAINTEXT_LEN, Node, encode_with, tok,
};

fn nested(levels: usize) -> Node {
    (1..levels).fold(Node::new(tok!("iq")), |node, _| {
        Node::new(tok!("iq")).child(node)
    })
}

fn nested_bytes(levels: usize) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend([0xf8, 0x02, 0x13, 0xf8, 0x01].repeat(levels - 1));
    bytes.extend([0xf8, 0x01, 0x13]);
    bytes
}

fn with_attributes(count: usize) -> Node {
    (0..count).fold(Node::new(tok!("iq")), |node, index| {
        node.attr(format!("k{index}"), index)
    })
}

/// A node with `size` as the size of its list, and as many attributes as that means.
fn attribute_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0x00, 0xf9];
    bytes.extend((1 + 2 * count as u16).to_be_bytes());
    bytes.push(0x19);
    bytes.extend([0x04, 0x14].repeat(count));
    bytes
}

#[test]
fn depth() {
    let mut decoder = Decoder::new();
    let limit = MAX_NODE_DEPTH;
    assert!(decoder.decode(&nested_bytes(limit)).is_ok());
    assert_eq!(
        decoder.decode(&nested_bytes(limit + 1)).unwrap_err(),
        DecodeError::TooDeep {
            limit: limit as u32
        }
    );
    assert!(nested(limit).to_bytes().is_ok());
    assert_eq!(
        nested(limit + 1).to_bytes(),
        Err(EncodeError::TooDeep { limit })
    );
    // The innermost node may hold bytes or an empty list.
    let mut bytes = nested_bytes(limit);
    let at = bytes.len() - 3;
    bytes.truncate(at);
    bytes.extend([0xf8, 0x02, 0x13, 0xf8, 0x00]);
    assert!(decoder.decode(&bytes).is_ok());
}

#[test]
fn depth_in_a_compressed_frame() {
    let mut decoder = Decoder::new();
    for (levels, accepted) in [
        (MAX_NODE_DEPTH, true),
        (MAX_NODE_DEPTH + 1, false),
        (20_000, false),
    ] {
        let mut bytes = vec![0x02];
        bytes.extend(compress_to_vec_zlib(&nested_bytes(levels)[1..], 6));
        assert_eq!(decoder.decode(&bytes).is_ok(), accepted, "{levels}");
    }
}

#[test]
fn depth_of_a_writer() {
    fn write(levels: usize) -> Result<(), EncodeError> {
        fn inner(writer: &mut wa_proto::NodeWriter<'_>, levels: usize) -> Result<(), EncodeError> {
            if levels == 1 {
                return writer.empty(&tok!("iq"), &[]);
            }
            writer.parent(&tok!("iq"), &[], 1, |writer| inner(writer, levels - 1))
        }
        encode_with(&mut Vec::new(), |writer| inner(writer, levels))
    }
    assert_eq!(write(MAX_NODE_DEPTH), Ok(()));
    assert_eq!(
        write(MAX_NODE_DEPTH + 1),
        Err(EncodeError::TooDeep {
            limit: MAX_NODE_DEPTH
        })
    );
}

#[test]
fn attributes() {
    let mut decoder = Decoder::new();
    let limit = MAX_ATTRIBUTES;
    let most = with_attributes(limit);
    let bytes = most.to_bytes().unwrap();
    assert_eq!(decoder.decode(&bytes).unwrap().to_owned(), most);
    assert_eq!(
        with_attributes(limit + 1).to_bytes(),
        Err(EncodeError::TooManyAttributes {
            count: limit + 1,
            limit
        })
    );
    assert_eq!(
        decoder
            .decode(&attribute_bytes(limit))
            .unwrap()
            .attrs()
            .len(),
        limit
    );
    assert_eq!(
        decoder.decode(&attribute_bytes(limit + 1)).unwrap_err(),
        DecodeError::TooManyAttributes {
            count: limit as u32 + 1,
            limit: limit as u32
        }
    );
}

#[test]
fn children() {
    let mut decoder = Decoder::new();
    let limit = MAX_CHILDREN;
    let parent = |count| Node::new(tok!("list")).children(vec![Node::new(tok!("item")); count]);
    let bytes = parent(limit).to_bytes().unwrap();
    assert_eq!(decoder.decode(&bytes).unwrap().children().count(), limit);
    let error = EncodeError::TooManyChildren {
        count: limit + 1,
        limit,
    };
    assert_eq!(parent(limit + 1).to_bytes(), Err(error));
    let mut out = vec![7];
    let written = encode_with(&mut out, |writer| {
        writer.parent(&tok!("list"), &[], limit + 1, |_| Ok(()))
    });
    assert_eq!(written, Err(error));
    assert_eq!(out, [7]);
}

#[test]
fn nodes_and_attributes_together() {
    /// A root and as many parents of up to 60,000 nodes as it takes, and one attribute on the root.
    fn elements(count: usize) -> Vec<u8> {
        const FULL: usize = 60_000;
        let mut left = count - 2;
        let mut parents = Vec::new();
        while left > 0 {
            let children = (left - 1).min(FULL);
            parents.push(children);
            left -= 1 + children;
        }
        let mut bytes = vec![
            0x00,
            0xf8,
            0x04,
            0x19,
            0x04,
            0x14,
            0xf8,
            parents.len() as u8,
        ];
        for children in parents {
            if children == 0 {
                bytes.extend([0xf8, 0x01, 0x71]);
                continue;
            }
            bytes.extend([0xf8, 0x02, 0x71, 0xf9]);
            bytes.extend((children as u16).to_be_bytes());
            bytes.extend([0xf8, 0x01, 0x3f].repeat(children));
        }
        bytes
    }
    let mut decoder = Decoder::new();
    assert!(decoder.decode(&elements(MAX_ELEMENTS)).is_ok());
    assert_eq!(
        decoder.decode(&elements(MAX_ELEMENTS + 1)).unwrap_err(),
        DecodeError::TooManyElements {
            limit: MAX_ELEMENTS as u32
        }
    );
}

/// A node of this many bytes.
fn node_of(len: usize) -> Vec<u8> {
    let content = len - 8;
    let mut bytes = vec![0xf8, 0x02, 0x19, 0xfe];
    bytes.extend((content as u32).to_be_bytes());
    bytes.resize(len, 0xa5);
    bytes
}

#[test]
fn inflated_length() {
    let mut decoder = Decoder::new();
    for (len, expected) in [
        (MAX_INFLATED_LEN, Ok(MAX_INFLATED_LEN - 8)),
        (
            MAX_INFLATED_LEN + 1,
            Err(DecodeError::InflatedTooLong {
                limit: MAX_INFLATED_LEN as u32,
            }),
        ),
    ] {
        let mut bytes = vec![0x02];
        bytes.extend(compress_to_vec_zlib(&node_of(len), 1));
        let content = decoder
            .decode(&bytes)
            .map(|stanza| stanza.bytes().unwrap().len());
        assert_eq!(content, expected);
    }
}

#[test]
fn plaintext_length() {
    let mut decoder = Decoder::new();
    let mut bytes = vec![0x00];
    bytes.extend(node_of(MAX_PLAINTEXT_LEN - 1));
    assert!(decoder.decode(&bytes).is_ok());
    bytes.push(0);
    assert_eq!(
        decoder.decode(&bytes).unwrap_err(),
        DecodeError::TooLong {
            len: MAX_PLAINTEXT_LEN as u64 + 1,
            limit: MAX_PLAINTEXT_LEN as u32
        }
    );
}

#[test]
fn packed_length() {
    let mut decoder = Decoder::new();
    for len in [127, 128] {
        let text = "7".repeat(len);
        let node = Node::new(tok!("iq")).attr(tok!("id"), &text);
        let bytes = node.to_bytes().unwrap();
        assert_eq!(bytes.len() < 100, len == 127);
        assert_eq!(
            decoder.decode(&bytes).unwrap().attr_text("id").unwrap(),
            text
        );
    }
    // A reader takes all that the length byte can say: 127 bytes.
    let mut bytes = vec![0x00, 0xf8, 0x03, 0x19, 0x08, 0xff, 0x7f];
    bytes.resize(bytes.len() + 127, 0x99);
    let stanza = decoder.decode(&bytes).unwrap();
    assert_eq!(stanza.attr_text("id").unwrap(), "9".repeat(254));
}
