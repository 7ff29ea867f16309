//! Values of attributes, borrowed.

use std::borrow::Cow;
use std::fmt;

use super::reader::Reader;
use super::{Repr, TextRef};
use crate::jid::{Place, Server};
use crate::{Jid, Value, wire};

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
    pub(super) wire: &'a [u8],
}

/// A JID taken apart.
struct Parts<'a> {
    user: TextRef<'a>,
    place: Place,
    /// The name of a server that is not known.
    name: TextRef<'a>,
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
