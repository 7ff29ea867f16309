//! The token dictionaries: words that travel as one or two bytes.

use std::fmt;

#[path = "../generated/tokens.rs"]
mod generated;
mod hash;

use crate::wire::DICTIONARY_0;
use generated::{DISPLACEMENTS, SLOTS, TOKENS};

/// A word of the token dictionaries (version 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(u16);

impl Token {
    /// The token of a text, if it has one.
    #[inline]
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::find_bytes(text.as_bytes())
    }

    /// [`Token::find`] for constants: the same answer, at compile time.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "`get` is not const; both indexes are reduced by the length of their table"
    )]
    pub const fn find_const(text: &str) -> Option<Self> {
        let hash = hash::hash(text.as_bytes());
        let (mark, id) = SLOTS[hash::slot(hash, DISPLACEMENTS[hash::bucket(hash)])];
        if id == 0 || mark != hash::mark(hash) {
            return None;
        }
        let (mut left, mut right) = (text.as_bytes(), TOKENS[id as usize].as_bytes());
        loop {
            match (left.split_first(), right.split_first()) {
                (Some((a, left_rest)), Some((b, right_rest))) if *a == *b => {
                    (left, right) = (left_rest, right_rest);
                }
                (None, None) => return Some(Self(id)),
                _ => return None,
            }
        }
    }

    #[inline]
    pub(crate) fn find_bytes(text: &[u8]) -> Option<Self> {
        let hash = hash::hash(text);
        let displacement = *DISPLACEMENTS.get(hash::bucket(hash))?;
        let (mark, id) = *SLOTS.get(hash::slot(hash, displacement))?;
        if id == 0 || mark != hash::mark(hash) {
            return None;
        }
        (Self(id).as_str().as_bytes() == text).then_some(Self(id))
    }

    /// The token of an id that came out of wire bytes.
    #[inline]
    pub(crate) const fn from_id(id: u16) -> Self {
        Self(id)
    }

    /// The token of a wire byte 1..=235.
    #[inline]
    pub(crate) const fn single(byte: u8) -> Self {
        Self(byte as u16)
    }

    /// The token of a dictionary byte 236..=239 and an index.
    #[inline]
    pub(crate) const fn double(dictionary: u8, index: u8) -> Self {
        Self((dictionary.wrapping_sub(DICTIONARY_0 - 1) as u16) << 8 | index as u16)
    }

    /// The wire bytes, the first one low, and how many of the two there are.
    #[inline]
    pub(crate) const fn wire(self) -> (u16, u32) {
        if self.0 < 0x100 {
            (self.0, 1)
        } else {
            ((self.0 + ((DICTIONARY_0 as u16 - 1) << 8)).swap_bytes(), 2)
        }
    }

    /// The text of the token.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> &'static str {
        TOKENS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{TOKENS, Token};

    #[test]
    fn every_token_is_found_and_has_its_own_wire_bytes() {
        let mut count = 0;
        for (id, text) in TOKENS
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let token = Token::find(text).unwrap();
            assert_eq!(usize::from(token.0), id, "{text}");
            assert_eq!(Token::find_const(text), Some(token), "{text}");
            let again = match token.wire() {
                (byte, 1) => Token::single(byte as u8),
                (bytes, _) => {
                    let [byte, index] = bytes.to_le_bytes();
                    Token::double(byte, index)
                }
            };
            assert_eq!(again, token, "{text}");
            count += 1;
        }
        assert_eq!(count, 235 + 4 * 256);
    }

    #[test]
    fn other_texts_have_no_token() {
        for text in [
            "",
            "I",
            "iqq",
            "xmlstreamstar",
            "s.whatsapp.ne",
            "\u{0}",
            "result\u{0}",
        ] {
            assert_eq!(Token::find(text), None, "{text}");
            assert_eq!(Token::find_const(text), None, "{text}");
        }
    }
}
