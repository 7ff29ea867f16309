use wa_proto::DecodeError;

/// Why stored records are no device.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Written by a newer version of this program.
    #[error(
        "{what} was written by a newer version (format {found}, this program knows up to {supported}); update the program"
    )]
    Newer {
        /// Kind of record.
        what: &'static str,
        /// Version of the record.
        found: u32,
        /// Newest version that can be read.
        supported: u32,
    },
    /// The bytes are no such record.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// Kind of record.
        what: &'static str,
        /// What is wrong with it; no content.
        detail: &'static str,
    },
}

/// Something went wrong that does not end the connection.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A stanza of the server could not be read; it was dropped.
    #[error("a stanza of the server could not be read: {0}")]
    UnreadableStanza(DecodeError),
    /// The server did not take our prekeys; it is tried again.
    #[error("the server did not take the prekeys (code {code}); trying again")]
    PrekeysRefused {
        /// Code of the error.
        code: u16,
    },
    /// The server will refuse this client version from then on.
    #[error(
        "the server stops accepting this client version at {at_unix_secs} (Unix seconds); update before"
    )]
    VersionExpires {
        /// When, Unix seconds.
        at_unix_secs: u64,
    },
    /// The server did not take the new signed prekey; the old one stays.
    #[error("the server did not take the new signed prekey (code {code})")]
    RotationRefused {
        /// Code of the error.
        code: u16,
    },
}

impl Trouble {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnreadableStanza(_) => "unreadable_stanza",
            Self::PrekeysRefused { .. } => "prekeys_refused",
            Self::RotationRefused { .. } => "rotation_refused",
            Self::VersionExpires { .. } => "version_expires",
        }
    }
}
