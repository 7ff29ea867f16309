use std::path::PathBuf;
use std::time::Duration;

use wa_store::{KeyError, StoreError};

/// Why a store could not be opened. What was there is unchanged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The key is missing, unusable, or not the one of this store.
    #[error("cannot open the store {}: {cause}", path.display())]
    Key {
        /// The store.
        path: PathBuf,
        /// What is wrong with the key.
        cause: KeyError,
    },
    /// Written by a newer version of this program.
    #[error(
        "the store {} has format {found}, this program knows formats up to {known}: use the newer version that wrote \
         it, or another store", path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Newest format known.
        known: u32,
    },
    /// A file of something else.
    #[error("{} is not a store of this program: choose another path", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The disk, the file or another process is in the way.
    #[error("cannot open the store {}: {cause}", path.display())]
    Store {
        /// The store.
        path: PathBuf,
        /// What is wrong.
        cause: StoreError,
    },
}

/// Why the key of a store was not changed. The former key still opens it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The new key is unusable.
    #[error("the new key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Turns what sqlx reports into what a store reports.
///
/// SQLite's messages name tables and columns, never the values bound to a statement.
pub(crate) fn store_error(error: sqlx::Error, waited: Duration) -> StoreError {
    let busy = || StoreError::Busy {
        waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
    };
    match error {
        sqlx::Error::Database(error) => {
            let code: Option<u32> = error.code().and_then(|code| code.parse().ok());
            let detail = error.message().to_owned();
            // The low byte is the primary result code. Source: SQLite, Result and Error Codes.
            match code.map(|code| code & 0xff) {
                Some(5 | 6) => busy(),
                Some(13) => StoreError::Full { detail },
                Some(11 | 26) => StoreError::Corrupt { detail },
                Some(3 | 8 | 10 | 14 | 23) => StoreError::Io { detail },
                _ => StoreError::Backend { detail },
            }
        }
        sqlx::Error::Io(error) => io_error(&error),
        sqlx::Error::PoolTimedOut => busy(),
        sqlx::Error::PoolClosed => StoreError::Closed,
        sqlx::Error::ColumnDecode { index, .. } => StoreError::Corrupt {
            detail: format!("column {index} holds something else than it should"),
        },
        other => StoreError::Backend {
            detail: other.to_string(),
        },
    }
}

pub(crate) fn io_error(error: &std::io::Error) -> StoreError {
    let detail = error.to_string();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            StoreError::Full { detail }
        }
        _ => StoreError::Io { detail },
    }
}

/// A task that computes or touches files panicked or was torn down with its runtime.
pub(crate) fn task_error(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Backend {
        detail: error.to_string(),
    }
}
