//! XEdDSA in the variant whose signatures carry the sign of the Edwards key in their top bit (signal chapter,
//! section 2; transport chapter, 8.2).

use core::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::field::{Y_OF_X_ZERO, edwards_y};
use crate::public::fmt_hex;

/// What the nonce's hash starts with, so that it cannot collide with another use of the key.
const NONCE_PREFIX: [u8; 32] = {
    let mut prefix = [0xFF; 32];
    prefix[0] = 0xFE;
    prefix
};

/// The bit of the last byte that carries the sign of the Edwards key.
const SIGN_BIT: u8 = 0x80;

/// Bits of the last byte that no valid signature sets.
const FORBIDDEN_BITS: u8 = 0x60;

/// A 64-byte XEdDSA signature, unchecked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = SignatureLengthError;

    fn try_from(bytes: &[u8]) -> Result<Self, SignatureLengthError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| SignatureLengthError { got: bytes.len() })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_hex(f, "Signature", &self.0)
    }
}

/// Bytes that are no signature for their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature has 64 bytes, not {got}")]
pub struct SignatureLengthError {
    /// How many bytes there were.
    pub got: usize,
}

/// The signature does not belong to this key and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match the key and the message")]
pub struct SignatureError;

/// `edwards` is the compressed form of `private`·B with its own sign bit.
pub(crate) fn sign(
    private: &[u8; 32],
    edwards: &[u8; 32],
    message: &[&[u8]],
    random: &[u8; 64],
) -> Signature {
    let key = Zeroizing::new(Scalar::from_bytes_mod_order(*private));
    let nonce = Zeroizing::new(hash_to_scalar(&[&NONCE_PREFIX, private], message, random));
    let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let challenge = hash_to_scalar(&[&commitment, edwards], message, &[]);
    let product = Zeroizing::new(challenge * *key);
    let response = (*nonce + *product).to_bytes();

    let mut signature = [0; 64];
    let (first, second) = signature.split_at_mut(32);
    first.copy_from_slice(&commitment);
    second.copy_from_slice(&response);
    signature[63] = (signature[63] & !SIGN_BIT) | (edwards[31] & SIGN_BIT);
    Signature(signature)
}

pub(crate) fn verify(
    montgomery: &[u8; 32],
    message: &[&[u8]],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let [commitment, mut response] = halves(&signature.0);
    if response[31] & FORBIDDEN_BITS != 0 {
        return Err(SignatureError);
    }
    let sign = response[31] & SIGN_BIT;
    response[31] &= !SIGN_BIT;
    let response =
        Option::<Scalar>::from(Scalar::from_canonical_bytes(response)).ok_or(SignatureError)?;

    let mut edwards = edwards_y(montgomery).ok_or(SignatureError)?;
    if edwards == Y_OF_X_ZERO && sign != 0 {
        // Zero has no sign, so this is the encoding of no point (RFC 8032, 5.1.3).
        return Err(SignatureError);
    }
    edwards[31] |= sign;
    let key = CompressedEdwardsY(edwards)
        .decompress()
        .ok_or(SignatureError)?;

    let challenge = hash_to_scalar(&[&commitment, &edwards], message, &[]);
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &-key, &response);
    if expected.compress().to_bytes() == commitment {
        Ok(())
    } else {
        Err(SignatureError)
    }
}

fn hash_to_scalar(head: &[&[u8; 32]], message: &[&[u8]], tail: &[u8]) -> Scalar {
    let mut hash = Sha512::new();
    for part in head {
        hash.update(part);
    }
    for part in message {
        hash.update(part);
    }
    hash.update(tail);
    let digest: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
    Scalar::from_bytes_mod_order_wide(&digest)
}

fn halves(signature: &[u8; 64]) -> [[u8; 32]; 2] {
    let (first, second) = signature.split_at(32);
    [first, second].map(|half| half.try_into().expect("half of 64 is 32"))
}
