//! IK with a cached server key: accepted, refused, gone wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{DAY, NOW, PAYLOAD, Scene, await_finish, body, done, providers};
use wa_crypto::NoiseStaticPublic;
use wa_noise::{
    CertificateError, FrameDecoder, HandshakeFailure, Pattern, ServerStatic, Transport,
    ValidityWindow,
};

fn assert_connected(client: &mut Transport, server: &mut Transport) {
    for number in 0..3_u8 {
        let mut wire = Vec::new();
        client.seal_frame(&[number], &mut wire).unwrap();
        assert_eq!(server.open_frame(&mut body(&wire)).unwrap(), [number]);
        let mut wire = Vec::new();
        server.seal_frame(&[number; 9], &mut wire).unwrap();
        assert_eq!(client.open_frame(&mut body(&wire)).unwrap(), [number; 9]);
    }
}

#[test]
fn a_known_key_connects_in_one_round_trip() {
    for provider in providers() {
        let mut scene = Scene::on(provider);
        let cached = scene.cached();
        let (awaiting, hello) = scene.hello(Some(cached));
        assert_eq!(awaiting.offered(), Pattern::Ik);
        let (step, answer) = scene.answer(&hello, true).unwrap();
        let mut accepted = done(step);
        assert_eq!(accepted.pattern, Pattern::Ik);
        assert_eq!(accepted.payload, PAYLOAD);
        assert_eq!(accepted.client_static, scene.device.public());

        let mut out = Vec::new();
        let mut established = awaiting.read(&answer, NOW, &mut out).unwrap();
        assert_eq!(out, b"", "the client has nothing more to say");
        assert_eq!(established.pattern, Pattern::Ik);
        assert_eq!(established.server, None, "the cache stays as it is");
        assert_connected(&mut established.transport, &mut accepted.transport);
    }
}

#[test]
fn an_ik_answer_without_a_chain_is_accepted() {
    let mut scene = Scene::new();
    scene.identity.chain.clear();
    let cached = scene.cached();
    let (awaiting, hello) = scene.hello(Some(cached));
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let mut established = awaiting.read(&answer, NOW, &mut Vec::new()).unwrap();
    assert_connected(&mut established.transport, &mut done(step).transport);
}

#[test]
fn a_server_with_another_key_falls_back_and_the_new_key_is_cacheable() {
    let mut scene = Scene::new();
    let cached = scene.cached_elsewhere();
    assert_falls_back(&mut scene, cached, true);
}

#[test]
fn a_server_that_does_not_want_ik_falls_back() {
    let mut scene = Scene::new();
    let cached = scene.cached();
    assert_falls_back(&mut scene, cached, false);
}

fn assert_falls_back(scene: &mut Scene, cached: ServerStatic, allow_ik: bool) {
    let (awaiting, hello) = scene.hello(Some(cached));
    let (step, answer) = scene.answer(&hello, allow_ik).unwrap();
    let mut out = Vec::new();
    let mut established = awaiting.read(&answer, NOW, &mut out).unwrap();
    assert_eq!(established.pattern, Pattern::XxFallback);
    assert_eq!(established.server, Some(scene.cached()));
    let mut accepted = await_finish(step).read(&body(&out)).unwrap();
    assert_eq!(accepted.pattern, Pattern::XxFallback);
    assert_eq!(accepted.payload, PAYLOAD);
    assert_eq!(accepted.client_static, scene.device.public());
    assert_connected(&mut established.transport, &mut accepted.transport);
}

#[test]
fn the_key_an_xx_handshake_returns_works_for_ik() {
    let mut scene = Scene::new();
    let (awaiting, hello) = scene.hello(None);
    let (_, answer) = scene.answer(&hello, true).unwrap();
    let cached = awaiting
        .read(&answer, NOW, &mut Vec::new())
        .unwrap()
        .server
        .unwrap();
    assert!(cached.usable_at(NOW));

    let (awaiting, hello) = scene.hello(Some(cached));
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let mut established = awaiting.read(&answer, NOW, &mut Vec::new()).unwrap();
    assert_connected(&mut established.transport, &mut done(step).transport);
}

