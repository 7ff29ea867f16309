//! Owned text of a stanza: tags, attribute keys and attribute values.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::Token;

/// Text to be written into a stanza, with its token already looked up.
///
/// Literals go through [`tok!`](crate::tok), which finds the token at compile time; everything else converts
/// with `From` and is looked up once, when it is built into the node.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Token(Token),
    /// Not in the dictionaries.
    Static(&'static str),
    /// Not in the dictionaries.
    Owned(Box<str>),
}

/// A literal as [`Str`](crate::Str), its token found at compile time.
///
/// ```
/// use wa_proto::{Node, tok};
///
/// let ping = Node::new(tok!("iq")).attr(tok!("type"), tok!("get"));
/// assert_eq!(ping.to_bytes()?, [0x00, 0xf8, 0x03, 0x19, 0x04, 0x29]);
/// # Ok::<(), wa_proto::EncodeError>(())
/// ```
#[macro_export]
macro_rules! tok {
    ($text:literal) => {
        const { $crate::Str::literal($text) }
    };
}

/// What an encoder has to write for a text.
pub(crate) enum Word<'a> {
    Token(Token),
    /// Certainly not in the dictionaries.
    Plain(&'a str),
}

impl Str {
    /// A literal; meant for constants, [`tok!`](crate::tok) is the short form.
    #[must_use]
    pub const fn literal(text: &'static str) -> Self {
        match Token::find_const(text) {
            Some(token) => Self(Repr::Token(token)),
            None => Self(Repr::Static(text)),
        }
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Token(token) => token.as_str(),
            Repr::Static(text) => text,
            Repr::Owned(text) => text,
        }
    }

    #[inline]
    pub(crate) fn word(&self) -> Word<'_> {
        match &self.0 {
            Repr::Token(token) => Word::Token(*token),
            Repr::Static(text) => Word::Plain(text),
            Repr::Owned(text) => Word::Plain(text),
        }
    }

    pub(crate) fn from_token(token: Token) -> Self {
        Self(Repr::Token(token))
    }

    /// Text that does not live as long as the program.
    #[must_use]
    pub fn copy_of(text: &str) -> Self {
        Self(Token::find(text).map_or_else(|| Repr::Owned(text.into()), Repr::Token))
    }
}

impl From<&'static str> for Str {
    #[inline]
    fn from(text: &'static str) -> Self {
        Self(Token::find(text).map_or(Repr::Static(text), Repr::Token))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Token::find(&text).map_or_else(|| Repr::Owned(text.into()), Repr::Token))
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Self {
        Self::copy_of(text)
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Token(a), Repr::Token(b)) => a == b,
            (Repr::Token(_), _) | (_, Repr::Token(_)) => false,
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Str {}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
