//! Frames after the handshake: sealed and opened in place, in order, once, within the format's limits.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{NOW, Scene, await_finish, body, providers};
use wa_crypto::Provider;
use wa_noise::{
    FrameDecoder, MAX_FRAME_LEN, MAX_PLAINTEXT_LEN, SealError, TAG_LEN, Transport, TransportError,
};

fn pair(provider: Provider) -> (Transport, Transport) {
    let mut scene = Scene::on(provider);
    let (awaiting, hello) = scene.hello(None);
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let mut out = Vec::new();
    let client = awaiting.read(&answer, NOW, &mut out).unwrap().transport;
    (
        client,
        await_finish(step).read(&body(&out)).unwrap().transport,
    )
}

#[test]
fn every_length_arrives_from_both_sides() {
    for provider in providers() {
        let (mut client, mut server) = pair(provider);
        for length in [0, 1, 15, 16, 17, 64, 1024, 65_536, 200_000] {
            let plaintext: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut wire = Vec::new();
            client.seal_frame(&plaintext, &mut wire).unwrap();
            assert_eq!(wire.len(), 3 + plaintext.len() + TAG_LEN);
            assert!(server.open_frame(&mut body(&wire)).unwrap() == plaintext);
            let mut wire = Vec::new();
            server.seal_frame(&plaintext, &mut wire).unwrap();
            assert!(client.open_frame(&mut body(&wire)).unwrap() == plaintext);
        }
    }
}

#[test]
fn the_three_ways_to_seal_write_the_same_bytes() {
    let plaintext = [7; 500];
    let sealed = |seal: fn(&mut Transport, &mut Vec<u8>, &[u8])| {
        let (mut client, _) = pair(Provider::rust());
        let mut wire = b"before".to_vec();
        seal(&mut client, &mut wire, &plaintext);
        seal(&mut client, &mut wire, &plaintext);
        wire
    };
    let copied = sealed(|client, wire, plaintext| client.seal_frame(plaintext, wire).unwrap());
    let written = sealed(|client, wire, plaintext| {
        let write = |out: &mut Vec<u8>| -> Result<(), ()> {
            out.extend_from_slice(plaintext);
            Ok(())
        };
        client.seal_frame_with(wire, write).unwrap();
    });
    assert_eq!(copied, written);

    let (client, _) = pair(Provider::rust());
    let (mut sealer, _) = client.split();
    let mut wire = b"before".to_vec();
    for _ in 0..2 {
        let start = wire.len();
        wire.extend_from_slice(b"???");
        wire.extend_from_slice(&plaintext);
        sealer.seal_written(start, &mut wire).unwrap();
    }
    assert_eq!(copied, wire);
}

#[test]
fn a_reused_buffer_is_not_replaced() {
    let (mut client, mut server) = pair(Provider::rust());
    let (mut wire, mut frames) = (Vec::new(), FrameDecoder::new());
    let (mut place, mut capacity) = (None, 0);
    for round in 0..20 {
        wire.clear();
        client.seal_frame(&[round; 65_536], &mut wire).unwrap();
        assert_eq!(
            *place.get_or_insert(wire.as_ptr()),
            wire.as_ptr(),
            "round {round}"
        );
        frames.push(&wire);
        assert!(
            server
                .open_frame(frames.next_frame().unwrap().unwrap())
                .unwrap()
                == [round; 65_536]
        );
        assert_eq!(frames.next_frame(), Ok(None));
        if round == 0 {
            capacity = frames.capacity();
        }
        assert_eq!(frames.capacity(), capacity, "round {round}");
    }
}

