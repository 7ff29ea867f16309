use prost::Message as _;
use wa_crypto::{
    AdvSecret, AeadKey, AgreementError, CryptoRng, IdentityPublic, NoiseStaticPublic,
    PasskeyEphemeralPublic, PasskeyEphemeralSecret, Provider, PublicKey as _, hkdf_sha256, sha256,
};
use wa_proto::pb::{
    CompanionCommitment, CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest,
    PrimaryEphemeralIdentity, ProloguePayload,
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::PairingCode;

const REQUEST_INFO: &[u8] = b"Pairing Information Encryption Key";

/// Longest identity of the phone that is looked at; a right one has 68 bytes. Ours.
const MAX_PRIMARY_IDENTITY_LEN: usize = 1024;

/// Our half of the key exchange (pairing chapter, C.5). The nonce stays here until the phone has shown
/// its key: until then there is only the commitment.
pub(crate) struct CompanionOffer {
    ephemeral: PasskeyEphemeralSecret,
    nonce: Zeroizing<[u8; 32]>,
    device_type: i32,
    reference: String,
}

impl CompanionOffer {
    pub(crate) fn generate(
        provider: Provider,
        device_type: u32,
        reference: String,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let ephemeral = PasskeyEphemeralSecret::generate(provider, rng);
        let mut nonce = Zeroizing::new([0; 32]);
        rng.fill_bytes(nonce.as_mut_slice());
        Self {
            ephemeral,
            nonce,
            // The same number goes into the message and into the key, and the message holds 31 bits.
            device_type: i32::try_from(device_type).unwrap_or(0),
            reference,
        }
    }

    /// The encoded `ProloguePayload`.
    pub(crate) fn prologue(&self) -> Vec<u8> {
        let identity = CompanionEphemeralIdentity {
            public_key: Some(self.ephemeral.public().as_bytes().to_vec()),
            device_type: Some(self.device_type),
            r#ref: Some(self.reference.clone()),
        }
        .encode_to_vec();
        let commitment = sha256(&[&identity, self.nonce.as_slice()]);
        ProloguePayload {
            companion_ephemeral_identity: Some(identity),
            commitment: Some(CompanionCommitment {
                hash: Some(commitment.to_vec()),
            }),
        }
        .encode_to_vec()
    }

    pub(crate) fn nonce(&self) -> &[u8; 32] {
        &self.nonce
    }

    /// # Errors
    /// When the phone's key is of small order.
    pub(crate) fn agree(&self, primary: &PrimaryIdentity) -> Result<Agreed, AgreementError> {
        let shared = self.ephemeral.agree(&primary.public)?;
        let salt = format!(
            "Companion Pairing {} with ref {}",
            self.device_type, self.reference
        );
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(
            shared.expose_bytes(),
            salt.as_bytes(),
            REQUEST_INFO,
            key.as_mut_slice(),
        );
        let digest = sha256(&[self.nonce.as_slice(), primary.public.as_bytes()]);
        let mut random = Zeroizing::new([0; 5]);
        for (byte, (nonce, digest)) in random.iter_mut().zip(primary.nonce.iter().zip(digest)) {
            *byte = nonce ^ digest;
        }
        Ok(Agreed {
            key,
            provider: self.ephemeral.provider(),
            code: PairingCode::from_random(*random),
        })
    }
}

/// The phone's half.
pub(crate) struct PrimaryIdentity {
    public: PasskeyEphemeralPublic,
    nonce: Zeroizing<[u8; 32]>,
}

impl PrimaryIdentity {
    /// `None` when it does not decode or a length is wrong.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_PRIMARY_IDENTITY_LEN {
            return None;
        }
        let identity = PrimaryEphemeralIdentity::decode(bytes).ok()?;
        let nonce = Zeroizing::new(identity.nonce?);
        let public: [u8; 32] = identity.public_key?.try_into().ok()?;
        Some(Self {
            public: PasskeyEphemeralPublic::from_bytes(public),
            nonce: Zeroizing::new(nonce.as_slice().try_into().ok()?),
        })
    }
}

/// What both sides know after the exchange.
pub(crate) struct Agreed {
    key: Zeroizing<[u8; 32]>,
    provider: Provider,
    code: PairingCode,
}

impl Agreed {
    /// For the user to compare with the phone's.
    pub(crate) const fn code(&self) -> &PairingCode {
        &self.code
    }

    /// The encoded `EncryptedPairingRequest`.
    pub(crate) fn seal_request(
        &self,
        noise: &NoiseStaticPublic,
        identity: &IdentityPublic,
        adv: &AdvSecret,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let mut request = PairingRequest {
            companion_public_key: Some(noise.as_bytes().to_vec()),
            companion_identity_key: Some(identity.as_bytes().to_vec()),
            adv_secret: Some(adv.expose_bytes().to_vec()),
        };
        let plaintext = Zeroizing::new(request.encode_to_vec());
        request.adv_secret.zeroize();
        let mut iv = [0; 12];
        rng.fill_bytes(&mut iv);
        let mut payload = Vec::new();
        AeadKey::new(self.provider, &self.key).seal_append(&iv, &[], &plaintext, &mut payload);
        EncryptedPairingRequest {
            encrypted_payload: Some(payload),
            iv: Some(iv.to_vec()),
        }
        .encode_to_vec()
    }
}
