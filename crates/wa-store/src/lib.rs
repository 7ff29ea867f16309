//! Where accounts are kept: the store contract, sealing at rest, sealed export, a store in memory, and the suite
//! every store must pass.
//!
//! The engine says what must become durable together ([`wa_core::Changes`]); a [`Store`] makes it so in one
//! transaction, for the one holder of the account's [`AccountLock`].
//!
//! ```
//! use wa_core::{Changes, Query, Record, RecordKind};
//! use wa_store::{MemoryStore, Store};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = MemoryStore::new();
//! let account = store.create_account("at home").await?;
//! let lock = store.lock(&account).await?;
//! let device = Record::new(RecordKind::Device, [], b"a pickle".to_vec());
//! store.commit(&lock, Changes { puts: vec![device.clone()], ..Changes::default() }).await?;
//! assert_eq!(store.load(&account, Query::Device).await?, [device]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sealing
//!
//! Whatever a backend writes down goes through [`Vault`] and [`AccountSealer`] first; there is no unsealed form.
//! A master key ([`KeySource`]: a key file, the environment, or a passphrase) wraps a random data key per account;
//! the data key seals records, record keys, labels and phone numbers with XAES-256-GCM, each bound to its account,
//! kind, place and format. A wrong master key is found out by the store's header before anything is read or written.
//!
//! What sealing does not do: hide how many records there are, their kinds and sizes, or whether an account is
//! linked; notice that somebody put an old copy of the whole store, or of one row, back in its place; protect
//! against whoever can read the memory of the process.
//!
//! # Export
//!
//! [`export_sealed`] and [`import_sealed`] carry one account between stores. [`SealedExport::parse`] and
//! [`AccountExport::decode`] take bytes of strangers: they never panic and stay within [`MAX_EXPORT_LEN`].
mod account;
mod any;
mod bounded_file;
mod clock;
mod codec;
pub mod conformance;
mod error;
mod export;
mod import;
mod key_file;
mod key_source;
mod limits;
mod lock;
mod memory;
mod passphrase;
mod private_files;
mod random;
mod sealer;
mod secret;
mod store;
mod vault;
mod xaes;

pub use account::{
    AccountId, AccountIdError, AccountInfo, NewAccount, arriving_device, check_label,
};
pub use any::AnyStore;
pub use bounded_file::read_bounded;
pub use clock::unix_ms_now;
pub use error::{RandomError, StoreError, UnsealError};
pub use export::{AccountExport, ExportError, ExportKey, MAX_EXPORT_LEN, export_sealed};
pub use import::{
    ImportError, OnExisting, SealedExport, holds_unfinished_logout, import, import_sealed,
    unfinished_logout,
};
pub use key_file::MAX_KEY_FILE_LEN;
pub use key_source::{KeyError, KeySource};
pub use limits::{MAX_LABEL_LEN, MAX_RECORD_KEY_LEN, MAX_RECORD_VALUE_LEN, check_changes};
pub use lock::{AccountLock, LockHolder};
pub use memory::MemoryStore;
pub use passphrase::{
    MAX_ARGON2_LANES, MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_PASSES, MIN_ARGON2_MEMORY_KIB,
    MIN_ARGON2_PASSES, MIN_PASSPHRASE_CHARS, StretchError,
};
pub use private_files::{create_private_dir, open_private_file};
pub use sealer::{AccountSealer, Profile, Slot};
pub use secret::{KeyTextError, SecretText, StoreKey};
pub use store::Store;
pub use vault::{RewrapError, Vault};
