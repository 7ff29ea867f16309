use std::collections::BTreeSet;

use prost::Message;
use wa_pair::{KeyIndexListError, SignedKeyIndexList, device_list_hash};
use wa_proto::{Jid, NodeRef};

use super::pickle::{VERSION, decode, record};
use super::restore::find;
use super::{Registered, put};
use crate::error::RestoreError;
use crate::event::LinkedDevice;
use crate::record::{Changes, Record, RecordKind};

/// Most devices taken from a list of the own account's. An account has one phone and a handful of companions; our
/// own bound, far above that.
pub const MAX_OWN_DEVICES: usize = 64;

/// The own account's devices (pairing chapter, F.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OwnDevices {
    /// Phone first, then by device number.
    devices: Vec<(Jid, Option<u32>)>,
    /// Whether the phone has signed which keys are live.
    signed: bool,
    /// What the signed list says about itself; not known of one that an earlier version has kept.
    made: Option<ListMade>,
}

/// Which of the phone's lists of live keys it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ListMade {
    raw_id: u32,
    timestamp: u64,
}

/// What a list that holds is beside the one that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Succession {
    Next,
    /// It was made before the kept one, or nobody has signed it and the phone has signed the kept one.
    Stale,
    /// The account has another epoch: the kept one is void, and so may this one be.
    OtherEpoch,
}

/// Why a device list was not believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum OwnDevicesError {
    #[error("it names no devices")]
    Empty,
    #[error("it names more than {MAX_OWN_DEVICES} devices")]
    TooMany,
    #[error("it names a device of somebody else, or none at all")]
    Foreign,
    #[error("it names a device twice")]
    Twice,
    #[error("its hash is another one")]
    Hash,
    #[error("device {0} has no live key in the list that the phone has signed")]
    NotLive(u16),
    #[error("{0}")]
    KeyIndexList(#[from] KeyIndexListError),
}

#[derive(Clone, PartialEq, Message)]
struct OwnDevicesPickle {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(message, repeated, tag = "2")]
    devices: Vec<DevicePickle>,
    #[prost(bool, tag = "3")]
    signed: bool,
    #[prost(uint32, optional, tag = "4")]
    raw_id: Option<u32>,
    #[prost(uint64, tag = "5")]
    timestamp: u64,
}

#[derive(Clone, PartialEq, Message)]
struct DevicePickle {
    #[prost(string, tag = "1")]
    jid: String,
    #[prost(uint32, optional, tag = "2")]
    key_index: Option<u32>,
}

impl OwnDevices {
    /// The `devices` of an `account_sync` notification.
    pub(crate) fn from_notice(
        devices: &NodeRef<'_>,
        own: &Registered,
    ) -> Result<Self, OwnDevicesError> {
        let listed = list(devices, |device| device.attr_jid("jid"), own)?;
        let hash = devices.attr_text("dhash");
        let computed = device_list_hash(listed.iter().map(|(jid, _)| jid));
        if hash.is_some_and(|hash| *hash != *computed) {
            return Err(OwnDevicesError::Hash);
        }
        Self::check(listed, devices, own)
    }

