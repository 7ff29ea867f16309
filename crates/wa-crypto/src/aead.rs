use crate::provider::{Kind, Provider};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use core::fmt;

/// Bytes an AES-256-GCM tag adds to a plaintext.
pub const AEAD_TAG_LEN: usize = 16;

/// A ciphertext that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Wrong key, nonce, associated data or bytes.
    #[error("the ciphertext does not authenticate")]
    Authentication,
    /// Shorter than a tag.
    #[error("a ciphertext has at least {AEAD_TAG_LEN} bytes; got {got}")]
    TooShort {
        /// The number of bytes given.
        got: usize,
    },
}

/// An AES-256-GCM key whose schedule is prepared once. Wiped on drop.
pub struct AeadKey(Prepared);

enum Prepared {
    Rust(Box<Aes256Gcm>),
    #[cfg(feature = "aws-lc")]
    AwsLc(aws_lc_rs::aead::LessSafeKey),
}

impl AeadKey {
    /// Prepares a key.
    pub fn new(provider: Provider, key: &[u8; 32]) -> Self {
        Self(match provider.0 {
            Kind::Rust => Prepared::Rust(Box::new(Aes256Gcm::new(key.into()))),
            #[cfg(feature = "aws-lc")]
            Kind::AwsLc => {
                use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
                Prepared::AwsLc(LessSafeKey::new(
                    UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"),
                ))
            }
        })
    }

    /// Encrypts in place and returns the tag.
    ///
    /// # Panics
    /// When `buf` is longer than GCM's limit of 2^36 bytes, which no frame can be.
    pub fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
    ) -> [u8; AEAD_TAG_LEN] {
        match &self.0 {
            Prepared::Rust(key) => key
                .encrypt_inout_detached(nonce.into(), aad, buf.into())
                .expect("a buffer in memory is below GCM's limit")
                .into(),
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                let tag = key
                    .seal_in_place_separate_tag(
                        Nonce::assume_unique_for_key(*nonce),
                        Aad::from(aad),
                        buf,
                    )
                    .expect("a buffer in memory is below GCM's limit");
                let mut out = [0; AEAD_TAG_LEN];
                out.copy_from_slice(tag.as_ref());
                out
            }
        }
    }

    /// Appends ciphertext and tag to `out`.
    pub fn seal_append(&self, nonce: &[u8; 12], aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(plaintext.len() + AEAD_TAG_LEN);
        out.extend_from_slice(plaintext);
        let buf = out
            .get_mut(start..)
            .expect("the buffer has just grown past its start");
        let tag = self.seal_in_place(nonce, aad, buf);
        out.extend_from_slice(&tag);
    }

    /// Decrypts ciphertext ‖ tag in place and returns the plaintext's part of the buffer.
    ///
    /// # Errors
    /// [`OpenError`]; the buffer's content is then unspecified and must not be used.
    pub fn open_in_place<'b>(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError> {
        let got = buf.len();
        match &self.0 {
            Prepared::Rust(key) => {
                let (body, tag) = buf
                    .split_last_chunk_mut::<AEAD_TAG_LEN>()
                    .ok_or(OpenError::TooShort { got })?;
                key.decrypt_inout_detached(nonce.into(), aad, (&mut *body).into(), (&*tag).into())
                    .map_err(|_| OpenError::Authentication)?;
                Ok(body)
            }
            #[cfg(feature = "aws-lc")]
            Prepared::AwsLc(key) => {
                use aws_lc_rs::aead::{Aad, Nonce};
                if got < AEAD_TAG_LEN {
                    return Err(OpenError::TooShort { got });
                }
                key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), buf)
                    .map_err(|_| OpenError::Authentication)
            }
        }
    }
}

impl fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AeadKey")
    }
}
