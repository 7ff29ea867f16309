//! Names of things in the simulated world: moments, phone numbers, connections, scans.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The moment an input happens, on both clocks. The world never reads a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time, for everything that waits.
    pub instant: Instant,
    /// Wall-clock milliseconds since 1970, for everything that is written down.
    pub unix_ms: u64,
}

impl Now {
    /// Whole Unix seconds.
    pub fn unix_secs(self) -> u64 {
        self.unix_ms / 1_000
    }
}

/// Fewest digits of an international number (ITU-T E.164 allows shorter ones in theory only).
pub const MIN_NUMBER_DIGITS: usize = 7;
/// Most digits of an international number (ITU-T E.164).
pub const MAX_NUMBER_DIGITS: usize = 15;

/// A phone number in international form, as its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

/// Why a text is no phone number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PhoneNumberError {
    /// Something else than digits, a leading `+`, spaces and dashes.
    #[error("a phone number holds only digits, a leading +, spaces and dashes")]
    Character,
    /// Too short, too long, or with a leading zero.
    #[error(
        "a phone number has {MIN_NUMBER_DIGITS} to {MAX_NUMBER_DIGITS} digits and starts with a country code, got {digits} digits"
    )]
    Length {
        /// How many digits there were.
        digits: usize,
    },
}

impl PhoneNumber {
    /// Takes the digits as a number.
    ///
    /// # Errors
    /// When the count of digits is not that of an international number.
    pub fn new(digits: u64) -> Result<Self, PhoneNumberError> {
        let length = digits.checked_ilog10().map_or(1, |log| log as usize + 1);
        if (MIN_NUMBER_DIGITS..=MAX_NUMBER_DIGITS).contains(&length) {
            Ok(Self(digits))
        } else {
            Err(PhoneNumberError::Length { digits: length })
        }
    }

    /// The digits as a number.
    pub fn digits(self) -> u64 {
        self.0
    }

    /// The number with all but its last two digits masked, for logs.
    pub fn redacted(self) -> impl fmt::Display {
        RedactedNumber(self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let mut digits = 0u64;
        let mut count = 0usize;
        for character in text.chars() {
            match character {
                ' ' | '-' => {}
                _ => {
                    let digit = character.to_digit(10).ok_or(PhoneNumberError::Character)?;
                    count += 1;
                    if count > MAX_NUMBER_DIGITS {
                        return Err(PhoneNumberError::Length { digits: count });
                    }
                    digits = digits * 10 + u64::from(digit);
                }
            }
        }
        if count < MIN_NUMBER_DIGITS {
            return Err(PhoneNumberError::Length { digits: count });
        }
        Self::new(digits)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}", self.0)
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// One connection, for as long as the world lives. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnId(pub(crate) u64);

/// One scan of a QR code by a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScanId(pub(crate) u64);

impl ConnId {
    /// The connection's number, counting from 1.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl ScanId {
    /// The scan's number, counting from 1.
    pub fn number(self) -> u64 {
        self.0
    }
}

struct RedactedNumber(u64);

impl fmt::Display for RedactedNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+…{:02}", self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cleaned_and_bounded() {
        assert_eq!(
            "+1 555-123 0001".parse::<PhoneNumber>().unwrap().digits(),
            15_551_230_001
        );
        assert_eq!(
            "123456".parse::<PhoneNumber>(),
            Err(PhoneNumberError::Length { digits: 6 })
        );
        assert!("1234567".parse::<PhoneNumber>().is_ok());
        assert!("123456789012345".parse::<PhoneNumber>().is_ok());
        assert_eq!(
            "1234567890123456".parse::<PhoneNumber>(),
            Err(PhoneNumberError::Length { digits: 16 })
        );
        assert_eq!(
            "0123456".parse::<PhoneNumber>(),
            Err(PhoneNumberError::Length { digits: 6 })
        );
        assert_eq!(
            "15x".parse::<PhoneNumber>(),
            Err(PhoneNumberError::Character)
        );
    }

    #[test]
    fn a_redacted_number_keeps_two_digits() {
        let number = PhoneNumber::new(15_551_230_001).unwrap();
        assert_eq!(number.redacted().to_string(), "+…01");
        assert_eq!(number.to_string(), "+15551230001");
    }
}
