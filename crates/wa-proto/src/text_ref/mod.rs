//! Borrowed texts and values: read out of the input when they are asked for.

mod reader;
mod value_ref;

use std::borrow::Cow;
use std::fmt;

use crate::packed::{Block, Digits, Packed};
use crate::{Str, Token};
pub(crate) use reader::{ContentRef, content_at, text_at, value_at};
pub use value_ref::{JidRef, ValueRef};

/// A text inside a decoded stanza.
///
/// Comparing it with a `str` allocates nothing and unpacks as little as it can. A text with bytes that are not
/// UTF-8 equals no `str`; all other ways of reading it replace the bad sequences. (Node chapter, 9.)
#[derive(Clone, Copy)]
pub struct TextRef<'a>(Repr<'a>);

#[derive(Clone, Copy)]
enum Repr<'a> {
    Token(Token),
    Raw(&'a [u8]),
    Packed(Packed<'a>),
}

impl<'a> TextRef<'a> {
    const EMPTY: Self = Self(Repr::Raw(&[]));

    /// The token, if it was sent as one.
    #[inline]
    #[must_use]
    pub fn token(self) -> Option<Token> {
        match self.0 {
            Repr::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Whether it has no characters.
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        match self.0 {
            Repr::Token(_) => false,
            Repr::Raw(bytes) => bytes.is_empty(),
            Repr::Packed(packed) => packed.len() == 0,
        }
    }

    /// The text; allocates if it is packed or has invalid UTF-8.
    #[must_use]
    pub fn to_cow(self) -> Cow<'a, str> {
        match self.0 {
            Repr::Token(token) => Cow::Borrowed(token.as_str()),
            Repr::Raw(bytes) => String::from_utf8_lossy(bytes),
            Repr::Packed(_) => Cow::Owned(self.with(str::to_owned)),
        }
    }

    /// Hands out the text for a moment; never allocates if it is valid UTF-8.
    #[inline]
    pub fn with<T>(self, read: impl FnOnce(&str) -> T) -> T {
        match self.0 {
            Repr::Token(token) => read(token.as_str()),
            Repr::Packed(packed) => packed.with(read),
            Repr::Raw(bytes) => match Block::of_ascii(bytes) {
                Some(block) => read(block.text(bytes.len())),
                None => match str::from_utf8(bytes) {
                    Ok(text) => read(text),
                    Err(_) => read(&String::from_utf8_lossy(bytes)),
                },
            },
        }
    }

    /// The text as a decimal number without a sign.
    #[inline]
    #[must_use]
    pub fn to_u64(self) -> Option<u64> {
        if let Some(digits) = self.digits() {
            return digits.number();
        }
        self.with(|text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        })
    }

    #[inline]
    fn digits(self) -> Option<Digits> {
        match self.0 {
            Repr::Packed(packed) => Digits::from_packed(packed),
            _ => None,
        }
    }

    pub(crate) fn to_str(self) -> Str {
        match self.0 {
            Repr::Token(token) => Str::from_token(token),
            _ => self.with(Str::copy_of),
        }
    }
}

impl PartialEq<str> for TextRef<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        match self.0 {
            Repr::Token(token) => token.as_str() == other,
            Repr::Raw(bytes) => bytes == other.as_bytes(),
            Repr::Packed(packed) => {
                packed.len() == other.len() && packed.with(|text| text == other)
            }
        }
    }
}

impl PartialEq<&str> for TextRef<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for TextRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|text| f.pad(text))
    }
}

impl fmt::Debug for TextRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|text| fmt::Debug::fmt(text, f))
    }
}
