//! What both readers have in common: parts of fixed size, and the link they add up to.

use std::fmt;

use prost::Message as _;
use wa_core::{Changes, Device, ImportedDevice, Jid, NoiseRoot, Provider};
use wa_pair::SignedIdentity;
use wa_proto::pb::AdvSignedDeviceIdentity;
use wa_signal::{PrekeyId, RegistrationId, SignedPrekeyId};
use zeroize::Zeroizing;

use crate::ReadError;

/// What a link is taken over for.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Who computes with the keys.
    pub provider: Provider,
    /// Root of the service it is linked at. No other library writes it down.
    pub root: NoiseRoot,
}

impl Service {
    /// The production service.
    #[must_use]
    pub fn production() -> Self {
        Self::with_root(NoiseRoot::production())
    }

    /// A service with another root, a simulated one for instance.
    #[must_use]
    pub fn with_root(root: NoiseRoot) -> Self {
        Self {
            provider: Provider::default(),
            root,
        }
    }
}

/// What was taken over and what was not.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Private one-time prekeys taken over.
    pub prekeys: usize,
    /// Identity keys of other devices taken over.
    pub peers: usize,
    /// What is there and has no place here yet.
    pub left_behind: Vec<LeftBehind>,
}

/// Things that stay where they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftBehind {
    /// What they are, in the plural.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
}

impl Report {
    pub(crate) fn leave(&mut self, what: &'static str, count: usize) {
        if count > 0 {
            self.left_behind.push(LeftBehind { what, count });
        }
    }
}

/// A link that was read and verified. Holds keys; `Debug` shows none.
pub struct Imported {
    pub(crate) device: Device,
    pub(crate) changes: Changes,
    report: Report,
}

impl Imported {
    pub(crate) fn new(parts: ImportedDevice, mut report: Report) -> Result<Self, ReadError> {
        report.prekeys = parts.prekeys.len();
        report.peers = parts.peers.len();
        let (device, changes) = Device::from_parts(parts)?;
        Ok(Self {
            device,
            changes,
            report,
        })
    }

    /// The device.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// What was taken over and what was not.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imported")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

pub(crate) fn wrong(part: impl Into<String>, why: impl fmt::Display) -> ReadError {
    ReadError::Part {
        part: part.into(),
        why: why.to_string(),
    }
}

/// A part that has `N` bytes.
pub(crate) fn fixed<const N: usize>(
    part: &str,
    bytes: &[u8],
) -> Result<Zeroizing<[u8; N]>, ReadError> {
    <[u8; N]>::try_from(bytes)
        .map(Zeroizing::new)
        .map_err(|_| wrong(part, format_args!("{} bytes, expected {N}", bytes.len())))
}

pub(crate) fn jid(part: &str, text: &str) -> Result<Jid, ReadError> {
    text.parse().map_err(|_| wrong(part, "it is no JID"))
}

/// Our own LID. Older versions leave out the device, which is the same as in the phone number's JID.
pub(crate) fn own_lid(part: &str, text: Option<&str>, own: &Jid) -> Result<Option<Jid>, ReadError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let lid = jid(part, text)?;
    Ok(Some(if lid.device() == 0 {
        lid.with_device(own.device())
    } else {
        lid
    }))
}

pub(crate) fn registration(part: &str, value: u64) -> Result<RegistrationId, ReadError> {
    if value == 0 {
        // Baileys draws its numbers from 0 on, so one of its links in 16384 has this one.
        return Err(wrong(
            part,
            "it is 0, and messages and stored links alike take a 0 for a number that is absent; link again instead",
        ));
    }
    u32::try_from(value)
        .ok()
        .and_then(RegistrationId::new)
        .ok_or_else(|| wrong(part, format_args!("{value} is no registration id")))
}

pub(crate) fn signed_prekey_id(part: &str, value: u64) -> Result<SignedPrekeyId, ReadError> {
    u32::try_from(value)
        .ok()
        .and_then(SignedPrekeyId::new)
        .ok_or_else(|| wrong(part, format_args!("{value} is no id of a signed prekey")))
}

pub(crate) fn prekey_id(part: &str, value: u64) -> Result<PrekeyId, ReadError> {
    u32::try_from(value)
        .ok()
        .and_then(PrekeyId::new)
        .ok_or_else(|| wrong(part, format_args!("{value} is no id of a prekey")))
}

/// The signed identity, from four parts that other libraries keep apart.
pub(crate) fn signed_identity(
    part: &str,
    details: &[u8],
    account_key: &[u8],
    account_signature: &[u8],
    device_signature: &[u8],
) -> Result<SignedIdentity, ReadError> {
    let message = AdvSignedDeviceIdentity {
        details: Some(details.to_vec()),
        account_signature_key: Some(account_key.to_vec()),
        account_signature: Some(account_signature.to_vec()),
        device_signature: Some(device_signature.to_vec()),
    };
    SignedIdentity::decode(&message.encode_to_vec()).map_err(|error| wrong(part, error))
}

/// What is not empty.
pub(crate) fn told(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
