//! What a server refuses of a client, and what a client cannot start with.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{NOW, Scene, await_finish, body};
use prost::Message as _;
use wa_noise::{
    FrameError, HandshakeFailure, MAX_FRAME_LEN, MAX_PAYLOAD_LEN, Message, Pattern, StartError,
};
use wa_proto::pb::{
    HandshakeMessage,
    handshake_message::{ClientFinish, ClientHello},
};

fn hello_failure(scene: &mut Scene, hello: &[u8]) -> HandshakeFailure {
    scene.answer(hello, true).unwrap_err().failure
}

fn encoded(hello: ClientHello) -> Vec<u8> {
    HandshakeMessage {
        client_hello: Some(hello),
        ..Default::default()
    }
    .encode_to_vec()
}

fn flip_last(bytes: &mut Option<Vec<u8>>) {
    *bytes.as_mut().unwrap().last_mut().unwrap() ^= 1;
}

/// The client's IK hello, changed on its way.
fn tampered_ik(tamper: impl FnOnce(&mut ClientHello)) -> (Scene, Vec<u8>) {
    let mut scene = Scene::new();
    let cached = scene.cached();
    let (_, hello) = scene.hello(Some(cached));
    let mut hello = HandshakeMessage::decode(hello.as_slice())
        .unwrap()
        .client_hello
        .unwrap();
    tamper(&mut hello);
    (scene, encoded(hello))
}

/// The client's finish, changed on its way.
fn tampered_finish(tamper: impl FnOnce(&mut ClientFinish)) -> HandshakeFailure {
    let mut scene = Scene::new();
    let (awaiting, hello) = scene.hello(None);
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let mut out = Vec::new();
    awaiting.read(&answer, NOW, &mut out).unwrap();
    let mut message = HandshakeMessage::decode(body(&out).as_slice()).unwrap();
    tamper(message.client_finish.as_mut().unwrap());
    let error = await_finish(step)
        .read(&message.encode_to_vec())
        .unwrap_err();
    assert_eq!(error.pattern, Pattern::Xx);
    error.failure
}

#[test]
fn a_hello_that_is_none() {
    let mut scene = Scene::new();
    assert_eq!(
        hello_failure(&mut scene, b"\xFF\xFF"),
        HandshakeFailure::Undecodable
    );
    let expected = HandshakeFailure::UnexpectedMessage {
        expected: Message::ClientHello,
    };
    assert_eq!(hello_failure(&mut scene, b""), expected);
}

#[test]
fn a_hello_without_a_whole_ephemeral_key() {
    let mut scene = Scene::new();
    let hello = encoded(ClientHello::default());
    assert_eq!(
        hello_failure(&mut scene, &hello),
        HandshakeFailure::EphemeralMissing
    );
    let hello = encoded(ClientHello {
        ephemeral: Some(vec![9; 31]),
        ..Default::default()
    });
    let wrong = HandshakeFailure::EphemeralLength {
        expected: 32,
        got: 31,
    };
    assert_eq!(hello_failure(&mut scene, &hello), wrong);
}

#[test]
fn a_hello_with_a_key_of_low_order() {
    let mut scene = Scene::new();
    let hello = encoded(ClientHello {
        ephemeral: Some(vec![0; 32]),
        ..Default::default()
    });
    assert_eq!(
        hello_failure(&mut scene, &hello),
        HandshakeFailure::ZeroAgreement
    );
    let (mut scene, hello) = tampered_ik(|hello| hello.ephemeral = Some(vec![0; 32]));
    assert_eq!(
        hello_failure(&mut scene, &hello),
        HandshakeFailure::ZeroAgreement
    );
}

