//! Every session of the vectors, byte for byte, as the client and as the server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{NOW, Scripted, body, hex, key, providers, vectors};
use serde_json::Value;
use wa_crypto::{
    CertificatePublic, NoiseStaticPublic, NoiseStaticSecret, Provider, PublicKey as _,
};
use wa_noise::{
    ClientHandshake, FrameDecoder, NoiseRoot, Pattern, PreambleDecoder, ServerIdentity,
    ServerStatic, ServerStep, Transport, ValidityWindow, accept,
};

#[test]
fn the_client_writes_every_session_byte_for_byte() {
    let vectors = vectors();
    for provider in providers() {
        for session in sessions(&vectors) {
            client_session(provider, session, root(&vectors));
        }
    }
}

#[test]
fn the_server_writes_every_session_byte_for_byte() {
    let vectors = vectors();
    for provider in providers() {
        for session in sessions(&vectors) {
            server_session(provider, session);
        }
    }
}

fn client_session(provider: Provider, session: &Value, root: NoiseRoot) {
    let handshake = ClientHandshake {
        provider,
        root,
        static_secret: NoiseStaticSecret::from_bytes(
            provider,
            &key(&session["client_static"]["priv"]),
        ),
        cached: cached(session),
        payload: hex(&session["client_payload"]).into(),
    };
    let mut rng = Scripted::new(key(&session["client_ephemeral"]["priv"]));
    let mut wire = Vec::new();
    let awaiting = handshake
        .start(&mut rng, routing(session).as_deref(), &mut wire)
        .unwrap();
    assert_eq!(wire, hex(&session["wire"]["client_1"]), "{}", session["id"]);
    assert_eq!(
        awaiting.offered(),
        if cached(session).is_some() {
            Pattern::Ik
        } else {
            Pattern::Xx
        }
    );

    let hello = body(&hex(&session["wire"]["server_1"]));
    assert_eq!(hello, hex(&session["messages"]["server_hello"]));
    let mut wire = Vec::new();
    let established = awaiting.read(&hello, NOW, &mut wire).unwrap();
    assert_eq!(established.pattern, pattern(session));
    let server = NoiseStaticPublic::from_bytes(key(&session["server_static"]["pub"]));
    if established.pattern == Pattern::Ik {
        assert_eq!(wire, b"");
        assert_eq!(established.server, None);
    } else {
        assert_eq!(wire, hex(&session["wire"]["client_2"]), "{}", session["id"]);
        let cacheable = established.server.unwrap();
        assert_eq!(cacheable.key, server);
        assert!(cacheable.usable_at(NOW));
    }
    exchange(established.transport, session, "client");
}

fn server_session(provider: Provider, session: &Value) {
    let static_secret =
        NoiseStaticSecret::from_bytes(provider, &key(&session["server_static"]["priv"]));
    let identity = ServerIdentity {
        static_secret,
        chain: hex(&session["cert_chain"]),
    };
    let stream = hex(&session["wire"]["client_1"]);
    let (preamble, rest) = PreambleDecoder::new().read(&stream).unwrap().unwrap();
    assert_eq!(preamble.routing, routing(session));
    assert_eq!(preamble.prologue.as_slice(), hex(&session["prologue"]));

    let mut frames = FrameDecoder::new();
    frames.push(rest);
    let hello = frames.next_frame().unwrap().unwrap();
    let mut rng = Scripted::new(key(&session["server_ephemeral"]["priv"]));
    let mut wire = Vec::new();
    let step = accept(
        provider,
        &identity,
        &preamble.prologue,
        hello,
        true,
        &mut rng,
        &mut wire,
    )
    .unwrap();
    assert_eq!(wire, hex(&session["wire"]["server_1"]), "{}", session["id"]);
    let accepted = match step {
        ServerStep::Done(accepted) => accepted,
        ServerStep::AwaitFinish(awaiting) => {
            frames.push(&hex(&session["wire"]["client_2"]));
            awaiting
                .read(frames.next_frame().unwrap().unwrap())
                .unwrap()
        }
    };
    assert_eq!(accepted.pattern, pattern(session));
    assert_eq!(
        accepted.client_static.as_bytes(),
        &key(&session["client_static"]["pub"])
    );
    assert_eq!(accepted.payload, hex(&session["client_payload"]));
    exchange(accepted.transport, session, "server");
}

fn exchange(mut transport: Transport, session: &Value, side: &str) {
    for frame in session["transport"].as_array().unwrap() {
        let plaintext = hex(&frame["plaintext"]);
        if frame["from"] == side {
            let mut wire = Vec::new();
            transport.seal_frame(&plaintext, &mut wire).unwrap();
            assert_eq!(wire, hex(&frame["wire"]), "{}", session["id"]);
            assert_eq!(wire[3..], hex(&frame["ciphertext"]));
        } else {
            let mut body = body(&hex(&frame["wire"]));
            assert_eq!(
                transport.open_frame(&mut body).unwrap(),
                plaintext,
                "{}",
                session["id"]
            );
        }
    }
}

fn sessions(vectors: &Value) -> &Vec<Value> {
    let sessions = vectors["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 8);
    sessions
}

fn root(vectors: &Value) -> NoiseRoot {
    NoiseRoot::from_public(CertificatePublic::from_bytes(key(
        &vectors["test_root"]["pub"],
    )))
}

fn routing(session: &Value) -> Option<Vec<u8>> {
    let routing = &session["routing_info"];
    (!routing.is_null()).then(|| hex(routing))
}

fn pattern(session: &Value) -> Pattern {
    match session["pattern"].as_str().unwrap() {
        "XX" => Pattern::Xx,
        "IK" => Pattern::Ik,
        "IK refused, then XXfallback" => Pattern::XxFallback,
        other => panic!("the vectors have a pattern {other}"),
    }
}

fn cached(session: &Value) -> Option<ServerStatic> {
    let name = match pattern(session) {
        Pattern::Xx => return None,
        Pattern::Ik => "server_static",
        Pattern::XxFallback => "cached_server_static",
    };
    let cached = &session[name];
    let window = ValidityWindow {
        not_before: 0,
        not_after: u64::MAX,
    };
    let bytes = key(if cached.is_object() {
        &cached["pub"]
    } else {
        cached
    });
    Some(ServerStatic {
        key: NoiseStaticPublic::from_bytes(bytes),
        leaf: window,
        intermediate: window,
    })
}
