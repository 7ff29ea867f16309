use std::fmt;

use thiserror::Error;
use wa_crypto::constant_time_eq;
use zeroize::Zeroizing;

/// The symbols of a code in value order (pairing chapter, B.2): no `0`, `I`, `O`, `U`.
const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

const CODE_LEN: usize = 8;

/// The eight characters a user types on the phone. A secret: wiped on drop, and its `Debug` shows
/// nothing of it.
#[derive(Clone)]
pub struct PairingCode(Zeroizing<[u8; CODE_LEN]>);

impl PairingCode {
    /// The code of 40 random bits, eight groups of five, most significant first.
    pub fn from_random(bytes: [u8; 5]) -> Self {
        let [a, b, c, d, e] = bytes;
        let number = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let mut code = Zeroizing::new([0; CODE_LEN]);
        for (symbol, shift) in code
            .iter_mut()
            .zip((0..CODE_LEN).rev().map(|group| 5 * group))
        {
            let value = (number >> shift) & 0x1F;
            *symbol = usize::try_from(value)
                .ok()
                .and_then(|value| ALPHABET.get(value))
                .copied()
                .unwrap_or(b'1');
        }
        Self(code)
    }

    /// A code of the user's choice: hyphens and case do not matter, it must be eight symbols of the
    /// alphabet.
    pub fn from_custom(text: &str) -> Result<Self, PairingCodeError> {
        let symbols = || text.chars().filter(|character| *character != '-');
        let got = symbols().count();
        if got != CODE_LEN {
            return Err(PairingCodeError::Length { got });
        }
        let mut code = Zeroizing::new([0; CODE_LEN]);
        for (place, character) in code.iter_mut().zip(symbols()) {
            *place = u8::try_from(character.to_ascii_uppercase())
                .ok()
                .filter(|symbol| ALPHABET.contains(symbol))
                .ok_or(PairingCodeError::Symbol)?;
        }
        Ok(Self(code))
    }

    /// The eight bare characters, which are what keys are derived from.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(self.0.as_slice()).expect("every symbol of the alphabet is ASCII")
    }

    /// The form to show, such as `ABCD-1234`.
    pub fn display(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CODE_LEN + 1));
        for (index, symbol) in self.0.iter().enumerate() {
            if index == CODE_LEN / 2 {
                text.push('-');
            }
            text.push(char::from(*symbol));
        }
        text
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(..)")
    }
}

impl PartialEq for PairingCode {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_slice(), other.0.as_slice())
    }
}

impl Eq for PairingCode {}

/// Why a text cannot be a pairing code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairingCodeError {
    /// Not eight symbols.
    #[error("{got} symbols, expected 8")]
    Length {
        /// Symbols found, hyphens not counted.
        got: usize,
    },
    /// A symbol that is not in the alphabet.
    #[error("a symbol outside 1-9 and A-Z without I, O and U")]
    Symbol,
}
