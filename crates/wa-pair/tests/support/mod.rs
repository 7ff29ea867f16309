#![allow(clippy::disallowed_methods, dead_code, unreachable_pub)]

pub mod code;
pub mod passkey;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use wa_crypto::{
    AdvSecret, IdentityPublic, IdentitySecret, NoiseStaticPublic, Provider, PublicKey as _,
};
use wa_pair::{
    Handled, PairAnswer, PairConfig, PairKeys, PairOutput, PairRequest, PairStep, Pairing, QrCode,
    parse_qr,
};
use wa_proto::pb::{AdvDeviceIdentity, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};
use wa_proto::{Decoder, Jid, Node};

pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/pairing.json")).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub fn hex32(value: &Value) -> [u8; 32] {
    unhex(value).try_into().unwrap()
}

pub fn hex64(value: &Value) -> [u8; 64] {
    unhex(value).try_into().unwrap()
}

/// Randomness of the test's choice, for signatures that must come out byte for byte.
pub struct Fixed(pub Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are expected to be drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are expected to be drawn")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.drain(..dst.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

/// The keys of the vectors.
pub fn vector_keys() -> PairKeys {
    let vectors = vectors();
    let keys = &vectors["keys"];
    PairKeys {
        noise: NoiseStaticPublic::from_bytes(hex32(&keys["companion_noise"]["public"])),
        identity: companion_identity(),
        adv: AdvSecret::from_bytes(hex32(&keys["adv_secret_qr"])),
    }
}

pub fn companion_identity() -> IdentitySecret {
    let key = hex32(&vectors()["keys"]["companion_identity"]["private_clamped"]);
    IdentitySecret::from_bytes(Provider::rust(), &key)
}

/// A machine with the keys of the vectors, a clock and a server to speak for.
pub struct Rig {
    pub pairing: Pairing,
    pub start: Instant,
    pub now: Instant,
    pub rng: ChaCha20Rng,
}

impl Rig {
    pub fn new(config: PairConfig) -> Self {
        let now = Instant::now();
        Self {
            pairing: Pairing::new(vector_keys(), config),
            start: now,
            now,
            rng: ChaCha20Rng::seed_from_u64(11),
        }
    }

    /// With `refs` refs on offer and the outputs so far taken.
    pub fn offering(refs: usize) -> Self {
        let mut rig = Self::new(PairConfig::default());
        assert_eq!(rig.feed(&pair_device("1", refs, "ref")), Handled::Yes);
        rig.drain();
        rig
    }

    pub fn feed(&mut self, stanza: &Node) -> Handled {
        let bytes = stanza.to_bytes().unwrap();
        let mut decoder = Decoder::new();
        let stanza = decoder.decode(&bytes).unwrap();
        self.pairing.handle_stanza(self.now, &stanza, &mut self.rng)
    }

    pub fn drain(&mut self) -> Vec<PairOutput> {
        std::iter::from_fn(|| self.pairing.poll_output()).collect()
    }

    /// Moves the clock `seconds` behind the start and lets the machine see it.
    pub fn at(&mut self, seconds: u64) -> Vec<PairOutput> {
        self.now = self.start + Duration::from_secs(seconds);
        self.pairing.handle_timeout(self.now, &mut self.rng);
        self.drain()
    }

    /// Moves the clock without telling the machine.
    pub fn set(&mut self, seconds: u64) {
        self.now = self.start + Duration::from_secs(seconds);
    }

    /// Answers a request with an iq of type `result`.
    pub fn result(&mut self, request: PairRequest, children: Vec<Node>) -> Vec<PairOutput> {
        let bytes = from_server("iq", "result", "r")
            .children(children)
            .to_bytes()
            .unwrap();
        let mut decoder = Decoder::new();
        let iq = decoder.decode(&bytes).unwrap();
        let answer = PairAnswer::Result(&iq);
        self.pairing
            .handle_answer(self.now, request, answer, &mut self.rng);
        self.drain()
    }

    /// Answers a request with an iq of type `error`.
    pub fn error(&mut self, request: PairRequest, error: Node) -> Vec<PairOutput> {
        let bytes = from_server("iq", "error", "r")
            .child(error)
            .to_bytes()
            .unwrap();
        let mut decoder = Decoder::new();
        let iq = decoder.decode(&bytes).unwrap();
        let answer = PairAnswer::Error(&iq);
        self.pairing
            .handle_answer(self.now, request, answer, &mut self.rng);
        self.drain()
    }

    /// Lets the time of a request pass.
    pub fn no_answer(&mut self, request: PairRequest) -> Vec<PairOutput> {
        self.pairing
            .handle_answer(self.now, request, PairAnswer::TimedOut, &mut self.rng);
        self.drain()
    }

    /// Feeds a stanza that is the machine's and takes what comes of it.
    pub fn stanza(&mut self, stanza: &Node) -> Vec<PairOutput> {
        assert_eq!(self.feed(stanza), Handled::Yes);
        self.drain()
    }

    /// Seconds from the start to the machine's next timeout.
    pub fn next_timeout(&self) -> Option<u64> {
        self.pairing
            .poll_timeout()
            .map(|at| (at - self.start).as_secs())
    }
}

pub fn from_server(tag: &'static str, kind: &str, id: &str) -> Node {
    Node::new(tag)
        .attr("type", kind.to_owned())
        .attr("id", id.to_owned())
        .attr("from", Jid::server_jid())
}

pub fn pair_device(id: &str, refs: usize, name: &str) -> Node {
    let refs =
        (0..refs).map(|index| Node::new("ref").bytes(format!("2@{name}{index}").into_bytes()));
    from_server("iq", "set", id).child(Node::new("pair-device").children(refs))
}

pub fn refresh(id: &str, child: Option<&'static str>) -> Node {
    from_server("notification", "companion_reg_refresh", id).children(child.map(Node::new))
}

pub const JID: &str = "15551234567:7@s.whatsapp.net";
pub const LID: &str = "123456789:7@lid";

pub fn pair_success(id: &str, container: Vec<u8>) -> Node {
    pair_success_of(
        id,
        vec![
            Node::new("device-identity").bytes(container),
            Node::new("device")
                .attr("jid", JID.parse::<Jid>().unwrap())
                .attr("lid", LID.parse::<Jid>().unwrap()),
            Node::new("platform").attr("name", "android"),
        ],
    )
}

pub fn pair_success_of(id: &str, children: Vec<Node>) -> Node {
    from_server("iq", "set", id).child(Node::new("pair-success").children(children))
}

/// The container of the vectors, made for the keys of the vectors.
pub fn vector_container() -> Vec<u8> {
    unhex(&vectors()["adv_identity"]["container"])
}

/// What a primary makes for a companion: signs and MACs as an ordinary account.
pub fn container_for(
    adv: &AdvSecret,
    companion: &IdentityPublic,
    rng: &mut ChaCha20Rng,
) -> Vec<u8> {
    let primary = IdentitySecret::generate(Provider::rust(), rng);
    let details = AdvDeviceIdentity {
        raw_id: Some(5),
        timestamp: Some(1_789_000_000),
        key_index: Some(29),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = primary.sign(rng, &[&[6, 0], &details, companion.as_bytes()]);
    let signed = AdvSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(primary.public().as_bytes().to_vec()),
        account_signature: Some(signature.as_bytes().to_vec()),
        device_signature: None,
    }
    .encode_to_vec();
    let hmac = adv.mac(&[&signed]).to_vec();
    AdvSignedDeviceIdentityHmac {
        details: Some(signed),
        hmac: Some(hmac),
        account_type: None,
    }
    .encode_to_vec()
}

/// The names of the outputs, to compare their order.
pub fn names(outputs: &[PairOutput]) -> Vec<&'static str> {
    outputs
        .iter()
        .map(|output| match output {
            PairOutput::Send(_) => "send",
            PairOutput::PersistAdvSecret(_) => "persist-adv",
            PairOutput::PersistPaired(_) => "persist-paired",
            PairOutput::Qr(_) => "qr",
            PairOutput::QrExpired => "qr-expired",
            PairOutput::Verifying => "verifying",
            PairOutput::ApprovalNeeded(_) => "approval-needed",
            PairOutput::Paired(_) => "paired",
            PairOutput::Failed(_) => "failed",
            PairOutput::Exhausted => "exhausted",
            PairOutput::Request { request, .. } => match request.step() {
                PairStep::CompanionHello => "ask-hello",
                PairStep::CompanionFinish => "ask-finish",
                PairStep::PasskeyOptions => "ask-options",
                PairStep::PasskeyRef => "ask-ref",
                PairStep::PasskeyPrologue => "ask-prologue",
                PairStep::PasskeyNonce => "ask-nonce",
                PairStep::PasskeyPairingRequest => "ask-pairing",
                other => panic!("a name for {other:?}"),
            },
            PairOutput::Compute(_) => "compute",
            PairOutput::Code(_) => "code",
            PairOutput::CodeRefused(_) => "code-refused",
            PairOutput::CodeEnded(_) => "code-ended",
            PairOutput::CodeRefresh { .. } => "code-refresh",
            PairOutput::PasskeyRequested(_) => "passkey-requested",
            PairOutput::PasskeyConfirmation { .. } => "passkey-confirmation",
            PairOutput::PasskeyEnded(_) => "passkey-ended",
            PairOutput::RestartNow => "restart-now",
            other => panic!("a name for {other:?}"),
        })
        .collect()
}