#[test]
fn the_longest_plaintext_fills_a_frame_and_one_byte_more_is_refused() {
    let (mut client, mut server) = pair(Provider::rust());
    let mut wire = Vec::new();
    client
        .seal_frame(&vec![1; MAX_PLAINTEXT_LEN], &mut wire)
        .unwrap();
    assert_eq!(wire.len(), 3 + MAX_FRAME_LEN);
    assert_eq!(
        server.open_frame(&mut wire.split_off(3)).unwrap().len(),
        MAX_PLAINTEXT_LEN
    );

    let (got, limit) = (MAX_PLAINTEXT_LEN + 1, MAX_PLAINTEXT_LEN);
    let too_long = TransportError::TooLong { got, limit };
    let mut wire = b"before".to_vec();
    assert_eq!(client.seal_frame(&vec![1; got], &mut wire), Err(too_long));
    assert_eq!(wire, b"before");
    let written = client.seal_frame_with(&mut wire, |out| -> Result<(), ()> {
        out.resize(out.len() + got, 1);
        Ok(())
    });
    assert_eq!(written, Err(SealError::Transport(too_long)));
    assert_eq!(wire, b"before");

    // Neither refusal used a counter.
    client.seal_frame(b"next", &mut wire).unwrap();
    assert_eq!(server.open_frame(&mut wire.split_off(9)), Ok(&b"next"[..]));
}

#[test]
fn a_writer_that_fails_or_removes_bytes_leaves_nothing_behind() {
    let (mut client, _) = pair(Provider::rust());
    let mut wire = b"before".to_vec();
    let failed = client.seal_frame_with(&mut wire, |out| {
        out.extend_from_slice(b"half");
        Err("no")
    });
    assert_eq!(failed, Err(SealError::Write("no")));
    assert_eq!(wire, b"before");
    let cut = client.seal_frame_with(&mut wire, |out| -> Result<(), ()> {
        out.pop();
        Ok(())
    });
    assert_eq!(cut, Err(SealError::Transport(TransportError::BufferCut)));
    assert_eq!(wire, b"before");
}

#[test]
fn a_changed_repeated_or_missing_frame_does_not_open() {
    let (mut client, mut server) = pair(Provider::rust());
    let mut sealed = Vec::new();
    for text in [b"zero", b"one.", b"two."] {
        let mut wire = Vec::new();
        client.seal_frame(text, &mut wire).unwrap();
        sealed.push(wire.split_off(3));
    }
    let mut open = |body: &[u8]| server.open_frame(&mut body.to_vec()).map(<[u8]>::to_vec);
    for bit in 0..sealed[0].len() * 8 {
        let mut changed = sealed[0].clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = open(&changed).unwrap_err();
        assert_eq!(
            error,
            TransportError::NotAuthentic { counter: 0 },
            "bit {bit}"
        );
        assert!(error.is_key_mismatch());
    }
    assert_eq!(open(&sealed[0]).unwrap(), b"zero");
    let repeated = open(&sealed[0]).unwrap_err();
    assert_eq!(repeated, TransportError::NotAuthentic { counter: 1 });
    assert!(!repeated.is_key_mismatch());
    assert_eq!(
        open(&sealed[2]),
        Err(TransportError::NotAuthentic { counter: 1 })
    );
    assert_eq!(open(&sealed[1]).unwrap(), b"one.");
}

#[test]
fn a_body_shorter_than_a_tag_does_not_open() {
    let (_, mut server) = pair(Provider::rust());
    for got in 0..TAG_LEN {
        let short = TransportError::TooShort {
            got,
            expected: TAG_LEN,
        };
        assert_eq!(server.open_frame(&mut vec![0; got]), Err(short));
    }
    assert_eq!(
        server.open_frame(&mut [0; TAG_LEN]),
        Err(TransportError::NotAuthentic { counter: 0 })
    );
}

#[test]
fn the_directions_work_apart() {
    let (client, server) = pair(Provider::rust());
    let ((mut client_seals, mut client_opens), (mut server_seals, mut server_opens)) =
        (client.split(), server.split());
    let mut wire = Vec::new();
    client_seals.seal_frame(b"up", &mut wire).unwrap();
    assert_eq!(server_opens.open_frame(&mut body(&wire)), Ok(&b"up"[..]));
    let mut wire = Vec::new();
    server_seals.seal_frame(b"down", &mut wire).unwrap();
    assert_eq!(client_opens.open_frame(&mut body(&wire)), Ok(&b"down"[..]));
}
