use crate::agreement::{AgreementError, AgreementKey, InvalidPublicKey, PublicKey, SharedSecret};
use crate::provider::Provider;
use crate::xeddsa::{self, Signature, SignatureError};
use core::fmt;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

macro_rules! role {
    ($secret:ident, $public:ident, $what:literal) => {
        #[doc = concat!("The private half of ", $what, ". Clamped, wiped on drop, prints its type only.")]
        pub struct $secret(pub(crate) AgreementKey);

        impl $secret {
            /// A fresh key from 32 random bytes.
            pub fn generate(provider: Provider, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
                Self(AgreementKey::generate(provider, rng))
            }

            /// A stored key. Clamps, so that every library derives the same scalar from the same bytes.
            pub fn from_bytes(provider: Provider, bytes: &[u8; 32]) -> Self {
                Self(AgreementKey::from_bytes(provider, bytes))
            }

            /// The clamped bytes, for a store.
            pub fn expose_bytes(&self) -> &[u8; 32] {
                self.0.bytes()
            }

            /// The public half, computed when the key was made.
            pub fn public(&self) -> $public {
                $public(*self.0.public())
            }

            /// X25519 with the other side's public key.
            ///
            /// # Errors
            /// [`AgreementError::NonContributory`] when the result is all zero.
            pub fn agree(&self, their: &impl PublicKey) -> Result<SharedSecret, AgreementError> {
                self.0.agree(their.as_bytes())
            }
        }

        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($secret))
            }
        }

        impl PartialEq for $secret {
            fn eq(&self, other: &Self) -> bool {
                self.0.bytes().ct_eq(other.0.bytes()).into()
            }
        }

        impl Eq for $secret {}

        #[doc = concat!("The public half of ", $what, ": 32 bytes, the Montgomery u-coordinate.")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $public([u8; 32]);

        impl $public {
            /// From the bare 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bare 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 33 bytes with the type byte `05` in front (signal chapter, section 1).
            pub fn to_serialized(&self) -> [u8; 33] {
                let mut out = [crate::xeddsa::KEY_TYPE; 33];
                out[1..].copy_from_slice(&self.0);
                out
            }
        }

        impl PublicKey for $public {
            fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $public {
            type Error = InvalidPublicKey;

            /// Takes 32 bare bytes, or 33 with the type byte.
            fn try_from(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
                match bytes {
                    [crate::xeddsa::KEY_TYPE, bare @ ..] if bare.len() == 32 => Self::try_from(bare),
                    [got, bare @ ..] if bare.len() == 32 => Err(InvalidPublicKey::Type { got: *got }),
                    _ => bytes
                        .try_into()
                        .map(Self)
                        .map_err(|_| InvalidPublicKey::Length { got: bytes.len() }),
                }
            }
        }

        impl fmt::Debug for $public {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(", stringify!($public))?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(")")
            }
        }
    };
}

macro_rules! long_lived {
    ($($secret:ident),*) => { $(
        impl Clone for $secret {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }
    )* };
}

macro_rules! signing {
    ($($secret:ident, $public:ident;)*) => { $(
        impl $secret {
            /// An XEdDSA signature over the concatenated parts (signal chapter, section 2).
            pub fn sign(&self, rng: &mut (impl CryptoRng + ?Sized), message: &[&[u8]]) -> Signature {
                let mut nonce = zeroize::Zeroizing::new([0; 64]);
                rng.fill_bytes(nonce.as_mut());
                self.sign_with_nonce(&nonce, message)
            }

            /// As [`Self::sign`], with the 64 random bytes given. Reusing them for another message gives the key away.
            pub fn sign_with_nonce(&self, nonce: &[u8; 64], message: &[&[u8]]) -> Signature {
                xeddsa::sign(self.0.bytes(), nonce, message)
            }
        }

        impl $public {
            /// Checks an XEdDSA signature over the concatenated parts.
            ///
            /// # Errors
            /// [`SignatureError`] says whether the signature's form, the key or the equation is wrong.
            pub fn verify(&self, message: &[&[u8]], signature: &Signature) -> Result<(), SignatureError> {
                xeddsa::verify(self.as_bytes(), message, signature)
            }
        }
    )* };
}

role!(
    NoiseStaticSecret,
    NoiseStaticPublic,
    "a Noise static key (transport chapter)"
);
role!(
    NoiseEphemeralSecret,
    NoiseEphemeralPublic,
    "a Noise ephemeral key, one per handshake"
);
role!(
    IdentitySecret,
    IdentityPublic,
    "a Signal identity, which also signs"
);
role!(SignedPrekeySecret, SignedPrekeyPublic, "a signed prekey");
role!(
    OneTimePrekeySecret,
    OneTimePrekeyPublic,
    "a one-time prekey"
);
role!(
    LinkEphemeralSecret,
    LinkEphemeralPublic,
    "the ephemeral key of a pairing code"
);
role!(
    PasskeyEphemeralSecret,
    PasskeyEphemeralPublic,
    "the ephemeral key of a passkey ceremony"
);
role!(RatchetSecret, RatchetPublic, "a ratchet key");
role!(
    SenderSigningSecret,
    SenderSigningPublic,
    "a sender key's signing pair"
);
role!(
    CertificateSecret,
    CertificatePublic,
    "a key that signs server certificates"
);

long_lived!(
    NoiseStaticSecret,
    IdentitySecret,
    SignedPrekeySecret,
    OneTimePrekeySecret,
    SenderSigningSecret,
    CertificateSecret
);

signing! {
    IdentitySecret, IdentityPublic;
    SenderSigningSecret, SenderSigningPublic;
    CertificateSecret, CertificatePublic;
}
