//! Keys by role and the primitives under them, behind a provider chosen by value.
//!
//! **What it does.** Every key of the protocol has a type of its own ([`IdentitySecret`], [`NoiseStaticSecret`], …), so
//! that a key cannot be used in another's place. Secrets are boxed, wiped on drop, and print their type's name only.
//! [`Provider`] chooses who computes X25519 and AES-256-GCM: pure Rust by default, AWS-LC with the feature `aws-lc`.
//! A key remembers its provider and holds the provider's prepared form, so preparing is paid once.
//!
//! **What it does not.** It knows nothing of the protocol, reads no clock and draws no randomness: the caller passes a
//! [`CryptoRng`].
//!
//! ```
//! use wa_crypto::{IdentitySecret, Provider};
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # let mut rng = ChaCha20Rng::from_seed([7; 32]);
//! let identity = IdentitySecret::generate(Provider::rust(), &mut rng);
//! let signature = identity.sign(&mut rng, &[b"06", b"00", b"details"]);
//! assert!(identity.public().verify(&[b"0600", b"details"], &signature).is_ok());
//! ```
//!
//! Protocol: signal chapter, sections 1 and 2; transport chapter, sections 3 and 8.2; pairing chapter, B.3.

mod aead;
mod agreement;
mod batch;
mod kdf;
mod provider;
mod roles;
mod secret;
mod xeddsa;

pub use aead::{AEAD_TAG_LEN, AeadKey, OpenError};
pub use agreement::{AgreementError, InvalidPublicKey, PublicKey, SharedSecret};
pub use batch::generate_one_time_prekeys;
pub use kdf::{
    CbcError, aes256_cbc_decrypt, aes256_cbc_encrypt, aes256_ctr_apply, constant_time_eq,
    hkdf_sha256, hmac_sha256, md5, pbkdf2_sha256, sha1, sha256,
};
pub use provider::Provider;
pub use rand_core::CryptoRng;
pub use roles::{
    CertificatePublic, CertificateSecret, IdentityPublic, IdentitySecret, LinkEphemeralPublic,
    LinkEphemeralSecret, NoiseEphemeralPublic, NoiseEphemeralSecret, NoiseStaticPublic,
    NoiseStaticSecret, OneTimePrekeyPublic, OneTimePrekeySecret, PasskeyEphemeralPublic,
    PasskeyEphemeralSecret, RatchetPublic, RatchetSecret, SenderSigningPublic, SenderSigningSecret,
    SignedPrekeyPublic, SignedPrekeySecret,
};
pub use secret::{AdvSecret, MacError};
pub use xeddsa::{Signature, SignatureError};
