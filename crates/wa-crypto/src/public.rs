use core::fmt;

/// The byte that stands before a key in its 33-byte serialized form (signal chapter, section 1).
pub const SERIALIZED_KEY_TYPE: u8 = 0x05;

/// A public key of any role.
pub trait PublicKey {
    /// The bare 32 bytes, without the type byte.
    fn as_bytes(&self) -> &[u8; 32];
}

/// Why bytes are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPublicKey {
    /// Neither the bare form (32 bytes) nor the serialized form (33 bytes).
    #[error("a public key has 32 or 33 bytes, not {got}")]
    Length {
        /// How many bytes there were.
        got: usize,
    },
    /// 33 bytes that do not start with the type byte of this curve.
    #[error("a serialized public key starts with 0x05, not {got:#04x}")]
    KeyType {
        /// The first byte.
        got: u8,
    },
}

pub(crate) fn parse(bytes: &[u8]) -> Result<[u8; 32], InvalidPublicKey> {
    if let Ok(bare) = bytes.try_into() {
        return Ok(bare);
    }
    match bytes.split_first() {
        Some((&SERIALIZED_KEY_TYPE, bare)) => bare
            .try_into()
            .map_err(|_| InvalidPublicKey::Length { got: bytes.len() }),
        Some((&got, bare)) if bare.len() == 32 => Err(InvalidPublicKey::KeyType { got }),
        _ => Err(InvalidPublicKey::Length { got: bytes.len() }),
    }
}

pub(crate) fn serialize(bare: &[u8; 32]) -> [u8; 33] {
    let mut serialized = [SERIALIZED_KEY_TYPE; 33];
    let (_, rest) = serialized.split_at_mut(1);
    rest.copy_from_slice(bare);
    serialized
}

/// Public bytes as lower-case hex inside the name of their type.
pub(crate) fn fmt_hex(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    write!(f, "{name}(")?;
    for byte in bytes {
        write!(f, "{byte:02x}")?;
    }
    f.write_str(")")
}
