//! Reads a link out of our own records, to write it in another library's format.

use prost::Message;
use wa_core::{Record, RecordKind};
use wa_crypto::{IdentitySecret, NoiseStaticSecret, PublicKey as _, SignedPrekeySecret};
use wa_proto::pb::AdvSignedDeviceIdentity;

use super::{Link, Pair, prekey_pair, provider};

#[derive(Clone, PartialEq, Message)]
struct DevicePickle {
    #[prost(bytes = "vec", tag = "2")]
    noise: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    adv: Vec<u8>,
    #[prost(uint32, tag = "5")]
    registration: u32,
    #[prost(message, optional, tag = "7")]
    link: Option<LinkPickle>,
}

#[derive(Clone, PartialEq, Message)]
struct LinkPickle {
    #[prost(string, tag = "1")]
    jid: String,
    #[prost(string, optional, tag = "2")]
    lid: Option<String>,
    #[prost(bytes = "vec", tag = "3")]
    account: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct LedgerPickle {
    #[prost(uint32, tag = "2")]
    next: u32,
}

/// A signed prekey, and a one-time prekey as far as field 3.
#[derive(Clone, PartialEq, Message)]
struct PrekeyPickle {
    #[prost(uint32, tag = "2")]
    id: u32,
    #[prost(bytes = "vec", tag = "3")]
    secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    signature_or_public: Vec<u8>,
}

fn of_kind<P: Message + Default>(records: &[Record], kind: RecordKind) -> Vec<P> {
    records
        .iter()
        .filter(|record| record.kind == kind)
        .map(|record| P::decode(record.value.expose()).unwrap())
        .collect()
}

pub(crate) fn link(records: &[Record]) -> Link {
    let device: DevicePickle = of_kind(records, RecordKind::Device).remove(0);
    let registered = device.link.unwrap();
    let account = AdvSignedDeviceIdentity::decode(registered.account.as_slice()).unwrap();
    let signed: PrekeyPickle = of_kind(records, RecordKind::SignedPrekey).remove(0);
    let ledger: LedgerPickle = of_kind(records, RecordKind::PrekeyLedger).remove(0);
    let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap();
    let noise = NoiseStaticSecret::from_bytes(provider(), &array(&device.noise));
    let identity = IdentitySecret::from_bytes(provider(), &array(&device.identity));
    let signed_secret = SignedPrekeySecret::from_bytes(provider(), &array(&signed.secret));
    Link {
        jid: registered.jid,
        lid: registered.lid,
        registration: device.registration,
        noise: Pair {
            private: *noise.expose_bytes(),
            public: *noise.public().as_bytes(),
        },
        identity: Pair {
            private: *identity.expose_bytes(),
            public: *identity.public().as_bytes(),
        },
        signed: Pair {
            private: *signed_secret.expose_bytes(),
            public: *signed_secret.public().as_bytes(),
        },
        signed_id: signed.id,
        signed_signature: signed.signature_or_public,
        adv: array(&device.adv),
        details: account.details.unwrap(),
        account_key: account.account_signature_key.unwrap(),
        account_signature: account.account_signature.unwrap(),
        device_signature: account.device_signature.unwrap(),
        prekeys: of_kind::<PrekeyPickle>(records, RecordKind::Prekey)
            .into_iter()
            .map(|key| (key.id, prekey_pair(&array(&key.secret))))
            .collect(),
        next_prekey: ledger.next,
        routing: None,
    }
}
