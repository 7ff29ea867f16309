use crate::provider::{Kind, Provider};
use core::fmt;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Anything that can be the other side of a key agreement.
pub trait PublicKey {
    /// The 32 bytes of the Montgomery u-coordinate, without a type byte.
    fn as_bytes(&self) -> &[u8; 32];
}

/// An agreement that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// The result is all zero: the other side's key is a point of small order (signal chapter, section 1).
    #[error("the other side's public key is of small order; the agreement would prove nothing")]
    NonContributory,
}

/// Bytes that are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPublicKey {
    /// Neither 32 bare bytes nor 33 with a type byte.
    #[error("a public key has 32 bytes, or 33 with its type byte; got {got}")]
    Length {
        /// The number of bytes given.
        got: usize,
    },
    /// 33 bytes whose first is not `05`.
    #[error("a serialized public key starts with the type byte 05; got {got:02x}")]
    Type {
        /// The byte found in its place.
        got: u8,
    },
}

/// The 32 bytes two sides of an agreement share. Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret(Box<[u8; 32]>);

impl SharedSecret {
    /// The bytes, for a key derivation.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

/// A clamped X25519 private key in its provider's prepared form, with its public half.
pub(crate) struct AgreementKey {
    provider: Provider,
    bytes: Box<[u8; 32]>,
    public: [u8; 32],
    #[cfg(feature = "aws-lc")]
    prepared: Option<aws_lc_rs::agreement::PrivateKey>,
}

impl AgreementKey {
    pub(crate) fn generate(provider: Provider, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Box::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self::from_boxed(provider, bytes)
    }

    pub(crate) fn from_bytes(provider: Provider, bytes: &[u8; 32]) -> Self {
        Self::from_boxed(provider, Box::new(*bytes))
    }

    fn from_boxed(provider: Provider, mut bytes: Box<[u8; 32]>) -> Self {
        clamp(&mut bytes);
        match provider.0 {
            Kind::Rust => {
                let public = EdwardsPoint::mul_base_clamped(*bytes).to_montgomery().0;
                Self::with_public(provider, bytes, public)
            }
            #[cfg(feature = "aws-lc")]
            Kind::AwsLc => {
                use aws_lc_rs::agreement::{PrivateKey, X25519};
                let prepared = PrivateKey::from_private_key(&X25519, bytes.as_ref())
                    .expect("any 32 bytes are an X25519 private key");
                let mut public = [0; 32];
                let computed = prepared
                    .compute_public_key()
                    .expect("an X25519 key has a public half");
                public.copy_from_slice(computed.as_ref());
                Self {
                    provider,
                    bytes,
                    public,
                    prepared: Some(prepared),
                }
            }
        }
    }

    /// A key whose public half is known already, because a batch computed it.
    pub(crate) fn with_public(provider: Provider, bytes: Box<[u8; 32]>, public: [u8; 32]) -> Self {
        Self {
            provider,
            bytes,
            public,
            #[cfg(feature = "aws-lc")]
            prepared: None,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) fn agree(&self, their: &[u8; 32]) -> Result<SharedSecret, AgreementError> {
        #[cfg(feature = "aws-lc")]
        if let Some(prepared) = &self.prepared {
            use aws_lc_rs::agreement::{UnparsedPublicKey, X25519, agree};
            let mut secret = SharedSecret(Box::new([0; 32]));
            // AWS-LC refuses an all-zero result itself; any failure here is that one.
            return agree(
                prepared,
                UnparsedPublicKey::new(&X25519, their.as_slice()),
                AgreementError::NonContributory,
                |bytes| {
                    secret.0.copy_from_slice(bytes);
                    Ok(secret)
                },
            );
        }
        let secret = SharedSecret(Box::new(MontgomeryPoint(*their).mul_clamped(*self.bytes).0));
        if bool::from(secret.0.ct_eq(&[0; 32])) {
            return Err(AgreementError::NonContributory);
        }
        Ok(secret)
    }
}

impl Clone for AgreementKey {
    fn clone(&self) -> Self {
        #[cfg(feature = "aws-lc")]
        if self.prepared.is_some() {
            return Self::from_bytes(self.provider, &self.bytes);
        }
        Self::with_public(self.provider, self.bytes.clone(), self.public)
    }
}

impl Drop for AgreementKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

pub(crate) fn clamp(bytes: &mut [u8; 32]) {
    bytes[0] &= 0xF8;
    bytes[31] &= 0x7F;
    bytes[31] |= 0x40;
}
