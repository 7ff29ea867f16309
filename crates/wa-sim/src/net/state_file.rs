//! The world's state in a file: read at the start, written when something happened.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::world::WorldState;

/// Changes that come close together are written once.
const SETTLE: Duration = Duration::from_millis(50);

/// `None` when there is no file yet.
pub(super) fn read(path: &Path) -> io::Result<Option<WorldState>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file as a whole, readable by its owner only.
pub(super) fn write(path: &Path, state: &WorldState) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(state)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Writes the state after every change. Never returns.
pub(super) async fn keep(shared: Arc<Shared>, path: PathBuf) {
    let mut progress = shared.progress();
    let mut written = shared.act_quietly(crate::World::revision);
    while progress.changed().await.is_ok() {
        tokio::time::sleep(SETTLE).await;
        let (revision, state) = shared.act_quietly(|world| {
            let revision = world.revision();
            (revision, (revision != written).then(|| world.export()))
        });
        if let Some(state) = state {
            match write(&path, &state) {
                Ok(()) => written = revision,
                Err(error) => tracing::warn!(%error, "the state was not written"),
            }
        }
    }
}
