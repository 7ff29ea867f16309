//! Nothing a peer sends makes the crate panic.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{NOW, Scene, await_finish, body};
use proptest::prelude::*;
use wa_noise::{FrameDecoder, PreambleDecoder, verify_chain, write_frame};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A message, and one that is nearly it: bytes replaced, then cut.
fn nearly(
    bytes: &[u8],
    changes: &[(prop::sample::Index, u8)],
    keep: prop::sample::Index,
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    bytes.truncate(keep.index(bytes.len() * 4).min(bytes.len()));
    bytes
}

prop_compose! {
    fn damage()(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        keep in any::<prop::sample::Index>(),
    ) -> (Vec<(prop::sample::Index, u8)>, prop::sample::Index) {
        (changes, keep)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn frames_come_out_as_they_went_in(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        sizes in prop::collection::vec(1_usize..400, 1..20),
    ) {
        let mut wire = Vec::new();
        bodies.iter().for_each(|body| write_frame(body, &mut wire).unwrap());
        let (mut frames, mut got, mut rest) = (FrameDecoder::new(), Vec::new(), wire.as_slice());
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            frames.push(piece);
            while let Some(body) = frames.next_frame().unwrap() {
                got.push(body.to_vec());
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, bodies);
    }

    #[test]
    fn a_decoder_takes_anything(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        limit in 0_usize..100_000,
    ) {
        let mut frames = FrameDecoder::with_limit(limit);
        let mut preamble = PreambleDecoder::new();
        for piece in &pieces {
            frames.push(piece);
            while let Ok(Some(body)) = frames.next_frame() {
                prop_assert!(body.len() <= limit);
            }
            prop_assert!(frames.capacity() <= frames.pending() + 200 + wa_noise::MAX_RESERVED_AHEAD);
            let _ = preamble.read(piece);
        }
    }

    #[test]
    fn a_client_takes_any_answer(bytes in prop::collection::vec(any::<u8>(), 0..400), ik in any::<bool>()) {
        let mut scene = Scene::new();
        let cached = ik.then(|| scene.cached());
        let (awaiting, _) = scene.hello(cached);
        let mut out = Vec::new();
        prop_assert!(awaiting.read(&bytes, NOW, &mut out).is_err());
        prop_assert!(out.is_empty());
    }

    #[test]
    fn a_client_takes_a_damaged_answer((changes, keep) in damage(), ik in 0..3) {
        let mut scene = Scene::new();
        let cached = match ik {
            0 => None,
            1 => Some(scene.cached()),
            _ => Some(scene.cached_elsewhere()),
        };
        let (awaiting, hello) = scene.hello(cached);
        let (_, answer) = scene.answer(&hello, true).unwrap();
        let damaged = nearly(&answer, &changes, keep);
        let mut out = Vec::new();
        if awaiting.read(&damaged, NOW, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
    }

    #[test]
    fn a_server_takes_any_hello(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Scene::new().answer(&bytes, true).is_err());
    }

    #[test]
    fn a_server_takes_a_damaged_hello_and_finish((changes, keep) in damage(), ik in any::<bool>()) {
        let mut scene = Scene::new();
        let cached = ik.then(|| scene.cached());
        let (awaiting, hello) = scene.hello(cached);
        let _ = scene.answer(&nearly(&hello, &changes, keep), true);

        let (step, answer) = scene.answer(&hello, false).unwrap();
        let mut out = Vec::new();
        awaiting.read(&answer, NOW, &mut out).unwrap();
        let _ = await_finish(step).read(&nearly(&body(&out), &changes, keep));
    }

    #[test]
    fn any_chain_gets_a_verdict((changes, keep) in damage(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let scene = Scene::new();
        let (root, server) = (scene.authority.root(), scene.identity.static_secret.public());
        prop_assert!(verify_chain(&root, &bytes, &server, NOW).is_err());
        let damaged = nearly(&scene.identity.chain, &changes, keep);
        if damaged != scene.identity.chain
            && let Ok(verified) = verify_chain(&root, &damaged, &server, NOW)
        {
            prop_assert_eq!(verified.key, server);
        }
    }
}
