use wa_crypto::{LinkEphemeralPublic, PublicKey as _, aes256_ctr_apply};

use crate::compute::SALT_LEN;

/// Length of the initial counter block (pairing chapter, B.3).
pub(crate) const IV_LEN: usize = 16;

/// Length of a wrapped ephemeral key (pairing chapter, B.3).
const WRAPPED_LEN: usize = SALT_LEN + IV_LEN + 32;

/// An ephemeral public key under a stretched pairing code. Nothing in it tells whether a code is the
/// right one: the wrong one opens it to another key.
pub(crate) struct WrappedEphemeral {
    salt: [u8; SALT_LEN],
    iv: [u8; IV_LEN],
    cipher: [u8; 32],
}

impl WrappedEphemeral {
    pub(crate) fn seal(
        salt: [u8; SALT_LEN],
        iv: [u8; IV_LEN],
        key: &[u8; 32],
        public: &LinkEphemeralPublic,
    ) -> Self {
        let mut cipher = *public.as_bytes();
        aes256_ctr_apply(key, &iv, &mut cipher);
        Self { salt, iv, cipher }
    }

    /// `None` when it has not the one length it can have.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk()?;
        let (iv, cipher) = rest.split_first_chunk()?;
        Some(Self {
            salt: *salt,
            iv: *iv,
            cipher: cipher.try_into().ok()?,
        })
    }

    pub(crate) fn open(&self, key: &[u8; 32]) -> LinkEphemeralPublic {
        let mut public = self.cipher;
        aes256_ctr_apply(key, &self.iv, &mut public);
        LinkEphemeralPublic::from_bytes(public)
    }

    pub(crate) const fn salt(&self) -> [u8; SALT_LEN] {
        self.salt
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WRAPPED_LEN);
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.iv);
        bytes.extend_from_slice(&self.cipher);
        bytes
    }
}
