use wa_crypto::{NoiseStaticSecret, Provider, PublicKey as _};
use wa_noise::NoiseRoot;
use wa_proto::Jid;
use zeroize::Zeroizing;

use super::Device;
use super::pickle::{TombstonePickle, VERSION, decode, record};
use super::restore::{damaged, find, root};
use crate::error::RestoreError;
use crate::record::{Changes, Record, RecordKind};

const WHAT: &str = "tombstone";

/// What is left of a link whose logout the server has not confirmed: what a login needs, nothing else.
#[derive(Clone)]
pub(crate) struct Tombstone {
    pub(crate) jid: Jid,
    pub(crate) noise: NoiseStaticSecret,
    root: Option<NoiseRoot>,
}

impl Device {
    /// What is to be kept of this link until the server has confirmed the logout.
    pub(crate) fn tombstone(&self) -> Option<Tombstone> {
        Some(Tombstone {
            jid: self.jid()?.clone(),
            noise: self.noise.clone(),
            root: self.root,
        })
    }

    /// The device whose logout the server has not confirmed, if there is one among these records.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] when the record cannot be read.
    pub fn unfinished_logout(records: &[Record]) -> Result<Option<Jid>, RestoreError> {
        let Some(record) = find(records, RecordKind::Tombstone) else {
            return Ok(None);
        };
        jid(&decode::<TombstonePickle>(record, WHAT)?).map(Some)
    }

    /// Whether it was linked at another service.
    pub(crate) fn is_of_another(&self, root: NoiseRoot) -> bool {
        self.is_registered() && self.root.is_some_and(|known| known != root)
    }
}

impl Tombstone {
    pub(super) fn restore(
        provider: Provider,
        records: &[Record],
    ) -> Result<Option<Self>, RestoreError> {
        let Some(record) = find(records, RecordKind::Tombstone) else {
            return Ok(None);
        };
        let pickle: TombstonePickle = decode(record, WHAT)?;
        let noise = <[u8; 32]>::try_from(pickle.noise_secret.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| damaged(WHAT, "the key is not 32 bytes long"))?;
        Ok(Some(Self {
            jid: jid(&pickle)?,
            noise: NoiseStaticSecret::from_bytes(provider, &noise),
            root: root(pickle.root.as_deref(), WHAT)?,
        }))
    }

    pub(crate) fn record(&self) -> Record {
        let pickle = TombstonePickle {
            version: VERSION,
            noise_secret: self.noise.expose_bytes().to_vec(),
            jid: self.jid.to_string(),
            root: self.root.map(|root| root.public().as_bytes().to_vec()),
        };
        record(RecordKind::Tombstone, Vec::new(), &pickle)
    }

    /// Removes it.
    pub(crate) fn removed() -> Changes {
        Changes {
            deletes: vec![(RecordKind::Tombstone, Vec::new())],
            ..Changes::default()
        }
    }

    /// Whether the link was made at another service.
    pub(crate) fn is_of_another(&self, root: NoiseRoot) -> bool {
        self.root.is_some_and(|known| known != root)
    }
}

fn jid(pickle: &TombstonePickle) -> Result<Jid, RestoreError> {
    pickle
        .jid
        .parse()
        .map_err(|_| damaged(WHAT, "the JID is malformed"))
}
