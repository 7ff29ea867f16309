use std::collections::BTreeMap;

use prost::Message;
use rand_chacha::ChaCha20Rng;
use wa_core::OpenFailure;
use wa_crypto::{IdentityPublic, NoiseStaticPublic, NoiseStaticSecret, Provider, sha1};
use wa_noise::{CertificateAuthority, NoiseRoot, Pattern, ServerIdentity};
use wa_proto::pb::ClientPayload;
use wa_proto::{Jid, Node};

use super::{NUMBER, Phone, START_UNIX_MS, rng};

/// The simulated service as it is between connections: who is linked, what keys it holds, what it has seen,
/// and what is to go wrong.
pub struct Service {
    pub provider: Provider,
    pub rng: ChaCha20Rng,
    pub authority: CertificateAuthority,
    pub identity: ServerIdentity,
    pub allow_ik: bool,
    pub refs: usize,
    pub phone: Phone,
    /// Device number to companion, as the phone lists them.
    pub linked: BTreeMap<u16, Linked>,
    pub next_device: u16,
    pub lid: Option<Jid>,
    pub bundle: Bundle,
    /// Companions that the server names without the phone's signature.
    pub unsigned_list: Option<Vec<u16>>,
    /// Attributes of every `success`.
    pub success: Vec<(&'static str, String)>,
    pub ceremonies: Ceremonies,
    pub seen: Seen,
    faults: Vec<(Point, Fault, u32)>,
}

/// How links by code and by passkey go.
#[derive(Default)]
pub struct Ceremonies {
    pub after_code: AfterCode,
    /// The options come with the request for a passkey.
    pub inline_options: bool,
    /// What the server answers to the last step of a passkey ceremony, beside the result.
    pub after_passkey: AfterPasskey,
    /// What the phone has shown for comparison.
    pub phone_code: Option<String>,
    /// Platform number in the companion's half of the exchange.
    pub device_type: Option<u32>,
    /// Whether the phone saw a handoff proof.
    pub proven: bool,
    /// What a code or a passkey ceremony has taught the phone, while it has not endorsed it.
    pub endorsed: Option<(IdentityPublic, wa_crypto::AdvSecret)>,
}

/// What follows a code that was typed in right.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum AfterCode {
    #[default]
    PairSuccess,
    Passkey,
    Nothing,
}

/// What follows a request that the phone could read.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum AfterPasskey {
    #[default]
    PairSuccess,
    /// The link is there before the receipt.
    PairSuccessFirst,
    Nothing,
}

/// A companion as server and phone know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    pub identity: IdentityPublic,
    pub noise: NoiseStaticPublic,
    pub key_index: u32,
}

/// Prekeys of the one companion of this service.
#[derive(Default)]
pub struct Bundle {
    pub registration: Vec<u8>,
    pub identity: Vec<u8>,
    /// In upload order.
    pub prekeys: Vec<(Vec<u8>, Vec<u8>)>,
    /// Id, key, signature.
    pub signed: Option<(Vec<u8>, Vec<u8>, Vec<u8>)>,
    pub uploads: usize,
}

/// What clients did.
#[derive(Default)]
pub struct Seen {
    pub connections: usize,
    pub routing: Vec<Option<Vec<u8>>>,
    pub patterns: Vec<Pattern>,
    pub payloads: Vec<ClientPayload>,
    pub raw_payloads: Vec<Vec<u8>>,
    /// Every stanza of a client.
    pub stanzas: Vec<Node>,
}

/// A moment at which the service acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    Open,
    Hello,
    Finish,
    PairDevice,
    PairSign,
    Login,
    Count,
    Upload,
    Digest,
    Rotate,
    Active,
    Ping,
    Unlink,
    CompanionHello,
    CompanionFinish,
    PasskeyOptions,
    PasskeyRef,
    PasskeyPrologue,
    PasskeyNonce,
    PasskeyRequest,
    Devices,
}

/// What it does instead of what it should.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// Nothing.
    Silent,
    /// Close the socket.
    Close,
    /// Do not let the socket open.
    Refuse(OpenFailure),
    /// Send these bytes as they are.
    Bytes(Vec<u8>),
    /// Send these stanzas.
    Stanzas(Vec<Node>),
    /// Answer the request with an error.
    Error(u16),
    /// Answer the request with an error that has this text and says how long to back off.
    Refusal(u16, &'static str, Option<u32>),
    /// Do what is asked, and close before the answer is out.
    LoseAnswer,
    /// Do what is asked, and say nothing.
    NoReceipt,
}

/// What a service does about an input.
pub enum Answer {
    Send(Vec<u8>),
    Close,
}

impl Service {
    pub fn new() -> Self {
        let provider = Provider::rust();
        let mut rng = rng(1);
        let authority = CertificateAuthority::generate(provider, &mut rng);
        let identity = identity(provider, &authority, &mut rng);
        Self {
            provider,
            rng,
            authority,
            identity,
            allow_ik: true,
            refs: 6,
            phone: Phone::new(2),
            linked: BTreeMap::new(),
            next_device: 48,
            lid: Some("186303081611421@lid".parse().unwrap()),
            bundle: Bundle::default(),
            unsigned_list: None,
            success: vec![("t", (START_UNIX_MS / 1000).to_string())],
            ceremonies: Ceremonies::default(),
            seen: Seen::default(),
            faults: Vec::new(),
        }
    }

