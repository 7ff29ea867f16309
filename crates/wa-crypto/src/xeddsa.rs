use core::fmt;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// The type byte of a serialized Curve25519 public key.
pub(crate) const KEY_TYPE: u8 = 0x05;

/// An XEdDSA signature: R, then s with the public key's Edwards sign in the top bit of its last byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// A signature that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not 64 bytes.
    #[error("a signature has 64 bytes; got {got}")]
    Length {
        /// The number of bytes given.
        got: usize,
    },
    /// s is not below the group order, which no honest signer emits.
    #[error("the signature's scalar is not canonical")]
    NonCanonicalScalar,
    /// The public key is the u-coordinate of no point.
    #[error("the public key is no point of the curve")]
    InvalidPublicKey,
    /// Wrong key, wrong message or wrong signature.
    #[error("the signature does not match the key and the message")]
    Mismatch,
}

impl Signature {
    /// From its 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = SignatureError;

    fn try_from(bytes: &[u8]) -> Result<Self, SignatureError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| SignatureError::Length { got: bytes.len() })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

pub(crate) fn sign(key: &[u8; 32], nonce: &[u8; 64], message: &[&[u8]]) -> Signature {
    let mut secret = Scalar::from_bytes_mod_order(*key);
    let public = EdwardsPoint::mul_base(&secret).compress();

    // The prefix keeps this hash apart from every other use of the key.
    let mut prefix = [0xFF; 32];
    prefix[0] = 0xFE;
    let mut hash = Sha512::new_with_prefix(prefix);
    hash.update(key);
    message.iter().for_each(|part| hash.update(part));
    hash.update(nonce);
    let mut r = wide_scalar(hash);

    let commitment = EdwardsPoint::mul_base(&r).compress();
    let challenge = challenge(&commitment.0, &public.0, message);
    let mut s = r + challenge * secret;

    let mut out = [0; 64];
    let (head, tail) = out.split_at_mut(32);
    head.copy_from_slice(&commitment.0);
    tail.copy_from_slice(s.as_bytes());
    out[63] = (out[63] & 0x7F) | (public.0[31] & 0x80);
    secret.zeroize();
    r.zeroize();
    s.zeroize();
    Signature(out)
}

pub(crate) fn verify(
    key: &[u8; 32],
    message: &[&[u8]],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let (commitment, mut s) = halves(signature);
    if s[31] & 0x60 != 0 {
        return Err(SignatureError::NonCanonicalScalar);
    }
    let sign = s[31] >> 7;
    s[31] &= 0x7F;
    let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s))
        .ok_or(SignatureError::NonCanonicalScalar)?;
    let point = MontgomeryPoint(*key)
        .to_edwards(sign)
        .ok_or(SignatureError::InvalidPublicKey)?;
    let challenge = challenge(&commitment, &point.compress().0, message);
    let expected =
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &-point, &s).compress();
    if expected == CompressedEdwardsY(commitment) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

fn halves(signature: &Signature) -> ([u8; 32], [u8; 32]) {
    let (mut commitment, mut s) = ([0; 32], [0; 32]);
    commitment.copy_from_slice(&signature.0[..32]);
    s.copy_from_slice(&signature.0[32..]);
    (commitment, s)
}

fn challenge(commitment: &[u8; 32], public: &[u8; 32], message: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new_with_prefix(commitment);
    hash.update(public);
    message.iter().for_each(|part| hash.update(part));
    wide_scalar(hash)
}

fn wide_scalar(hash: Sha512) -> Scalar {
    let wide = Zeroizing::new(<[u8; 64]>::from(hash.finalize()));
    Scalar::from_bytes_mod_order_wide(&wide)
}
