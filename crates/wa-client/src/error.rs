//! What building and using a client can fail with.

use wa_core::{CommandError, EngineError, RestoreError};
use wa_store::StoreError;

use crate::dial::tls::TlsRootsError;

/// Why a client could not be built. Nothing was connected, and nothing of an existing account was changed.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The store could not be used, or another process holds the account.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds several accounts and none was chosen.
    #[error("the store holds {count} accounts; say which one")]
    AmbiguousAccount {
        /// How many there are.
        count: usize,
    },
    /// The stored device cannot be read.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The server URL is not usable.
    #[error("{problem}")]
    Endpoint {
        /// What is wrong with it.
        problem: String,
    },
    /// The URL of the version page is not usable.
    #[error("the version source: {problem}")]
    VersionSource {
        /// What is wrong with it.
        problem: String,
    },
    /// The certificate authorities are not usable.
    #[error(transparent)]
    Tls(#[from] TlsRootsError),
    /// The operating system gave no randomness; no keys can be made.
    #[error("the operating system gives no randomness: {problem}")]
    Randomness {
        /// What the system said.
        problem: String,
    },
}

/// Why a call on a client failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The command did not do what it asks for.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The engine did not accept the command.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The client has ended.
    #[error("the client has ended")]
    Ended,
}