    /// The `devices` of a usync answer about `user`.
    pub(crate) fn from_usync(
        devices: &NodeRef<'_>,
        user: &Jid,
        own: &Registered,
    ) -> Result<Self, OwnDevicesError> {
        let by_id = |device: &NodeRef<'_>| {
            let id = u16::try_from(device.attr_u64("id")?).ok()?;
            Some(user.to_non_device().with_device(id))
        };
        let Some(device_list) = devices.child("device-list") else {
            return Err(OwnDevicesError::Empty);
        };
        let listed = list(&device_list, by_id, own)?;
        Self::check(listed, devices, own)
    }

    /// Holds a list against the one that the phone has signed, if that comes with it.
    fn check(
        devices: Vec<(Jid, Option<u32>)>,
        parent: &NodeRef<'_>,
        own: &Registered,
    ) -> Result<Self, OwnDevicesError> {
        let content = parent
            .child("key-index-list")
            .and_then(|list| list.bytes().map(|bytes| bytes.into_owned()))
            .filter(|bytes| !bytes.is_empty());
        let mut made = None;
        if let Some(content) = &content {
            let keys = SignedKeyIndexList::decode(content)?.verify(&own.primary_identity)?;
            for (jid, key_index) in &devices {
                if !keys.keeps(jid.device(), *key_index) {
                    return Err(OwnDevicesError::NotLive(jid.device()));
                }
            }
            made = Some(ListMade {
                raw_id: keys.raw_id,
                timestamp: keys.timestamp,
            });
        }
        Ok(Self {
            devices,
            signed: made.is_some(),
            made,
        })
    }

    pub(crate) const fn is_signed(&self) -> bool {
        self.signed
    }

    /// What the application is told.
    pub(crate) fn linked(&self, own: &Registered) -> Vec<LinkedDevice> {
        self.devices
            .iter()
            .map(|(jid, key_index)| {
                let is_self = jid.device() == own.jid.device();
                LinkedDevice::new(jid.clone(), *key_index, is_self)
            })
            .collect()
    }

    /// What this list is to the one that is kept.
    pub(crate) fn succeeds(&self, kept: &Self) -> Succession {
        match (self.made, kept.made) {
            (None, _) if kept.signed => Succession::Stale,
            (Some(new), Some(old)) if new.raw_id != old.raw_id => Succession::OtherEpoch,
            (Some(new), Some(old)) if new.timestamp < old.timestamp => Succession::Stale,
            _ => Succession::Next,
        }
    }

    /// Whether the two name the same devices, under whichever address.
    pub(crate) fn names_the_same(&self, other: &Self) -> bool {
        let numbers = |list: &Self| -> Vec<(u16, Option<u32>)> {
            let devices = list.devices.iter();
            devices.map(|(jid, key)| (jid.device(), *key)).collect()
        };
        numbers(self) == numbers(other) && self.signed == other.signed
    }

    /// Whether there is nothing to keep of this list beside the other.
    pub(crate) fn adds_nothing_to(&self, other: &Self) -> bool {
        self.names_the_same(other) && self.made == other.made
    }

    /// A cache: an unreadable one is forgotten, one of a newer program is left alone.
    pub(super) fn restore(records: &[Record]) -> Result<Option<Self>, RestoreError> {
        let Some(record) = find(records, RecordKind::OwnDevices) else {
            return Ok(None);
        };
        match decode::<OwnDevicesPickle>(record, "own device list") {
            Ok(pickle) => Ok(pickle
                .devices
                .into_iter()
                .map(|device| Some((device.jid.parse().ok()?, device.key_index)))
                .collect::<Option<Vec<_>>>()
                .map(|devices| Self {
                    devices,
                    signed: pickle.signed,
                    made: pickle.raw_id.map(|raw_id| ListMade {
                        raw_id,
                        timestamp: pickle.timestamp,
                    }),
                })),
            Err(error @ RestoreError::Newer { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn keep(&self) -> Changes {
        let pickle = OwnDevicesPickle {
            version: VERSION,
            devices: self
                .devices
                .iter()
                .map(|(jid, key_index)| DevicePickle {
                    jid: jid.to_string(),
                    key_index: *key_index,
                })
                .collect(),
            signed: self.signed,
            raw_id: self.made.map(|made| made.raw_id),
            timestamp: self.made.map_or(0, |made| made.timestamp),
        };
        put(record(RecordKind::OwnDevices, Vec::new(), &pickle))
    }

    pub(crate) fn forgotten() -> Changes {
        Changes {
            deletes: vec![(RecordKind::OwnDevices, Vec::new())],
            ..Changes::default()
        }
    }
}

/// The `device` children, bounded; each of the own account and named once.
fn list(
    parent: &NodeRef<'_>,
    address: impl Fn(&NodeRef<'_>) -> Option<Jid>,
    own: &Registered,
) -> Result<Vec<(Jid, Option<u32>)>, OwnDevicesError> {
    let mut listed = Vec::new();
    let mut seen = BTreeSet::new();
    for device in parent.children().filter(|child| child.tag() == "device") {
        if listed.len() == MAX_OWN_DEVICES {
            return Err(OwnDevicesError::TooMany);
        }
        let jid = address(&device)
            .filter(|jid| own.is_own(jid))
            .ok_or(OwnDevicesError::Foreign)?;
        if !seen.insert(jid.device()) {
            return Err(OwnDevicesError::Twice);
        }
        let key_index = device
            .attr_u64("key-index")
            .and_then(|index| u32::try_from(index).ok());
        listed.push((jid, key_index));
    }
    if listed.is_empty() {
        return Err(OwnDevicesError::Empty);
    }
    listed.sort_by_key(|(jid, _)| jid.device());
    Ok(listed)
}
