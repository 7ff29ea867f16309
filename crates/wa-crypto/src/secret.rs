use crate::kdf::{constant_time_eq, hmac_sha256};
use core::fmt;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The 32-byte secret that keys the HMAC of pair-success (pairing chapter, 0.3). Whoever reads it off the QR can finish the
/// pairing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AdvSecret(Box<[u8; 32]>);

/// A message authentication code that does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacError {
    /// Wrong key, wrong message or wrong code.
    #[error("the message authentication code does not match")]
    Mismatch,
}

impl AdvSecret {
    /// 32 fresh random bytes.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Box::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// A stored or derived secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(bytes))
    }

    /// The bytes, for the QR and the store.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 over the concatenated parts.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(self.0.as_ref(), parts)
    }

    /// Checks a code in constant time.
    ///
    /// # Errors
    /// [`MacError::Mismatch`], also when `mac` is not 32 bytes long.
    pub fn verify_mac(&self, parts: &[&[u8]], mac: &[u8]) -> Result<(), MacError> {
        if constant_time_eq(&self.mac(parts), mac) {
            Ok(())
        } else {
            Err(MacError::Mismatch)
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
        constant_time_eq(self.0.as_ref(), other.0.as_ref())
    }
}

impl Eq for AdvSecret {}
