//! Accounts in a SQLite database.
//!
//! [`SqliteStore`] implements [`wa_store::Store`]: one database for all accounts of a user, everything personal in
//! it sealed, one connection that writes, a write-ahead log that is synced before a commit returns.
//!
//! ```
//! use wa_store::{KeySource, Store};
//! use wa_store_sqlite::SqliteStore;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! let path = directory.path().join("wa.db");
//! let store = SqliteStore::open(&path, KeySource::beside(&path)).await?;
//! let account = store.create_account("at home").await?;
//! let lock = store.lock(&account).await?;
//! store.commit(&lock, wa_core::Changes::default()).await?;
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Beside the database lie its `-wal` and `-shm` files, which belong to it, the key file if that is where the key
//! comes from, and a directory `.locks` with one small file per account. The lock on such a file is the operating
//! system's: it is gone with the process that held it, killed or not, and a leftover file means nothing. A backup
//! needs the database (taken with SQLite's own means, or while nothing has it open) and the key, best not in the
//! same place.
//!
//! What it does not do: share one database between machines. File locks and the write-ahead log do not work over a
//! network; a store for that is another backend. What sealing does not hide: how many accounts and records there
//! are, of which kind and size, when they changed, and whether they are linked.
mod error;
mod lock_file;
mod open;
mod options;
mod rotate;
mod rows;
mod schema;
mod store;

pub use error::{OpenError, RotateError};
pub use options::SqliteOptions;
pub use store::SqliteStore;
