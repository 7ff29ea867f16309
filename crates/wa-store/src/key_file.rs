use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::bounded_file::read_all;
use crate::key_source::KeyError;
use crate::private_files::{create_private_dir, open_private_file, parent_of, sync_dir};
use crate::secret::StoreKey;

/// Longest key file that is read: a key in any encoding with some white space.
pub const MAX_KEY_FILE_LEN: usize = 512;

/// Reads the key file, or makes it with a fresh key if there is none.
///
/// It appears under its name only when it is complete and durable. Of several processes that make it at the same
/// time one wins and all get its key.
pub(crate) fn read_or_create(path: &Path) -> Result<StoreKey, KeyError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let dir = parent_of(path);
    create_private_dir(&dir).map_err(io_error(path, "make the directory of"))?;
    let draft_path = draft_of(path);
    let mut draft = open_private_file(&draft_path).map_err(io_error(path, "make"))?;
    draft.lock().map_err(io_error(path, "lock"))?;
    // Whoever had the draft before us has turned it into the key file by now, or has died over it.
    if let Some(key) = read(path)? {
        // A draft opened after the winner's rename is a new file; the winner's own has no such name any more.
        fs::remove_file(&draft_path).ok();
        return Ok(key);
    }
    let key = StoreKey::generate()?;
    write(&mut draft, &key).map_err(io_error(path, "write"))?;
    fs::rename(&draft_path, path).map_err(io_error(path, "rename"))?;
    sync_dir(&dir).map_err(io_error(path, "sync the directory of"))?;
    Ok(key)
}

/// Reads the key file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<StoreKey>, KeyError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, "open")(error)),
    };
    check_mode(path, &file)?;
    let bytes = match read_all(file, MAX_KEY_FILE_LEN, MAX_KEY_FILE_LEN) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(malformed(path, "it is too long"));
        }
        Err(error) => return Err(io_error(path, "read")(error)),
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(malformed(path, "it is not text"));
    };
    match StoreKey::from_text(text) {
        Ok(key) => Ok(Some(key)),
        Err(error) => Err(malformed(path, &error.to_string())),
    }
}

fn write(file: &mut File, key: &StoreKey) -> io::Result<()> {
    let mut line = key.to_hex();
    line.push('\n');
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file
        .metadata()
        .map_err(io_error(path, "look at"))?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::FileOpenToOthers {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

fn malformed(path: &Path, why: &str) -> KeyError {
    KeyError::FileMalformed {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> KeyError {
    move |error| KeyError::FileIo {
        path: path.to_owned(),
        action,
        why: error.to_string(),
    }
}
