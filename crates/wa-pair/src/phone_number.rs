use std::fmt;

use thiserror::Error;
use wa_proto::{Jid, Server};

/// Fewest digits of an international number (pairing chapter, B.1).
pub const MIN_PHONE_DIGITS: usize = 7;

/// Most digits of an international number (ITU-T E.164).
pub const MAX_PHONE_DIGITS: usize = 15;

/// The number of the account to link with, in its international form. Its `Debug` shows the last two
/// digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as people write it. `+`, spaces, dashes, `.`, parentheses, the marks of
    /// right-to-left text and characters without width are left out; what remains must be digits.
    ///
    /// # Errors
    /// [`PhoneNumberError`]: not a number, or not an international one.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let mut digits = String::with_capacity(MAX_PHONE_DIGITS);
        let mut got = 0_usize;
        if has_trunk_zero(text) {
            return Err(PhoneNumberError::TrunkZero);
        }
        for character in text.chars().filter(|character| !is_punctuation(*character)) {
            if !character.is_ascii_digit() {
                return Err(PhoneNumberError::Character);
            }
            got = got.saturating_add(1);
            if got <= MAX_PHONE_DIGITS {
                digits.push(character);
            }
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::LeadingZero);
        }
        if got < MIN_PHONE_DIGITS {
            return Err(PhoneNumberError::TooShort {
                got,
                limit: MIN_PHONE_DIGITS,
            });
        }
        if got > MAX_PHONE_DIGITS {
            return Err(PhoneNumberError::TooLong {
                got,
                limit: MAX_PHONE_DIGITS,
            });
        }
        Ok(Self(digits))
    }

    /// The digits, country code first. Do not log them.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The JID of the account.
    pub fn jid(&self) -> Jid {
        Jid::new(self.0.as_str(), Server::Pn)
    }
}

/// Whether a country code is followed by `(0)`, which is dialled inside the country only.
fn has_trunk_zero(text: &str) -> bool {
    let written = text
        .chars()
        .filter(|character| character.is_ascii_digit() || matches!(character, '(' | ')'));
    let written: String = written.collect();
    written.find("(0)").is_some_and(|at| {
        let before = written.get(..at).unwrap_or("");
        before.contains(|character: char| character.is_ascii_digit())
    })
}

/// What people and programs put between the digits, the invisible marks of copied text included.
const fn is_punctuation(character: char) -> bool {
    matches!(character, '+' | '(' | ')' | '.')
        || is_dash(character)
        || is_space(character)
        || has_no_width(character)
}

const fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Spaces within a line.
const fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Joiners and the marks of right-to-left text.
const fn has_no_width(character: char) -> bool {
    matches!(
        character,
        '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.len().saturating_sub(2);
        write!(f, "PhoneNumber(…{})", self.0.get(start..).unwrap_or(""))
    }
}

/// Why a text is not the number of an account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PhoneNumberError {
    /// Something that is neither a digit nor usual between digits.
    #[error(
        "a phone number consists of digits; only +, spaces, dashes, . and parentheses may stand between them"
    )]
    Character,
    /// It starts with 0: a national number, or one with 00 in front of the country code.
    #[error("the number must be international: country code first, no leading 0")]
    LeadingZero,
    /// `(0)` after the country code: that digit is for calls inside the country.
    #[error("leave out the (0): after the country code the number goes on without it")]
    TrunkZero,
    /// Too few digits.
    #[error("{got} digits, an international number has at least {limit}: country code first")]
    TooShort {
        /// Digits found.
        got: usize,
        /// [`MIN_PHONE_DIGITS`].
        limit: usize,
    },
    /// Too many digits.
    #[error("{got} digits, an international number has at most {limit}")]
    TooLong {
        /// Digits found.
        got: usize,
        /// [`MAX_PHONE_DIGITS`].
        limit: usize,
    },
}
