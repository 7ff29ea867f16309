//! A companion's half of codes and passkeys, by hand.

use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use wa_crypto::{
    AeadKey, IdentityPublic, LinkEphemeralPublic, LinkEphemeralSecret, PasskeyEphemeralPublic,
    PasskeyEphemeralSecret, Provider, PublicKey as _, aes256_ctr_apply, hkdf_sha256, hmac_sha256,
    pbkdf2_sha256, sha256,
};
use wa_proto::{Jid, Node, Server, pb};
use wa_sim::PhoneNumber;

use super::device::{Keys, child, request};

const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

pub fn user_jid(number: PhoneNumber) -> Jid {
    Jid::new(number.digits().to_string(), Server::Pn)
}

/// `<ack>` of a notification.
pub fn ack_of(notification: &Node) -> Node {
    assert_eq!(notification.tag_str(), "notification", "{notification:?}");
    Node::new("ack")
        .attr("class", "notification")
        .attr("type", notification.get_text("type").unwrap().into_owned())
        .attr("id", notification.get_text("id").unwrap().into_owned())
        .attr("to", Jid::server_jid())
}

/// A companion with a pairing code.
pub struct CodeSide {
    pub code: &'static str,
    pub number: PhoneNumber,
    pub secret: LinkEphemeralSecret,
    pub display: &'static str,
    pub platform: &'static str,
    rng: ChaCha20Rng,
}

fn stretched(code: &str, salt: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    pbkdf2_sha256(code.as_bytes(), salt, 131_072, &mut key);
    key
}

