//! What a phone computes for a passkey-guarded link (pairing chapter, C.4, C.5 and D.5).

use prost::Message as _;
use thiserror::Error;
use wa_crypto::{
    AdvSecret, AeadKey, CryptoRng, IdentityPublic, NoiseStaticPublic, PasskeyEphemeralPublic,
    PasskeyEphemeralSecret, Provider, PublicKey as _, constant_time_eq, hkdf_sha256, hmac_sha256,
    sha256,
};
use wa_proto::pb;
use zeroize::Zeroizing;

use super::code::base32;
use super::entered::CODE_LEN;
use super::qr::ScannedQr;

const HANDOFF_INFO: &[u8] = b"shortcake-passkey-handoff-v1";
const REQUEST_INFO: &[u8] = b"Pairing Information Encryption Key";
const KEY_LEN: usize = 32;

/// Why a prologue cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PrologueError {
    #[error("the prologue does not decode")]
    Decode,
    #[error("the companion's ephemeral key has not 32 bytes")]
    Key,
    #[error("the device type is missing")]
    DeviceType,
    #[error("the ref is missing")]
    Reference,
    #[error("the commitment has not 32 bytes")]
    Commitment,
}

/// Why a pairing request cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum RequestError {
    #[error("the encrypted request does not decode")]
    Decode,
    #[error("the nonce of the encrypted request has not 12 bytes")]
    Nonce,
    #[error("the request does not open")]
    Sealed,
    #[error("a key in the request has not 32 bytes")]
    Keys,
}

/// What a companion says before it sees anything of the phone.
pub(crate) struct Prologue {
    /// The encoded `CompanionEphemeralIdentity`, which is committed to.
    identity: Vec<u8>,
    public: PasskeyEphemeralPublic,
    pub(crate) device_type: i32,
    pub(crate) reference: String,
    commitment: [u8; KEY_LEN],
}

impl Prologue {
    pub(crate) fn decode(payload: &[u8]) -> Result<Self, PrologueError> {
        let payload = pb::ProloguePayload::decode(payload).map_err(|_| PrologueError::Decode)?;
        let bytes = payload
            .companion_ephemeral_identity
            .ok_or(PrologueError::Decode)?;
        let identity = pb::CompanionEphemeralIdentity::decode(bytes.as_slice())
            .map_err(|_| PrologueError::Decode)?;
        let public = key(identity.public_key.as_deref()).ok_or(PrologueError::Key)?;
        let commitment = payload.commitment.and_then(|commitment| commitment.hash);
        Ok(Self {
            public: PasskeyEphemeralPublic::from_bytes(public),
            device_type: identity.device_type.ok_or(PrologueError::DeviceType)?,
            reference: identity
                .r#ref
                .filter(|reference| !reference.is_empty())
                .ok_or(PrologueError::Reference)?,
            commitment: key(commitment.as_deref()).ok_or(PrologueError::Commitment)?,
            identity: bytes,
        })
    }
}

/// Whether the companion knows the secret of the scanned or entered code.
pub(crate) fn proof_holds(known: &AdvSecret, payload: &[u8], proof: &[u8]) -> bool {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    hkdf_sha256(known.expose_bytes(), &[], HANDOFF_INFO, key.as_mut_slice());
    constant_time_eq(&hmac_sha256(key.as_slice(), &[payload]), proof)
}

/// The phone's part of the exchange.
pub(crate) struct Exchange {
    prologue: Prologue,
    secret: PasskeyEphemeralSecret,
    nonce: [u8; KEY_LEN],
}

impl Exchange {
    pub(crate) fn new(prologue: Prologue, provider: Provider, rng: &mut dyn CryptoRng) -> Self {
        let mut nonce = [0; KEY_LEN];
        let secret = PasskeyEphemeralSecret::generate(provider, rng);
        rng.fill_bytes(&mut nonce);
        Self {
            prologue,
            secret,
            nonce,
        }
    }

    /// The encoded `PrimaryEphemeralIdentity`.
    pub(crate) fn primary_identity(&self) -> Vec<u8> {
        pb::PrimaryEphemeralIdentity {
            public_key: Some(self.secret.public().as_bytes().to_vec()),
            nonce: Some(self.nonce.to_vec()),
        }
        .encode_to_vec()
    }

    /// The code to compare; `None` when the companion committed to another nonce.
    pub(crate) fn code(&self, companion_nonce: &[u8; KEY_LEN]) -> Option<[u8; CODE_LEN]> {
        let committed = sha256(&[&self.prologue.identity, companion_nonce]);
        if !constant_time_eq(&committed, &self.prologue.commitment) {
            return None;
        }
        let digest = sha256(&[companion_nonce, self.secret.public().as_bytes()]);
        let mut bytes = [0; 5];
        for (place, (ours, theirs)) in bytes.iter_mut().zip(self.nonce.iter().zip(&digest)) {
            *place = ours ^ theirs;
        }
        Some(base32(bytes))
    }

    /// Opens the companion's request: what a QR code would have said.
    pub(crate) fn open(&self, envelope: &[u8]) -> Result<ScannedQr, RequestError> {
        let envelope =
            pb::EncryptedPairingRequest::decode(envelope).map_err(|_| RequestError::Decode)?;
        let mut sealed = Zeroizing::new(envelope.encrypted_payload.unwrap_or_default());
        let nonce = envelope.iv.unwrap_or_default();
        let nonce = <&[u8; 12]>::try_from(nonce.as_slice()).map_err(|_| RequestError::Nonce)?;
        let opened = self
            .request_key()
            .ok_or(RequestError::Sealed)?
            .open_in_place(nonce, &[], &mut sealed)
            .map_err(|_| RequestError::Sealed)?;
        let request = pb::PairingRequest::decode(&*opened).map_err(|_| RequestError::Decode)?;
        let noise = key(request.companion_public_key.as_deref()).ok_or(RequestError::Keys)?;
        let identity = key(request.companion_identity_key.as_deref()).ok_or(RequestError::Keys)?;
        let secret = request.adv_secret.map(Zeroizing::new);
        let secret = key(secret.as_ref().map(|secret| secret.as_slice()));
        Ok(ScannedQr {
            reference: self.prologue.reference.clone(),
            noise: NoiseStaticPublic::from_bytes(noise),
            identity: IdentityPublic::from_bytes(identity),
            adv: AdvSecret::from_bytes(secret.ok_or(RequestError::Keys)?),
            client_type: None,
        })
    }

