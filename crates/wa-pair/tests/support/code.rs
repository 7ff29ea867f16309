//! The other side of the code flow.

use wa_crypto::{
    AeadKey, IdentityPublic, IdentitySecret, LinkEphemeralPublic, LinkEphemeralSecret, Provider,
    PublicKey as _, aes256_ctr_apply, hkdf_sha256, pbkdf2_sha256,
};
use wa_pair::{
    CodeRequest, LiveCode, PairComputed, PairConfig, PairOutput, PairRequest, PairingCode,
    PhoneNumber,
};
use wa_proto::Node;

use super::{Rig, asked, content, from_server, hex32, vectors};

pub const NUMBER: &str = "15551234567";
pub const REF: &[u8] = b"link-ref-1";

pub fn number() -> PhoneNumber {
    PhoneNumber::parse(NUMBER).unwrap()
}

pub fn request_of(code: &str) -> CodeRequest {
    CodeRequest {
        custom: Some(PairingCode::from_custom(code).unwrap()),
        ..CodeRequest::new(number())
    }
}

/// Runs the jobs among the outputs and hands their outcomes in.
pub fn compute(rig: &mut Rig, outputs: Vec<PairOutput>) -> Vec<PairOutput> {
    for computed in run(outputs) {
        rig.pairing.handle_computed(rig.now, computed, &mut rig.rng);
    }
    rig.drain()
}

pub fn run(outputs: Vec<PairOutput>) -> Vec<PairComputed> {
    outputs
        .into_iter()
        .filter_map(|output| match output {
            PairOutput::Compute(job) => Some(job.run()),
            _ => None,
        })
        .collect()
}

/// The answer that accepts a code.
pub fn accepted(reference: &[u8]) -> Vec<Node> {
    let reference = Node::new("link_code_pairing_ref").bytes(reference);
    vec![Node::new("link_code_companion_reg").child(reference)]
}

pub fn live(outputs: &[PairOutput]) -> Option<&LiveCode> {
    outputs.iter().find_map(|output| match output {
        PairOutput::Code(code) => Some(code),
        _ => None,
    })
}

/// Asks for the code and lets its key be wrapped: the companion_hello.
pub fn hello(rig: &mut Rig, code: &str) -> (PairRequest, Node) {
    rig.pairing
        .request_code(rig.now, request_of(code), &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    let outputs = compute(rig, outputs);
    let (request, iq, _) = asked(&outputs);
    (request, iq)
}

/// A rig with `refs` refs and the code `ABCD1234` accepted, and its companion_hello.
pub fn with_code(refs: usize) -> (Rig, Node) {
    let mut rig = Rig::offering(refs);
    let (request, iq) = hello(&mut rig, "ABCD1234");
    let outputs = rig.result(request, accepted(REF));
    assert!(live(&outputs).is_some());
    (rig, iq)
}

pub fn with_code_of(config: PairConfig, refs: usize) -> (Rig, Node) {
    let mut rig = Rig::new(config);
    rig.stanza(&super::pair_device("1", refs, "ref"));
    let (request, iq) = hello(&mut rig, "ABCD1234");
    rig.result(request, accepted(REF));
    (rig, iq)
}

pub fn notification(id: &str, stage: &str, reference: &[u8], children: Vec<Node>) -> Node {
    let body = Node::new("link_code_companion_reg")
        .attr("stage", stage.to_owned())
        .child(Node::new("link_code_pairing_ref").bytes(reference))
        .children(children);
    from_server("notification", "link_code_companion_reg", id).child(body)
}

pub fn keys(wrapped: &[u8], identity: &[u8]) -> Vec<Node> {
    vec![
        Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(wrapped),
        Node::new("primary_identity_pub").bytes(identity),
    ]
}

pub fn primary_hello(id: &str, reference: &[u8], wrapped: &[u8], identity: &[u8]) -> Node {
    notification(id, "primary_hello", reference, keys(wrapped, identity))
}

/// A primary_hello the machine takes, without a phone that could go on.
pub fn blind_hello(id: &str) -> Node {
    primary_hello(id, REF, &[7; 80], &[9; 32])
}

fn stretch(code: &str, salt: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    pbkdf2_sha256(code.as_bytes(), salt, 131_072, &mut key);
    key
}

/// Opens or wraps: the key stream is the same.
pub fn apply(code: &str, wrapped: &[u8]) -> [u8; 32] {
    let mut public: [u8; 32] = wrapped[48..80].try_into().unwrap();
    let iv = wrapped[32..48].try_into().unwrap();
    aes256_ctr_apply(&stretch(code, &wrapped[..32]), &iv, &mut public);
    public
}

/// A phone whose owner typed a code.
pub struct Phone {
    pub identity: IdentitySecret,
    ephemeral: LinkEphemeralSecret,
    wrapped: Vec<u8>,
    companion: LinkEphemeralPublic,
}

impl Phone {
    pub fn types(code: &str, companion_hello: &Node) -> Self {
        let keys = &vectors()["keys"];
        let key = |name: &str| hex32(&keys[name]["private_clamped"]);
        let provider = Provider::rust();
        let ephemeral = LinkEphemeralSecret::from_bytes(provider, &key("primary_ephemeral"));
        let mut wrapped = vec![3; 48];
        wrapped.extend_from_slice(ephemeral.public().as_bytes());
        let sealed = apply(code, &wrapped);
        wrapped[48..].copy_from_slice(&sealed);
        let tag = "link_code_pairing_wrapped_companion_ephemeral_pub";
        let theirs = content(companion_hello, &["link_code_companion_reg", tag]);
        Self {
            identity: IdentitySecret::from_bytes(provider, &key("primary_identity")),
            ephemeral,
            wrapped,
            companion: LinkEphemeralPublic::from_bytes(apply(code, &theirs)),
        }
    }

    pub fn hello(&self, id: &str) -> Node {
        let identity = self.identity.public();
        primary_hello(id, REF, &self.wrapped, identity.as_bytes())
    }

    /// Opens companion_finish: the ADV secret, if the code was right.
    pub fn finish(&self, companion_finish: &Node) -> Option<[u8; 32]> {
        let get = |tag: &str| content(companion_finish, &["link_code_companion_reg", tag]);
        let mut bundle = get("link_code_pairing_wrapped_key_bundle");
        assert_eq!(bundle.len(), 156);
        let identity: [u8; 32] = get("companion_identity_public").try_into().unwrap();
        let identity = IdentityPublic::from_bytes(identity);
        let shared = self.ephemeral.agree(&self.companion).unwrap();
        let mut key = [0; 32];
        let info = b"link_code_pairing_key_bundle_encryption_key";
        hkdf_sha256(shared.expose_bytes(), &bundle[..32], info, &mut key);
        let iv: [u8; 12] = bundle[32..44].try_into().unwrap();
        let opened = AeadKey::new(Provider::rust(), &key)
            .open_in_place(&iv, &[], &mut bundle[44..])
            .ok()?
            .to_vec();
        assert_eq!(opened[..32], *identity.as_bytes());
        assert_eq!(opened[32..64], *self.identity.public().as_bytes());
        let mut secrets = shared.expose_bytes().to_vec();
        secrets.extend_from_slice(self.identity.agree(&identity).unwrap().expose_bytes());
        secrets.extend_from_slice(&opened[64..]);
        let mut adv = [0; 32];
        hkdf_sha256(&secrets, &[], b"adv_secret", &mut adv);
        Some(adv)
    }
}
