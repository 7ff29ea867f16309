//! Handshakes, both sides in one row, and transport frames.

mod opening;

use crate::{Op, Target, op, rng};
use std::hint::black_box;
use wa_crypto::{
    AeadKey, CertificateSecret, NoiseEphemeralSecret, NoiseStaticSecret, Provider, hkdf_sha256,
    sha256,
};
use wa_noise::{CertificateAuthority, ClientHandshake, ServerIdentity, ServerStatic, ServerStep};

const NOW: u64 = 1_787_000_000;
const PAYLOAD: [u8; 89] = [0x2A; 89];
const FRAMES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1024), ("64 KiB", 65_536)];

pub(crate) fn operations() -> Vec<Op> {
    let mut ops = Vec::new();
    for (row, bare, provider) in [
        ("wa rust", "bare rust", Provider::rust()),
        ("wa aws-lc", "bare aws-lc", Provider::aws_lc()),
    ] {
        let pair = Pair::new(provider);
        ops.push(op("noise XX, both sides", row, move || {
            black_box(pair.shake(None));
        }));
        ops.push(op("noise XX, both sides", bare, bare_xx(provider)));
        let pair = Pair::new(provider);
        let server = pair.shake(None).expect("XX verifies a chain");
        ops.push(op("noise IK, both sides", row, move || {
            black_box(pair.shake(Some(server.clone())));
        }));
        ops.push(op("noise IK, both sides", bare, bare_ik(provider)));
    }
    ops.push(op(
        "noise XX, both sides",
        "wacore (chain unverified)",
        peer_xx(),
    ));
    frames(&mut ops);
    opening::operations(&mut ops);
    ops
}

struct Pair {
    provider: Provider,
    authority: CertificateAuthority,
    identity: ServerIdentity,
    client: NoiseStaticSecret,
}

impl Pair {
    fn new(provider: Provider) -> Self {
        let mut rng = rng();
        let authority = CertificateAuthority::generate(provider, &mut rng);
        let static_secret = NoiseStaticSecret::generate(provider, &mut rng);
        let chain = authority.issue(&static_secret.public(), NOW - 60, NOW + 60, &mut rng);
        let client = NoiseStaticSecret::generate(provider, &mut rng);
        Self {
            provider,
            authority,
            identity: ServerIdentity {
                static_secret,
                chain,
            },
            client,
        }
    }

    /// A whole handshake; the verified server key if it was XX.
    fn shake(&self, cached: Option<ServerStatic>) -> Option<ServerStatic> {
        let mut rng = rng();
        let (mut to_server, mut to_client) = (Vec::with_capacity(512), Vec::with_capacity(512));
        let client = ClientHandshake {
            provider: self.provider,
            root: self.authority.root(),
            static_secret: self.client.clone(),
            cached,
            payload: PAYLOAD.to_vec().into(),
        };
        let awaiting = client
            .start(&mut rng, None, &mut to_server)
            .expect("starts");
        let hello = &to_server[7..];
        let step = wa_noise::accept(
            self.provider,
            &self.identity,
            b"WA\x06\x03",
            hello,
            true,
            &mut rng,
            &mut to_client,
        )
        .expect("accepts");
        to_server.clear();
        let established = awaiting
            .read(&to_client[3..], NOW, &mut to_server)
            .expect("verifies");
        let accepted = match step {
            ServerStep::AwaitFinish(awaiting) => awaiting.read(&to_server[3..]).expect("finishes"),
            ServerStep::Done(accepted) => accepted,
        };
        black_box((&established.transport, &accepted.transport));
        established.server
    }
}

/// The cryptography of XX and nothing else: two ephemerals, three agreements with their key derivation a side, the sealed and
/// opened texts, the transcript hashes, two certificate signatures.
fn bare_xx(provider: Provider) -> impl FnMut() {
    let mut rng = rng();
    let client = NoiseStaticSecret::generate(provider, &mut rng);
    let server = NoiseStaticSecret::generate(provider, &mut rng);
    let signer = CertificateSecret::generate(provider, &mut rng);
    let signature = signer.sign(&mut rng, &[&[7; 50]]);
    move || {
        let (e_c, e_s) = (
            NoiseEphemeralSecret::generate(provider, &mut rng),
            NoiseEphemeralSecret::generate(provider, &mut rng),
        );
        for shared in [
            e_c.agree(&e_s.public()),
            e_s.agree(&e_c.public()),
            e_c.agree(&server.public()),
            server.agree(&e_c.public()),
            client.agree(&e_s.public()),
            e_s.agree(&client.public()),
        ] {
            let mut derived = [0; 64];
            hkdf_sha256(
                shared.expect("honest keys").expose_bytes(),
                &[7; 32],
                &[],
                &mut derived,
            );
            let key = AeadKey::new(provider, derived.first_chunk().expect("64 bytes"));
            let mut text = [0x2A; 89];
            black_box(key.seal_in_place(&[0; 12], &[0; 32], &mut text));
            black_box(sha256(&[&[0; 32], &text]));
            black_box(sha256(&[&[0; 32], &text]));
        }
        for _ in 0..2 {
            signer
                .public()
                .verify(&[&[7; 50]], &signature)
                .expect("valid");
        }
    }
}

