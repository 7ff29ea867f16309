use prost::Message;

use super::pickle::{VERSION, decode, record};
use super::put;
use super::restore::find;
use crate::config::{ClientVersion, FetchedVersion, MAX_VERSION_SOURCE_LEN};
use crate::error::RestoreError;
use crate::record::{Changes, Record, RecordKind};

/// A client version that a source has given, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KnownVersion {
    /// The version.
    pub version: ClientVersion,
    /// Where it was found.
    pub source: String,
    /// When, Unix seconds.
    pub fetched_at: u64,
}

#[derive(Clone, PartialEq, Message)]
struct VersionPickle {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    primary: u32,
    #[prost(uint32, tag = "3")]
    secondary: u32,
    #[prost(uint32, tag = "4")]
    tertiary: u32,
    #[prost(string, tag = "5")]
    source: String,
    #[prost(uint64, tag = "6")]
    fetched_at: u64,
}

impl KnownVersion {
    pub(crate) fn new(fetched: FetchedVersion, unix_secs: u64) -> Self {
        let FetchedVersion {
            version,
            mut source,
        } = fetched;
        source.truncate(source.floor_char_boundary(MAX_VERSION_SOURCE_LEN));
        Self {
            version,
            source,
            fetched_at: unix_secs,
        }
    }

    /// A cache: an unreadable one is forgotten, one of a newer program is left alone.
    pub(super) fn restore(records: &[Record]) -> Result<Option<Self>, RestoreError> {
        let Some(record) = find(records, RecordKind::Version) else {
            return Ok(None);
        };
        match decode::<VersionPickle>(record, "client version") {
            Ok(pickle) => Ok(Some(Self {
                version: ClientVersion::new(pickle.primary, pickle.secondary, pickle.tertiary),
                source: pickle.source,
                fetched_at: pickle.fetched_at,
            })),
            Err(error @ RestoreError::Newer { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn keep(&self) -> Changes {
        let pickle = VersionPickle {
            version: VERSION,
            primary: self.version.primary,
            secondary: self.version.secondary,
            tertiary: self.version.tertiary,
            source: self.source.clone(),
            fetched_at: self.fetched_at,
        };
        put(record(RecordKind::Version, Vec::new(), &pickle))
    }
}
