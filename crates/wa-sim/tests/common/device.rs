//! A companion that does what the chapters say, by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_crypto::{
    AdvSecret, IdentityPublic, IdentitySecret, NoiseStaticSecret, Provider, PublicKey as _,
    Signature,
};
use wa_noise::{
    AwaitServerHello, ClientHandshake, FrameDecoder, HandshakeError, NoiseRoot, Pattern,
    ServerStatic, Transport, TransportError,
};
use wa_proto::{DecodeError, Jid, Node, pb};
use wa_signal::{RegistrationId, SignedPrekey, SignedPrekeyId};

/// What a companion keeps.
#[derive(Clone)]
pub struct Keys {
    pub noise: NoiseStaticSecret,
    pub identity: IdentitySecret,
    pub signed: SignedPrekey,
    pub registration: RegistrationId,
    pub adv: [u8; 32],
    pub jid: Option<Jid>,
    pub lid: Option<Jid>,
    pub key_index: Option<u32>,
    pub server: Option<ServerStatic>,
    pub routing: Option<Vec<u8>>,
}

impl Keys {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let provider = Provider::rust();
        let identity = IdentitySecret::generate(provider, &mut rng);
        Self {
            noise: NoiseStaticSecret::generate(provider, &mut rng),
            signed: SignedPrekey::generate(
                provider,
                SignedPrekeyId::FIRST,
                &identity,
                1_789_000_000,
                &mut rng,
            ),
            registration: RegistrationId::generate(&mut rng),
            adv: *AdvSecret::generate(&mut rng).expose_bytes(),
            identity,
            jid: None,
            lid: None,
            key_index: None,
            server: None,
            routing: None,
        }
    }

    pub fn qr(&self, reference: &str) -> String {
        let body = self.four_field_qr(reference);
        format!("https://wa.me/settings/linked_devices#{body},9")
    }

    pub fn four_field_qr(&self, reference: &str) -> String {
        let noise = STANDARD.encode(self.noise.public().as_bytes());
        let identity = STANDARD.encode(self.identity.public().as_bytes());
        format!(
            "{reference},{noise},{identity},{}",
            STANDARD.encode(self.adv)
        )
    }

    pub fn user(&self) -> u64 {
        self.jid.as_ref().unwrap().user().parse().unwrap()
    }

    pub fn device(&self) -> u16 {
        self.jid.as_ref().unwrap().device()
    }
}

/// What came of one frame.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Stanza(Node),
    NotAuthentic(TransportError),
    NoNode(DecodeError),
    TooLong(wa_noise::FrameError),
}

enum State {
    Hello(Box<AwaitServerHello>),
    Open(Box<Transport>),
    Broken,
}

/// The client's end of one connection.
pub struct Wire {
    state: State,
    frames: FrameDecoder,
    pub pattern: Option<Pattern>,
    pub server: Option<ServerStatic>,
    pub handshake_error: Option<HandshakeError>,
    /// The stream cannot be cut into frames any more.
    cut_off: bool,
    unix_secs: u64,
}

impl Wire {
    /// Returns the first message too.
    pub fn connect(
        keys: &Keys,
        payload: &pb::ClientPayload,
        root: NoiseRoot,
        seed: u64,
        unix_secs: u64,
    ) -> (Self, Vec<u8>) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let handshake = ClientHandshake {
            provider: Provider::rust(),
            root,
            static_secret: keys.noise.clone(),
            cached: keys.server,
            payload: payload.encode_to_vec().into(),
        };
        let mut out = Vec::new();
        let awaiting = handshake
            .start(&mut rng, keys.routing.as_deref(), &mut out)
            .unwrap();
        let wire = Self {
            state: State::Hello(Box::new(awaiting)),
            frames: FrameDecoder::with_limit(4 << 20),
            pattern: None,
            server: None,
            handshake_error: None,
            cut_off: false,
            unix_secs,
        };
        (wire, out)
    }

    /// Takes bytes; returns what was heard and what is to be sent.
    pub fn receive(&mut self, bytes: &[u8]) -> (Vec<Heard>, Vec<u8>) {
        let (mut heard, mut out) = (Vec::new(), Vec::new());
        self.frames.push(bytes);
        loop {
            let body = match self.frames.next_frame() {
                Ok(Some(body)) => body,
                Ok(None) => break,
                Err(error) => {
                    if !std::mem::replace(&mut self.cut_off, true) {
                        heard.push(Heard::TooLong(error));
                    }
                    break;
                }
            };
            match std::mem::replace(&mut self.state, State::Broken) {
                State::Hello(awaiting) => match awaiting.read(body, self.unix_secs, &mut out) {
                    Ok(established) => {
                        self.pattern = Some(established.pattern);
                        self.server = established.server;
                        self.state = State::Open(Box::new(established.transport));
                    }
                    Err(error) => self.handshake_error = Some(error),
                },
                State::Open(mut transport) => {
                    heard.push(match transport.open_frame(body) {
                        Err(error) => Heard::NotAuthentic(error),
                        Ok(plaintext) => match Node::from_bytes(plaintext) {
                            Ok(node) => Heard::Stanza(node),
                            Err(error) => Heard::NoNode(error),
                        },
                    });
                    self.state = State::Open(transport);
                }
                State::Broken => break,
            }
        }
        (heard, out)
    }

    pub fn seal(&mut self, stanza: &Node) -> Vec<u8> {
        self.seal_bytes(&stanza.to_bytes().unwrap())
    }

    pub fn seal_bytes(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let State::Open(transport) = &mut self.state else {
            panic!("no transport yet")
        };
        let mut out = Vec::new();
        transport.seal_frame(plaintext, &mut out).unwrap();
        out
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }
}

