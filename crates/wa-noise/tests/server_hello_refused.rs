//! Every way in which a server's answer can be wrong has its own error, and nothing is sent to that server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{DAY, NOW, Scene, body};
use prost::Message as _;
use wa_crypto::{NoiseStaticPublic, NoiseStaticSecret};
use wa_noise::{
    Certificate, CertificateAuthority, CertificateError, HandshakeError, HandshakeFailure, Message,
    Pattern, ServerIdentity, ServerStatic,
};
use wa_proto::pb::{HandshakeMessage, handshake_message::ServerHello};

/// Has the server's answer changed on its way, and returns what the client makes of it.
fn tampered(
    scene: &mut Scene,
    cached: Option<ServerStatic>,
    tamper: impl FnOnce(&mut ServerHello),
) -> HandshakeError {
    let (awaiting, hello) = scene.hello(cached);
    let (_, answer) = scene.answer(&hello, true).unwrap();
    let mut message = HandshakeMessage::decode(answer.as_slice()).unwrap();
    tamper(message.server_hello.as_mut().unwrap());
    let mut out = b"before".to_vec();
    let error = awaiting
        .read(&message.encode_to_vec(), NOW, &mut out)
        .unwrap_err();
    assert_eq!(out, b"before", "nothing is sent after {error}");
    error
}

fn in_xx(tamper: impl FnOnce(&mut ServerHello)) -> HandshakeFailure {
    let error = tampered(&mut Scene::new(), None, tamper);
    assert_eq!(error.pattern, Pattern::Xx);
    assert!(!error.is_ik_specific());
    error.failure
}

fn in_ik(tamper: impl FnOnce(&mut ServerHello)) -> HandshakeFailure {
    let mut scene = Scene::new();
    let cached = scene.cached();
    let error = tampered(&mut scene, Some(cached), tamper);
    assert_eq!(error.pattern, Pattern::Ik);
    assert!(error.is_ik_specific(), "{error}");
    error.failure
}

fn in_fallback(tamper: impl FnOnce(&mut ServerHello)) -> HandshakeFailure {
    let mut scene = Scene::new();
    let cached = scene.cached_elsewhere();
    let error = tampered(&mut scene, Some(cached), tamper);
    assert_eq!(error.pattern, Pattern::XxFallback);
    assert!(!error.is_ik_specific(), "{error}");
    error.failure
}

fn flip_last(bytes: &mut Option<Vec<u8>>) {
    *bytes.as_mut().unwrap().last_mut().unwrap() ^= 1;
}

#[test]
fn a_frame_that_is_no_handshake_message() {
    for garbage in [&b"\xFF\xFF\xFF"[..], b"HTTP/1.1 400", b"\x1a\x7f"] {
        let (awaiting, _) = Scene::new().hello(None);
        let error = awaiting.read(garbage, NOW, &mut Vec::new()).unwrap_err();
        assert_eq!(error.failure, HandshakeFailure::Undecodable);
    }
}

#[test]
fn a_message_without_server_hello() {
    let mut scene = Scene::new();
    let (awaiting, hello) = scene.hello(None);
    let expected = HandshakeFailure::UnexpectedMessage {
        expected: Message::ServerHello,
    };
    let error = awaiting.read(&hello, NOW, &mut Vec::new()).unwrap_err();
    assert_eq!(error.failure, expected);
    let (awaiting, _) = scene.hello(None);
    let error = awaiting.read(&[], NOW, &mut Vec::new()).unwrap_err();
    assert_eq!(error.failure, expected);
}

#[test]
fn an_ephemeral_key_that_is_missing_or_of_the_wrong_length() {
    assert_eq!(
        in_xx(|hello| hello.ephemeral = None),
        HandshakeFailure::EphemeralMissing
    );
    assert_eq!(
        in_ik(|hello| hello.ephemeral = None),
        HandshakeFailure::EphemeralMissing
    );
    assert_eq!(
        in_xx(|hello| hello.ephemeral = Some(vec![])),
        HandshakeFailure::EphemeralMissing
    );
    for got in [1, 31, 33] {
        let wrong = HandshakeFailure::EphemeralLength { expected: 32, got };
        assert_eq!(in_xx(|hello| hello.ephemeral = Some(vec![9; got])), wrong);
        assert_eq!(in_ik(|hello| hello.ephemeral = Some(vec![9; got])), wrong);
    }
}

