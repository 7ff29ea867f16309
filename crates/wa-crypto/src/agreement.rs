use core::fmt;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "aws-lc")]
use aws_lc_rs::agreement;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Provider;
use crate::provider::Kind;

/// Why a key agreement gave no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// The result is all zeros: the peer sent a point of small order, and anyone could know the secret.
    #[error("the peer's key is a point of small order")]
    NonContributory,
}

/// The 32 bytes two sides agreed on. Feed them to a key derivation, never use them as a key.
pub struct SharedSecret(Box<Zeroizing<[u8; 32]>>);

impl SharedSecret {
    /// The secret bytes.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

impl PartialEq for SharedSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SharedSecret {}

impl ZeroizeOnDrop for SharedSecret {}

/// An X25519 private key with its public half and the provider's prepared form. Shared by the clones of a role's
/// secret, so that the bytes exist once and are wiped once, in place.
pub(crate) struct PrivateKey {
    bytes: [u8; 32],
    public: [u8; 32],
    /// The compressed Edwards form of the public key, sign included: what signing hashes. Made by the first signature.
    edwards: OnceLock<[u8; 32]>,
    prepared: Prepared,
}

enum Prepared {
    /// dalek computes from the bytes themselves.
    Rust,
    /// Importing the bytes costs as much as making the public key, so the imported form is kept.
    #[cfg(feature = "aws-lc")]
    AwsLc(agreement::PrivateKey),
}

impl PrivateKey {
    /// Clamps what `fill` writes. The bytes are written where they stay.
    pub(crate) fn new(provider: Provider, fill: impl FnOnce(&mut [u8; 32])) -> Arc<Self> {
        let mut shared = Self::unfinished(fill);
        let key = Arc::get_mut(&mut shared).expect("nobody else has it yet");
        (key.public, key.prepared) = prepare(provider, &key.bytes);
        shared
    }

    /// Many keys at once, with one field inversion for all of them where the provider allows it.
    pub(crate) fn new_batch(
        provider: Provider,
        count: usize,
        mut fill: impl FnMut(&mut [u8; 32]),
    ) -> Vec<Arc<Self>> {
        if provider.0 != Kind::Rust {
            return (0..count).map(|_| Self::new(provider, &mut fill)).collect();
        }
        let mut keys: Vec<_> = (0..count).map(|_| Self::unfinished(&mut fill)).collect();
        let points: Vec<_> = keys
            .iter()
            .map(|key| EdwardsPoint::mul_base_clamped(key.bytes))
            .collect();
        let publics = EdwardsPoint::to_montgomery_batch(&points);
        for (shared, public) in keys.iter_mut().zip(publics) {
            let key = Arc::get_mut(shared).expect("nobody else has it yet");
            key.public = public.to_bytes();
        }
        keys
    }

    fn unfinished(fill: impl FnOnce(&mut [u8; 32])) -> Arc<Self> {
        let mut shared = Arc::new(Self {
            bytes: [0; 32],
            public: [0; 32],
            edwards: OnceLock::new(),
            prepared: Prepared::Rust,
        });
        let key = Arc::get_mut(&mut shared).expect("nobody else has it yet");
        fill(&mut key.bytes);
        clamp(&mut key.bytes);
        shared
    }

    pub(crate) fn provider(&self) -> Provider {
        match self.prepared {
            Prepared::Rust => Provider(Kind::Rust),
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(_) => Provider(Kind::AwsLc),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) fn edwards(&self) -> &[u8; 32] {
        self.edwards.get_or_init(|| {
            EdwardsPoint::mul_base_clamped(self.bytes)
                .compress()
                .to_bytes()
        })
    }

    pub(crate) fn agree(&self, their: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
        let mut shared = SharedSecret(Box::new(Zeroizing::new([0; 32])));
        match &self.prepared {
            Prepared::Rust => {
                let mut point = MontgomeryPoint(*their).mul_clamped(self.bytes);
                shared.0.copy_from_slice(point.as_bytes());
                point.zeroize();
            }
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(key) => agreement::agree(
                key,
                agreement::UnparsedPublicKey::new(&agreement::X25519, their),
                AgreementError::NonContributory,
                |bytes| {
                    shared.0.copy_from_slice(bytes);
                    Ok(())
                },
            )?,
        }
        if shared.0.as_slice().ct_eq(&[0; 32]).into() {
            return Err(AgreementError::NonContributory);
        }
        Ok(shared)
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl Zeroize for PrivateKey {
    fn zeroize(&mut self) {
        self.bytes.zeroize();
    }
}

/// The native provider wipes its own form.
impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.zeroize();
    }
}

fn clamp(bytes: &mut [u8; 32]) {
    bytes[0] &= 0xF8;
    bytes[31] &= 0x7F;
    bytes[31] |= 0x40;
}

fn prepare(provider: Provider, bytes: &[u8; 32]) -> ([u8; 32], Prepared) {
    match provider.0 {
        Kind::Rust => {
            let public = MontgomeryPoint::mul_base_clamped(*bytes);
            (public.to_bytes(), Prepared::Rust)
        }
        #[cfg(feature = "aws-lc")]
        Kind::AwsLc => {
            let key = agreement::PrivateKey::from_private_key(&agreement::X25519, bytes)
                .expect("any 32 bytes are an X25519 private key");
            let public = key
                .compute_public_key()
                .expect("an imported key has its public half");
            let public = public
                .as_ref()
                .try_into()
                .expect("an X25519 public key is 32 bytes");
            (public, Prepared::AwsLc(key))
        }
    }
}

#[cfg(test)]
mod tests;
