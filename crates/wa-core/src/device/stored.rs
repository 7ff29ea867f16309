use wa_crypto::Provider;

use super::{Device, KnownVersion, OwnDevices, Tombstone};
use crate::error::RestoreError;
use crate::record::Record;

/// Everything the records of an account say.
#[derive(Default)]
pub(crate) struct Stored {
    /// `None` when there is none, or half of one.
    pub(crate) device: Option<Device>,
    pub(crate) tombstone: Option<Tombstone>,
    pub(crate) version: Option<KnownVersion>,
    pub(crate) own_devices: Option<OwnDevices>,
}

impl Stored {
    pub(crate) fn read(provider: Provider, records: &[Record]) -> Result<Self, RestoreError> {
        Ok(Self {
            device: Device::restore(provider, records)?,
            tombstone: Tombstone::restore(provider, records)?,
            version: KnownVersion::restore(records)?,
            own_devices: OwnDevices::restore(records)?,
        })
    }
}
