//! Addresses of users, devices, groups and servers.

mod parse;
mod server;

use std::borrow::Cow;
use std::fmt;

use crate::Token;
use crate::packed::Digits;
pub use parse::ParseJidError;
pub(crate) use server::DeviceForm;
pub use server::Server;

/// An address, `user:device@server`, in 16 bytes.
///
/// A numeric user is kept as a number; only other users (old group ids, say) are on the heap. Two JIDs are equal
/// if all their parts are. The order is a total one, but not that of the text.
///
/// ```
/// use wa_proto::{Jid, Server};
///
/// let device: Jid = "12025550123:7@s.whatsapp.net".parse()?;
/// assert_eq!((device.server(), device.device()), (Server::Pn, 7));
/// assert_eq!(device.to_non_device().to_string(), "12025550123@s.whatsapp.net");
/// assert_eq!(device.redacted().to_string(), "***23:7@s.whatsapp.net");
/// # Ok::<(), wa_proto::ParseJidError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid(Repr);

/// Each text has one representation only, so that equality can be derived: digits if it is a number that prints
/// the same again, else its token, else the text.
///
/// The parts of [`Place`] are repeated in each variant, because only so the whole fits 16 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Bare {
        server: Server,
        device: u16,
        integrator: u16,
    },
    Digits {
        server: Server,
        device: u16,
        integrator: u16,
        high: u16,
        low: u64,
    },
    Token {
        server: Server,
        device: u16,
        integrator: u16,
        user: Token,
    },
    Text {
        server: Server,
        device: u16,
        integrator: u16,
        user: BoxedText,
    },
}

const _: () = assert!(size_of::<Jid>() == 16);

/// Boxed twice, because that takes one word and a JID is to have 16 bytes. With [`Server::Other`] it is the user,
/// an `@` and the name of the server.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct BoxedText(Box<Box<str>>);

/// Everything but the user.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) device: u16,
    pub(crate) integrator: u16,
}

/// The user, as the encoder wants it.
#[derive(Clone, Copy)]
pub(crate) enum User<'a> {
    None,
    Digits(Digits),
    Token(Token),
    /// Certainly no token.
    Text(&'a str),
}

impl Jid {
    /// A user of a server, without a device. An empty user is the server itself.
    ///
    /// [`Server::Other`] has no name to address; parse the text instead.
    #[must_use]
    pub fn new(user: impl AsRef<str>, server: Server) -> Self {
        Self::from_parts(user.as_ref(), Place::of(server), "")
    }

    /// A numeric user of a server.
    #[must_use]
    pub const fn number(user: u64, server: Server) -> Self {
        Self::from_digits(Digits::from_number(user), Place::of(server))
    }

    /// The JID of a server itself.
    #[must_use]
    pub const fn bare(server: Server) -> Self {
        Self(Repr::Bare {
            server,
            device: 0,
            integrator: 0,
        })
    }

    /// `s.whatsapp.net`, where requests go to.
    #[must_use]
    pub const fn server_jid() -> Self {
        Self::bare(Server::Pn)
    }

    /// `name` is that of the server, needed only for [`Server::Other`].
    pub(crate) fn from_parts(user: &str, place: Place, name: &str) -> Self {
        let Place {
            server,
            device,
            integrator,
        } = place;
        let boxed = |user: &str| {
            Self(Repr::Text {
                server,
                device,
                integrator,
                user: BoxedText::new(user),
            })
        };
        if server == Server::Other {
            return boxed(&format!("{user}@{name}"));
        }
        if user.is_empty() {
            return Self(Repr::Bare {
                server,
                device,
                integrator,
            });
        }
        if let Some(digits) = Digits::from_text(user.as_bytes()) {
            return Self::from_digits(digits, place);
        }
        match Token::find(user) {
            Some(user) => Self(Repr::Token {
                server,
                device,
                integrator,
                user,
            }),
            None => boxed(user),
        }
    }

    #[inline]
    pub(crate) const fn from_digits(user: Digits, place: Place) -> Self {
        Self(Repr::Digits {
            server: place.server,
            device: place.device,
            integrator: place.integrator,
            high: user.high,
            low: user.low,
        })
    }

    /// The same user, as this device. Device 0 is the phone.
    #[must_use]
    pub fn with_device(mut self, device: u16) -> Self {
        let (Repr::Bare { device: place, .. }
        | Repr::Digits { device: place, .. }
        | Repr::Token { device: place, .. }
        | Repr::Text { device: place, .. }) = &mut self.0;
        *place = device;
        self
    }

    /// The same user without a device.
    #[must_use]
    pub fn to_non_device(&self) -> Self {
        self.clone().with_device(0)
    }

