//! Opening transport frames. A frame opens once, so a batch is sealed before each measurement.

use super::{FRAMES, nonce, transports};
use crate::{Op, op_on};
use std::hint::black_box;
use wa_crypto::Provider;
use wa_noise::Transport;

/// What a batch may hold, so that it stays in the cache.
const BATCH_LEN: usize = 512 * 1024;
const MAX_BATCH: usize = 256;

pub(super) fn operations(ops: &mut Vec<Op>) {
    for (name, len) in FRAMES {
        let group = format!("open a frame of {name}");
        let batch = (BATCH_LEN / len).min(MAX_BATCH);
        for (row, provider) in [
            ("wa rust", Provider::rust()),
            ("wa aws-lc", Provider::aws_lc()),
        ] {
            let (client, mut server) = transports(provider);
            let plaintext = vec![0x42; len];
            let seal = move |_: u32, out: &mut Vec<u8>| {
                server.seal_frame(&plaintext, out).expect("seals");
                out.drain(..3);
            };
            let open = |client: &mut Transport, _: u32, body: &mut Vec<u8>| {
                black_box(client.open_frame(body).expect("opens"));
            };
            ops.push(opening(&group, row, batch, client, seal, open));
        }
        ops.push(aes_gcm(&group, batch, len));
        ops.push(aws_lc(&group, batch, len));
        ops.push(wacore(&group, batch, len));
    }
}

/// Bodies that were sealed and are opened one after the other.
struct Bodies<O> {
    opener: O,
    bodies: Vec<Vec<u8>>,
    /// Number of the first body of the batch.
    first: u32,
    next: usize,
}

fn opening<O: 'static>(
    group: &str,
    row: &'static str,
    batch: usize,
    opener: O,
    mut seal: impl FnMut(u32, &mut Vec<u8>) + 'static,
    mut open: impl FnMut(&mut O, u32, &mut Vec<u8>) + 'static,
) -> Op {
    let bodies = Bodies {
        opener,
        bodies: Vec::new(),
        first: 0,
        next: 0,
    };
    let prepare = move |at: &mut Bodies<O>, runs: usize| {
        at.first += at.next as u32;
        at.next = 0;
        at.bodies.resize_with(runs, Vec::new);
        for (counter, body) in (at.first..).zip(&mut at.bodies) {
            body.clear();
            seal(counter, body);
        }
    };
    let run = move |at: &mut Bodies<O>| {
        let counter = at.first + at.next as u32;
        open(&mut at.opener, counter, &mut at.bodies[at.next]);
        at.next += 1;
    };
    op_on(group, row, batch, bodies, prepare, run)
}

fn aes_gcm(group: &str, batch: usize, len: usize) -> Op {
    use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
    let key = Aes256Gcm::new(&[0x42; 32].into());
    let sealer = key.clone();
    let seal = move |counter: u32, out: &mut Vec<u8>| {
        out.resize(len, 0x42);
        let tag = sealer
            .encrypt_inout_detached(&nonce(counter).into(), &[], out.as_mut_slice().into())
            .expect("seals");
        out.extend_from_slice(&tag);
    };
    let open = move |key: &mut Aes256Gcm, counter: u32, body: &mut Vec<u8>| {
        let (text, tag) = body.split_at_mut(len);
        let tag: [u8; 16] = (&*tag).try_into().expect("a tag");
        key.decrypt_inout_detached(&nonce(counter).into(), &[], text.into(), &tag.into())
            .expect("opens");
    };
    opening(group, "bare aes-gcm", batch, key, seal, open)
}

fn aws_lc(group: &str, batch: usize, len: usize) -> Op {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = || LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0x42; 32]).expect("32 bytes"));
    let sealer = key();
    let seal = move |counter: u32, out: &mut Vec<u8>| {
        out.resize(len, 0x42);
        let nonce = Nonce::assume_unique_for_key(nonce(counter));
        sealer
            .seal_in_place_append_tag(nonce, Aad::empty(), out)
            .expect("seals");
    };
    let open = |key: &mut LessSafeKey, counter: u32, body: &mut Vec<u8>| {
        let nonce = Nonce::assume_unique_for_key(nonce(counter));
        black_box(key.open_in_place(nonce, Aad::empty(), body).expect("opens"));
    };
    opening(group, "bare aws-lc", batch, key(), seal, open)
}

fn wacore(group: &str, batch: usize, len: usize) -> Op {
    let key = || wacore_noise::NoiseCipher::new(&[0x42; 32]).expect("32 bytes");
    let sealer = key();
    let seal = move |counter: u32, out: &mut Vec<u8>| {
        out.resize(len, 0x42);
        sealer
            .encrypt_in_place_with_counter(counter, out)
            .expect("seals");
    };
    let open = |key: &mut wacore_noise::NoiseCipher, counter: u32, body: &mut Vec<u8>| {
        key.decrypt_in_place_with_counter(counter, body)
            .expect("opens");
    };
    opening(group, "wacore", batch, key(), seal, open)
}
