use core::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
#[cfg(feature = "aws-lc")]
use aws_lc_rs::aead;
use zeroize::ZeroizeOnDrop;

use crate::Provider;
use crate::provider::Kind;

/// Bytes the tag adds to a plaintext.
pub const AEAD_TAG_LEN: usize = 16;

/// An AES-256-GCM key with its schedule made once.
///
/// The caller keeps nonces unique: two messages under one nonce give both away.
pub struct AeadKey(Prepared);

enum Prepared {
    Rust(Box<Aes256Gcm>),
    #[cfg(feature = "aws-lc")]
    AwsLc(Box<aead::LessSafeKey>),
}

/// Why a ciphertext gave no plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Shorter than a tag.
    #[error("a ciphertext has at least 16 bytes, not {got}")]
    TooShort {
        /// How many bytes there were.
        got: usize,
    },
    /// The tag does not match: wrong key, nonce or associated data, or tampering.
    #[error("the authentication tag does not match")]
    Authentication,
}

impl AeadKey {
    /// Prepares `key`.
    pub fn new(provider: Provider, key: &[u8; 32]) -> Self {
        Self(match provider.0 {
            Kind::Rust => Prepared::Rust(Box::new(Aes256Gcm::new(key.into()))),
            #[cfg(feature = "aws-lc")]
            Kind::AwsLc => {
                let key = aead::UnboundKey::new(&aead::AES_256_GCM, key)
                    .expect("an AES-256 key is 32 bytes");
                Prepared::AwsLc(Box::new(aead::LessSafeKey::new(key)))
            }
        })
    }

    /// Encrypts `buf` where it is and returns the tag.
    ///
    /// # Panics
    /// If `buf` has 64 GiB or more, which GCM cannot encrypt under one nonce.
    #[inline]
    pub fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
    ) -> [u8; AEAD_TAG_LEN] {
        match &self.0 {
            Prepared::Rust(key) => key
                .encrypt_inout_detached(nonce.into(), aad, buf.into())
                .expect("shorter than 64 GiB")
                .into(),
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(key) => {
                let nonce = aead::Nonce::assume_unique_for_key(*nonce);
                let tag = key
                    .seal_in_place_separate_tag(nonce, aead::Aad::from(aad), buf)
                    .expect("shorter than 64 GiB");
                tag.as_ref().try_into().expect("a GCM tag is 16 bytes")
            }
        }
    }

    /// Decrypts `buf` (ciphertext, then tag) where it is and returns the plaintext at its start.
    ///
    /// # Errors
    /// [`OpenError`]; what `buf` holds then is unspecified and must not be used.
    #[inline]
    pub fn open_in_place<'b>(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError> {
        let got = buf.len();
        let Some(len) = got.checked_sub(AEAD_TAG_LEN) else {
            return Err(OpenError::TooShort { got });
        };
        match &self.0 {
            Prepared::Rust(key) => {
                let (text, tag) = buf.split_at_mut(len);
                let tag: &[u8; AEAD_TAG_LEN] = (&*tag).try_into().expect("what is left is the tag");
                key.decrypt_inout_detached(nonce.into(), aad, (&mut *text).into(), tag.into())
                    .map_err(|_| OpenError::Authentication)?;
                Ok(text)
            }
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(key) => {
                let nonce = aead::Nonce::assume_unique_for_key(*nonce);
                key.open_in_place(nonce, aead::Aad::from(aad), buf)
                    .map_err(|_| OpenError::Authentication)
            }
        }
    }

    /// Appends the ciphertext of `plaintext` and its tag to `out`.
    ///
    /// # Panics
    /// As [`seal_in_place`](Self::seal_in_place).
    #[inline]
    pub fn seal_append(&self, nonce: &[u8; 12], aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(plaintext.len() + AEAD_TAG_LEN);
        out.extend_from_slice(plaintext);
        let (_, text) = out.split_at_mut(start);
        let tag = self.seal_in_place(nonce, aad, text);
        out.extend_from_slice(&tag);
    }
}

impl fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AeadKey")
    }
}

/// Both backends wipe their key schedules.
impl ZeroizeOnDrop for AeadKey {}