#[test]
fn a_cached_key_whose_certificates_ended_is_not_trusted() {
    let mut scene = Scene::new();
    let ended = ValidityWindow {
        not_before: NOW - DAY,
        not_after: NOW - 1,
    };
    let cached = ServerStatic {
        leaf: ended,
        ..scene.cached()
    };
    assert!(!cached.usable_at(NOW));
    let (awaiting, hello) = scene.hello(Some(cached));
    let (_, answer) = scene.answer(&hello, true).unwrap();
    let error = awaiting.read(&answer, NOW, &mut Vec::new()).unwrap_err();
    assert!(matches!(
        error.failure,
        HandshakeFailure::Certificate(CertificateError::Expired { .. })
    ));
    assert!(error.is_ik_specific() && error.is_clock());
}

#[test]
fn a_cached_key_of_low_order_counts_as_none() {
    let mut scene = Scene::new();
    let cached = ServerStatic {
        key: NoiseStaticPublic::from_bytes([0; 32]),
        ..scene.cached()
    };
    let (awaiting, hello) = scene.hello(Some(cached));
    assert_eq!(awaiting.offered(), Pattern::Xx);
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let mut out = Vec::new();
    let established = awaiting.read(&answer, NOW, &mut out).unwrap();
    assert_eq!(established.pattern, Pattern::Xx);
    assert_eq!(
        await_finish(step).read(&body(&out)).unwrap().payload,
        PAYLOAD
    );
}

#[test]
fn frames_that_come_with_the_answer_are_not_lost() {
    let mut scene = Scene::new();
    let cached = scene.cached();
    let mut wire = Vec::new();
    let awaiting = scene
        .client(Some(cached))
        .start(&mut scene.rng, None, &mut wire)
        .unwrap();
    let (step, answer) = scene.answer(&body(&wire[4..]), true).unwrap();
    let mut accepted = done(step);
    let mut chunk = Vec::new();
    wa_noise::write_frame(&answer, &mut chunk).unwrap();
    accepted
        .transport
        .seal_frame(b"\0success", &mut chunk)
        .unwrap();
    accepted
        .transport
        .seal_frame(b"\0more", &mut chunk)
        .unwrap();

    for cut in 0..chunk.len() {
        let awaiting = restart(&scene, cached, &wire);
        let mut frames = FrameDecoder::new();
        frames.push(&chunk[..cut]);
        let mut client = Client {
            awaiting: Some(awaiting),
            transport: None,
            opened: vec![],
        };
        client.drain(&mut frames);
        frames.push(&chunk[cut..]);
        client.drain(&mut frames);
        assert_eq!(
            client.opened,
            [b"\0success".to_vec(), b"\0more".to_vec()],
            "cut at {cut}"
        );
    }
    drop(awaiting);
}

/// The same client once more: same ephemeral key, so the same answer fits it.
fn restart(scene: &Scene, cached: ServerStatic, wire: &[u8]) -> wa_noise::AwaitServerHello {
    let mut again = Vec::new();
    let mut rng = Scene::new().rng;
    let awaiting = scene
        .client(Some(cached))
        .start(&mut rng, None, &mut again)
        .unwrap();
    assert_eq!(again, wire);
    awaiting
}

struct Client {
    awaiting: Option<wa_noise::AwaitServerHello>,
    transport: Option<Transport>,
    opened: Vec<Vec<u8>>,
}

impl Client {
    fn drain(&mut self, frames: &mut FrameDecoder) {
        while let Some(body) = frames.next_frame().unwrap() {
            match (&mut self.transport, self.awaiting.take()) {
                (Some(transport), _) => self
                    .opened
                    .push(transport.open_frame(body).unwrap().to_vec()),
                (None, Some(awaiting)) => {
                    let established = awaiting.read(body, NOW, &mut Vec::new()).unwrap();
                    self.transport = Some(established.transport);
                }
                (None, None) => panic!("neither a handshake nor a transport"),
            }
        }
    }
}
