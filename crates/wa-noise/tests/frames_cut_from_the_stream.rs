//! Frame bodies come out whole and in order however the stream is cut, and memory follows the bytes that came.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_noise::{
    FrameDecoder, FrameError, MAX_FRAME_LEN, MAX_HANDSHAKE_FRAME_LEN, MAX_RESERVED_AHEAD,
    MAX_RETAINED_CAPACITY, write_frame,
};

fn drain(frames: &mut FrameDecoder) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some(body) = frames.next_frame().unwrap() {
        bodies.push(body.to_vec());
    }
    bodies
}

fn stream(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut wire = Vec::new();
    for body in bodies {
        write_frame(body, &mut wire).unwrap();
    }
    wire
}

fn some_bodies() -> Vec<Vec<u8>> {
    vec![
        b"one".to_vec(),
        vec![],
        vec![7; 300],
        vec![],
        vec![],
        vec![9; 70_000],
        b"end".to_vec(),
    ]
}

#[test]
fn a_frame_is_three_length_bytes_and_the_body() {
    let mut wire = b"before".to_vec();
    write_frame(&[0xAA; 0x0102], &mut wire).unwrap();
    assert_eq!(wire[..6], *b"before");
    assert_eq!(wire[6..9], [0, 1, 2]);
    assert_eq!(wire[9..], [0xAA; 0x0102]);
}

#[test]
fn split_at_every_byte_the_bodies_are_the_same() {
    let bodies = vec![
        b"one".to_vec(),
        vec![],
        vec![7; 300],
        vec![],
        b"end".to_vec(),
    ];
    let wire = stream(&bodies);
    for cut in 0..=wire.len() {
        let mut frames = FrameDecoder::new();
        frames.push(&wire[..cut]);
        let mut got = drain(&mut frames);
        frames.push(&wire[cut..]);
        got.extend(drain(&mut frames));
        assert_eq!(got, bodies, "cut at {cut}");
        assert_eq!(frames.pending(), 0);
    }
}

#[test]
fn in_pieces_of_any_size_the_bodies_are_the_same() {
    let bodies = some_bodies();
    let wire = stream(&bodies);
    for size in [1, 2, 3, 4, 5, 7, 64, 1000, 65_536, wire.len()] {
        let mut frames = FrameDecoder::new();
        let mut got = Vec::new();
        for piece in wire.chunks(size) {
            frames.push(piece);
            got.extend(drain(&mut frames));
        }
        assert_eq!(got, bodies, "pieces of {size}");
    }
}

#[test]
fn pushing_again_before_draining_loses_nothing() {
    let bodies = some_bodies();
    let wire = stream(&bodies);
    let mut frames = FrameDecoder::new();
    let mut got = Vec::new();
    for piece in wire.chunks(50) {
        frames.push(piece);
        if let Some(body) = frames.next_frame().unwrap() {
            got.push(body.to_vec());
        }
    }
    got.extend(drain(&mut frames));
    assert_eq!(got, bodies);
}

#[test]
fn a_body_can_be_changed_where_it_lies() {
    let mut frames = FrameDecoder::new();
    frames.push(&stream(&[vec![1; 4], vec![2; 4]]));
    frames.next_frame().unwrap().unwrap().fill(0xFF);
    assert_eq!(frames.next_frame().unwrap().unwrap(), [2; 4]);
}

#[test]
fn an_announced_length_reserves_no_more_than_the_bound() {
    let mut frames = FrameDecoder::new();
    frames.push(&[0xFF, 0xFF, 0xFF]);
    assert_eq!(frames.next_frame(), Ok(None));
    let mut seen = 3;
    assert!(
        frames.capacity() <= seen + MAX_RESERVED_AHEAD,
        "{}",
        frames.capacity()
    );
    for piece in [
        vec![0; 1],
        vec![0; 10_000],
        vec![0; 60_000],
        vec![0; 300_000],
        vec![0; 1],
    ] {
        frames.push(&piece);
        seen += piece.len();
        assert_eq!(frames.next_frame(), Ok(None));
        assert!(
            frames.capacity() <= seen + MAX_RESERVED_AHEAD,
            "{} at {seen}",
            frames.capacity()
        );
    }
}

#[test]
fn a_short_announced_length_is_reserved_as_a_whole() {
    let mut frames = FrameDecoder::new();
    frames.push(&[0, 0x40, 0]);
    let reserved = frames.capacity();
    assert!(reserved >= 3 + 0x4000);
    for _ in 0..0x4000 {
        frames.push(&[1]);
    }
    assert_eq!(frames.capacity(), reserved);
    assert_eq!(frames.next_frame().unwrap().unwrap().len(), 0x4000);
}

