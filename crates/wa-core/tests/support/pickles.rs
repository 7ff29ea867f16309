//! The stored forms of version 1, written down a second time: what the tests build by hand.

use prost::Message;
use wa_core::{Record, RecordKind};

#[derive(Clone, PartialEq, Message)]
pub struct DevicePickle {
    #[prost(uint32, tag = "1")]
    pub version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub noise_secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub identity_secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub adv_secret: Vec<u8>,
    #[prost(uint32, tag = "5")]
    pub registration_id: u32,
    #[prost(uint32, tag = "6")]
    pub signed_prekey_id: u32,
    #[prost(message, optional, tag = "7")]
    pub link: Option<LinkPickle>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LinkPickle {
    #[prost(string, optional, tag = "1")]
    pub jid: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub lid: Option<String>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub account: Option<Vec<u8>>,
    #[prost(uint32, tag = "4")]
    pub key_index: u32,
    #[prost(string, optional, tag = "5")]
    pub platform: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub business_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub push_name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "8")]
    pub primary_identity: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "9")]
    pub lid_migrated: Option<bool>,
    #[prost(uint32, tag = "10")]
    pub logins: u32,
    #[prost(uint64, tag = "11")]
    pub paired_at: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct SignedPrekeyPickle {
    #[prost(uint32, tag = "1")]
    pub version: u32,
    #[prost(uint32, tag = "2")]
    pub id: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub signature: Vec<u8>,
    #[prost(uint64, tag = "5")]
    pub created_at: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct LedgerPickle {
    #[prost(uint32, tag = "1")]
    pub version: u32,
    #[prost(uint32, tag = "2")]
    pub next: u32,
    #[prost(uint32, tag = "3")]
    pub first_not_uploaded: u32,
}

/// The records of a whole device, as loaded.
#[derive(Clone)]
pub struct Pickles {
    pub device: DevicePickle,
    pub signed: Option<SignedPrekeyPickle>,
    pub ledger: Option<LedgerPickle>,
}

impl Pickles {
    /// Takes a stored device apart.
    pub fn read(records: &[Record]) -> Self {
        let find = |kind| records.iter().find(|record| record.kind == kind);
        let device = find(RecordKind::Device).unwrap();
        let signed = find(RecordKind::SignedPrekey).unwrap();
        let ledger = find(RecordKind::PrekeyLedger).unwrap();
        Self {
            device: DevicePickle::decode(device.value.expose()).unwrap(),
            signed: Some(SignedPrekeyPickle::decode(signed.value.expose()).unwrap()),
            ledger: Some(LedgerPickle::decode(ledger.value.expose()).unwrap()),
        }
    }

    pub fn records(&self) -> Vec<Record> {
        let mut records = vec![record(RecordKind::Device, 0, &self.device)];
        if let Some(signed) = &self.signed {
            records.push(record(RecordKind::SignedPrekey, signed.id, signed));
        }
        if let Some(ledger) = &self.ledger {
            records.push(record(RecordKind::PrekeyLedger, 0, ledger));
        }
        records
    }
}

fn record(kind: RecordKind, id: u32, pickle: &impl Message) -> Record {
    let key = if id == 0 {
        Vec::new()
    } else {
        id.to_be_bytes().to_vec()
    };
    Record::new(kind, key, pickle.encode_to_vec())
}