    fn request_key(&self) -> Option<AeadKey> {
        let shared = self.secret.agree(&self.prologue.public).ok()?;
        let salt = format!(
            "Companion Pairing {} with ref {}",
            self.prologue.device_type, self.prologue.reference
        );
        let mut key = Zeroizing::new([0; KEY_LEN]);
        hkdf_sha256(
            shared.expose_bytes(),
            salt.as_bytes(),
            REQUEST_INFO,
            key.as_mut_slice(),
        );
        Some(AeadKey::new(self.secret.provider(), &key))
    }
}

fn key(bytes: Option<&[u8]>) -> Option<[u8; KEY_LEN]> {
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::code::displayed;
    use super::super::vectors::{array, ceremonies, hex};
    use super::*;

    fn each(check: impl Fn(&Value)) {
        let vectors = ceremonies();
        let cases = vectors["passkey"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        cases.iter().for_each(check);
    }

    fn exchange(case: &Value) -> Exchange {
        Exchange {
            prologue: Prologue::decode(&hex(&case["prologue_payload"])).unwrap(),
            secret: PasskeyEphemeralSecret::from_bytes(
                Provider::rust(),
                &array(&case["primary_ephemeral_private"]),
            ),
            nonce: array(&case["primary_nonce"]),
        }
    }

    #[test]
    fn prologues_read_as_the_vectors_say() {
        each(|case| {
            let prologue = exchange(case).prologue;
            assert_eq!(prologue.reference, case["ref"].as_str().unwrap());
            assert_eq!(prologue.device_type, case["device_type"]);
            assert_eq!(
                prologue.public.as_bytes().as_slice(),
                hex(&case["companion_ephemeral_public"])
            );
            assert_eq!(prologue.commitment.as_slice(), hex(&case["commitment"]));
        });
    }

    #[test]
    fn proofs_verify_as_the_vectors_say() {
        each(|case| {
            let known = AdvSecret::from_bytes(array(&case["handoff_source_adv_secret"]));
            let payload = hex(&case["prologue_payload"]);
            let mut proof = hex(&case["handoff_proof"]);
            assert!(proof_holds(&known, &payload, &proof));
            proof[0] ^= 1;
            assert!(!proof_holds(&known, &payload, &proof));
        });
    }

    #[test]
    fn codes_and_requests_equal_the_vectors() {
        each(|case| {
            let exchange = exchange(case);
            assert_eq!(
                exchange.primary_identity(),
                hex(&case["primary_ephemeral_identity"])
            );
            let code = exchange.code(&array(&case["companion_nonce"])).unwrap();
            assert_eq!(displayed(&code), case["code_display"].as_str().unwrap());
            assert_eq!(exchange.code(&[7; 32]), None);
            let request = exchange
                .open(&hex(&case["encrypted_pairing_request"]))
                .unwrap();
            assert_eq!(
                request.adv.expose_bytes().as_slice(),
                hex(&case["new_adv_secret"])
            );
            assert_eq!(request.reference, case["ref"].as_str().unwrap());
        });
    }

    #[test]
    fn a_prologue_with_a_part_missing_is_refused() {
        let payload = |change: &dyn Fn(&mut pb::CompanionEphemeralIdentity), hash: usize| {
            let mut identity = pb::CompanionEphemeralIdentity {
                public_key: Some(vec![9; 32]),
                device_type: Some(0),
                r#ref: Some("2@x".to_owned()),
            };
            change(&mut identity);
            let payload = pb::ProloguePayload {
                companion_ephemeral_identity: Some(identity.encode_to_vec()),
                commitment: Some(pb::CompanionCommitment {
                    hash: Some(vec![1; hash]),
                }),
            };
            Prologue::decode(&payload.encode_to_vec()).err()
        };
        assert_eq!(payload(&|_| {}, 32), None);
        assert_eq!(payload(&|_| {}, 31), Some(PrologueError::Commitment));
        assert_eq!(
            payload(&|identity| identity.public_key = Some(vec![9; 33]), 32),
            Some(PrologueError::Key)
        );
        assert_eq!(
            payload(&|identity| identity.device_type = None, 32),
            Some(PrologueError::DeviceType)
        );
        assert_eq!(
            payload(&|identity| identity.r#ref = None, 32),
            Some(PrologueError::Reference)
        );
        assert_eq!(
            Prologue::decode(&[0x0a, 0x7f]).err(),
            Some(PrologueError::Decode)
        );
    }

    #[test]
    fn a_request_sealed_for_somebody_else_does_not_open() {
        each(|case| {
            let mut envelope = hex(&case["encrypted_pairing_request"]);
            let mut exchange = exchange(case);
            exchange.prologue.device_type += 1;
            assert_eq!(exchange.open(&envelope).err(), Some(RequestError::Sealed));
            let last = envelope.len() - 1;
            envelope.truncate(last);
            assert_eq!(exchange.open(&envelope).err(), Some(RequestError::Decode));
        });
    }
}
