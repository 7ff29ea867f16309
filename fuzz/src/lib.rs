//! What every fuzz target does with its bytes. The targets in `fuzz_targets/` are one line each; `tests/replay.rs` runs the
//! checked-in corpora through the same functions.
//!
//! A target fails by panicking, by running out of memory or by not ending. Where a decoder and an encoder meet, what was
//! decoded must survive the way back.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::{Duration, Instant};
use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticSecret, Provider};
use wa_noise::{ClientHandshake, FrameDecoder, NoiseRoot, ServerIdentity};
use wa_pair::{PairConfig, PairKeys, PairOutput, Pairing};
use wa_proto::{Decoder, Node};

const NOW: u64 = 1_787_000_000;

/// A plaintext without compression.
pub fn node_decode(data: &[u8]) {
    let mut plaintext = vec![0];
    plaintext.extend_from_slice(data);
    decode(&plaintext);
}

/// A compressed plaintext: what comes after the flag byte is fed to the inflater.
pub fn inflate(data: &[u8]) {
    let mut plaintext = vec![2];
    plaintext.extend_from_slice(data);
    decode(&plaintext);
}

fn decode(plaintext: &[u8]) {
    let mut decoder = Decoder::new();
    let Ok(node) = decoder.decode(plaintext) else {
        return;
    };
    let owned = node.to_owned();
    let _ = format!("{node:?} {owned:?}");
    let mut bytes = Vec::new();
    // A JID with a device that no binary form carries decodes and does not encode.
    if owned.encode_into(&mut bytes).is_ok() {
        let again = Node::from_bytes(&bytes).expect("what we write we can read");
        assert_eq!(again, owned, "the way back changes nothing");
    }
}

/// Chunks of a byte stream: the first byte of each says how long it is.
pub fn frames(data: &[u8]) {
    let mut decoder = FrameDecoder::new();
    let mut rest = data;
    while let [len, tail @ ..] = rest {
        let (chunk, after) = tail.split_at(usize::from(*len).min(tail.len()));
        decoder.push(chunk);
        while let Ok(Some(body)) = decoder.next_frame() {
            assert!(
                body.len() <= data.len(),
                "a frame holds no more than came in"
            );
        }
        rest = after;
    }
}

/// The body of a `ServerHello` frame, and of the first frame a server sees.
pub fn server_hello(data: &[u8]) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let provider = Provider::rust();
    let client = ClientHandshake {
        provider,
        root: NoiseRoot::production(),
        static_secret: NoiseStaticSecret::generate(provider, &mut rng),
        cached: None,
        payload: vec![0; 32].into(),
    };
    let mut out = Vec::new();
    let awaiting = client
        .start(&mut rng, None, &mut out)
        .expect("a short payload");
    let _ = awaiting.read(data, NOW, &mut out);
    let identity = ServerIdentity {
        static_secret: NoiseStaticSecret::generate(provider, &mut rng),
        chain: Vec::new(),
    };
    let _ = wa_noise::accept(
        provider,
        &identity,
        &wa_noise::PROLOGUE,
        data,
        true,
        &mut rng,
        &mut out,
    );
}

/// A decrypted certificate chain.
pub fn cert_chain(data: &[u8]) {
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let server = NoiseStaticSecret::generate(Provider::rust(), &mut rng).public();
    let verdict = wa_noise::verify_chain(&NoiseRoot::production(), data, &server, NOW);
    assert!(
        verdict.is_err(),
        "nobody here can sign for the production root"
    );
}

/// The content of `<device-identity>` in pair-success; the HMAC is made to hold, so that the parsing behind it is reached.
pub fn pair_success(data: &[u8]) {
    use prost::Message;
    let adv = AdvSecret::from_bytes([3; 32]);
    let mut container = wa_proto::pb::AdvSignedDeviceIdentityHmac::default();
    container.hmac = Some(adv.mac(&[data]).to_vec());
    container.details = Some(data.to_vec());
    let content = container.encode_to_vec();
    for content in [data, &content] {
        let iq = Node::new("iq")
            .attr("id", "1")
            .attr("type", "set")
            .attr("from", wa_proto::Jid::server_jid())
            .child(
                Node::new("pair-success")
                    .child(Node::new("device-identity").bytes(content))
                    .child(Node::new("device").attr("jid", "15551234567:7@s.whatsapp.net")),
            );
        let mut pairing = pairing();
        let outputs = step(
            &mut pairing,
            &iq.to_bytes().expect("encodes"),
            Instant::now(),
        );
        assert!(
            !outputs
                .iter()
                .any(|o| matches!(o, PairOutput::PersistPaired(_))),
            "no signature can hold here"
        );
        assert!(
            outputs.iter().any(|o| matches!(o, PairOutput::Send(_))),
            "every pair-success is answered"
        );
    }
}

/// A sealed export, and the account inside it.
pub fn store_import(data: &[u8]) {
    let _ = wa_store::SealedExport::parse(data);
    let _ = wa_store::AccountExport::decode(data);
}

/// Random stanzas and passing time. A byte says which; what follows is the stanza.
pub fn pairing_machine(data: &[u8]) {
    let mut pairing = pairing();
    let mut now = Instant::now();
    let mut rest = data;
    while let [op, len, tail @ ..] = rest {
        let (body, after) = tail.split_at(usize::from(*len).min(tail.len()));
        match op % 4 {
            0 => {
                now += Duration::from_millis(u64::from(*len) * 500);
                pairing.handle_timeout(now, &mut ChaCha20Rng::from_seed([5; 32]));
                drain(&mut pairing);
            }
            1 => {
                let refs = body.chunks(8).map(|part| Node::new("ref").bytes(part));
                let iq = Node::new("iq")
                    .attr("id", "1")
                    .attr("type", "set")
                    .attr("from", wa_proto::Jid::server_jid())
                    .attr("xmlns", "md")
                    .child(Node::new("pair-device").children(refs));
                step(&mut pairing, &iq.to_bytes().expect("encodes"), now);
            }
            2 => {
                let notification = Node::new("notification")
                    .attr("id", "2")
                    .attr("type", "companion_reg_refresh")
                    .attr("from", wa_proto::Jid::server_jid())
                    .child(Node::new("companion_reg_refresh"));
                step(
                    &mut pairing,
                    &notification.to_bytes().expect("encodes"),
                    now,
                );
            }
            _ => {
                let mut plaintext = vec![0];
                plaintext.extend_from_slice(body);
                step(&mut pairing, &plaintext, now);
            }
        }
        rest = after;
    }
}

fn pairing() -> Pairing {
    let mut rng = ChaCha20Rng::from_seed([4; 32]);
    let provider = Provider::rust();
    let keys = PairKeys {
        noise: NoiseStaticSecret::generate(provider, &mut rng).public(),
        identity: IdentitySecret::generate(provider, &mut rng),
        adv: AdvSecret::from_bytes([3; 32]),
    };
    Pairing::new(keys, PairConfig::default())
}

fn step(pairing: &mut Pairing, plaintext: &[u8], now: Instant) -> Vec<PairOutput> {
    let mut decoder = Decoder::new();
    if let Ok(node) = decoder.decode(plaintext) {
        let _ = pairing.handle_stanza(now, &node, &mut ChaCha20Rng::from_seed([5; 32]));
    }
    drain(pairing)
}

fn drain(pairing: &mut Pairing) -> Vec<PairOutput> {
    let outputs: Vec<_> = std::iter::from_fn(|| pairing.poll_output())
        .take(65)
        .collect();
    assert!(outputs.len() < 65, "one input makes few outputs");
    outputs
}
