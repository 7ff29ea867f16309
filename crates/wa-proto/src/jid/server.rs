//! The servers behind the `@`.

use std::fmt;

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
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::from_bytes(name.as_bytes())
    }

    #[inline]
    pub(crate) fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"s.whatsapp.net" => Self::Pn,
            b"lid" => Self::Lid,
            b"hosted" => Self::Hosted,
            b"hosted.lid" => Self::HostedLid,
            b"g.us" => Self::Group,
            b"broadcast" => Self::Broadcast,
            b"newsletter" => Self::Newsletter,
            b"bot" => Self::Bot,
            b"call" => Self::Call,
            b"msgr" => Self::Messenger,
            b"interop" => Self::Interop,
            b"c.us" => Self::Legacy,
            _ => Self::Other,
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

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
