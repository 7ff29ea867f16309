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
use wa_pair::{
    CodeRequest, PairAnswer, PairConfig, PairJob, PairKeys, PairOutput, PairRequest, Pairing,
    PairingCode, PasskeyAssertion, PasskeyOptions, PhoneNumber,
};
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

/// Random stanzas, commands, answers and passing time. A byte says which; what follows is the stanza, or what an answer
/// holds.
pub fn pairing_machine(data: &[u8]) {
    let mut machine = Machine {
        pairing: pairing(),
        now: Instant::now(),
        rng: ChaCha20Rng::from_seed([5; 32]),
        requests: Vec::new(),
        jobs: Vec::new(),
        jobs_run: 0,
    };
    let mut rest = data;
    while let [op, len, tail @ ..] = rest {
        let (body, after) = tail.split_at(usize::from(*len).min(tail.len()));
        machine.take(*op, *len, body);
        machine.drain();
        rest = after;
    }
}

struct Machine {
    pairing: Pairing,
    now: Instant,
    rng: ChaCha20Rng,
    requests: Vec<PairRequest>,
    jobs: Vec<PairJob>,
    jobs_run: u8,
}

impl Machine {
    fn take(&mut self, op: u8, len: u8, body: &[u8]) {
        match op % 13 {
            0 => {
                self.now += Duration::from_millis(u64::from(len) * 500);
                self.pairing.handle_timeout(self.now, &mut self.rng);
            }
            1 => {
                let refs = body.chunks(8).map(|part| Node::new("ref").bytes(part));
                self.feed(&from_server("iq", "set").child(Node::new("pair-device").children(refs)));
            }
            2 => self.feed(
                &from_server("notification", "companion_reg_refresh")
                    .child(Node::new("companion_reg_refresh")),
            ),
            3 => {
                let mut plaintext = vec![0];
                plaintext.extend_from_slice(body);
                self.feed_bytes(&plaintext);
            }
            4 => self.request_code(body),
            5 => {
                let _ = self.pairing.cancel_code(self.now, &mut self.rng);
            }
            // Stretching is slow: few jobs are run, more are lost.
            6 => {
                if let Some(job) = self.jobs.pop().filter(|_| self.jobs_run < 2) {
                    self.jobs_run += 1;
                    let computed = job.run();
                    self.pairing
                        .handle_computed(self.now, computed, &mut self.rng);
                }
            }
            7 => self.link_code(body),
            8 => self.answer(body),
            9 => {
                let options = Node::new("passkey_request_options").bytes(body);
                self.feed(
                    &from_server("notification", "passkey_prologue_request")
                        .children((!body.is_empty()).then_some(options)),
                );
            }
            10 => self.feed(
                &from_server("notification", "crsc_continuation")
                    .child(Node::new("primary_ephemeral_identity").bytes(body)),
            ),
            11 => {
                let assertion =
                    PasskeyAssertion::from_parts(&[1], &[2], &[3], &[4], None).expect("short");
                let _ = self
                    .pairing
                    .respond_passkey(self.now, assertion, &mut self.rng);
            }
            _ => match len % 3 {
                0 => {
                    let _ = self.pairing.confirm_passkey(self.now, true, &mut self.rng);
                }
                1 => {
                    let _ = self.pairing.confirm_passkey(self.now, false, &mut self.rng);
                }
                _ => self.pairing.restart_asked(self.now),
            },
        }
    }

    fn request_code(&mut self, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let _ = PhoneNumber::parse(text);
        let number = PhoneNumber::parse("15551234567").expect("a number");
        let request = CodeRequest {
            custom: PairingCode::from_custom(text).ok(),
            ..CodeRequest::new(number)
        };
        let _ = self.pairing.request_code(self.now, request, &mut self.rng);
    }

    /// A primary_hello or refresh_code with the ref that [`answer`](Self::answer) gives out.
    fn link_code(&mut self, body: &[u8]) {
        let stage = if body.len() < 4 {
            "refresh_code"
        } else {
            "primary_hello"
        };
        let (identity, wrapped) = body.split_at(body.len().min(32));
        let content = Node::new("link_code_companion_reg")
            .attr("stage", stage)
            .children([
                Node::new("link_code_pairing_ref").bytes(*b"ref"),
                Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(wrapped),
                Node::new("primary_identity_pub").bytes(identity),
            ]);
        self.feed(&from_server("notification", "link_code_companion_reg").child(content));
    }

    /// The first byte says which of the last requests is answered, and how.
    fn answer(&mut self, body: &[u8]) {
        let Some((how, body)) = body.split_first() else {
            return;
        };
        let back = usize::from(how >> 4) + 1;
        let Some(request) = self
            .requests
            .len()
            .checked_sub(back)
            .and_then(|at| self.requests.get(at))
        else {
            return;
        };
        let reference = Node::new("link_code_pairing_ref").bytes(*b"ref");
        let iq = from_server("iq", "result").children([
            Node::new("link_code_companion_reg").child(reference),
            Node::new("ref").bytes(body),
            Node::new("passkey_request_options").bytes(body),
            Node::new("error")
                .attr("code", u64::from(*how))
                .attr("text", "bad-request"),
        ]);
        let bytes = iq.to_bytes().expect("encodes");
        let mut decoder = Decoder::new();
        let iq = decoder.decode(&bytes).expect("decodes");
        let answer = match how % 4 {
            0 | 1 => PairAnswer::Result(&iq),
            2 => PairAnswer::Error(&iq),
            _ => PairAnswer::TimedOut,
        };
        self.pairing
            .handle_answer(self.now, *request, answer, &mut self.rng);
    }

    fn feed(&mut self, stanza: &Node) {
        self.feed_bytes(&stanza.to_bytes().expect("encodes"));
    }

    fn feed_bytes(&mut self, plaintext: &[u8]) {
        let mut decoder = Decoder::new();
        if let Ok(node) = decoder.decode(plaintext) {
            let _ = self.pairing.handle_stanza(self.now, &node, &mut self.rng);
        }
    }

    fn drain(&mut self) {
        for output in drain(&mut self.pairing) {
            let _ = format!("{output:?}");
            match output {
                PairOutput::Request { request, .. } => self.requests.push(request),
                PairOutput::Compute(job) => self.jobs.push(job),
                PairOutput::Exhausted => {
                    assert_eq!(self.pairing.poll_timeout(), None, "nothing is open");
                }
                _ => {}
            }
        }
    }
}

fn from_server(tag: &'static str, kind: &'static str) -> Node {
    Node::new(tag)
        .attr("id", "1")
        .attr("type", kind)
        .attr("from", wa_proto::Jid::server_jid())
}

/// Passkey options, as the server sends them, and an assertion, as the application gives it.
pub fn passkey_json(data: &[u8]) {
    if let Ok(options) = PasskeyOptions::parse(data) {
        assert_eq!(options.expose().as_bytes(), data, "letter for letter");
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(assertion) = PasskeyAssertion::from_json(text)
    {
        let json = assertion.to_json();
        let again = PasskeyAssertion::from_json(&json).expect("what we write we can read");
        assert_eq!(again, assertion);
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
