//! Links that other libraries hold, read from their stores and taken over: no new QR code, the same entry in the
//! phone's list of linked devices.
//!
//! **What it does.** It reads the multi-file folder of Baileys ([`read_baileys`], the older single file too) and the
//! SQLite store of whatsmeow ([`read_whatsmeow`]), verifies every part against the others, and puts the link into a
//! [`Store`] of ours as a new account or in the place of one ([`Imported::put_into`]). What it reads it leaves as it is.
//!
//! **What it takes.** All keys, the identity signed by account and device (pairing chapter, A.6 and A.7), the private
//! one-time prekeys with a watermark above every id that was ever used, routing info, and the identity keys of other
//! devices. Sessions, sender keys and app state stay behind and are counted in the [`Report`].
//!
//! **What it does not.** It cannot see whether the other library still runs. Whoever held the link must be stopped
//! first and must never run again: two holders throw each other out, and one of them goes on with used prekeys and old
//! ratchets.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use wa_import::{Service, Target, read_baileys};
//! use wa_store::MemoryStore;
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let imported = read_baileys(Path::new("auth_info_baileys"), &Service::production())?;
//! println!("{} prekeys", imported.report().prekeys);
//! let account = imported.put_into(&MemoryStore::new(), Target::New { label: "moved".into() }).await?;
//! # Ok(())
//! # }
//! ```
mod baileys;
mod error;
mod link;
mod put;
mod whatsmeow;

pub use baileys::{
    MAX_CREDS_LEN, MAX_FOLDER_ENTRIES, MAX_PREKEY_FILE_LEN, MAX_SINGLE_FILE_LEN, read_baileys,
};
pub use error::{PutError, ReadError};
pub use link::{Imported, LeftBehind, Report, Service};
pub use put::Target;
pub use whatsmeow::{
    MAX_DEVICES, MAX_PEERS, MAX_STEPS, NEWEST_VERSION, OLDEST_VERSION, PREKEY_ID_GAP,
    PREKEY_ID_WITHOUT_TRACE, read_whatsmeow,
};

#[cfg(doc)]
use wa_store::Store;
