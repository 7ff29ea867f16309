//! The SQLite store of whatsmeow.

mod device;
mod file;
mod rows;

use std::path::Path;

pub use self::device::{PREKEY_ID_GAP, PREKEY_ID_WITHOUT_TRACE};
pub use self::file::{MAX_STEPS, NEWEST_VERSION, OLDEST_VERSION};
pub use self::rows::{MAX_DEVICES, MAX_PEERS};
use crate::ReadError;
use crate::link::{Imported, Service};

/// Reads a link from the SQLite store of whatsmeow. `wanted` chooses one of several devices: by its JID, or by the
/// phone number alone where that is enough.
///
/// The database is opened for reading only, and all of it is read as of one moment. What its write-ahead log still holds is read as well.
///
/// # Errors
///
/// [`ReadError`] names the part that is missing, damaged or contradicts another.
pub async fn read_whatsmeow(
    path: &Path,
    wanted: Option<&str>,
    service: &Service,
) -> Result<Imported, ReadError> {
    let mut database = file::open(path, MAX_STEPS).await?;
    database.check_version().await?;
    database.check_tables().await?;
    let jid = database.choose(wanted).await?;
    let device = database.device(&jid).await?;
    let prekeys = database.prekeys(&jid).await?;
    let peers = database.peers(&jid).await?;
    let mut report = database.left_behind(&jid).await?;
    database.close().await;
    let parts = device::link(device, prekeys, peers, service, &mut report)?;
    Imported::new(parts, report)
}