    /// Stores an upload although it was answered with an error.
    pub fn take_upload(&mut self, iq: &Node) {
        self.bundle.upload(iq);
    }

    pub fn root(&self) -> NoiseRoot {
        self.authority.root()
    }

    /// From now on `point` goes wrong, `times` times.
    pub fn fail(&mut self, point: Point, fault: Fault, times: u32) {
        self.faults.push((point, fault, times));
    }

    pub fn heal(&mut self) {
        self.faults.clear();
    }

    /// A new server key, as after a change on the real service.
    pub fn change_key(&mut self) {
        self.identity = identity(self.provider, &self.authority, &mut self.rng);
    }

    pub(super) fn fault(&mut self, point: Point) -> Option<Fault> {
        let (_, fault, times) = self
            .faults
            .iter_mut()
            .find(|(at, _, times)| *at == point && *times > 0)?;
        *times -= 1;
        Some(fault.clone())
    }

    /// Takes exactly this fault, if it is next.
    pub(super) fn take(&mut self, point: Point, fault: &Fault) -> bool {
        let next = self
            .faults
            .iter_mut()
            .find(|(at, _, times)| *at == point && *times > 0);
        match next {
            Some((_, found, times)) if found == fault => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    pub fn pn(&self, device: u16) -> Jid {
        format!("{NUMBER}:{device}@s.whatsapp.net").parse().unwrap()
    }

    pub fn lid(&self, device: u16) -> Option<Jid> {
        self.lid.as_ref().map(|lid| lid.clone().with_device(device))
    }

    /// The content of a `key-index-list`: all that are linked, signed by the phone.
    pub fn key_index_list(&mut self) -> Vec<u8> {
        let indexes: Vec<u32> = self
            .linked
            .values()
            .map(|linked| linked.key_index)
            .collect();
        self.phone.key_index_list(&indexes)
    }

    /// Stanzas of clients with this tag.
    pub fn sent(&self, tag: &str) -> Vec<&Node> {
        self.seen
            .stanzas
            .iter()
            .filter(|stanza| stanza.tag_str() == tag)
            .collect()
    }

    /// Requests of clients with this child.
    pub fn requests(&self, child: &str) -> Vec<&Node> {
        self.sent("iq")
            .into_iter()
            .filter(|iq| iq.get_child(child).is_some())
            .collect()
    }
}

impl Bundle {
    /// The `digest` child of the answer, as the server computes it.
    pub fn digest(&self) -> Option<Node> {
        let (id, key, signature) = self.signed.as_ref()?;
        let one_time: Vec<u8> = self
            .prekeys
            .iter()
            .flat_map(|(_, key)| key.clone())
            .collect();
        let hash = sha1(&[&self.identity, key, signature, &one_time]);
        let leaf = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        Some(
            Node::new("digest")
                .child(leaf("registration", &self.registration))
                .child(leaf("type", &[5]))
                .child(leaf("identity", &self.identity))
                .child(
                    Node::new("skey")
                        .child(leaf("id", id))
                        .child(leaf("value", key))
                        .child(leaf("signature", signature)),
                )
                .child(
                    Node::new("list").children(self.prekeys.iter().map(|(id, _)| leaf("id", id))),
                )
                .child(leaf("hash", &hash)),
        )
    }

    pub(super) fn upload(&mut self, iq: &Node) {
        let bytes = |node: &Node, tag: &str| {
            node.get_child(tag)
                .and_then(Node::get_bytes)
                .unwrap_or_else(|| panic!("an upload has {tag}"))
                .to_vec()
        };
        self.uploads += 1;
        self.registration = bytes(iq, "registration");
        self.identity = bytes(iq, "identity");
        for key in iq.get_child("list").unwrap().get_children() {
            let id = bytes(key, "id");
            assert!(
                self.prekeys.iter().all(|(known, _)| *known != id),
                "no id is offered twice"
            );
            self.prekeys.push((id, bytes(key, "value")));
        }
        self.sign(iq.get_child("skey").unwrap());
    }

    pub(super) fn sign(&mut self, skey: &Node) {
        let bytes = |tag: &str| skey.get_child(tag).unwrap().get_bytes().unwrap().to_vec();
        self.signed = Some((bytes("id"), bytes("value"), bytes("signature")));
    }
}

fn identity(
    provider: Provider,
    authority: &CertificateAuthority,
    rng: &mut ChaCha20Rng,
) -> ServerIdentity {
    let static_secret = NoiseStaticSecret::generate(provider, rng);
    let now = START_UNIX_MS / 1000;
    let chain = authority.issue(
        &static_secret.public(),
        now - 86_400,
        now + 10 * 365 * 86_400,
        rng,
    );
    ServerIdentity {
        static_secret,
        chain,
    }
}
