//! What the server keeps: accounts, their linked devices and the keys those uploaded.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use wa_crypto::{IdentityPublic, NoiseStaticPublic};
use wa_proto::{Jid, Node, Server};
use wa_signal::{PublicPrekey, PublicSignedPrekey, bundle_digest};

use crate::authenticator::Passkey;
use crate::names::{ConnId, PhoneNumber};
use crate::phone::{KeyList, Phone};
use crate::used_prekeys::UsedPrekeys;
use crate::world::CodeSession;

/// Most one-time prekeys kept for a device: five batches of 812.
pub const MAX_STORED_PREKEYS: usize = 4_060;
/// Most stanzas kept for a device until it acknowledges them.
pub const MAX_WAITING_STANZAS: usize = 1_024;
/// Most stanzas sent to a device that it has not acknowledged: the batch clients ask for (login chapter,
/// section 6).
pub(crate) const MAX_UNACKNOWLEDGED: usize = 200;

/// One account: its phone and the companions linked to it.
pub(crate) struct Account {
    pub(crate) number: PhoneNumber,
    /// The user part of the account's LID.
    pub(crate) lid: u64,
    pub(crate) created_at: u64,
    pub(crate) phone: Phone,
    /// The key index list the phone published last.
    pub(crate) key_list: Option<KeyList>,
    pub(crate) devices: BTreeMap<u16, Device>,
    /// Device numbers given to companions whose signed reply is awaited.
    pub(crate) pending: Vec<u16>,
    /// The companion that waits for a code to be entered.
    pub(crate) code: Option<CodeSession>,
    /// Its passkey, once it was needed.
    pub(crate) passkey: Option<Passkey>,
}

/// One linked companion, as the server knows it.
pub(crate) struct Device {
    pub(crate) key_index: u32,
    pub(crate) noise: NoiseStaticPublic,
    pub(crate) identity: IdentityPublic,
    pub(crate) registration: u32,
    /// The encoded `DeviceProps` of the registration.
    pub(crate) props: Vec<u8>,
    /// The encoded `ADVSignedDeviceIdentity` with the device signature, as peers are shown it.
    pub(crate) signed_identity: Vec<u8>,
    pub(crate) linked_at: u64,
    pub(crate) bundle: Option<Bundle>,
    pub(crate) used_prekeys: UsedPrekeys,
    pub(crate) routing: Option<Vec<u8>>,
    pub(crate) logins: u32,
    pub(crate) last_seen: u64,
    pub(crate) online: Option<ConnId>,
    pub(crate) waiting: VecDeque<Waiting>,
}

/// The key bundle a device uploaded.
#[derive(Clone)]
pub(crate) struct Bundle {
    pub(crate) signed: PublicSignedPrekey,
    pub(crate) one_time: VecDeque<PublicPrekey>,
}

/// A stanza a device has not acknowledged yet.
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) class: &'static str,
    /// The stanza's `type`, which its ack copies or leaves out; empty if it has none.
    pub(crate) kind: &'static str,
    pub(crate) stanza: Node,
    /// When it was sent on the connection the device has now.
    pub(crate) sent: Option<Instant>,
}

impl Account {
    /// The account's phone-number JID, or that of one of its devices.
    pub(crate) fn jid(&self, device: u16) -> Jid {
        address(self.number.digits(), Server::Pn, device)
    }

    /// The account's LID, or that of one of its devices.
    pub(crate) fn lid_jid(&self, device: u16) -> Jid {
        address(self.lid, Server::Lid, device)
    }

    /// Whether this text names the account, by number or LID, whatever the device.
    pub(crate) fn is_named(&self, jid: &Jid) -> bool {
        let digits = jid.user().parse::<u64>().ok();
        match jid.server() {
            Server::Pn => digits == Some(self.number.digits()),
            Server::Lid => digits == Some(self.lid),
            _ => false,
        }
    }

    /// The lowest device number not in use (pairing chapter, D.4).
    pub(crate) fn free_device(&self) -> Option<u16> {
        (1..=u16::MAX)
            .find(|device| !self.devices.contains_key(device) && !self.pending.contains(device))
    }
}

impl Device {
    /// Keeps a stanza until it is acknowledged; the oldest goes when there are too many.
    pub(crate) fn wait_for_ack(&mut self, waiting: Waiting) {
        if self.waiting.len() >= MAX_WAITING_STANZAS {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
    }
}

impl Bundle {
    /// The hash both sides compare (login chapter, section 4).
    pub(crate) fn digest(&self, identity: &IdentityPublic) -> [u8; 20] {
        bundle_digest(
            identity,
            self.signed,
            self.one_time.iter().map(|prekey| prekey.key),
        )
    }

    /// Adds uploaded keys; one of an id already there replaces it.
    pub(crate) fn extend(&mut self, keys: Vec<PublicPrekey>) {
        let new: std::collections::HashSet<u32> = keys.iter().map(|key| key.id.get()).collect();
        self.one_time.retain(|known| !new.contains(&known.id.get()));
        self.one_time.extend(keys);
        while self.one_time.len() > MAX_STORED_PREKEYS {
            self.one_time.pop_front();
        }
    }
}

fn address(user: u64, server: Server, device: u16) -> Jid {
    let jid = Jid::new(user.to_string(), server);
    if device == 0 {
        jid
    } else {
        jid.with_device(device)
    }
}
