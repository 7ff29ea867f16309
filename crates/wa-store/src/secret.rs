use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::RandomError;
use crate::random;

/// Text that is a secret: a passphrase, or a key as somebody typed it. Wiped on drop, `Debug` shows the type only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

/// A key of 32 random bytes that opens a store or an export. Wiped on drop, `Debug` shows the type only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StoreKey(Box<[u8; Self::LEN]>);

impl StoreKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(Box::new(*random::secret()?)))
    }

    /// Takes a key over; refuses what a random key cannot be.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, KeyTextError> {
        if looks_chosen(bytes) {
            return Err(KeyTextError::Weak);
        }
        Ok(Self(Box::new(*bytes)))
    }

    /// Reads 64 hex digits, or the same bytes in base64 of either alphabet, padded or not; surrounding white space
    /// is ignored.
    pub fn from_text(text: &str) -> Result<Self, KeyTextError> {
        let text = text.trim();
        let bytes = if text.len() == 2 * Self::LEN {
            decode_hex(text).ok_or(KeyTextError::Encoding)?
        } else {
            decode_base64(text)?
        };
        let bytes: &[u8; Self::LEN] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| KeyTextError::Length { got: bytes.len() })?;
        Self::from_bytes(bytes)
    }

    /// The key as 64 hex digits, as [`from_text`](Self::from_text) reads it.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * Self::LEN));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 0x0f] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text
    }

    pub(crate) fn from_derived(bytes: Box<[u8; Self::LEN]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl PartialEq for StoreKey {
    fn eq(&self, other: &Self) -> bool {
        wa_crypto::constant_time_eq(self.0.as_slice(), other.0.as_slice())
    }
}

impl Eq for StoreKey {}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey")
    }
}

/// The text is no usable key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTextError {
    /// Neither hex nor base64.
    #[error("the key is neither 64 hex digits nor base64: make one with `openssl rand -hex 32`")]
    Encoding,
    /// Decodes to the wrong number of bytes.
    #[error(
        "the key has {got} bytes instead of {}: make one with `openssl rand -hex 32`",
        StoreKey::LEN
    )]
    Length {
        /// Bytes it has.
        got: usize,
    },
    /// No random generator gives this: a pattern, a sentence, a placeholder.
    #[error(
        "the key follows a pattern and so is no random key: make one with `openssl rand -hex 32`"
    )]
    Weak,
}

/// Fewest different byte values a key must have. 32 random bytes have 30 on average; fewer than 16 do not happen
/// (probability below 10^-17).
const MIN_DISTINCT_BYTES: usize = 16;

/// Whether the bytes show a pattern that random ones have with a probability below 10^-13: few values, even steps,
/// a repeated half, or nothing but printable text.
fn looks_chosen(bytes: &[u8; StoreKey::LEN]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let mut steps = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .map(|(a, b)| b.wrapping_sub(*a));
    let first = steps.next();
    let even = steps.all(|step| Some(step) == first);
    let (left, right) = bytes.split_at(StoreKey::LEN / 2);
    let printable = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    distinct < MIN_DISTINCT_BYTES || even || left == right || printable
}

fn decode_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    while let Some(high) = digits.next() {
        let low = digits.next()??;
        bytes.push(u8::try_from(high? * 16 + low).ok()?);
    }
    Some(bytes)
}

fn decode_base64(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyTextError> {
    // A key needs 44 characters; a longer text is refused before it is decoded.
    const LONGEST: usize = 256;
    if text.len() > LONGEST {
        return Err(KeyTextError::Length {
            got: text.len() / 4 * 3,
        });
    }
    let alphabet = if text.contains(['-', '_']) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet, config)
        .decode(text)
        .map(Zeroizing::new)
        .map_err(|_| KeyTextError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "5f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";

    #[test]
    fn a_key_reads_the_same_in_hex_and_in_base64_of_either_alphabet() {
        let key = StoreKey::from_text(HEX).unwrap();
        let standard = base64::engine::general_purpose::STANDARD.encode(key.expose());
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.expose());
        assert_eq!(
            StoreKey::from_text(&format!(" {}\n", HEX.to_uppercase())),
            Ok(key.clone())
        );
        assert_eq!(StoreKey::from_text(&standard), Ok(key.clone()));
        assert_eq!(StoreKey::from_text(&url), Ok(key.clone()));
        assert_eq!(*key.to_hex(), HEX);
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert_eq!(
            StoreKey::from_text(""),
            Err(KeyTextError::Length { got: 0 })
        );
        assert_eq!(
            StoreKey::from_text("AAAA"),
            Err(KeyTextError::Length { got: 3 })
        );
        assert_eq!(
            StoreKey::from_text("correct horse"),
            Err(KeyTextError::Encoding)
        );
        assert_eq!(
            StoreKey::from_text(&HEX.replace('5', "g")),
            Err(KeyTextError::Encoding)
        );
        assert!(matches!(
            StoreKey::from_text(&"A".repeat(4096)),
            Err(KeyTextError::Length { .. })
        ));
    }

    #[test]
    fn keys_nobody_drew_at_random_are_refused() {
        let repeated = std::array::from_fn(|i| [7, 200, 31, 5, 90, 66, 1, 250][i % 8]);
        let halves = std::array::from_fn(|i| HEX.as_bytes()[i % 16].wrapping_mul(37));
        let steps = std::array::from_fn(|i| u8::try_from(i * 3).unwrap());
        for weak in [
            [0; 32],
            [0xff; 32],
            *b"correct horse battery staple 123",
            repeated,
            halves,
            steps,
        ] {
            assert_eq!(
                StoreKey::from_bytes(&weak),
                Err(KeyTextError::Weak),
                "{weak:?}"
            );
        }
        assert_eq!(
            StoreKey::from_text(&"00".repeat(32)),
            Err(KeyTextError::Weak)
        );
        for _ in 0..200 {
            let fresh = StoreKey::generate().unwrap();
            assert_eq!(StoreKey::from_bytes(fresh.expose()), Ok(fresh));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = StoreKey::from_text(HEX).unwrap();
        assert_eq!(
            format!("{key:?} {:?}", SecretText::from("hunter2 hunter2")),
            "StoreKey SecretText"
        );
    }
}
