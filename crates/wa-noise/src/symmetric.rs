use wa_crypto::{
    AeadKey, NoiseEphemeralPublic, NoiseStaticPublic, Provider, PublicKey as _, SharedSecret,
    hkdf_sha256, sha256,
};
use zeroize::Zeroizing;

use crate::{
    error::{HandshakeFailure, Pattern},
    transport::{TAG_LEN, nonce},
};

/// A public key with its tag.
pub(crate) const SEALED_KEY_LEN: usize = 32 + TAG_LEN;

/// The hash and chaining key of a handshake that has no cipher key yet (transport chapter, section 3).
pub(crate) struct SymmetricState {
    provider: Provider,
    hash: [u8; 32],
    chaining_key: Box<Zeroizing<[u8; 32]>>,
}

/// The same once a key agreement is mixed in: from here on, messages are sealed.
pub(crate) struct KeyedState {
    base: SymmetricState,
    key: AeadKey,
    counter: u32,
}

impl SymmetricState {
    pub(crate) fn start(provider: Provider, pattern: Pattern, prologue: &[u8; 4]) -> Self {
        let hash = first_hash(pattern);
        let mut state = Self {
            provider,
            hash,
            chaining_key: Box::new(Zeroizing::new(hash)),
        };
        state.mix_hash(prologue);
        state
    }

    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    pub(crate) fn mix_ephemeral(&mut self, key: &NoiseEphemeralPublic) {
        self.mix_hash(key.as_bytes());
    }

    pub(crate) fn mix_key(mut self, shared: &SharedSecret) -> KeyedState {
        let key = self.advance(shared);
        KeyedState {
            base: self,
            key,
            counter: 0,
        }
    }

    fn advance(&mut self, shared: &SharedSecret) -> AeadKey {
        let mut halves = Zeroizing::new([[0; 32]; 2]);
        self.expand(shared.expose_bytes(), &mut halves);
        let [chaining_key, key] = &*halves;
        self.chaining_key.copy_from_slice(chaining_key);
        AeadKey::new(self.provider, key)
    }

    fn expand(&self, input: &[u8], halves: &mut [[u8; 32]; 2]) {
        hkdf_sha256(
            input,
            self.chaining_key.as_slice(),
            &[],
            halves.as_flattened_mut(),
        );
    }
}

impl KeyedState {
    pub(crate) fn mix_ephemeral(&mut self, key: &NoiseEphemeralPublic) {
        self.base.mix_ephemeral(key);
    }

    pub(crate) fn mix_key(&mut self, shared: &SharedSecret) {
        self.key = self.base.advance(shared);
        self.counter = 0;
    }

    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plaintext.len() + TAG_LEN);
        let nonce = self.next_nonce();
        self.key
            .seal_append(&nonce, &self.base.hash, plaintext, &mut sealed);
        self.base.mix_hash(&sealed);
        sealed
    }

    /// Opens a sealed static key, or says what is wrong with it.
    pub(crate) fn open_static(
        &mut self,
        sealed: &mut [u8],
    ) -> Result<NoiseStaticPublic, HandshakeFailure> {
        let got = sealed.len();
        if got != SEALED_KEY_LEN {
            return Err(HandshakeFailure::SealedStaticLength {
                expected: SEALED_KEY_LEN,
                got,
            });
        }
        let key = self
            .open(sealed)
            .ok_or(HandshakeFailure::StaticNotAuthentic)?;
        let key = key
            .first_chunk()
            .ok_or(HandshakeFailure::StaticNotAuthentic)?;
        Ok(NoiseStaticPublic::from_bytes(*key))
    }

    /// Opens a sealed payload in place, or says what is wrong with it.
    pub(crate) fn open_payload<'b>(
        &mut self,
        sealed: &'b mut [u8],
    ) -> Result<&'b [u8], HandshakeFailure> {
        let got = sealed.len();
        if got < TAG_LEN {
            return Err(HandshakeFailure::SealedPayloadLength {
                least: TAG_LEN,
                got,
            });
        }
        self.open(sealed)
            .ok_or(HandshakeFailure::PayloadNotAuthentic)
    }

    /// The two transport keys: what the side that sent `ClientHello` writes with, and what it reads with.
    pub(crate) fn split(self) -> (AeadKey, AeadKey) {
        let mut halves = Zeroizing::new([[0; 32]; 2]);
        self.base.expand(&[], &mut halves);
        let provider = self.base.provider;
        let [first, second] = &*halves;
        (
            AeadKey::new(provider, first),
            AeadKey::new(provider, second),
        )
    }

    fn open<'b>(&mut self, sealed: &'b mut [u8]) -> Option<&'b [u8]> {
        let hash = sha256(&[&self.base.hash, sealed]);
        let nonce = self.next_nonce();
        let plaintext = self
            .key
            .open_in_place(&nonce, &self.base.hash, sealed)
            .ok()?;
        self.base.hash = hash;
        Some(plaintext)
    }

    /// At most two messages are sealed under one key, so this does not wrap.
    fn next_nonce(&mut self) -> [u8; 12] {
        let nonce = nonce(self.counter);
        self.counter = self.counter.wrapping_add(1);
        nonce
    }
}

/// A name of up to 32 bytes is padded with zeros, a longer one is hashed.
fn first_hash(pattern: Pattern) -> [u8; 32] {
    match pattern {
        Pattern::Xx => *b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0",
        Pattern::Ik => *b"Noise_IK_25519_AESGCM_SHA256\0\0\0\0",
        Pattern::XxFallback => sha256(&[b"Noise_XXfallback_25519_AESGCM_SHA256"]),
    }
}

#[cfg(test)]
mod tests;
