//! The table of malformed input in the node chapter, 9, and how the errors name it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{corpus, unhex};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use wa_proto::{DecodeError, Decoder};

fn error(hex: &str) -> DecodeError {
    Decoder::new().decode(&unhex(hex)).unwrap_err()
}

#[test]
fn each_row_has_its_error() {
    use DecodeError::{
        Empty, EmptyNode, EmptyTag, JidServer, ListTooLong, NotANode, NotText, Packed,
        TrailingBytes, Truncated,
    };
    let cases = [
        ("", Empty),
        ("00", Truncated { offset: 0 }),
        ("00f8011900", TrailingBytes { count: 1 }),
        ("00f800", EmptyNode { offset: 0 }),
        ("0000", EmptyNode { offset: 0 }),
        ("00f80219f8010000", EmptyNode { offset: 5 }),
        (
            "00fc0161",
            NotANode {
                offset: 0,
                byte: 0xfc,
            },
        ),
        ("00f80100", NotText { offset: 2, byte: 0 }),
        ("00f801fc00", EmptyTag { offset: 2 }),
        ("00f801ff00", EmptyTag { offset: 2 }),
        ("00f801fd000000", EmptyTag { offset: 2 }),
        (
            "00f801f0",
            NotText {
                offset: 2,
                byte: 0xf0,
            },
        ),
        (
            "00f801f4",
            NotText {
                offset: 2,
                byte: 0xf4,
            },
        ),
        (
            "00f8031908f1",
            NotText {
                offset: 4,
                byte: 0xf1,
            },
        ),
        (
            "00f8031908f80119",
            NotText {
                offset: 4,
                byte: 0xf8,
            },
        ),
        (
            "00f803f8011919",
            NotText {
                offset: 2,
                byte: 0xf8,
            },
        ),
        (
            "00f803fa000319",
            NotText {
                offset: 2,
                byte: 0xfa,
            },
        ),
        ("00f803190011", NotText { offset: 3, byte: 0 }),
        ("00f8031908ff011c", Packed { offset: 4 }),
        ("00f8031908ff01c1", Packed { offset: 4 }),
        ("00f8031908ff01d1", Packed { offset: 4 }),
        ("00f8031908ff011e", Packed { offset: 4 }),
        ("00f8031908ff011f", Packed { offset: 4 }),
        ("00f8031908ff81f1", Packed { offset: 4 }),
        ("00f8031908ff80", Packed { offset: 4 }),
        ("00f8031908fb80", Packed { offset: 4 }),
        ("00f8031911fa0000", JidServer { offset: 4 }),
        ("00f8031911fa00fc00", JidServer { offset: 4 }),
        ("00f8031911f6ff0112000503", JidServer { offset: 4 }),
        ("00f8031911f5ff01120005000103", JidServer { offset: 4 }),
        ("00f8031911f5ff011200050001", Truncated { offset: 12 }),
        ("00f80219fe80000000", Truncated { offset: 8 }),
        ("00f80219feffffffff00", Truncated { offset: 8 }),
        (
            "00f80219f9fffff80119",
            ListTooLong {
                count: 0xffff,
                remaining: 3,
            },
        ),
        (
            "00f9ffff19",
            DecodeError::TooManyAttributes {
                count: 32_767,
                limit: 512,
            },
        ),
        (
            "00f90101190408",
            ListTooLong {
                count: 128,
                remaining: 2,
            },
        ),
    ];
    for (hex, expected) in cases {
        assert_eq!(error(hex), expected, "{hex}");
    }
}

#[test]
fn what_is_tolerated_reads_as_recommended() {
    let cases = [
        ("00f8031908ff8112", "1"),
        ("00f8031908ff82123c", "123"),
        ("00f8031908ff00", ""),
        ("00f8031908fb00", ""),
        ("00f803190800", ""),
        ("00f8031908fdf00003616263", "abc"),
        ("00f8031908fc02c328", "\u{fffd}("),
        ("00f8031908fb82abcf", "ABC"),
        ("01f8031908fc0161", "a"),
        ("fdf8031908fc0161", "a"),
    ];
    let mut decoder = Decoder::new();
    for (hex, expected) in cases {
        let bytes = unhex(hex);
        let stanza = decoder.decode(&bytes).unwrap();
        assert_eq!(stanza.attr_text("id").unwrap(), expected, "{hex}");
    }
}