/// The cryptography of IK and nothing else: two ephemerals, four agreements with their key derivation a side, the three
/// texts sealed and opened, the transcript hashes. There is no certificate to verify.
fn bare_ik(provider: Provider) -> impl FnMut() {
    let mut rng = rng();
    let client = NoiseStaticSecret::generate(provider, &mut rng);
    let server = NoiseStaticSecret::generate(provider, &mut rng);
    move || {
        let (e_c, e_s) = (
            NoiseEphemeralSecret::generate(provider, &mut rng),
            NoiseEphemeralSecret::generate(provider, &mut rng),
        );
        let shared = [
            e_c.agree(&server.public()),
            server.agree(&e_c.public()),
            client.agree(&server.public()),
            server.agree(&client.public()),
            e_s.agree(&e_c.public()),
            e_c.agree(&e_s.public()),
            e_s.agree(&client.public()),
            client.agree(&e_s.public()),
        ];
        for (turn, shared) in shared.into_iter().enumerate() {
            let mut derived = [0; 64];
            hkdf_sha256(
                shared.expect("honest keys").expose_bytes(),
                &[7; 32],
                &[],
                &mut derived,
            );
            // Of the two secrets mixed in before the answer's text only the second seals.
            if turn == 4 || turn == 5 {
                continue;
            }
            let key = AeadKey::new(provider, derived.first_chunk().expect("64 bytes"));
            let mut text = [0x2A; 89];
            black_box(key.seal_in_place(&[0; 12], &[0; 32], &mut text));
            black_box(sha256(&[&[0; 32], &text]));
            black_box(sha256(&[&[0; 32], &text]));
        }
    }
}

fn peer_xx() -> impl FnMut() {
    use wacore_libsignal::core::curve::KeyPair;
    use wacore_noise::{HandshakeUtils, NoiseHandshake, XxHandshakeState};
    use waproto::codec::handshake_message_to_vec;
    let server = KeyPair::generate(&mut rand::rng());
    let client = KeyPair::generate(&mut rand::rng());
    let chain = peer_chain(server.public_key.public_key_bytes());
    move || {
        let header = &wacore_binary::consts::WA_CONN_HEADER;
        let mut state =
            XxHandshakeState::new(client.clone(), PAYLOAD.to_vec(), header).expect("starts");
        let hello = state.build_client_hello().expect("builds");
        let e_c: [u8; 32] = hello[hello.len() - 32..].try_into().expect("32 bytes");

        let e_s = KeyPair::generate(&mut rand::rng());
        let mut responder =
            NoiseHandshake::new(wacore_binary::consts::NOISE_PATTERN_XX, header).expect("starts");
        responder.authenticate(&e_c);
        responder.authenticate(e_s.public_key.public_key_bytes());
        responder
            .mix_shared_secret(e_s.private_key.serialize(), &e_c)
            .expect("mixes");
        let sealed_static = responder
            .encrypt(server.public_key.public_key_bytes())
            .expect("seals");
        responder
            .mix_shared_secret(server.private_key.serialize(), &e_c)
            .expect("mixes");
        let sealed_chain = responder.encrypt(&chain).expect("seals");
        let mut answer = HandshakeUtils::build_client_hello(&[]);
        answer.client_hello = Default::default();
        answer.server_hello = waproto::whatsapp::handshake_message::ServerHello {
            ephemeral: Some(e_s.public_key.public_key_bytes().to_vec()),
            r#static: Some(sealed_static),
            payload: Some(sealed_chain),
            ..Default::default()
        }
        .into();
        let answer = handshake_message_to_vec(&answer);
        let finish = state
            .read_server_hello_and_build_client_finish(&answer)
            .expect("reads");
        let finish = peer_finish(&finish);
        let client_static: [u8; 32] = responder
            .decrypt(&finish.0)
            .expect("opens")
            .try_into()
            .expect("32 bytes");
        responder
            .mix_shared_secret(e_s.private_key.serialize(), &client_static)
            .expect("mixes");
        responder.decrypt(&finish.1).expect("opens");
        black_box((
            responder.finish().expect("splits"),
            state.finish().expect("splits"),
        ));
    }
}

/// Static and payload of a `ClientFinish`, read with our own schema: the bench needs a server and the peer has none.
fn peer_finish(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use prost::Message;
    let message = wa_proto::pb::HandshakeMessage::decode(message).expect("decodes");
    let finish = message.client_finish.expect("is a ClientFinish");
    (
        finish.r#static.expect("has a static"),
        finish.payload.expect("has a payload"),
    )
}

