//! The other side of the passkey ceremony.

use prost::Message as _;
use wa_crypto::{
    AeadKey, PasskeyEphemeralPublic, PasskeyEphemeralSecret, Provider, PublicKey as _, hkdf_sha256,
    hmac_sha256, sha256,
};
use wa_pair::{
    PairOutput, PairingCode, PasskeyAssertion, PasskeyChallenge, PasskeyEnd, PasskeyStage,
};
use wa_proto::Node;
use wa_proto::pb::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity,
    ProloguePayload,
};

use super::{Rig, asked, content, from_server, vectors};

pub const REF: &str = "2@passkey-ref";

pub fn options() -> String {
    let vectors = vectors();
    let options = &vectors["passkey_json"]["request_options"];
    options.as_str().unwrap().to_owned()
}

pub fn assertion() -> PasskeyAssertion {
    let vectors = vectors();
    let json = vectors["passkey_json"]["assertion"].as_str().unwrap();
    PasskeyAssertion::from_json(json).unwrap()
}

pub fn options_node(json: &str) -> Node {
    Node::new("passkey_request_options").bytes(json.as_bytes())
}

pub fn prologue_request(id: &str, options: Option<&str>) -> Node {
    from_server("notification", "passkey_prologue_request", id).children(options.map(options_node))
}

pub fn continuation(id: &str, identity: Vec<u8>) -> Node {
    from_server("notification", "crsc_continuation", id)
        .child(Node::new("primary_ephemeral_identity").bytes(identity))
}

pub fn reference() -> Vec<Node> {
    vec![Node::new("ref").bytes(REF.as_bytes())]
}

pub fn challenge(outputs: &[PairOutput]) -> Option<&PasskeyChallenge> {
    outputs.iter().find_map(|output| match output {
        PairOutput::PasskeyRequested(challenge) => Some(challenge),
        _ => None,
    })
}

pub fn end(outputs: &[PairOutput]) -> Option<&PasskeyEnd> {
    outputs.iter().find_map(|output| match output {
        PairOutput::PasskeyEnded(end) => Some(end),
        _ => None,
    })
}

pub fn confirmation(outputs: &[PairOutput]) -> Option<Option<&PairingCode>> {
    outputs.iter().find_map(|output| match output {
        PairOutput::PasskeyConfirmation { code, .. } => Some(code.as_ref()),
        _ => None,
    })
}

