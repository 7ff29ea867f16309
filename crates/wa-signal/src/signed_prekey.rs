use wa_crypto::{
    CryptoRng, IdentityPublic, IdentitySecret, Provider, Signature, SignatureError,
    SignedPrekeyPublic, SignedPrekeySecret,
};

use crate::SignedPrekeyId;

/// Age in seconds at which a signed prekey is due for rotation: 27 days (signal chapter, section 3).
pub const SIGNED_PREKEY_MAX_AGE: u64 = 27 * 24 * 60 * 60;

/// Seconds to wait before a rotation that the server answered with a 5xx is tried again: a day
/// (signal chapter, section 3).
pub const ROTATION_RETRY_AFTER: u64 = 24 * 60 * 60;

/// A signed prekey of ours, private half included.
///
/// After a rotation keep the old one for weeks: late first messages name it.
#[derive(Clone, Debug)]
pub struct SignedPrekey {
    /// Its id.
    pub id: SignedPrekeyId,
    /// Its private half.
    pub secret: SignedPrekeySecret,
    /// The identity key's signature over the 33-byte serialized public key.
    pub signature: Signature,
    /// Unix seconds of its making.
    pub created_at: u64,
}

impl SignedPrekey {
    /// Makes and signs a prekey.
    pub fn generate(
        provider: Provider,
        id: SignedPrekeyId,
        identity: &IdentitySecret,
        now: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let secret = SignedPrekeySecret::generate(provider, rng);
        let signature = identity.sign(rng, &[&secret.public().to_serialized()]);
        Self {
            id,
            secret,
            signature,
            created_at: now,
        }
    }

    /// The successor under the next id. `self` stays usable for late messages.
    #[must_use]
    pub fn rotate(
        &self,
        provider: Provider,
        identity: &IdentitySecret,
        now: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        Self::generate(provider, self.id.next(), identity, now, rng)
    }

    /// Whether it is 27 days old. A time of making as far in the future counts as well: the clock was
    /// wrong when it was made, and waiting for that day would be waiting for ever.
    pub const fn is_due(&self, now: u64) -> bool {
        now.abs_diff(self.created_at) >= SIGNED_PREKEY_MAX_AGE
    }

    /// What the server and peers see of it.
    pub fn public(&self) -> PublicSignedPrekey {
        PublicSignedPrekey {
            id: self.id,
            key: self.secret.public(),
            signature: self.signature,
        }
    }
}

/// The public half of a signed prekey under its id, with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicSignedPrekey {
    /// Its id.
    pub id: SignedPrekeyId,
    /// Its public key.
    pub key: SignedPrekeyPublic,
    /// The owner's signature over the 33-byte serialized key.
    pub signature: Signature,
}

impl PublicSignedPrekey {
    /// Checks the signature with the owner's identity.
    pub fn verify(&self, identity: &IdentityPublic) -> Result<(), SignatureError> {
        identity.verify(&[&self.key.to_serialized()], &self.signature)
    }
}

impl From<&SignedPrekey> for PublicSignedPrekey {
    fn from(prekey: &SignedPrekey) -> Self {
        prekey.public()
    }
}
