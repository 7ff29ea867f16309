use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{CryptoRng, constant_time_eq, hmac_sha256};

/// The secret shown in the QR code, which keys the MAC of pair-success (pairing chapter, 0.3).
///
/// Wiped on drop; `Debug` prints the type only.
#[derive(Clone)]
pub struct AdvSecret(Box<Zeroizing<[u8; 32]>>);

/// The MAC does not belong to this secret and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the MAC does not match the secret and the message")]
pub struct MacError;

impl AdvSecret {
    /// A fresh secret.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut secret = Self(Box::new(Zeroizing::new([0; 32])));
        rng.fill_bytes(secret.0.as_mut_slice());
        secret
    }

    /// A stored or derived secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(Zeroizing::new(bytes)))
    }

    /// The secret bytes, for storage and for the QR text.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA-256 of the parts as one message.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(self.0.as_slice(), parts)
    }

    /// Compares in constant time.
    ///
    /// # Errors
    /// [`MacError`] when `mac` is of another length or value.
    pub fn verify_mac(&self, parts: &[&[u8]], mac: &[u8]) -> Result<(), MacError> {
        if constant_time_eq(&self.mac(parts), mac) {
            Ok(())
        } else {
            Err(MacError)
        }
    }
}

impl fmt::Debug for AdvSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdvSecret")
    }
}

impl PartialEq for AdvSecret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_slice(), other.0.as_slice())
    }
}

impl Eq for AdvSecret {}

impl ZeroizeOnDrop for AdvSecret {}