    /// The address of Signal sessions: hosted devices count as devices of their account. (Node chapter, 5.4.)
    #[must_use]
    pub fn to_session_address(&self) -> Self {
        let mut address = self.clone();
        let (Repr::Bare { server, .. }
        | Repr::Digits { server, .. }
        | Repr::Token { server, .. }
        | Repr::Text { server, .. }) = &mut address.0;
        *server = server.account();
        address
    }

    /// The part before the `@`, without the device; empty if there is none.
    #[must_use]
    pub fn user(&self) -> Cow<'_, str> {
        match self.user_part() {
            User::None => Cow::Borrowed(""),
            User::Digits(digits) => Cow::Owned(digits.with(str::to_owned)),
            User::Token(token) => Cow::Borrowed(token.as_str()),
            User::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The user as a number, if it is one.
    #[must_use]
    pub fn user_number(&self) -> Option<u64> {
        match self.user_part() {
            User::Digits(digits) => digits.number(),
            _ => None,
        }
    }

    /// The kind of server.
    #[must_use]
    pub const fn server(&self) -> Server {
        self.place().server
    }

    /// The name of the server.
    #[must_use]
    pub fn server_name(&self) -> &str {
        match &self.0 {
            Repr::Text {
                server: Server::Other,
                user,
                ..
            } => user.split().1,
            _ => self.server().name(),
        }
    }

    /// The device; 0 is the phone, or that no device is meant.
    #[must_use]
    pub const fn device(&self) -> u16 {
        self.place().device
    }

    /// The other network of an interop user.
    #[must_use]
    pub const fn integrator(&self) -> u16 {
        self.place().integrator
    }

    /// Whether there is no user: the JID of a server.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        matches!(self.user_part(), User::None)
    }

    /// Whether both are devices of one account. A phone number and a LID never are, whoever owns them.
    #[must_use]
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.to_session_address().to_non_device() == other.to_session_address().to_non_device()
    }

    /// For logs: all but the last two characters of the user masked.
    #[must_use]
    pub fn redacted(&self) -> impl fmt::Display + '_ {
        Redacted(self)
    }

    #[inline]
    pub(crate) fn user_part(&self) -> User<'_> {
        match &self.0 {
            Repr::Bare { .. } => User::None,
            Repr::Digits { high, low, .. } => User::Digits(Digits {
                high: *high,
                low: *low,
            }),
            Repr::Token { user, .. } => User::Token(*user),
            Repr::Text {
                server: Server::Other,
                user,
                ..
            } => User::of(user.split().0),
            Repr::Text { user, .. } => User::Text(&user.0),
        }
    }

    #[inline]
    pub(crate) const fn place(&self) -> Place {
        let (Repr::Bare {
            server,
            device,
            integrator,
        }
        | Repr::Digits {
            server,
            device,
            integrator,
            ..
        }
        | Repr::Token {
            server,
            device,
            integrator,
            ..
        }
        | Repr::Text {
            server,
            device,
            integrator,
            ..
        }) = &self.0;
        Place {
            server: *server,
            device: *device,
            integrator: *integrator,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, user: &dyn fmt::Display) -> fmt::Result {
        if self.is_bare() {
            // Without an @, only the known ones are taken for servers.
            if self.server() == Server::Other {
                f.write_str("@")?;
            }
            return f.write_str(self.server_name());
        }
        if self.server() == Server::Interop {
            write!(f, "{}-", self.integrator())?;
        }
        write!(f, "{user}")?;
        if self.device() > 0 {
            write!(f, ":{}", self.device())?;
        }
        write!(f, "@{}", self.server_name())
    }
}

impl Place {
    pub(crate) const fn of(server: Server) -> Self {
        Self {
            server,
            device: 0,
            integrator: 0,
        }
    }
}

impl<'a> User<'a> {
    /// The user of a text that was kept whole.
    fn of(text: &'a str) -> Self {
        if text.is_empty() {
            return Self::None;
        }
        if let Some(digits) = Digits::from_text(text.as_bytes()) {
            return Self::Digits(digits);
        }
        Token::find(text).map_or(Self::Text(text), Self::Token)
    }
}

impl BoxedText {
    fn new(text: &str) -> Self {
        Self(Box::new(text.into()))
    }

    /// User and server of the text of a JID at an unknown server.
    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('@').unwrap_or((&self.0, ""))
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &self.user())
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jid({self})")
    }
}

struct Redacted<'a>(&'a Jid);

/// Users shorter than this are masked whole.
const REDACTED_MIN_CHARS: usize = 6;

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.0.user();
        let masked = match user.char_indices().nth_back(1) {
            Some((at, _)) if user.chars().count() >= REDACTED_MIN_CHARS => {
                format!("***{}", user.get(at..).unwrap_or_default())
            }
            _ => "***".to_owned(),
        };
        self.0.write(f, &masked)
    }
}
