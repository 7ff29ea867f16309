//! Stored forms. Each has its own version in field 1; a change of meaning is a new version, never a reuse.

use std::fmt;

use prost::Message;
use wa_crypto::{IdentityPublic, NoiseStaticPublic, OneTimePrekeyPublic, PublicKey as _};
use wa_noise::{ServerStatic, ValidityWindow};
use wa_proto::Jid;
use wa_signal::{
    OneTimePrekey, PrekeyId, PrekeyLedger, PublicPrekey, SignedPrekey, SignedPrekeyId,
};
use zeroize::Zeroize;

use super::{Credentials, Device};
use crate::error::RestoreError;
use crate::record::{Record, RecordKind};

/// Version written, and newest version read, of every pickle but the device's.
pub(super) const VERSION: u32 = 1;

/// The same of the device. Version 2 has the root of the service.
pub(super) const DEVICE_VERSION: u32 = 2;

#[derive(Clone, PartialEq, Message)]
struct VersionOnly {
    #[prost(uint32, tag = "1")]
    version: u32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct DevicePickle {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) noise_secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) identity_secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) adv_secret: Vec<u8>,
    #[prost(uint32, tag = "5")]
    pub(super) registration_id: u32,
    #[prost(uint32, tag = "6")]
    pub(super) signed_prekey_id: u32,
    #[prost(message, optional, tag = "7")]
    pub(super) link: Option<LinkPickle>,
    /// 0 when it is `signed_prekey_id`.
    #[prost(uint32, tag = "8")]
    pub(super) newest_signed_prekey_id: u32,
    #[prost(uint64, tag = "9")]
    pub(super) rotate_after: u64,
    /// Since version 2.
    #[prost(bytes = "vec", optional, tag = "10")]
    pub(super) root: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct LinkPickle {
    #[prost(string, optional, tag = "1")]
    pub(super) jid: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) lid: Option<String>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) account: Option<Vec<u8>>,
    #[prost(uint32, tag = "4")]
    pub(super) key_index: u32,
    #[prost(string, optional, tag = "5")]
    pub(super) platform: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(super) business_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(super) push_name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "8")]
    pub(super) primary_identity: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "9")]
    pub(super) lid_migrated: Option<bool>,
    #[prost(uint32, tag = "10")]
    pub(super) logins: u32,
    #[prost(uint64, tag = "11")]
    pub(super) paired_at: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConnectionPickle {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) routing: Option<Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    pub(super) server: Option<ServerPickle>,
}

/// A server key whose chain was verified, and until when it is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerPickle {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(uint64, tag = "2")]
    leaf_not_before: u64,
    #[prost(uint64, tag = "3")]
    leaf_not_after: u64,
    #[prost(uint64, tag = "4")]
    intermediate_not_before: u64,
    #[prost(uint64, tag = "5")]
    intermediate_not_after: u64,
}

impl From<&ServerStatic> for ServerPickle {
    fn from(server: &ServerStatic) -> Self {
        Self {
            key: server.key.as_bytes().to_vec(),
            leaf_not_before: server.leaf.not_before,
            leaf_not_after: server.leaf.not_after,
            intermediate_not_before: server.intermediate.not_before,
            intermediate_not_after: server.intermediate.not_after,
        }
    }
}

impl ServerPickle {
    pub(super) fn restore(&self) -> Option<ServerStatic> {
        Some(ServerStatic {
            key: NoiseStaticPublic::try_from(self.key.as_slice()).ok()?,
            leaf: ValidityWindow {
                not_before: self.leaf_not_before,
                not_after: self.leaf_not_after,
            },
            intermediate: ValidityWindow {
                not_before: self.intermediate_not_before,
                not_after: self.intermediate_not_after,
            },
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LedgerPickle {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(uint32, tag = "2")]
    pub(super) next: u32,
    #[prost(uint32, tag = "3")]
    pub(super) first_not_uploaded: u32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SignedPrekeyPickle {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(uint32, tag = "2")]
    pub(super) id: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) signature: Vec<u8>,
    #[prost(uint64, tag = "5")]
    pub(super) created_at: u64,
}

/// The public half is stored beside the private one: digests and uploads need no curve arithmetic.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct PrekeyPickle {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    id: u32,
    #[prost(bytes = "vec", tag = "3")]
    secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    public: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct PeerIdentityPickle {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "vec", tag = "2")]
    key: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct TombstonePickle {
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) noise_secret: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) jid: String,
    /// Absent when the root is not known.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) root: Option<Vec<u8>>,
}

macro_rules! secret_pickle {
    ($name:ident { $($secret:ident),* }) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                $(self.$secret.zeroize();)*
            }
        }
    };
}

secret_pickle!(DevicePickle {
    noise_secret,
    identity_secret,
    adv_secret
});
secret_pickle!(SignedPrekeyPickle { secret });
secret_pickle!(PrekeyPickle { secret });
secret_pickle!(TombstonePickle { noise_secret });

impl fmt::Debug for LinkPickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkPickle")
    }
}

