//! The servers behind the `@`.

use std::fmt;

use crate::Token;

/// The kind of address a JID is; the part after its `@`. (Node chapter, 5.1.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Server {
    /// `s.whatsapp.net`: a phone number, or without a user the server itself.
    Pn,
    /// `lid`: a user by its number-hiding id.
    Lid,
    /// `hosted`: a device of a phone number that a business platform hosts.
    Hosted,
    /// `hosted.lid`: the same for a LID.
    HostedLid,
    /// `g.us`: a group.
    Group,
    /// `broadcast`: `status`, or a broadcast list.
    Broadcast,
    /// `newsletter`: a channel.
    Newsletter,
    /// `bot`.
    Bot,
    /// `call`: a call id in the place of a user.
    Call,
    /// `msgr`: a Messenger user.
    Messenger,
    /// `interop`: a user of another network.
    Interop,
    /// `c.us`: what `s.whatsapp.net` was called; only in old text.
    Legacy,
    /// A server this version does not know; [`Jid::server_name`](crate::Jid::server_name) has its name.
    Other,
}

/// How a JID of a server travels when it has a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceForm {
    /// AD_JID with this domain byte, or JID_PAIR for device 0.
    Domain(u8),
    /// FB_JID, whatever the device.
    Messenger,
    /// INTEROP_JID, whatever the device.
    Interop,
    /// JID_PAIR: no device to be had.
    None,
}

impl Server {
    /// The name; empty for [`Server::Other`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pn => "s.whatsapp.net",
            Self::Lid => "lid",
            Self::Hosted => "hosted",
            Self::HostedLid => "hosted.lid",
            Self::Group => "g.us",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
            Self::Bot => "bot",
            Self::Call => "call",
            Self::Messenger => "msgr",
            Self::Interop => "interop",
            Self::Legacy => "c.us",
            Self::Other => "",
        }
    }

    /// The server of a name.
    #[inline]
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "s.whatsapp.net" => Self::Pn,
            "lid" => Self::Lid,
            "hosted" => Self::Hosted,
            "hosted.lid" => Self::HostedLid,
            "g.us" => Self::Group,
            "broadcast" => Self::Broadcast,
            "newsletter" => Self::Newsletter,
            "bot" => Self::Bot,
            "call" => Self::Call,
            "msgr" => Self::Messenger,
            "interop" => Self::Interop,
            "c.us" => Self::Legacy,
            _ => Self::Other,
        }
    }

    /// The server of a name that travels as a token, as those of most JIDs do.
    #[inline]
    pub(crate) fn from_token(token: Token) -> Self {
        const PN: Token = known("s.whatsapp.net");
        const LID: Token = known("lid");
        const GROUP: Token = known("g.us");
        const BROADCAST: Token = known("broadcast");
        match token {
            PN => Self::Pn,
            LID => Self::Lid,
            GROUP => Self::Group,
            BROADCAST => Self::Broadcast,
            _ => Self::from_name(token.as_str()),
        }
    }

    /// The token of the name, for the servers that most JIDs have.
    #[inline]
    pub(crate) const fn common_token(self) -> Option<Token> {
        match self {
            Self::Pn => Some(const { known("s.whatsapp.net") }),
            Self::Lid => Some(const { known("lid") }),
            Self::Group => Some(const { known("g.us") }),
            _ => None,
        }
    }

    /// The server of an AD_JID domain byte. Unknown ones were agents of phone number users.
    #[inline]
    pub(crate) const fn from_domain(domain: u8) -> Self {
        match domain {
            1 => Self::Lid,
            129 => Self::HostedLid,
            _ if domain & 0x81 == 0x80 => Self::Hosted,
            _ => Self::Pn,
        }
    }

    #[inline]
    pub(crate) const fn device_form(self) -> DeviceForm {
        match self {
            Self::Pn => DeviceForm::Domain(0),
            Self::Lid => DeviceForm::Domain(1),
            Self::Hosted => DeviceForm::Domain(128),
            Self::HostedLid => DeviceForm::Domain(129),
            Self::Messenger => DeviceForm::Messenger,
            Self::Interop => DeviceForm::Interop,
            _ => DeviceForm::None,
        }
    }

    /// The server of the account behind a hosted device or an old name.
    #[must_use]
    pub const fn account(self) -> Self {
        match self {
            Self::Hosted | Self::Legacy => Self::Pn,
            Self::HostedLid => Self::Lid,
            other => other,
        }
    }
}

/// Evaluated at compile time only, where it fails the build.
const fn known(name: &str) -> Token {
    Token::find_const(name).expect("the name has a token")
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
