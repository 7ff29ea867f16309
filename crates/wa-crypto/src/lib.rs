//! Keys by role, and the primitives under them.
//!
//! Every key of the protocol has its own pair of types ([`IdentitySecret`] and [`IdentityPublic`],
//! [`NoiseStaticSecret`] and [`NoiseStaticPublic`], …), so that a key of one role cannot end up in the place of
//! another. A secret sits on the heap, is wiped when its last owner lets go of it, prints nothing but its type,
//! compares in constant time and keeps whatever form its [`Provider`] wants to compute with.
//!
//! The [`Provider`] is chosen by value when a key is made: [`Provider::rust`] is always there and is the default,
//! `Provider::aws_lc` (feature `aws-lc`) needs a C compiler and is about twice as fast. Both give the same bytes.
//!
//! # Driving it
//!
//! ```
//! use rand_chacha::rand_core::SeedableRng;
//! use wa_crypto::{IdentitySecret, NoiseEphemeralSecret, NoiseStaticSecret, Provider};
//!
//! # let mut rng = rand_chacha::ChaCha20Rng::from_seed([7; 32]); // any `CryptoRng`: randomness is an argument
//! let provider = Provider::rust();
//! let ours = NoiseEphemeralSecret::generate(provider, &mut rng);
//! let theirs = NoiseStaticSecret::generate(provider, &mut rng);
//! assert_eq!(ours.agree(&theirs.public())?, theirs.agree(&ours.public())?);
//!
//! let identity = IdentitySecret::generate(provider, &mut rng);
//! let signature = identity.sign(&mut rng, &[b"the parts ", b"are one message"]);
//! identity.public().verify(&[b"the parts are one message"], &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do
//!
//! It knows no message format, draws no randomness of its own, and asks nobody for the time. Wiping reaches what
//! this crate owns; stack frames inside the arithmetic libraries are theirs.
//!
//! Protocol: signal chapter, sections 1 and 2 (keys, XEdDSA); transport chapter, 8.2 (XEdDSA verification);
//! pairing chapter, 0.2 and B.3 (notation, key stretching of the pairing code).

mod adv;
mod aead;
mod agreement;
mod cipher;
mod field;
mod hash;
mod pbkdf2;
mod prekeys;
mod provider;
mod public;
mod role;
mod xeddsa;

pub use adv::{AdvSecret, MacError};
pub use aead::{AEAD_TAG_LEN, AeadKey, OpenError};
pub use agreement::{AgreementError, SharedSecret};
pub use cipher::{CbcError, aes256_cbc_decrypt, aes256_cbc_encrypt, aes256_ctr_apply};
pub use hash::{HKDF_MAX_OUTPUT, constant_time_eq, hkdf_sha256, hmac_sha256, md5, sha1, sha256};
pub use pbkdf2::pbkdf2_sha256;
pub use prekeys::generate_one_time_prekeys;
pub use provider::Provider;
pub use public::{InvalidPublicKey, PublicKey, SERIALIZED_KEY_TYPE};
pub use rand_core::CryptoRng;
pub use role::{
    CertificatePublic, CertificateSecret, IdentityPublic, IdentitySecret, LinkEphemeralPublic,
    LinkEphemeralSecret, NoiseEphemeralPublic, NoiseEphemeralSecret, NoiseStaticPublic,
    NoiseStaticSecret, OneTimePrekeyPublic, OneTimePrekeySecret, PasskeyEphemeralPublic,
    PasskeyEphemeralSecret, RatchetPublic, RatchetSecret, SenderSigningPublic, SenderSigningSecret,
    SignedPrekeyPublic, SignedPrekeySecret,
};
pub use xeddsa::{Signature, SignatureError, SignatureLengthError};
