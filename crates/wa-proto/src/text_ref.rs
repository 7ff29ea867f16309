//! Borrowed texts and values: read out of the input when they are asked for.

use std::borrow::Cow;
use std::fmt;

use crate::decode::Slot;
use crate::jid::{Place, Server};
use crate::packed::{Alphabet, Block, Digits, Packed};
use crate::{Jid, Str, Token, Value, wire};

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

/// The value of an attribute inside a decoded stanza.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A text.
    Text(TextRef<'a>),
    /// A JID in one of its binary forms. A text that looks like one is a text.
    Jid(JidRef<'a>),
}

/// A JID inside a decoded stanza.
#[derive(Clone, Copy)]
pub struct JidRef<'a> {
    /// Its binary form, and what follows it.
    wire: &'a [u8],
}

/// A JID taken apart.
struct Parts<'a> {
    user: TextRef<'a>,
    place: Place,
    /// The name of a server that is not known.
    name: TextRef<'a>,
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

impl<'a> ValueRef<'a> {
    /// The value as text; a JID in its text form.
    #[must_use]
    pub fn to_cow(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.to_cow(),
            Self::Jid(jid) => Cow::Owned(jid.to_jid().to_string()),
        }
    }

    /// The value as a decimal number without a sign.
    #[inline]
    #[must_use]
    pub fn to_u64(self) -> Option<u64> {
        match self {
            Self::Text(text) => text.to_u64(),
            Self::Jid(_) => None,
        }
    }

    /// The value as a JID; a text is parsed.
    #[inline]
    #[must_use]
    pub fn to_jid(self) -> Option<Jid> {
        match self {
            Self::Text(text) => text.with(|text| text.parse().ok()),
            Self::Jid(jid) => Some(jid.to_jid()),
        }
    }

    /// The value, detached from the stanza.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.to_str()),
            Self::Jid(jid) => Value::Jid(jid.to_jid()),
        }
    }
}

impl PartialEq<str> for ValueRef<'_> {
    fn eq(&self, other: &str) -> bool {
        match self {
            Self::Text(text) => text == other,
            Self::Jid(jid) => jid.to_jid().to_string() == other,
        }
    }
}

impl PartialEq<&str> for ValueRef<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Display::fmt(text, f),
            Self::Jid(jid) => fmt::Display::fmt(&jid.to_jid(), f),
        }
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Jid(jid) => fmt::Debug::fmt(&jid.to_jid(), f),
        }
    }
}

impl<'a> JidRef<'a> {
    /// The part before the `@`, without the device.
    #[must_use]
    pub fn user(self) -> TextRef<'a> {
        self.parts().user
    }

    /// The kind of server.
    #[must_use]
    pub fn server(self) -> Server {
        self.parts().place.server
    }

    /// The device; 0 is the phone, or that no device is meant.
    #[must_use]
    pub fn device(self) -> u16 {
        self.parts().place.device
    }

    /// The JID, detached from the stanza. Numeric users, by far the most, need no allocation.
    #[inline]
    #[must_use]
    pub fn to_jid(self) -> Jid {
        let parts = self.parts();
        match parts.user.digits() {
            Some(digits) if parts.place.server != Server::Other => {
                Jid::from_digits(digits, parts.place)
            }
            _ => parts.into_jid(),
        }
    }

    #[inline]
    fn parts(self) -> Parts<'a> {
        let mut reader = Reader(self.wire);
        let mut parts = Parts {
            user: TextRef::EMPTY,
            place: Place::of(Server::Pn),
            name: TextRef::EMPTY,
        };
        let place = &mut parts.place;
        match reader.byte() {
            wire::JID_PAIR => {
                parts.user = reader.text();
                let name = reader.text();
                place.server = match name.0 {
                    Repr::Token(token) => Server::from_token(token),
                    _ => name.with(Server::from_name),
                };
                if place.server == Server::Other {
                    parts.name = name;
                }
            }
            wire::AD_JID => {
                place.server = Server::from_domain(reader.byte());
                place.device = u16::from(reader.byte());
                parts.user = reader.text();
            }
            form => {
                parts.user = reader.text();
                place.device = reader.u16();
                place.server = Server::Messenger;
                if form == wire::INTEROP_JID {
                    place.server = Server::Interop;
                    place.integrator = reader.u16();
                }
            }
        }
        parts
    }
}

