//! The store contract, sealing at rest, sealed export, the memory store and the conformance suite.
mod account;
mod any;
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

pub use account::{AccountId, AccountIdError, AccountInfo, NewAccount, check_label};
pub use any::AnyStore;
pub use clock::unix_ms_now;
pub use error::{RandomError, StoreError, UnsealError};
pub use export::{AccountExport, ExportError, ExportKey, MAX_EXPORT_LEN, export_sealed};
pub use import::{ImportError, OnExisting, SealedExport, import, import_sealed};
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