#[test]
fn a_static_key_that_is_missing_where_xx_was_offered() {
    assert_eq!(
        in_xx(|hello| hello.r#static = None),
        HandshakeFailure::StaticMissing
    );
    assert_eq!(
        in_xx(|hello| hello.r#static = Some(vec![])),
        HandshakeFailure::StaticMissing
    );
}

#[test]
fn a_payload_that_is_missing() {
    assert_eq!(
        in_xx(|hello| hello.payload = None),
        HandshakeFailure::PayloadMissing
    );
    assert_eq!(
        in_ik(|hello| hello.payload = None),
        HandshakeFailure::PayloadMissing
    );
    assert_eq!(
        in_fallback(|hello| hello.payload = None),
        HandshakeFailure::PayloadMissing
    );
}

#[test]
fn a_static_key_that_does_not_open() {
    assert_eq!(
        in_xx(|hello| flip_last(&mut hello.r#static)),
        HandshakeFailure::StaticNotAuthentic
    );
    assert_eq!(
        in_fallback(|hello| flip_last(&mut hello.r#static)),
        HandshakeFailure::StaticNotAuthentic
    );
    for got in [1, 16, 47, 49] {
        let wrong = HandshakeFailure::SealedStaticLength { expected: 48, got };
        assert_eq!(in_xx(|hello| hello.r#static = Some(vec![9; got])), wrong);
    }
}

#[test]
fn a_payload_that_does_not_open() {
    assert_eq!(
        in_xx(|hello| flip_last(&mut hello.payload)),
        HandshakeFailure::PayloadNotAuthentic
    );
    assert_eq!(
        in_ik(|hello| flip_last(&mut hello.payload)),
        HandshakeFailure::PayloadNotAuthentic
    );
    assert_eq!(
        in_fallback(|hello| flip_last(&mut hello.payload)),
        HandshakeFailure::PayloadNotAuthentic
    );
    let short = HandshakeFailure::SealedPayloadLength { least: 16, got: 15 };
    assert_eq!(in_xx(|hello| hello.payload = Some(vec![9; 15])), short);
    assert_eq!(in_ik(|hello| hello.payload = Some(vec![9; 15])), short);
}

#[test]
fn an_ephemeral_key_of_another_server() {
    let other = vec![9; 32];
    assert_eq!(
        in_xx(|hello| hello.ephemeral = Some(other.clone())),
        HandshakeFailure::StaticNotAuthentic
    );
    assert_eq!(
        in_ik(|hello| hello.ephemeral = Some(other)),
        HandshakeFailure::PayloadNotAuthentic
    );
}

#[test]
fn an_ephemeral_key_of_low_order() {
    assert_eq!(
        in_xx(|hello| hello.ephemeral = Some(vec![0; 32])),
        HandshakeFailure::ZeroAgreement
    );
    assert_eq!(
        in_ik(|hello| hello.ephemeral = Some(vec![0; 32])),
        HandshakeFailure::ZeroAgreement
    );
    assert_eq!(
        in_fallback(|hello| hello.ephemeral = Some(vec![0; 32])),
        HandshakeFailure::ZeroAgreement
    );
}

/// Lets the server show `identity` and returns what a client that trusts `trusted` makes of it.
fn shown(scene: &mut Scene, trusted: &CertificateAuthority, now: u64) -> HandshakeError {
    let mut wire = Vec::new();
    let mut client = scene.client(None);
    client.root = trusted.root();
    let awaiting = client.start(&mut scene.rng, None, &mut wire).unwrap();
    let (_, answer) = scene.answer(&body(&wire[4..]), true).unwrap();
    let mut out = Vec::new();
    let error = awaiting.read(&answer, now, &mut out).unwrap_err();
    assert_eq!(out, b"", "nothing is sent after {error}");
    error
}

#[test]
fn a_chain_under_another_root() {
    let mut scene = Scene::new();
    let other = CertificateAuthority::generate(scene.provider, &mut scene.rng);
    let error = shown(&mut scene, &other, NOW);
    let certificate = Certificate::Intermediate;
    let wrong = HandshakeFailure::Certificate(CertificateError::Signature { certificate });
    assert_eq!(error.failure, wrong);
    assert!(!error.is_clock());
}

#[test]
fn a_chain_for_another_key() {
    let mut scene = Scene::new();
    let other = NoiseStaticSecret::generate(scene.provider, &mut scene.rng);
    scene.identity = ServerIdentity {
        static_secret: other,
        chain: scene.identity.chain.clone(),
    };
    let trusted = CertificateAuthority::generate(scene.provider, &mut common::rng(1));
    assert_eq!(trusted.root(), scene.authority.root());
    let error = shown(&mut scene, &trusted, NOW);
    assert_eq!(
        error.failure,
        HandshakeFailure::Certificate(CertificateError::LeafKey)
    );
}

#[test]
fn a_chain_that_is_not_valid_now_is_blamed_on_the_clock() {
    for (now, late) in [(NOW + DAY + 1, true), (NOW - DAY - 1, false)] {
        let mut scene = Scene::new();
        let trusted = CertificateAuthority::generate(scene.provider, &mut common::rng(1));
        let error = shown(&mut scene, &trusted, now);
        assert!(error.is_clock(), "{error}");
        assert!(error.to_string().contains("clock"), "{error}");
        let HandshakeFailure::Certificate(error) = error.failure else {
            panic!("{error}")
        };
        assert_eq!(late, matches!(error, CertificateError::Expired { .. }));
        assert_eq!(!late, matches!(error, CertificateError::NotYetValid { .. }));
    }
}

#[test]
fn a_payload_that_is_no_chain() {
    let mut scene = Scene::new();
    scene.identity.chain = vec![];
    let trusted = CertificateAuthority::generate(scene.provider, &mut common::rng(1));
    let error = shown(&mut scene, &trusted, NOW);
    let certificate = Certificate::Leaf;
    assert_eq!(
        error.failure,
        HandshakeFailure::Certificate(CertificateError::Missing { certificate })
    );
}

#[test]
fn a_certificate_failure_after_a_fallback_leaves_the_cache_alone() {
    let mut scene = Scene::new();
    scene.identity.chain = scene.authority.issue(
        &NoiseStaticPublic::from_bytes([9; 32]),
        NOW - DAY,
        NOW + DAY,
        &mut scene.rng,
    );
    let cached = scene.cached_elsewhere();
    let error = tampered(&mut scene, Some(cached), |_| {});
    assert_eq!(
        error.failure,
        HandshakeFailure::Certificate(CertificateError::LeafKey)
    );
    assert!(!error.is_ik_specific());
}
