use std::io;
use std::path::PathBuf;

use thiserror::Error;
use wa_core::ImportedDeviceError;
use wa_store::{AccountId, RandomError, StoreError};

/// Why a store of another library yields no link. Nothing was changed, there or here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not of the form it should be.
    #[error("{} is not what it should be: {why}", .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why, without what is in it.
        why: String,
    },
    /// More than is looked at.
    #[error("{} has more than {limit} {what}", .path.display())]
    TooMany {
        /// Where.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Reading it takes longer than a store of that library ever does.
    #[error("{} takes more than {limit} steps to read: it is not what the library writes", .path.display())]
    TooMuchWork {
        /// Where.
        path: PathBuf,
        /// The bound, in instructions of SQLite.
        limit: u64,
    },
    /// Parts of a link are absent.
    #[error(
        "this is no complete link, it has no {}; link again instead of importing it",
        .missing.join(", no ")
    )]
    Incomplete {
        /// Their names in the other library's store.
        missing: Vec<&'static str>,
    },
    /// A part contradicts itself.
    #[error("{part}: {why}")]
    Part {
        /// Its name in the other library's store.
        part: String,
        /// Why, without what is in it.
        why: String,
    },
    /// The parts contradict each other.
    #[error("this is no link: {0}")]
    Device(#[from] ImportedDeviceError),
    /// The other library has used its last prekey id.
    #[error("it has used up the ids of prekeys; unlink it on the phone and link again")]
    PrekeyIdsUsedUp,
    /// A database of another format.
    #[error(
        "the database has version {found}; versions {oldest} to {newest} and those that say they are compatible with them can be imported"
    )]
    Version {
        /// The version it says it needs.
        found: i64,
        /// Oldest that is read.
        oldest: i64,
        /// Newest that is known.
        newest: i64,
    },
    /// No device in the database.
    #[error("there is no linked device in it")]
    NoDevice,
    /// Several devices, and none was chosen.
    #[error("it holds {} devices; choose one by its JID: {}", .jids.len(), .jids.join(", "))]
    SeveralDevices {
        /// Their JIDs.
        jids: Vec<String>,
    },
    /// The device that was asked for is not there.
    #[error("it holds no such device; there are: {}", .jids.join(", "))]
    OtherDevices {
        /// The JIDs that are there.
        jids: Vec<String>,
    },
}

/// Why a link that was read did not get into the store. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PutError {
    /// An account holds this very device.
    #[error(
        "account {account} is linked as this very device already: start that one. What the other library has stored is older, and would use keys again that are used up"
    )]
    SameDevice {
        /// Its name.
        account: AccountId,
    },
    /// The account to be replaced holds another link, which would be lost.
    #[error("account {account} is linked as another device; log it out first")]
    LinkedOtherwise {
        /// Its name.
        account: AccountId,
    },
    /// A logout that the server has not confirmed is kept in the store.
    #[error(
        "account {account} has a logout to finish at the server: log it out again first, while online"
    )]
    UnfinishedLogout {
        /// Its name.
        account: AccountId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// No name for the account.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<StoreError> for PutError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DeviceHeld { account } => Self::SameDevice { account },
            other => Self::Store(other),
        }
    }
}