/// A chain in the peer's windows; the peer is built to skip its signatures, ours is not.
fn peer_chain(server: &[u8]) -> Vec<u8> {
    let mut rng = rng();
    let authority = CertificateAuthority::generate(Provider::rust(), &mut rng);
    let server = wa_crypto::NoiseStaticPublic::try_from(server).expect("32 bytes");
    authority.issue(&server, 1_700_000_000, 1_900_000_000, &mut rng)
}

fn frames(ops: &mut Vec<Op>) {
    for (name, len) in FRAMES {
        let group = format!("seal a frame of {name}");
        for (row, provider) in [
            ("wa rust", Provider::rust()),
            ("wa aws-lc", Provider::aws_lc()),
        ] {
            let plaintext = vec![0x42; len];
            let (mut transport, _) = transports(provider);
            let mut out = Vec::with_capacity(len + 64);
            ops.push(op(&group, row, move || {
                out.clear();
                transport
                    .seal_frame(black_box(&plaintext), &mut out)
                    .expect("seals");
                black_box(out.as_slice());
            }));
        }
        ops.push(op(&group, "bare aes-gcm", bare_aes_gcm(len)));
        ops.push(op(&group, "bare aws-lc", bare_aws_lc(len)));

        let cipher = wacore_noise::NoiseCipher::new(&[0x42; 32]).expect("32 bytes");
        let plaintext = vec![0x42; len];
        let mut out = Vec::with_capacity(len + 64);
        let mut counter = 0;
        ops.push(op(&group, "wacore", move || {
            out.clear();
            out.extend_from_slice(black_box(&plaintext));
            cipher
                .encrypt_in_place_with_counter(counter, &mut out)
                .expect("seals");
            counter += 1;
            black_box(out.as_slice());
        }));
    }
}

/// The raw crate: the same copy into a reused buffer, the same seal, no frame around it.
fn bare_aes_gcm(len: usize) -> impl FnMut() {
    use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
    let key = Aes256Gcm::new(&[0x42; 32].into());
    let plaintext = vec![0x42; len];
    let mut out = Vec::with_capacity(len + 64);
    let mut counter = 0_u32;
    move || {
        out.clear();
        out.extend_from_slice(black_box(&plaintext));
        let tag = key
            .encrypt_inout_detached(&nonce(counter).into(), &[], out.as_mut_slice().into())
            .expect("seals");
        out.extend_from_slice(&tag);
        counter += 1;
        black_box(out.as_slice());
    }
}

fn bare_aws_lc(len: usize) -> impl FnMut() {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0x42; 32]).expect("32 bytes"));
    let plaintext = vec![0x42; len];
    let mut out = Vec::with_capacity(len + 64);
    let mut counter = 0_u32;
    move || {
        out.clear();
        out.extend_from_slice(black_box(&plaintext));
        let nonce = Nonce::assume_unique_for_key(nonce(counter));
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut out)
            .expect("seals");
        counter += 1;
        black_box(out.as_slice());
    }
}

fn nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

/// The client's side and the server's.
fn transports(provider: Provider) -> (wa_noise::Transport, wa_noise::Transport) {
    let pair = Pair::new(provider);
    let mut rng = rng();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let client = ClientHandshake {
        provider,
        root: pair.authority.root(),
        static_secret: pair.client.clone(),
        cached: None,
        payload: PAYLOAD.to_vec().into(),
    };
    let awaiting = client
        .start(&mut rng, None, &mut to_server)
        .expect("starts");
    let step = wa_noise::accept(
        provider,
        &pair.identity,
        b"WA\x06\x03",
        &to_server[7..],
        true,
        &mut rng,
        &mut to_client,
    )
    .expect("accepts");
    to_server.clear();
    let client = awaiting
        .read(&to_client[3..], NOW, &mut to_server)
        .expect("verifies")
        .transport;
    let ServerStep::AwaitFinish(awaiting) = step else {
        panic!("nothing was cached")
    };
    let server = awaiting.read(&to_server[3..]).expect("finishes");
    (client, server.transport)
}

pub(crate) fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for group in ["noise XX, both sides", "noise IK, both sides"] {
        targets.push(Target {
            group: group.into(),
            row: "wa rust",
            against: &["bare rust"],
            at_most: 1.1,
        });
        targets.push(Target {
            group: group.into(),
            row: "wa aws-lc",
            against: &["bare aws-lc"],
            at_most: 1.1,
        });
    }
    for (name, at_most) in [("64 B", 1.25), ("1 KiB", 1.25), ("64 KiB", 1.05)] {
        for what in ["seal", "open"] {
            let group = format!("{what} a frame of {name}");
            targets.push(Target {
                group: group.clone(),
                row: "wa rust",
                against: &["bare aes-gcm"],
                at_most,
            });
            targets.push(Target {
                group,
                row: "wa aws-lc",
                against: &["bare aws-lc"],
                at_most,
            });
        }
    }
    targets
}