/// Brings a ceremony to the stage, with the phone that goes with it from the prologue on. Without a
/// proof the confirmation waits for the user.
pub fn bring_to(rig: &mut Rig, stage: PasskeyStage) -> Option<Phone> {
    let inline = (stage != PasskeyStage::Options).then(options);
    let outputs = rig.stanza(&prologue_request("p", inline.as_deref()));
    if matches!(stage, PasskeyStage::Options) {
        asked(&outputs);
        return None;
    }
    if matches!(stage, PasskeyStage::Assertion) {
        return None;
    }
    rig.pairing
        .respond_passkey(rig.now, assertion(), &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    if matches!(stage, PasskeyStage::Ref) {
        return None;
    }
    let outputs = rig.result(asked(&outputs).0, reference());
    let (request, prologue, _) = asked(&outputs);
    let mut phone = Phone::reads(&prologue);
    if matches!(stage, PasskeyStage::Prologue) {
        return Some(phone);
    }
    rig.result(request, Vec::new());
    if matches!(stage, PasskeyStage::Primary) {
        return Some(phone);
    }
    let outputs = rig.stanza(&phone.answers("c"));
    let (request, nonce, _) = asked(&outputs);
    phone.takes_nonce(&nonce);
    if matches!(stage, PasskeyStage::Nonce) {
        return Some(phone);
    }
    let mut outputs = rig.result(request, Vec::new());
    if matches!(stage, PasskeyStage::Confirmation) {
        return Some(phone);
    }
    if confirmation(&outputs).unwrap().is_some() {
        rig.pairing
            .confirm_passkey(rig.now, true, &mut rig.rng)
            .unwrap();
        outputs = rig.drain();
    }
    let (request, sealed, _) = asked(&outputs);
    phone.opens(&sealed);
    if matches!(stage, PasskeyStage::PairingRequest) {
        return Some(phone);
    }
    rig.result(request, Vec::new());
    Some(phone)
}

/// A phone in a ceremony.
pub struct Phone {
    pub payload: Vec<u8>,
    pub proof: Option<Vec<u8>>,
    pub code: Option<String>,
    pub adv: Option<[u8; 32]>,
    ephemeral: PasskeyEphemeralSecret,
    nonce: [u8; 32],
    identity: Vec<u8>,
}

impl Phone {
    pub fn reads(prologue: &Node) -> Self {
        let prologue = prologue.get_child("passkey_prologue").unwrap();
        let proof = prologue.get_child("pairing_handoff_proof");
        let payload = content(prologue, &["prologue_payload"]);
        let identity = ProloguePayload::decode(payload.as_slice())
            .unwrap()
            .companion_ephemeral_identity
            .unwrap();
        Self {
            payload,
            proof: proof.map(|proof| proof.get_bytes().unwrap().to_vec()),
            code: None,
            adv: None,
            ephemeral: PasskeyEphemeralSecret::from_bytes(Provider::rust(), &[0x51; 32]),
            nonce: [0xA5; 32],
            identity,
        }
    }

    /// Whether the proof was made with a secret this phone knows.
    pub fn trusts(&self, adv: &[u8; 32]) -> bool {
        let mut key = [0; 32];
        hkdf_sha256(adv, &[], b"shortcake-passkey-handoff-v1", &mut key);
        self.proof.as_deref() == Some(hmac_sha256(&key, &[&self.payload]).as_slice())
    }

    pub fn answers(&self, id: &str) -> Node {
        let identity = PrimaryEphemeralIdentity {
            public_key: Some(self.ephemeral.public().as_bytes().to_vec()),
            nonce: Some(self.nonce.to_vec()),
        };
        continuation(id, identity.encode_to_vec())
    }

    /// Checks the commitment and makes the code to show.
    pub fn takes_nonce(&mut self, iq: &Node) {
        let nonce = content(iq, &["companion_nonce"]);
        let commitment = ProloguePayload::decode(self.payload.as_slice())
            .unwrap()
            .commitment
            .unwrap()
            .hash
            .unwrap();
        assert_eq!(sha256(&[&self.identity, &nonce]).as_slice(), commitment);
        let digest = sha256(&[&nonce, self.ephemeral.public().as_bytes()]);
        let mut bytes = [0; 5];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = self.nonce[at] ^ digest[at];
        }
        self.code = Some(PairingCode::from_random(bytes).expose().to_owned());
    }

    pub fn opens(&mut self, iq: &Node) -> PairingRequest {
        let sealed = content(iq, &["encrypted_pairing_request"]);
        let sealed = EncryptedPairingRequest::decode(sealed.as_slice()).unwrap();
        let companion = CompanionEphemeralIdentity::decode(self.identity.as_slice()).unwrap();
        let public: [u8; 32] = companion.public_key.unwrap().try_into().unwrap();
        let shared = self
            .ephemeral
            .agree(&PasskeyEphemeralPublic::from_bytes(public))
            .unwrap();
        let salt = format!(
            "Companion Pairing {} with ref {}",
            companion.device_type.unwrap(),
            companion.r#ref.unwrap()
        );
        let mut key = [0; 32];
        let info = b"Pairing Information Encryption Key";
        hkdf_sha256(shared.expose_bytes(), salt.as_bytes(), info, &mut key);
        let iv: [u8; 12] = sealed.iv.unwrap().try_into().unwrap();
        let mut payload = sealed.encrypted_payload.unwrap();
        let opened = AeadKey::new(Provider::rust(), &key)
            .open_in_place(&iv, &[], &mut payload)
            .unwrap();
        let request = PairingRequest::decode(&*opened).unwrap();
        self.adv = Some(request.adv_secret.clone().unwrap().try_into().unwrap());
        request
    }
}