#[test]
fn the_longest_frame_passes_and_its_memory_is_given_back() {
    let body = vec![3; MAX_FRAME_LEN];
    let mut frames = FrameDecoder::new();
    for piece in stream(std::slice::from_ref(&body)).chunks(100_000) {
        frames.push(piece);
    }
    assert!(frames.next_frame().unwrap().unwrap() == body);
    assert!(frames.capacity() > MAX_FRAME_LEN);
    assert_eq!(frames.next_frame(), Ok(None));
    assert_eq!(frames.capacity(), 0);
}

#[test]
fn a_silent_stream_keeps_no_buffer_and_loses_nothing() {
    let wire = stream(&[b"one".to_vec(), b"two".to_vec()]);
    let mut frames = FrameDecoder::new();
    frames.push(&wire[..8]);
    assert_eq!(frames.next_frame().unwrap().unwrap(), b"one");
    frames.rest();
    assert!(frames.capacity() > 0, "two bytes of the next frame wait");
    frames.push(&wire[8..]);
    assert_eq!(frames.next_frame().unwrap().unwrap(), b"two");
    frames.rest();
    assert_eq!(frames.capacity(), 0);
    frames.push(&wire);
    assert_eq!(frames.next_frame().unwrap().unwrap(), b"one");
}

#[test]
fn the_memory_of_a_long_frame_is_given_back_with_the_next_one_begun() {
    let mut wire = stream(&[vec![3; 1_000_000], b"next".to_vec()]);
    let rest = wire.split_off(wire.len() - 2);
    let mut frames = FrameDecoder::new();
    frames.push(&wire);
    assert_eq!(frames.next_frame().unwrap().unwrap().len(), 1_000_000);
    assert_eq!(frames.next_frame(), Ok(None));
    assert!(
        frames.capacity() <= MAX_RETAINED_CAPACITY,
        "{}",
        frames.capacity()
    );
    frames.push(&rest);
    assert_eq!(frames.next_frame().unwrap().unwrap(), b"next");
}

#[test]
fn frames_of_64_kib_reuse_one_buffer() {
    let wire = stream(&[vec![1; 65_536 + 16]]);
    let mut frames = FrameDecoder::new();
    frames.push(&wire);
    drain(&mut frames);
    let capacity = frames.capacity();
    for _ in 0..10 {
        frames.push(&wire);
        let body = frames.next_frame().unwrap().unwrap();
        assert_eq!(body.len(), 65_536 + 16);
        drain(&mut frames);
        assert_eq!(frames.capacity(), capacity);
    }
}

#[test]
fn an_empty_decoder_owns_no_memory() {
    assert_eq!(std::mem::take(&mut FrameDecoder::new()).capacity(), 0);
}

#[test]
fn a_body_over_the_format_is_not_written() {
    let mut wire = b"before".to_vec();
    write_frame(&vec![0; MAX_FRAME_LEN], &mut Vec::new()).unwrap();
    let refused = write_frame(&vec![0; MAX_FRAME_LEN + 1], &mut wire);
    assert_eq!(
        refused,
        Err(FrameError::TooLong {
            got: MAX_FRAME_LEN + 1,
            limit: MAX_FRAME_LEN
        })
    );
    assert_eq!(wire, b"before");
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_body_comes() {
    let announce = |length: usize| {
        let [.., a, b, c] = length.to_be_bytes();
        let mut frames = FrameDecoder::with_limit(MAX_HANDSHAKE_FRAME_LEN);
        frames.push(&[a, b, c]);
        frames.next_frame().map(|body| body.is_some())
    };
    assert_eq!(announce(MAX_HANDSHAKE_FRAME_LEN), Ok(false));
    assert_eq!(
        announce(MAX_HANDSHAKE_FRAME_LEN + 1),
        Err(FrameError::Refused {
            announced: MAX_HANDSHAKE_FRAME_LEN + 1,
            limit: MAX_HANDSHAKE_FRAME_LEN
        })
    );
}

#[test]
fn a_limit_lifted_after_the_handshake_holds_for_what_is_buffered() {
    let mut frames = FrameDecoder::with_limit(100);
    frames.push(&stream(&[vec![1; 100], vec![2; 101]]));
    assert_eq!(frames.next_frame().unwrap().unwrap().len(), 100);
    assert_eq!(
        frames.next_frame(),
        Err(FrameError::Refused {
            announced: 101,
            limit: 100
        })
    );
    frames.set_limit(MAX_FRAME_LEN);
    assert_eq!(frames.next_frame().unwrap().unwrap().len(), 101);
}
