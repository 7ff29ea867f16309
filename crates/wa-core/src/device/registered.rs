use std::fmt;

use wa_crypto::IdentityPublic;
use wa_pair::SignedIdentity;
use wa_proto::Jid;

/// Whether a phone has accepted the device.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// Keys only.
    Unregistered,
    /// Linked.
    Registered(Box<Registered>),
}

/// What a linked device knows of its link.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// Own device JID.
    pub jid: Jid,
    /// Own device JID in the LID space.
    pub lid: Option<Jid>,
    /// Signed device identity with all four fields; goes into outgoing prekey messages.
    pub account: SignedIdentity,
    /// Index of this device's key at the phone; not the device number.
    pub key_index: u32,
    /// Platform of the phone.
    pub platform: Option<String>,
    /// Name of the business.
    pub business_name: Option<String>,
    /// Own name, if the server has told it.
    pub push_name: Option<String>,
    /// The phone's identity key.
    pub primary_identity: IdentityPublic,
    /// Whether the account keys its chats by LID, if the phone has told it.
    pub lid_migrated: Option<bool>,
    /// Logins since pairing.
    pub logins: u32,
    /// When it was linked, Unix seconds.
    pub paired_at: u64,
}

impl Registered {
    /// Address of the phone: device 0 of the own account, by LID as soon as that is known.
    pub(super) fn primary(&self) -> Jid {
        self.lid.as_ref().unwrap_or(&self.jid).to_non_device()
    }
}

impl Registered {
    /// Whether this is the own account, by number or LID.
    pub(crate) fn is_own(&self, jid: &Jid) -> bool {
        jid.is_same_user(&self.jid) || self.lid.as_ref().is_some_and(|lid| jid.is_same_user(lid))
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered")
            .field("jid", &format_args!("{}", self.jid.redacted()))
            .field("key_index", &self.key_index)
            .field("platform", &self.platform)
            .field("logins", &self.logins)
            .field("paired_at", &self.paired_at)
            .finish_non_exhaustive()
    }
}
