use core::fmt;
use std::sync::Arc;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::agreement::PrivateKey;
use crate::public::{fmt_hex, parse, serialize};
use crate::{
    AgreementError, CryptoRng, InvalidPublicKey, Provider, PublicKey, SharedSecret, Signature,
    SignatureError, xeddsa,
};

/// The pair of types of one role. A role whose keys live on says `cloneable`; one whose keys sign says `signing`.
macro_rules! role {
    ($(#[$doc:meta])* $secret:ident, $public:ident $(, $ability:ident)*) => {
        $(#[$doc])*
        ///
        /// The private half. Wiped when the last clone is dropped; `Debug` prints the type only.
        pub struct $secret(Arc<PrivateKey>);

        impl $secret {
            /// A fresh key from 32 random bytes.
            pub fn generate(provider: Provider, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
                Self(PrivateKey::new(provider, |bytes| rng.fill_bytes(bytes)))
            }

            /// A stored key. The bytes are clamped, which leaves a stored key as it is.
            pub fn from_bytes(provider: Provider, bytes: &[u8; 32]) -> Self {
                Self(PrivateKey::new(provider, |own| own.copy_from_slice(bytes)))
            }

            /// The clamped private bytes, for storage.
            pub fn expose_bytes(&self) -> &[u8; 32] {
                self.0.bytes()
            }

            /// The public half, computed when the key was made.
            pub fn public(&self) -> $public {
                $public(*self.0.public())
            }

            /// Who computes with this key.
            pub fn provider(&self) -> Provider {
                self.0.provider()
            }

            /// X25519.
            ///
            /// # Errors
            /// [`AgreementError::NonContributory`] when the result is all zeros.
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
                *self.0 == *other.0
            }
        }

        impl Eq for $secret {}

        impl ZeroizeOnDrop for $secret {}

        $(#[$doc])*
        ///
        /// The public half.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $public([u8; 32]);

        impl $public {
            /// From the bare 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 33-byte form: `05`, then the key.
            pub fn to_serialized(&self) -> [u8; 33] {
                serialize(&self.0)
            }
        }

        impl PublicKey for $public {
            fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        /// The bare form (32 bytes) or the serialized form (33 bytes).
        impl TryFrom<&[u8]> for $public {
            type Error = InvalidPublicKey;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
                parse(bytes).map(Self)
            }
        }

        impl fmt::Debug for $public {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hex(f, stringify!($public), &self.0)
            }
        }

        $(role!(@$ability $secret, $public);)*
    };

    (@cloneable $secret:ident, $public:ident) => {
        /// Shares the one copy of the private bytes.
        impl Clone for $secret {
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }
    };

    (@signing $secret:ident, $public:ident) => {
        impl $secret {
            /// XEdDSA over the parts as one message, with 64 bytes from `rng` in the nonce.
            pub fn sign(&self, rng: &mut (impl CryptoRng + ?Sized), message: &[&[u8]]) -> Signature {
                let mut random = Zeroizing::new([0; 64]);
                rng.fill_bytes(random.as_mut_slice());
                self.sign_with_nonce(&random, message)
            }

            /// XEdDSA with the 64 random bytes given, to reproduce recorded signatures.
            ///
            /// Giving the same bytes for two messages reveals nothing (the message goes into the nonce too), but
            /// they must stay secret.
            pub fn sign_with_nonce(&self, random: &[u8; 64], message: &[&[u8]]) -> Signature {
                xeddsa::sign(self.0.bytes(), self.0.edwards(), message, random)
            }
        }

        impl $public {
            /// Checks an XEdDSA signature over the parts as one message.
            ///
            /// # Errors
            /// [`SignatureError`], which does not tell why.
            pub fn verify(&self, message: &[&[u8]], signature: &Signature) -> Result<(), SignatureError> {
                xeddsa::verify(&self.0, message, signature)
            }
        }
    };
}

impl OneTimePrekeySecret {
    pub(crate) fn from_shared(key: Arc<PrivateKey>) -> Self {
        Self(key)
    }
}

role! {
    /// The static key of the Noise handshake: who a device, or a server, is on the wire.
    NoiseStaticSecret, NoiseStaticPublic, cloneable
}
role! {
    /// The ephemeral key of one Noise handshake.
    NoiseEphemeralSecret, NoiseEphemeralPublic
}
role! {
    /// The Signal identity of a device; it also signs device identities.
    IdentitySecret, IdentityPublic, cloneable, signing
}
role! {
    /// The medium-term prekey, signed by the identity.
    SignedPrekeySecret, SignedPrekeyPublic, cloneable
}
role! {
    /// A prekey for one session.
    OneTimePrekeySecret, OneTimePrekeyPublic, cloneable
}
role! {
    /// The ephemeral key of one pairing code.
    LinkEphemeralSecret, LinkEphemeralPublic
}
role! {
    /// The ephemeral key of one passkey pairing.
    PasskeyEphemeralSecret, PasskeyEphemeralPublic
}
role! {
    /// A ratchet key of a session.
    RatchetSecret, RatchetPublic, cloneable
}
role! {
    /// The key that signs one sender's messages to a group.
    SenderSigningSecret, SenderSigningPublic, cloneable, signing
}
role! {
    /// A key that signs certificates of the Noise handshake: the root and what it vouches for.
    CertificateSecret, CertificatePublic, cloneable, signing
}