impl Parts<'_> {
    #[cold]
    fn into_jid(self) -> Jid {
        self.user.with(|user| {
            self.name
                .with(|name| Jid::from_parts(user, self.place, name))
        })
    }
}

impl fmt::Debug for JidRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_jid(), f)
    }
}

/// The text of a slot that the decoder checked.
#[inline]
pub(crate) fn text_at<'a>(input: &'a [u8], slot: Slot) -> TextRef<'a> {
    match slot.get() {
        Ok(0) => TextRef::EMPTY,
        Ok(id) => TextRef(Repr::Token(Token::from_id(id))),
        Err(offset) => Reader(input.get(offset..).unwrap_or_default()).text(),
    }
}

/// The value of a slot that the decoder checked.
#[inline]
pub(crate) fn value_at<'a>(input: &'a [u8], slot: Slot) -> ValueRef<'a> {
    match slot.get() {
        Ok(0) => ValueRef::Text(TextRef::EMPTY),
        Ok(id) => ValueRef::Text(TextRef(Repr::Token(Token::from_id(id)))),
        Err(offset) => value_of(input.get(offset..).unwrap_or_default()),
    }
}

#[inline]
fn value_of(wire: &[u8]) -> ValueRef<'_> {
    match wire.first() {
        Some(&(wire::JID_PAIR | wire::AD_JID | wire::FB_JID | wire::INTEROP_JID)) => {
            ValueRef::Jid(JidRef { wire })
        }
        _ => ValueRef::Text(Reader(wire).text()),
    }
}

/// What a content is, apart from nodes.
pub(crate) enum ContentRef<'a> {
    Bytes(&'a [u8]),
    Value(ValueRef<'a>),
}

/// The content at an offset that the decoder noted.
#[inline]
pub(crate) fn content_at(input: &[u8], offset: usize) -> ContentRef<'_> {
    let wire = input.get(offset..).unwrap_or_default();
    match (wire.first(), value_of(wire)) {
        (
            Some(&(wire::BINARY_8 | wire::BINARY_20 | wire::BINARY_32)),
            ValueRef::Text(TextRef(Repr::Raw(bytes))),
        ) => ContentRef::Bytes(bytes),
        (_, value) => ContentRef::Value(value),
    }
}

/// Reads again what the decoder has checked, so nothing here can be missing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *byte
    }

    #[inline]
    fn u16(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    #[inline]
    fn take(&mut self, len: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.0.split_at_checked(len) else {
            return &[];
        };
        self.0 = rest;
        bytes
    }

    #[inline]
    fn text(&mut self) -> TextRef<'a> {
        let byte = self.byte();
        TextRef(match byte {
            wire::NIBBLE_8 => Repr::Packed(self.packed(Alphabet::Nibble)),
            wire::HEX_8 => Repr::Packed(self.packed(Alphabet::Hex)),
            wire::BINARY_8 => {
                let len = self.byte();
                Repr::Raw(self.take(usize::from(len)))
            }
            wire::DICTIONARY_0..wire::DICTIONARY_END => {
                Repr::Token(Token::double(byte, self.byte()))
            }
            wire::BINARY_20 => {
                let high = usize::from(self.byte() & 0x0f);
                let len = high << 16 | usize::from(self.u16());
                Repr::Raw(self.take(len))
            }
            wire::BINARY_32 => {
                let high = usize::from(self.u16());
                let len = high << 16 | usize::from(self.u16());
                Repr::Raw(self.take(len))
            }
            wire::LIST_EMPTY => Repr::Raw(&[]),
            byte => Repr::Token(Token::single(byte)),
        })
    }

    #[inline]
    fn packed(&mut self, alphabet: Alphabet) -> Packed<'a> {
        let head = self.byte();
        Packed {
            bytes: self.take(usize::from(head & 0x7f)),
            alphabet,
            odd: head & 0x80 != 0,
        }
    }
}