pub(super) fn device(device: &Device) -> Record {
    let link = match &device.credentials {
        Credentials::Unregistered => None,
        Credentials::Registered(link) => Some(LinkPickle {
            jid: Some(link.jid.to_string()),
            lid: link.lid.as_ref().map(ToString::to_string),
            account: Some(link.account.encode()),
            key_index: link.key_index,
            platform: link.platform.clone(),
            business_name: link.business_name.clone(),
            push_name: link.push_name.clone(),
            primary_identity: Some(link.primary_identity.as_bytes().to_vec()),
            lid_migrated: link.lid_migrated,
            logins: link.logins,
            paired_at: link.paired_at,
        }),
    };
    let pickle = DevicePickle {
        version: DEVICE_VERSION,
        noise_secret: device.noise.expose_bytes().to_vec(),
        identity_secret: device.identity.expose_bytes().to_vec(),
        adv_secret: device.adv.expose_bytes().to_vec(),
        registration_id: device.registration.get(),
        signed_prekey_id: device.current.get(),
        link,
        newest_signed_prekey_id: if device.newest == device.current {
            0
        } else {
            device.newest.get()
        },
        rotate_after: device.rotate_after,
        root: device.root.map(|root| root.public().as_bytes().to_vec()),
    };
    record(RecordKind::Device, Vec::new(), &pickle)
}

pub(super) fn connection(routing: Option<&[u8]>, server: Option<&ServerStatic>) -> Record {
    let pickle = ConnectionPickle {
        version: VERSION,
        routing: routing.map(<[u8]>::to_vec),
        server: server.map(ServerPickle::from),
    };
    record(RecordKind::Connection, Vec::new(), &pickle)
}

pub(super) fn ledger(ledger: &PrekeyLedger) -> Record {
    let pickle = LedgerPickle {
        version: VERSION,
        next: ledger.next_id().get(),
        first_not_uploaded: ledger.first_not_uploaded().get(),
    };
    record(RecordKind::PrekeyLedger, Vec::new(), &pickle)
}

pub(super) fn signed_prekey(key: &SignedPrekey) -> Record {
    let pickle = SignedPrekeyPickle {
        version: VERSION,
        id: key.id.get(),
        secret: key.secret.expose_bytes().to_vec(),
        signature: key.signature.as_bytes().to_vec(),
        created_at: key.created_at,
    };
    let (kind, key) = signed_prekey_key(key.id);
    record(kind, key, &pickle)
}

pub(super) fn signed_prekey_key(id: SignedPrekeyId) -> (RecordKind, Vec<u8>) {
    (RecordKind::SignedPrekey, id.get().to_be_bytes().to_vec())
}

pub(super) fn prekey(key: &OneTimePrekey) -> Record {
    let pickle = PrekeyPickle {
        version: VERSION,
        id: key.id.get(),
        secret: key.secret.expose_bytes().to_vec(),
        public: key.secret.public().as_bytes().to_vec(),
    };
    let (kind, key) = prekey_key(key.id);
    record(kind, key, &pickle)
}

pub(super) fn prekey_key(id: PrekeyId) -> (RecordKind, Vec<u8>) {
    (RecordKind::Prekey, id.get().to_be_bytes().to_vec())
}

pub(super) fn peer_identity(owner: &Jid, key: &IdentityPublic) -> Record {
    let pickle = PeerIdentityPickle {
        version: VERSION,
        key: key.as_bytes().to_vec(),
    };
    let (kind, key) = peer_identity_key(owner);
    record(kind, key, &pickle)
}

pub(super) fn peer_identity_key(owner: &Jid) -> (RecordKind, Vec<u8>) {
    (RecordKind::PeerIdentity, owner.to_string().into_bytes())
}

/// Public halves of the one-time prekeys among the records; those that cannot be read are left out.
pub(crate) fn public_prekeys(records: &[Record]) -> Vec<PublicPrekey> {
    records
        .iter()
        .filter(|record| record.kind == RecordKind::Prekey)
        .filter_map(|record| {
            let pickle: PrekeyPickle = decode(record, "prekey").ok()?;
            Some(PublicPrekey {
                id: PrekeyId::new(pickle.id)?,
                key: OneTimePrekeyPublic::try_from(pickle.public.as_slice()).ok()?,
            })
        })
        .collect()
}

/// Decodes a pickle after looking at its version.
pub(super) fn decode<P: Message + Default>(
    record: &Record,
    what: &'static str,
) -> Result<P, RestoreError> {
    decode_up_to(record, what, VERSION)
}

/// The same for a kind whose newest version is `newest`.
pub(super) fn decode_up_to<P: Message + Default>(
    record: &Record,
    what: &'static str,
    newest: u32,
) -> Result<P, RestoreError> {
    let damaged = RestoreError::Damaged {
        what,
        detail: "not a record of this kind",
    };
    let VersionOnly { version } =
        VersionOnly::decode(record.value.expose()).map_err(|_| damaged.clone())?;
    match version {
        0 => Err(damaged),
        found if found > newest => Err(RestoreError::Newer {
            what,
            found,
            supported: newest,
        }),
        _ => P::decode(record.value.expose()).map_err(|_| damaged),
    }
}

pub(super) fn record(kind: RecordKind, key: Vec<u8>, pickle: &impl Message) -> Record {
    Record::new(kind, key, pickle.encode_to_vec())
}
