//! Values of attributes, owned.

use std::borrow::Cow;
use std::fmt;

use crate::{Jid, Str, TextRef, ValueRef};

/// The value of an attribute to be written.
///
/// Numbers are decimal text on the wire and booleans `true` and `false`. JIDs are written in their binary form
/// only if they are typed as such. (Node chapter, 5.3 and 7.)
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(Str),
    /// A number, kept as one until it is written.
    Number(u64),
    /// A JID.
    Jid(Jid),
}

impl Value {
    /// The value as text.
    #[must_use]
    pub fn to_cow(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.as_str()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Jid(jid) => Cow::Owned(jid.to_string()),
        }
    }

    /// The value as a decimal number without a sign.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.as_str().parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Jid(_) => None,
        }
    }

    /// The value as a JID; a text is parsed.
    #[must_use]
    pub fn to_jid(&self) -> Option<Jid> {
        match self {
            Self::Text(text) => text.as_str().parse().ok(),
            Self::Number(_) => None,
            Self::Jid(jid) => Some(jid.clone()),
        }
    }
}

/// A number equals its decimal text, which is what both are on the wire.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Jid(a), Self::Jid(b)) => a == b,
            (Self::Text(text), Self::Number(number)) | (Self::Number(number), Self::Text(text)) => {
                text == number.to_string().as_str()
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.to_cow() == other
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.to_cow() == *other
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_cow())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_cow(), f)
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Text(text)
    }
}

impl From<&Str> for Value {
    fn from(text: &Str) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Str::copy_of(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(match text {
            Cow::Borrowed(text) => Str::copy_of(text),
            Cow::Owned(text) => text.into(),
        })
    }
}

impl From<TextRef<'_>> for Value {
    fn from(text: TextRef<'_>) -> Self {
        Self::Text(text.to_str())
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        value.to_value()
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl From<Jid> for Value {
    fn from(jid: Jid) -> Self {
        Self::Jid(jid)
    }
}

impl From<&Jid> for Value {
    fn from(jid: &Jid) -> Self {
        Self::Jid(jid.clone())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Text(if flag {
            crate::tok!("true")
        } else {
            crate::tok!("false")
        })
    }
}