impl CodeSide {
    pub fn new(number: PhoneNumber, code: &'static str, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Self {
            code,
            number,
            secret: LinkEphemeralSecret::generate(Provider::rust(), &mut rng),
            display: "Chrome (Linux)",
            platform: "1",
            rng,
        }
    }

    pub fn wrapped(&mut self) -> Vec<u8> {
        let (mut salt, mut iv) = ([0; 32], [0; 16]);
        self.rng.fill_bytes(&mut salt);
        self.rng.fill_bytes(&mut iv);
        let mut key = *self.secret.public().as_bytes();
        aes256_ctr_apply(&stretched(self.code, &salt), &iv, &mut key);
        [salt.as_slice(), &iv, &key].concat()
    }

    pub fn hello(&mut self, keys: &Keys, id: &str) -> Node {
        let wrapped = self.wrapped();
        let noise = keys.noise.public().as_bytes().to_vec();
        self.hello_with(id, wrapped, noise, vec![0])
    }

    pub fn hello_with(&self, id: &str, wrapped: Vec<u8>, noise: Vec<u8>, nonce: Vec<u8>) -> Node {
        let text = |tag: &'static str, text: &str| Node::new(tag).bytes(text.as_bytes().to_vec());
        let stage = Node::new("link_code_companion_reg")
            .attr("jid", user_jid(self.number))
            .attr("stage", "companion_hello")
            .attr("should_show_push_notification", "true")
            .child(Node::new("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(wrapped))
            .child(Node::new("companion_server_auth_key_pub").bytes(noise))
            .child(text("companion_platform_id", self.platform))
            .child(text("companion_platform_display", self.display))
            .child(Node::new("link_code_pairing_nonce").bytes(nonce));
        request(id, "set", "md", Some(stage))
    }

    /// Answers primary_hello: the new secret and companion_finish.
    pub fn finish(&mut self, keys: &Keys, notification: &Node, id: &str) -> ([u8; 32], Node) {
        let hello = child(notification, "link_code_companion_reg");
        assert_eq!(hello.get_text("stage").as_deref(), Some("primary_hello"));
        let wrapped = child(hello, "link_code_pairing_wrapped_primary_ephemeral_pub")
            .get_bytes()
            .unwrap();
        assert_eq!(wrapped.len(), 80);
        let mut theirs: [u8; 32] = wrapped[48..].try_into().unwrap();
        let iv = wrapped[32..48].try_into().unwrap();
        aes256_ctr_apply(&stretched(self.code, &wrapped[..32]), &iv, &mut theirs);
        let primary: [u8; 32] = child(hello, "primary_identity_pub")
            .get_bytes()
            .unwrap()
            .try_into()
            .unwrap();
        let ephemeral = self
            .secret
            .agree(&LinkEphemeralPublic::from_bytes(theirs))
            .unwrap();
        let identity = keys
            .identity
            .agree(&IdentityPublic::from_bytes(primary))
            .unwrap();
        let (mut random, mut salt, mut nonce) = ([0; 32], [0; 32], [0; 12]);
        self.rng.fill_bytes(&mut random);
        self.rng.fill_bytes(&mut salt);
        self.rng.fill_bytes(&mut nonce);
        let mut key = [0; 32];
        hkdf_sha256(
            ephemeral.expose_bytes(),
            &salt,
            b"link_code_pairing_key_bundle_encryption_key",
            &mut key,
        );
        let own = keys.identity.public();
        let plain = [own.as_bytes().as_slice(), &primary, &random].concat();
        let mut bundle = [salt.as_slice(), &nonce].concat();
        AeadKey::new(Provider::rust(), &key).seal_append(&nonce, &[], &plain, &mut bundle);
        assert_eq!(bundle.len(), 156);
        let ikm = [
            ephemeral.expose_bytes().as_slice(),
            identity.expose_bytes(),
            &random,
        ]
        .concat();
        let mut secret = [0; 32];
        hkdf_sha256(&ikm, &[], b"adv_secret", &mut secret);
        let reference = reference_of(hello);
        let finish = self.finish_with(keys, id, bundle, &reference);
        (secret, finish)
    }

    pub fn finish_with(&self, keys: &Keys, id: &str, bundle: Vec<u8>, reference: &str) -> Node {
        let identity = keys.identity.public().as_bytes().to_vec();
        let stage = Node::new("link_code_companion_reg")
            .attr("jid", user_jid(self.number))
            .attr("stage", "companion_finish")
            .child(Node::new("link_code_pairing_wrapped_key_bundle").bytes(bundle))
            .child(Node::new("companion_identity_public").bytes(identity))
            .child(Node::new("link_code_pairing_ref").bytes(reference.as_bytes().to_vec()));
        request(id, "set", "md", Some(stage))
    }
}

/// The ref in a stage of `link_code_companion_reg`.
pub fn reference_of(stage: &Node) -> String {
    let bytes = child(stage, "link_code_pairing_ref").get_bytes().unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A companion in a passkey ceremony.
pub struct PasskeySide {
    pub secret: PasskeyEphemeralSecret,
    pub nonce: [u8; 32],
    pub device_type: i32,
    pub reference: String,
    pub new_adv: [u8; 32],
    pub identity: Vec<u8>,
}

impl PasskeySide {
    pub fn new(reference: &str, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (mut nonce, mut new_adv) = ([0; 32], [0; 32]);
        rng.fill_bytes(&mut nonce);
        rng.fill_bytes(&mut new_adv);
        let secret = PasskeyEphemeralSecret::generate(Provider::rust(), &mut rng);
        let mut side = Self {
            secret,
            nonce,
            device_type: 0,
            reference: reference.to_owned(),
            new_adv,
            identity: Vec::new(),
        };
        side.encode_identity();
        side
    }

    pub fn encode_identity(&mut self) {
        self.identity = pb::CompanionEphemeralIdentity {
            public_key: Some(self.secret.public().as_bytes().to_vec()),
            device_type: Some(self.device_type),
            r#ref: Some(self.reference.clone()),
        }
        .encode_to_vec();
    }

    pub fn payload(&self) -> Vec<u8> {
        let hash = sha256(&[&self.identity, &self.nonce]).to_vec();
        pb::ProloguePayload {
            companion_ephemeral_identity: Some(self.identity.clone()),
            commitment: Some(pb::CompanionCommitment { hash: Some(hash) }),
        }
        .encode_to_vec()
    }

    pub fn proof(&self, adv: &[u8; 32]) -> Vec<u8> {
        let mut key = [0; 32];
        hkdf_sha256(adv, &[], b"shortcake-passkey-handoff-v1", &mut key);
        hmac_sha256(&key, &[&self.payload()]).to_vec()
    }

    pub fn prologue(&self, id: &str, assertion: &str, proof: Option<Vec<u8>>) -> Node {
        let value: serde_json::Value = serde_json::from_str(assertion).unwrap();
        let raw_id = base64url(value["rawId"].as_str().unwrap());
        let mut prologue = Node::new("passkey_prologue")
            .child(Node::new("credential_id").bytes(raw_id))
            .child(Node::new("webauthn_assertion").bytes(assertion.as_bytes().to_vec()))
            .child(Node::new("prologue_payload").bytes(self.payload()));
        if let Some(proof) = proof {
            prologue = prologue.child(Node::new("pairing_handoff_proof").bytes(proof));
        }
        request(id, "set", "md", Some(prologue))
    }

    pub fn nonce_request(&self, id: &str) -> Node {
        let nonce = Node::new("companion_nonce").bytes(self.nonce.to_vec());
        request(id, "set", "md", Some(nonce))
    }

    /// The code of this side, and the key of the request.
    fn agreed(&self, continuation: &Node) -> (String, [u8; 32]) {
        let bytes = child(continuation, "primary_ephemeral_identity")
            .get_bytes()
            .unwrap();
        let primary = pb::PrimaryEphemeralIdentity::decode(bytes).unwrap();
        let public: [u8; 32] = primary.public_key.unwrap().try_into().unwrap();
        let theirs = primary.nonce.unwrap();
        assert_eq!(theirs.len(), 32);
        let digest = sha256(&[&self.nonce, &public]);
        let number = (0..5).fold(0u64, |number, i| {
            number << 8 | u64::from(theirs[i] ^ digest[i])
        });
        let code: String = (0..8)
            .map(|i| char::from(ALPHABET[(number >> (35 - 5 * i) & 31) as usize]))
            .collect();
        let shared = self
            .secret
            .agree(&PasskeyEphemeralPublic::from_bytes(public))
            .unwrap();
        let salt = format!(
            "Companion Pairing {} with ref {}",
            self.device_type, self.reference
        );
        let mut key = [0; 32];
        hkdf_sha256(
            shared.expose_bytes(),
            salt.as_bytes(),
            b"Pairing Information Encryption Key",
            &mut key,
        );
        (format!("{}-{}", &code[..4], &code[4..]), key)
    }

    pub fn code(&self, continuation: &Node) -> String {
        self.agreed(continuation).0
    }

    pub fn pairing_request(&self, keys: &Keys, continuation: &Node, id: &str) -> Node {
        let request_message = pb::PairingRequest {
            companion_public_key: Some(keys.noise.public().as_bytes().to_vec()),
            companion_identity_key: Some(keys.identity.public().as_bytes().to_vec()),
            adv_secret: Some(self.new_adv.to_vec()),
        }
        .encode_to_vec();
        let mut sealed = Vec::new();
        let iv = [3; 12];
        AeadKey::new(Provider::rust(), &self.agreed(continuation).1).seal_append(
            &iv,
            &[],
            &request_message,
            &mut sealed,
        );
        let envelope = pb::EncryptedPairingRequest {
            encrypted_payload: Some(sealed),
            iv: Some(iv.to_vec()),
        }
        .encode_to_vec();
        assert_eq!(envelope.len(), 134);
        let node = Node::new("encrypted_pairing_request").bytes(envelope);
        request(id, "set", "md", Some(node))
    }
}

pub fn base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}
