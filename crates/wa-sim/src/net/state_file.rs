//! The world's state in a file: read at the start, written when something happened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::world::WorldState;

/// Longest state that is read: the most accounts there can be have some kilobytes each.
const MAX_STATE_LEN: u64 = 1 << 30;
/// Changes that come close together are written once.
const SETTLE: Duration = Duration::from_millis(50);

/// `None` when there is no file yet.
pub(super) fn read(path: &Path) -> io::Result<Option<WorldState>> {
    read_within(path, MAX_STATE_LEN)
}

fn read_within(path: &Path, limit: u64) -> io::Result<Option<WorldState>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // One byte more than the limit, whatever length the file claims to have.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("a state has at most {limit} bytes"),
        ));
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Replaces the file as a whole, readable by its owner only.
pub(super) fn write(path: &Path, state: &WorldState) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What an interrupted write left behind, and a link somebody put there, are removed and not written into.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WorldConfig;
    use crate::net::shared::now;
    use crate::world::World;

    fn state() -> WorldState {
        World::new(WorldConfig::default(), [1; 32], now()).export()
    }

    #[test]
    fn a_state_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, &state()).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        assert!(read_within(&path, length).unwrap().is_some());
        let error = read_within(&path, length - 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(read(&folder.path().join("other")).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_the_new_file_is_not_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("state"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, folder.path().join("state.new")).unwrap();
        write(&path, &state()).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        write(&path, &state()).unwrap();
    }
}
