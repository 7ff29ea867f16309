//! Which version is claimed, and why.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wa_core::{ClientVersion, KnownVersion};

/// The client version a client claims.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionInUse {
    /// The version.
    pub version: ClientVersion,
    /// Where it comes from.
    pub origin: VersionOrigin,
}

/// Where a client version comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionOrigin {
    /// Compiled into this program.
    CompiledIn,
    /// Given by the application: pinned, or by [`Client::use_version`](crate::Client::use_version).
    Given,
    /// Told by a [`VersionSource`](crate::VersionSource), in this run or an earlier one.
    Fetched {
        /// Which one.
        source: String,
        /// When, Unix seconds.
        fetched_at: u64,
    },
}

impl VersionInUse {
    pub(crate) fn new(version: ClientVersion, known: Option<&KnownVersion>) -> Self {
        let origin = match known {
            Some(known) if known.version == version => VersionOrigin::Fetched {
                source: known.source.clone(),
                fetched_at: known.fetched_at,
            },
            _ if version == ClientVersion::COMPILED_IN => VersionOrigin::CompiledIn,
            _ => VersionOrigin::Given,
        };
        Self { version, origin }
    }

    /// How long ago it was fetched; `None` if it was not.
    pub fn age(&self) -> Option<Duration> {
        let VersionOrigin::Fetched { fetched_at, .. } = self.origin else {
            return None;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(now.saturating_sub(Duration::from_secs(fetched_at)))
    }
}
