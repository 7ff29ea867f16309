//! What can be seen of the world from outside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use wa_crypto::PublicKey as _;
use wa_proto::pb;

use super::World;
use crate::account::Account;
use crate::names::PhoneNumber;
use crate::phone::PhoneConfig;

/// A phone as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneView {
    /// Its number.
    pub number: PhoneNumber,
    /// How it presents itself.
    pub config: PhoneConfig,
    /// The number of the account's current epoch.
    pub raw_id: u32,
    /// The highest key index ever given.
    pub current_key_index: u32,
    /// The indexes valid now.
    pub valid_indexes: Vec<u32>,
    /// The companions it believes in.
    pub companions: Vec<CompanionView>,
    /// The companion that waits for a code to be entered here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_wanted: Option<CodeWanted>,
}

/// What a phone shows its owner of a companion that asked for a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeWanted {
    /// How the companion presents itself, such as `Chrome (Linux)`.
    pub companion: String,
    /// Whether the owner was to be notified.
    pub push: bool,
}

/// A companion as its phone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanionView {
    /// Its device number.
    pub device: u16,
    /// Its JID.
    pub jid: String,
    /// Its key index.
    pub key_index: u32,
    /// Its identity key, in base64.
    pub identity: String,
    /// When it was linked, Unix seconds.
    pub added_at: u64,
}

/// An account as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its number.
    pub number: PhoneNumber,
    /// Its LID.
    pub lid: String,
    /// Its linked companions.
    pub devices: Vec<DeviceView>,
}

/// A linked companion as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its device number.
    pub device: u16,
    /// Its JID.
    pub jid: String,
    /// Its key index.
    pub key_index: u32,
    /// Its identity key, in base64.
    pub identity: String,
    /// Its Noise static key, in base64.
    pub noise: String,
    /// The name it registered with.
    pub name: Option<String>,
    /// Whether it is logged in.
    pub online: bool,
    /// How often it logged in.
    pub logins: u32,
    /// One-time prekeys the server holds for it.
    pub prekeys: usize,
    /// Stanzas it has not acknowledged.
    pub waiting: usize,
    /// When it was linked, Unix seconds.
    pub linked_at: u64,
}

impl World {
    /// Every phone, by number.
    pub fn phones(&self) -> Vec<PhoneView> {
        self.accounts.values().map(phone_view).collect()
    }

    /// One phone.
    pub fn phone(&self, number: PhoneNumber) -> Option<PhoneView> {
        self.accounts.get(&number).map(phone_view)
    }

    /// How many phones there are.
    pub fn phone_count(&self) -> usize {
        self.accounts.len()
    }

    /// The phone with the lowest number.
    pub fn first_phone(&self) -> Option<PhoneNumber> {
        self.accounts.keys().next().copied()
    }

    /// Every account, by number.
    pub fn accounts(&self) -> Vec<AccountView> {
        self.accounts.values().map(account_view).collect()
    }

    /// One account.
    pub fn account(&self, number: PhoneNumber) -> Option<AccountView> {
        self.accounts.get(&number).map(account_view)
    }
}

fn phone_view(account: &Account) -> PhoneView {
    let phone = &account.phone;
    PhoneView {
        number: phone.number,
        config: phone.config.clone(),
        raw_id: phone.raw_id,
        current_key_index: phone.current_key_index,
        valid_indexes: phone.valid_indexes(),
        companions: phone
            .companions
            .iter()
            .map(|companion| CompanionView {
                device: companion.device,
                jid: account.jid(companion.device).to_string(),
                key_index: companion.key_index,
                identity: STANDARD.encode(companion.identity.as_bytes()),
                added_at: companion.added_at,
            })
            .collect(),
        code_wanted: account.waiting_code().map(|(companion, push)| CodeWanted {
            companion: companion.to_owned(),
            push,
        }),
    }
}

fn account_view(account: &Account) -> AccountView {
    let devices = account.devices.iter().map(|(number, device)| DeviceView {
        device: *number,
        jid: account.jid(*number).to_string(),
        key_index: device.key_index,
        identity: STANDARD.encode(device.identity.as_bytes()),
        noise: STANDARD.encode(device.noise.as_bytes()),
        name: pb::DeviceProps::decode(device.props.as_slice())
            .ok()
            .and_then(|props| props.os),
        online: device.online.is_some(),
        logins: device.logins,
        prekeys: device
            .bundle
            .as_ref()
            .map_or(0, |bundle| bundle.one_time.len()),
        waiting: device.waiting.len(),
        linked_at: device.linked_at,
    });
    AccountView {
        number: account.number,
        lid: account.lid_jid(0).to_string(),
        devices: devices.collect(),
    }
}