#[test]
fn an_ik_hello_whose_static_key_does_not_open_is_answered_with_the_fallback() {
    for tamper in [
        (|hello| flip_last(&mut hello.r#static)) as fn(&mut ClientHello),
        |hello| hello.r#static = Some(vec![9; 20]),
    ] {
        let (mut scene, hello) = tampered_ik(tamper);
        let (step, _) = scene.answer(&hello, true).unwrap();
        let error = await_finish(step).read(b"").unwrap_err();
        assert_eq!(error.pattern, Pattern::XxFallback);
    }
}

#[test]
fn an_ik_hello_whose_payload_does_not_open() {
    let (mut scene, hello) = tampered_ik(|hello| flip_last(&mut hello.payload));
    let error = scene.answer(&hello, true).unwrap_err();
    assert_eq!(
        (error.pattern, error.failure),
        (Pattern::Ik, HandshakeFailure::PayloadNotAuthentic)
    );
}

#[test]
fn half_an_ik_offer_is_none() {
    for tamper in [
        (|hello| hello.r#static = None) as fn(&mut ClientHello),
        |hello| hello.payload = None,
        |hello| hello.payload = Some(vec![]),
    ] {
        let (mut scene, hello) = tampered_ik(tamper);
        let (step, _) = scene.answer(&hello, true).unwrap();
        assert_eq!(
            await_finish(step).read(b"").unwrap_err().pattern,
            Pattern::Xx
        );
    }
}

#[test]
fn a_finish_that_is_none() {
    let mut scene = Scene::new();
    let (_, hello) = scene.hello(None);
    let (step, _) = scene.answer(&hello, true).unwrap();
    let error = await_finish(step).read(&hello).unwrap_err();
    let expected = HandshakeFailure::UnexpectedMessage {
        expected: Message::ClientFinish,
    };
    assert_eq!(error.failure, expected);
}

#[test]
fn a_finish_that_lacks_something_or_does_not_open() {
    let failure = tampered_finish(|finish| finish.r#static = None);
    assert_eq!(failure, HandshakeFailure::StaticMissing);
    let failure = tampered_finish(|finish| finish.payload = None);
    assert_eq!(failure, HandshakeFailure::PayloadMissing);
    let failure = tampered_finish(|finish| flip_last(&mut finish.r#static));
    assert_eq!(failure, HandshakeFailure::StaticNotAuthentic);
    let failure = tampered_finish(|finish| finish.r#static = Some(vec![9; 49]));
    assert_eq!(
        failure,
        HandshakeFailure::SealedStaticLength {
            expected: 48,
            got: 49
        }
    );
    let failure = tampered_finish(|finish| flip_last(&mut finish.payload));
    assert_eq!(failure, HandshakeFailure::PayloadNotAuthentic);
    let failure = tampered_finish(|finish| finish.payload = Some(vec![9; 3]));
    assert_eq!(
        failure,
        HandshakeFailure::SealedPayloadLength { least: 16, got: 3 }
    );
}

#[test]
fn the_longest_payload_fits_both_patterns_and_one_byte_more_fits_none() {
    let mut scene = Scene::new();
    for cached in [None, Some(scene.cached())] {
        let mut client = scene.client(cached);
        client.payload = vec![1; MAX_PAYLOAD_LEN].into();
        let mut wire = Vec::new();
        let awaiting = client.start(&mut scene.rng, None, &mut wire).unwrap();
        let (_, answer) = scene.answer(&body(&wire[4..]), true).unwrap();
        awaiting.read(&answer, NOW, &mut wire).unwrap();

        let mut client = scene.client(cached);
        client.payload = vec![1; MAX_PAYLOAD_LEN + 1].into();
        let mut wire = b"before".to_vec();
        let refused = client.start(&mut scene.rng, None, &mut wire).unwrap_err();
        let (got, limit) = (MAX_PAYLOAD_LEN + 1, MAX_PAYLOAD_LEN);
        assert_eq!(refused, StartError::PayloadTooLong { got, limit });
        assert_eq!(wire, b"before");
    }
}

#[test]
fn routing_info_that_does_not_fit_is_refused_before_anything_is_written() {
    let mut scene = Scene::new();
    let mut wire = b"before".to_vec();
    let routing = vec![0; MAX_FRAME_LEN + 1];
    let client = scene.client(None);
    let refused = client
        .start(&mut scene.rng, Some(&routing), &mut wire)
        .unwrap_err();
    let (got, limit) = (MAX_FRAME_LEN + 1, MAX_FRAME_LEN);
    assert_eq!(
        refused,
        StartError::Frame(FrameError::RoutingTooLong { got, limit })
    );
    assert_eq!(wire, b"before");
}

#[test]
fn a_chain_that_does_not_fit_a_frame_is_the_servers_own_error() {
    let mut scene = Scene::new();
    scene.identity.chain = vec![0; MAX_FRAME_LEN];
    let (_, hello) = scene.hello(None);
    let error = scene.answer(&hello, true).unwrap_err();
    assert!(
        matches!(
            error.failure,
            HandshakeFailure::Frame(FrameError::TooLong { .. })
        ),
        "{error}"
    );
}
