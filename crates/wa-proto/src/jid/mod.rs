//! Addresses of users, devices, groups and servers.

mod parse;
mod server;

use std::borrow::Cow;
use std::fmt;

use crate::Token;
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

/// Each text has one representation only, so that equality can be derived: a number if it is one that prints the
/// same again, else its token, else the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Bare(Place),
    Number(Place, u64),
    Token(Place, Token),
    Text(Place, BoxedText),
}

/// Thin, to keep a JID at 16 bytes. With [`Server::Other`] it is the user, an `@` and the name of the server.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::redundant_allocation,
    reason = "the outer box is one word wide"
)]
struct BoxedText(Box<Box<str>>);

/// Everything but the user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    server: Server,
    device: u16,
    integrator: u16,
}

/// The user, as the encoder wants it.
#[derive(Clone, Copy)]
pub(crate) enum User<'a> {
    None,
    Number(u64),
    Token(Token),
    /// Certainly no token.
    Text(&'a str),
}

/// The longest decimal number that always fits a u64.
const MAX_NUMBER_DIGITS: usize = 19;

impl Jid {
    /// A user of a server, without a device. An empty user is the server itself.
    ///
    /// [`Server::Other`] has no name to address; parse the text instead.
    #[must_use]
    pub fn new(user: impl AsRef<str>, server: Server) -> Self {
        Self::from_parts(user.as_ref().as_bytes(), server, 0, 0, "")
    }

    /// A numeric user of a server.
    #[must_use]
    pub const fn number(user: u64, server: Server) -> Self {
        Self(Repr::Number(
            Place {
                server,
                device: 0,
                integrator: 0,
            },
            user,
        ))
    }

    /// The JID of a server itself.
    #[must_use]
    pub const fn bare(server: Server) -> Self {
        Self(Repr::Bare(Place {
            server,
            device: 0,
            integrator: 0,
        }))
    }

    /// `s.whatsapp.net`, where requests go to.
    #[must_use]
    pub const fn server_jid() -> Self {
        Self::bare(Server::Pn)
    }

    /// `name` is that of the server, needed only for [`Server::Other`]. Invalid UTF-8 in a user is replaced.
    pub(crate) fn from_parts(
        user: &[u8],
        server: Server,
        device: u16,
        integrator: u16,
        name: &str,
    ) -> Self {
        let place = Place {
            server,
            device,
            integrator,
        };
        if server == Server::Other {
            let text = format!("{}@{name}", String::from_utf8_lossy(user));
            return Self(Repr::Text(place, BoxedText::new(&text)));
        }
        Self(match (user, parse::canonical_number(user)) {
            ([], _) => Repr::Bare(place),
            (_, Some(number)) => Repr::Number(place, number),
            _ => match Token::find_bytes(user) {
                Some(token) => Repr::Token(place, token),
                None => Repr::Text(place, BoxedText::new(&String::from_utf8_lossy(user))),
            },
        })
    }

    #[inline]
    pub(crate) fn from_number(user: u64, server: Server, device: u16, integrator: u16) -> Self {
        Self(Repr::Number(
            Place {
                server,
                device,
                integrator,
            },
            user,
        ))
    }

    /// The same user, as this device. Device 0 is the phone.
    #[must_use]
    pub fn with_device(mut self, device: u16) -> Self {
        self.place_mut().device = device;
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
        let place = address.place_mut();
        place.server = place.server.account();
        address
    }

    /// The part before the `@`, without the device; empty if there is none.
    #[must_use]
    pub fn user(&self) -> Cow<'_, str> {
        match self.user_part() {
            User::None => Cow::Borrowed(""),
            User::Number(number) => Cow::Owned(number.to_string()),
            User::Token(token) => Cow::Borrowed(token.as_str()),
            User::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The user as a number, if it is one.
    #[must_use]
    pub const fn user_number(&self) -> Option<u64> {
        match self.0 {
            Repr::Number(_, number) => Some(number),
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
            Repr::Text(place, text) if place.server == Server::Other => text.split().1,
            other => other.place().server.name(),
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
            Repr::Bare(_) => User::None,
            Repr::Number(_, number) => User::Number(*number),
            Repr::Token(_, token) => User::Token(*token),
            Repr::Text(place, text) if place.server == Server::Other => match text.split().0 {
                "" => User::None,
                user => Token::find(user).map_or(User::Text(user), User::Token),
            },
            Repr::Text(_, text) => User::Text(&text.0),
        }
    }

    const fn place(&self) -> &Place {
        self.0.place()
    }

    fn place_mut(&mut self) -> &mut Place {
        match &mut self.0 {
            Repr::Bare(place)
            | Repr::Number(place, _)
            | Repr::Token(place, _)
            | Repr::Text(place, _) => place,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, user: &dyn fmt::Display) -> fmt::Result {
        if self.is_bare() {
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

impl Repr {
    const fn place(&self) -> &Place {
        match self {
            Self::Bare(place)
            | Self::Number(place, _)
            | Self::Token(place, _)
            | Self::Text(place, _) => place,
        }
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
