use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The most [`hkdf_sha256`] can put out: 255 blocks (RFC 5869, 2.3).
pub const HKDF_MAX_OUTPUT: usize = 255 * 32;

/// SHA-256 of the parts as one message.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// SHA-1 of the parts as one message. Only for the key bundle digest, which the protocol fixes.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// MD5. Only for the build hash of the login payload, which the protocol fixes.
pub fn md5(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}

/// HMAC-SHA-256 of the parts as one message.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA-256 (RFC 5869): extract with `salt`, expand with `info` into the whole of `out`.
///
/// An empty salt is the same as none and as 32 zeros.
///
/// # Panics
/// If `out` is longer than [`HKDF_MAX_OUTPUT`]. The length is the caller's own choice, never the peer's.
pub fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, out)
        .expect("at most HKDF_MAX_OUTPUT bytes");
}

/// Whether the slices are equal, in time that depends on their lengths only.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
