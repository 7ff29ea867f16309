use prost::Message;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng as _;
use wa_crypto::{
    AdvSecret, AeadKey, PasskeyEphemeralPublic, PasskeyEphemeralSecret, Provider, PublicKey as _,
    hkdf_sha256, hmac_sha256, sha256,
};
use wa_proto::pb::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity,
    ProloguePayload,
};
use wa_proto::{Jid, Node};

const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// Options of the server, spaced oddly on purpose: they are handed on as they are.
pub const OPTIONS: &str = r#"{ "challenge":"Y2hhbGxlbmdlLW9mLXRoZS1zZXJ2ZXI", "timeout":600000, "rpId":"whatsapp.com","allowCredentials":[],  "userVerification":"required", "extensions":{"uvm":true} }"#;

/// The phone's half of a passkey ceremony.
pub struct PasskeyPhone {
    pub ephemeral: PasskeyEphemeralSecret,
    pub nonce: [u8; 32],
    pub companion: CompanionEphemeralIdentity,
    identity_bytes: Vec<u8>,
    commitment: Vec<u8>,
    /// Whether the handoff proof was there and right.
    pub proven: bool,
    /// What the phone shows once it knows the companion's nonce.
    pub code: Option<String>,
}

impl PasskeyPhone {
    /// Takes a `passkey_prologue` in. `known` is the secret of the scan or code before it.
    pub fn meet(prologue: &Node, known: &AdvSecret, rng: &mut ChaCha20Rng) -> Self {
        let payload_bytes = bytes(prologue, "prologue_payload");
        let payload = ProloguePayload::decode(&*payload_bytes).unwrap();
        let identity_bytes = payload.companion_ephemeral_identity.unwrap();
        let proven = prologue
            .get_child("pairing_handoff_proof")
            .is_some_and(|proof| {
                let mut key = [0; 32];
                let info = b"shortcake-passkey-handoff-v1";
                hkdf_sha256(known.expose_bytes(), &[], info, &mut key);
                let expected = hmac_sha256(&key, &[&payload_bytes]);
                assert_eq!(proof.get_bytes().unwrap(), expected, "a proof proves");
                true
            });
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        Self {
            ephemeral: PasskeyEphemeralSecret::generate(Provider::rust(), rng),
            nonce,
            companion: CompanionEphemeralIdentity::decode(&*identity_bytes).unwrap(),
            identity_bytes,
            commitment: payload.commitment.unwrap().hash.unwrap(),
            proven,
            code: None,
        }
    }

    /// The notification that answers the prologue.
    pub fn continuation(&self) -> Node {
        let identity = PrimaryEphemeralIdentity {
            public_key: Some(self.ephemeral.public().as_bytes().to_vec()),
            nonce: Some(self.nonce.to_vec()),
        };
        passkey_notification("crsc_continuation", "primary_ephemeral_identity")
            .child(Node::new("primary_ephemeral_identity").bytes(identity.encode_to_vec()))
    }

    /// The companion opens its commitment; the phone shows its code.
    pub fn opened(&mut self, nonce: &[u8]) {
        assert_eq!(sha256(&[&self.identity_bytes, nonce])[..], self.commitment);
        let digest = sha256(&[nonce, self.ephemeral.public().as_bytes()]);
        let mut number = [0; 8];
        for (place, (a, b)) in number[3..].iter_mut().zip(self.nonce.iter().zip(&digest)) {
            *place = a ^ b;
        }
        let number = u64::from_be_bytes(number);
        let symbol = |group: u32| char::from(ALPHABET[(number >> (5 * group)) as usize & 31]);
        self.code = Some((0..8).rev().map(symbol).collect());
    }

    /// What the companion asks the phone to endorse.
    pub fn read(&self, request: &[u8]) -> PairingRequest {
        let request = EncryptedPairingRequest::decode(request).unwrap();
        let key: [u8; 32] = self
            .companion
            .public_key
            .clone()
            .unwrap()
            .try_into()
            .unwrap();
        let shared = self
            .ephemeral
            .agree(&PasskeyEphemeralPublic::from_bytes(key))
            .unwrap();
        let salt = format!(
            "Companion Pairing {} with ref {}",
            self.companion.device_type.unwrap(),
            self.companion.r#ref.clone().unwrap()
        );
        let mut key = [0; 32];
        let info = b"Pairing Information Encryption Key";
        hkdf_sha256(shared.expose_bytes(), salt.as_bytes(), info, &mut key);
        let nonce = request.iv.unwrap().try_into().unwrap();
        let mut sealed = request.encrypted_payload.unwrap();
        let plain = AeadKey::new(Provider::rust(), &key)
            .open_in_place(&nonce, &[], &mut sealed)
            .unwrap();
        PairingRequest::decode(&*plain).unwrap()
    }
}

/// The server asks for a passkey.
pub fn prologue_request(options: Option<&str>) -> Node {
    let request = passkey_notification("passkey_prologue_request", "passkey-1");
    match options {
        None => request,
        Some(json) => {
            request.child(Node::new("passkey_request_options").bytes(json.as_bytes().to_vec()))
        }
    }
}

fn passkey_notification(kind: &'static str, id: &'static str) -> Node {
    Node::new("notification")
        .attr("from", Jid::server_jid())
        .attr("type", kind)
        .attr("id", id)
}

pub fn bytes(node: &Node, tag: &str) -> Vec<u8> {
    let child = node.get_child(tag).unwrap_or_else(|| panic!("{tag}"));
    child
        .get_bytes()
        .unwrap_or_else(|| panic!("{tag} has bytes"))
        .to_vec()
}