#[test]
fn text_with_bad_sequences_equals_no_text() {
    let mut decoder = Decoder::new();
    let bytes = unhex("00f801fc02c328");
    let stanza = decoder.decode(&bytes).unwrap();
    assert_eq!(stanza.tag().to_string(), "\u{fffd}(");
    assert!(stanza.tag() != "\u{fffd}(");
}

#[test]
fn the_last_of_several_attributes_with_one_key_counts() {
    let mut decoder = Decoder::new();
    let bytes = unhex("00f80519041404fc0161");
    let stanza = decoder.decode(&bytes).unwrap();
    assert_eq!(stanza.attr_text("type").unwrap(), "a");
    assert_eq!(stanza.to_owned().get_text("type").unwrap(), "a");
    assert_eq!(stanza.attrs().len(), 2);
}

#[test]
fn a_plaintext_of_one_byte_02_ends_the_stream() {
    let mut decoder = Decoder::new();
    let stanza = decoder.decode(&[0x02]).unwrap();
    assert!(stanza.tag() == "xmlstreamend");
    assert_eq!(stanza.attrs().len(), 0);
    assert!(stanza.bytes().is_none());
}

#[test]
fn compressed_forms_other_than_zlib_are_refused() {
    let node = unhex("f80119");
    for stream in [
        compress_to_vec(&node, 6),
        unhex("1f8b0800000000000203fbc1280900fb62e63903000000"),
        node.clone(),
        unhex("789c"),
        unhex("78bb0000000000010203"),
    ] {
        let plaintext = [&[0x02][..], &stream].concat();
        assert_eq!(
            Decoder::new().decode(&plaintext).unwrap_err(),
            DecodeError::Inflate
        );
    }
}

#[test]
fn every_flaw_in_a_compressed_frame_is_an_error() {
    let (_, message) = corpus()[2];
    let mut stream = vec![0x02];
    stream.extend(compress_to_vec_zlib(&message[1..], 6));
    let mut decoder = Decoder::new();
    let original = decoder.decode(&stream).unwrap().to_owned();
    for len in 2..stream.len() {
        assert!(decoder.decode(&stream[..len]).is_err(), "{len}");
    }
    // The checksum covers all but the padding bits of a stored block, which mean nothing.
    for at in 1..stream.len() {
        let mut broken = stream.clone();
        broken[at] ^= 0x10;
        if let Ok(stanza) = decoder.decode(&broken) {
            assert_eq!(at, 3);
            assert_eq!(stanza.to_owned(), original);
        }
    }
    stream.push(0);
    assert_eq!(decoder.decode(&stream).unwrap_err(), DecodeError::Inflate);
}

#[test]
fn every_prefix_of_every_corpus_entry_is_refused() {
    let mut decoder = Decoder::new();
    for (name, bytes) in corpus() {
        // Of the large ones, the beginning, the end, and a sample of what lies between.
        for len in 0..bytes.len() {
            if len < 700 || len + 700 > bytes.len() || len % 97 == 0 {
                assert!(decoder.decode(&bytes[..len]).is_err(), "{name} {len}");
            }
        }
        assert!(decoder.decode(bytes).is_ok(), "{name}");
    }
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let mut decoder = Decoder::new();
    for (_, bytes) in &corpus()[..3] {
        let mut changed = bytes.to_vec();
        for at in 0..changed.len() {
            let before = changed[at];
            for value in 0..=255 {
                changed[at] = value;
                if let Ok(stanza) = decoder.decode(&changed) {
                    // All that can be read of it is read here.
                    let owned = stanza.to_owned();
                    assert_eq!(format!("{stanza:?}"), format!("{owned:?}"));
                }
            }
            changed[at] = before;
        }
    }
}
