//! What the codec allocates: nothing in the steady state, and little for hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use allocation_counter::measure;
use common::corpus;
use wa_proto::{Decoder, NodeRef, ValueRef, encode_with, tok};

/// Reads every tag, key, value and content, all but old group ids without allocating.
fn walk(node: NodeRef<'_>) -> usize {
    let mut sum = node.tag().with(str::len);
    for (key, value) in node.attrs() {
        sum += key.with(str::len);
        sum += match value {
            ValueRef::Text(text) => text.with(str::len),
            ValueRef::Jid(jid) => usize::from(jid.to_jid().device()),
        };
    }
    sum += node.bytes().map_or(0, |bytes| bytes.len());
    sum + node.children().map(walk).sum::<usize>()
}

#[test]
fn decoding_and_reading_allocates_nothing_once_the_decoder_has_grown() {
    for (name, bytes) in corpus() {
        let mut decoder = Decoder::new();
        let expected = walk(decoder.decode(bytes).unwrap());
        let info = measure(|| assert_eq!(walk(decoder.decode(bytes).unwrap()), expected));
        assert_eq!(info.count_total, 0, "{name}");
    }
}

#[test]
fn a_decoder_at_rest_holds_nothing() {
    for (name, bytes) in corpus() {
        let info = measure(|| {
            let mut decoder = Decoder::new();
            assert!(decoder.decode(bytes).is_ok());
            decoder.rest();
            std::mem::forget(decoder);
        });
        assert_eq!(info.bytes_current, 0, "{name}");
    }
}

#[test]
fn a_fresh_decoder_grows_a_few_times_not_once_per_node() {
    for (name, bytes) in corpus() {
        let info = measure(|| {
            let mut decoder = Decoder::new();
            assert!(decoder.decode(bytes).is_ok());
        });
        assert!(info.count_total < 24, "{name}: {}", info.count_total);
    }
}

#[test]
fn encoding_into_a_buffer_that_is_large_enough_allocates_nothing() {
    for (name, bytes) in corpus() {
        let node = Decoder::new().decode(bytes).unwrap().to_owned();
        let mut out = Vec::new();
        node.encode_into(&mut out).unwrap();
        assert_eq!(out, bytes, "{name}");
        let info = measure(|| {
            out.clear();
            node.encode_into(&mut out).unwrap();
        });
        assert_eq!(info.count_total, 0, "{name}");
    }
}

#[test]
fn streaming_keys_allocates_nothing_per_key() {
    let keys = vec![[7_u8; 32]; 812];
    let mut out = Vec::with_capacity(64 * 1024);
    let info = measure(|| {
        encode_with(&mut out, |writer| {
            writer.parent(&tok!("list"), &[], keys.len(), |writer| {
                keys.iter().try_for_each(|key| {
                    writer.parent(&tok!("key"), &[], 2, |writer| {
                        writer.leaf(&tok!("id"), &[], &[0, 0, 1])?;
                        writer.leaf(&tok!("value"), &[], key)
                    })
                })
            })
        })
        .unwrap();
    });
    assert_eq!(info.count_total, 0);
}

/// Frames made to cost as much as they can for their length.
fn hostile_frames() -> Vec<Vec<u8>> {
    let mut frames = vec![
        // Lists and lengths that announce what is not there.
        vec![0x00, 0xf8, 0x02, 0x19, 0xf9, 0xff, 0xff],
        vec![0x00, 0xf8, 0x02, 0x19, 0xfe, 0xff, 0xff, 0xff, 0xff],
        vec![0x00, 0xf9, 0x04, 0x01, 0x19],
    ];
    for count in [10, 240, 1_000, 30_000] {
        // As many of the smallest nodes as possible, complete and cut short.
        let mut nodes = vec![0x00, 0xf8, 0x02, 0x19, 0xf9];
        nodes.extend((count as u16).to_be_bytes());
        nodes.extend([0xf8, 0x01, 0x19].repeat(count));
        frames.push(nodes[..nodes.len() - 1].to_vec());
        frames.push(nodes);
        // As many attributes as possible.
        let per_node = 500;
        let mut attributes = vec![0x00, 0xf8, 0x02, 0x19, 0xf9];
        attributes.extend((count.div_ceil(per_node) as u16).to_be_bytes());
        for _ in 0..count.div_ceil(per_node) {
            attributes.push(0xf9);
            attributes.extend((1 + 2 * per_node as u16).to_be_bytes());
            attributes.push(0x19);
            attributes.extend([0x04, 0x14].repeat(per_node));
        }
        frames.push(attributes);
    }
    // At each depth a list that announces all it may.
    let mut nested = vec![0x00];
    for _ in 0..62 {
        nested.extend([0xf8, 0x02, 0x19, 0xf9, 0x00, 0xff]);
    }
    nested.extend([0xf8, 0x01, 0x19].repeat(300));
    frames.push(nested);
    frames
}

#[test]
fn hostile_frames_cost_sixteen_times_their_length_at_most() {
    for frame in hostile_frames() {
        let info = measure(|| {
            let _ = Decoder::new().decode(&frame);
        });
        let limit = 16 * frame.len() as u64 + 4096;
        assert!(
            info.bytes_max <= limit,
            "{} bytes for {}",
            info.bytes_max,
            frame.len()
        );
    }
}

#[test]
fn a_compressed_frame_costs_no_more_than_the_inflated_limit_allows() {
    // 16 MiB of the smallest nodes behind 16 KiB: the limit of elements ends it.
    let mut node = vec![0xf8, 0x02, 0x19, 0xf8, 0x40];
    for _ in 0..64 {
        node.extend([0xf8, 0x02, 0x19, 0xf9, 0xff, 0xff]);
        node.extend([0xf8, 0x01, 0x19].repeat(0xffff));
    }
    let mut frame = vec![0x02];
    frame.extend(miniz_oxide::deflate::compress_to_vec_zlib(&node, 6));
    let mut decoder = Decoder::new();
    let info = measure(|| assert!(decoder.decode(&frame).is_err()));
    assert!(info.bytes_max < 80 << 20, "{}", info.bytes_max);
    // What it needed is given back for the next stanza.
    let info = measure(|| assert!(decoder.decode(&[0x00, 0xf8, 0x01, 0x19]).is_ok()));
    assert!(info.bytes_current < -(8 << 20), "{}", info.bytes_current);
}