/// `<iq type="result">` for a request.
pub fn result_of(request: &Node) -> Node {
    Node::new("iq")
        .attr("id", request.get_text("id").unwrap().into_owned())
        .attr("to", request.get_jid("from").unwrap())
        .attr("type", "result")
}

pub fn request(id: &str, kind: &'static str, xmlns: &'static str, child: Option<Node>) -> Node {
    let iq = Node::new("iq")
        .attr("id", id.to_owned())
        .attr("type", kind)
        .attr("xmlns", xmlns)
        .attr("to", Jid::server_jid());
    match child {
        Some(child) => iq.child(child),
        None => iq,
    }
}

pub fn child<'a>(node: &'a Node, tag: &str) -> &'a Node {
    node.get_child(tag)
        .unwrap_or_else(|| panic!("no {tag} in {node:?}"))
}

/// The checks of a companion in their written order (pairing chapter, A.6), and its reply.
pub fn answer_pair_success(
    keys: &mut Keys,
    iq: &Node,
    seed: u64,
) -> Result<Node, (u16, &'static str)> {
    let success = child(iq, "pair-success");
    let content = success
        .get_child("device-identity")
        .and_then(Node::get_bytes)
        .filter(|content| (1..=500).contains(&content.len()))
        .ok_or((500, "internal-error"))?;
    let internal = |_| (500, "internal-error");
    let container = pb::AdvSignedDeviceIdentityHmac::decode(content).map_err(internal)?;
    let signed = container.details.clone().ok_or((500, "internal-error"))?;
    let hmac = container.hmac.clone().unwrap_or_default();
    AdvSecret::from_bytes(keys.adv)
        .verify_mac(&[&signed], &hmac)
        .map_err(|_| (401, "not-authorized"))?;
    let mut identity = pb::AdvSignedDeviceIdentity::decode(signed.as_slice()).map_err(internal)?;
    let details = identity.details.clone().unwrap_or_default();
    let decoded = pb::AdvDeviceIdentity::decode(details.as_slice()).map_err(internal)?;
    let key_index = decoded.key_index.ok_or((500, "internal-error"))?;
    let account_key: [u8; 32] = identity
        .account_signature_key
        .take()
        .and_then(|key| key.try_into().ok())
        .ok_or((401, "not-authorized"))?;
    let own = keys.identity.public();
    let signature = Signature::try_from(identity.account_signature.as_deref().unwrap_or_default())
        .map_err(|_| (401, "not-authorized"))?;
    IdentityPublic::from_bytes(account_key)
        .verify(&[&[6, 0], &details, own.as_bytes()], &signature)
        .map_err(|_| (401, "not-authorized"))?;
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let signature = keys
        .identity
        .sign(&mut rng, &[&[6, 1], &details, own.as_bytes(), &account_key]);
    identity.device_signature = Some(signature.as_bytes().to_vec());
    keys.jid = child(success, "device").get_jid("jid");
    keys.lid = child(success, "device").get_jid("lid");
    keys.key_index = Some(key_index);
    Ok(result_of(iq).child(
        Node::new("pair-device-sign").child(
            Node::new("device-identity")
                .attr("key-index", key_index.to_string())
                .bytes(identity.encode_to_vec()),
        ),
    ))
}

pub fn error_reply(iq: &Node, code: u16, text: &'static str) -> Node {
    Node::new("iq")
        .attr("id", iq.get_text("id").unwrap().into_owned())
        .attr("to", Jid::server_jid())
        .attr("type", "error")
        .child(
            Node::new("error")
                .attr("code", code.to_string())
                .attr("text", text),
        )
}
