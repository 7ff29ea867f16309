use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng as _;
use wa_crypto::{
    AdvSecret, AeadKey, IdentityPublic, IdentitySecret, LinkEphemeralPublic, LinkEphemeralSecret,
    Provider, PublicKey as _, aes256_ctr_apply, hkdf_sha256, pbkdf2_sha256,
};
use wa_proto::{Jid, Node};

/// Rounds of the key stretching (pairing chapter, B.3).
const ROUNDS: u32 = 131_072;

/// A `companion_hello` as the server keeps it.
#[derive(Clone)]
pub struct CompanionHello {
    pub reference: String,
    pub iq: Node,
}

/// A code that was typed in on the phone.
pub struct TypedCode {
    pub reference: String,
    /// Content of the relayed `primary_hello`.
    pub hello: Node,
    ephemeral: LinkEphemeralSecret,
    companion: LinkEphemeralPublic,
}

/// What the phone has learned from a `companion_finish` it could open.
pub struct Opened {
    pub identity: IdentityPublic,
    pub adv: AdvSecret,
}

impl CompanionHello {
    pub fn bytes(&self, tag: &str) -> Vec<u8> {
        let hello = self.iq.get_child("link_code_companion_reg").unwrap();
        let child = hello.get_child(tag).unwrap_or_else(|| panic!("{tag}"));
        child
            .get_bytes()
            .unwrap_or_else(|| panic!("{tag} has bytes"))
            .to_vec()
    }

    pub fn text(&self, tag: &str) -> String {
        String::from_utf8(self.bytes(tag)).unwrap()
    }

    /// The user types this on the phone, right or wrong.
    pub fn type_in(&self, code: &str, phone: &IdentitySecret, rng: &mut ChaCha20Rng) -> TypedCode {
        let code: String = code.chars().filter(|c| *c != '-').collect();
        let mut key = self.bytes("link_code_pairing_wrapped_companion_ephemeral_pub");
        unwrap(&code, &mut key);
        let companion: [u8; 32] = key[48..80].try_into().unwrap();
        let ephemeral = LinkEphemeralSecret::generate(Provider::rust(), rng);
        let mut wrapped = vec![0; 48];
        rng.fill_bytes(&mut wrapped);
        wrapped.extend(ephemeral.public().as_bytes());
        unwrap(&code, &mut wrapped);
        let leaf = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        let hello = Node::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .child(leaf("link_code_pairing_ref", self.reference.as_bytes()))
            .child(leaf(
                "link_code_pairing_wrapped_primary_ephemeral_pub",
                &wrapped,
            ))
            .child(leaf("primary_identity_pub", phone.public().as_bytes()));
        TypedCode {
            reference: self.reference.clone(),
            hello,
            ephemeral,
            companion: LinkEphemeralPublic::from_bytes(companion),
        }
    }
}

impl TypedCode {
    /// Opens the bundle of a `companion_finish`; `None` if the code was wrong.
    pub fn open(&self, finish: &Node, phone: &IdentitySecret) -> Option<Opened> {
        let bytes = |tag: &str| finish.get_child(tag).unwrap().get_bytes().unwrap().to_vec();
        let identity: [u8; 32] = bytes("companion_identity_public").try_into().unwrap();
        let wrapped = bytes("link_code_pairing_wrapped_key_bundle");
        assert_eq!(wrapped.len(), 156);
        assert_eq!(bytes("link_code_pairing_ref"), self.reference.as_bytes());
        let shared = self.ephemeral.agree(&self.companion).ok()?;
        let mut key = [0; 32];
        hkdf_sha256(
            shared.expose_bytes(),
            &wrapped[..32],
            b"link_code_pairing_key_bundle_encryption_key",
            &mut key,
        );
        let nonce: [u8; 12] = wrapped[32..44].try_into().unwrap();
        let mut sealed = wrapped[44..].to_vec();
        let key = AeadKey::new(Provider::rust(), &key);
        let bundle = key.open_in_place(&nonce, &[], &mut sealed).ok()?;
        assert_eq!(bundle[..32], identity);
        assert_eq!(bundle[32..64], phone.public().as_bytes()[..]);
        let identity = IdentityPublic::from_bytes(identity);
        let mut ikm = shared.expose_bytes().to_vec();
        ikm.extend(phone.agree(&identity).ok()?.expose_bytes());
        ikm.extend(&bundle[64..96]);
        let mut adv = [0; 32];
        hkdf_sha256(&ikm, &[], b"adv_secret", &mut adv);
        Some(Opened {
            identity,
            adv: AdvSecret::from_bytes(adv),
        })
    }
}

/// A notification that carries a stage of the code flow.
pub fn code_notification(stage: Node) -> Node {
    Node::new("notification")
        .attr("from", Jid::server_jid())
        .attr("type", "link_code_companion_reg")
        .attr("id", "code-1")
        .child(stage)
}

/// Decrypts or encrypts the last 32 of 80 bytes with the code, by the salt and counter before them.
fn unwrap(code: &str, wrapped: &mut [u8]) {
    assert_eq!(wrapped.len(), 80);
    let (head, body) = wrapped.split_at_mut(48);
    let mut key = [0; 32];
    pbkdf2_sha256(code.as_bytes(), &head[..32], ROUNDS, &mut key);
    aes256_ctr_apply(&key, head[32..].try_into().unwrap(), body);
}