pub fn sent(outputs: &[PairOutput]) -> Vec<&Node> {
    outputs
        .iter()
        .filter_map(|output| match output {
            PairOutput::Send(node) => Some(node),
            _ => None,
        })
        .collect()
}

pub fn codes(outputs: &[PairOutput]) -> Vec<&QrCode> {
    outputs
        .iter()
        .filter_map(|output| match output {
            PairOutput::Qr(code) => Some(code),
            _ => None,
        })
        .collect()
}

/// Ref, number, seconds left and ADV secret of a code.
pub fn facts(code: &QrCode) -> (String, u32, u64, [u8; 32]) {
    let scanned = parse_qr(code.text.expose()).unwrap();
    (
        scanned.reference,
        code.seq,
        code.ttl.as_secs(),
        *scanned.adv.expose_bytes(),
    )
}

pub fn error_reply(id: &str, code: u16, text: &str) -> Node {
    Node::new("iq")
        .attr("type", "error")
        .attr("id", id.to_owned())
        .attr("to", Jid::server_jid())
        .child(
            Node::new("error")
                .attr("code", code.to_string())
                .attr("text", text.to_owned()),
        )
}

/// The one request among the outputs: itself, its iq, its time in seconds.
pub fn asked(outputs: &[PairOutput]) -> (PairRequest, Node, u64) {
    let mut requests = outputs.iter().filter_map(|output| match output {
        PairOutput::Request {
            request,
            stanza,
            timeout,
        } => Some((*request, stanza.clone(), timeout.as_secs())),
        _ => None,
    });
    let request = requests.next().expect("a request");
    assert!(requests.next().is_none(), "one request at a time");
    request
}

pub fn persisted(outputs: &[PairOutput]) -> Option<[u8; 32]> {
    outputs.iter().find_map(|output| match output {
        PairOutput::PersistAdvSecret(adv) => Some(*adv.expose_bytes()),
        _ => None,
    })
}

pub fn error(code: u16, text: Option<&str>) -> Node {
    Node::new("error")
        .attr("code", code.to_string())
        .attr_if("text", text.map(str::to_owned))
}

pub fn ack_of(id: &str, kind: &str) -> Node {
    Node::new("ack")
        .attr("class", "notification")
        .attr("type", kind.to_owned())
        .attr("id", id.to_owned())
        .attr("to", Jid::server_jid())
}

/// The bytes of a child of a child.
pub fn content(node: &Node, path: &[&str]) -> Vec<u8> {
    let mut node = node;
    for tag in path {
        node = node.get_child(tag).unwrap_or_else(|| panic!("a {tag}"));
    }
    node.get_bytes().unwrap().to_vec()
}
