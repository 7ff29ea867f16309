use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wa_store::{AccountId, LockHolder, create_private_dir, open_private_file, unix_ms_now};

/// The directory of a store's lock files: beside the database, its name with `.locks` behind.
#[derive(Clone, Debug)]
pub(crate) struct LockDir(PathBuf);

impl LockDir {
    pub(crate) fn of(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push(".locks");
        Self(PathBuf::from(name))
    }

    /// Takes an account, or says who has it.
    pub(crate) fn account(&self, account: &AccountId) -> io::Result<Result<LockFile, LockHolder>> {
        self.take(&self.file_of(account))
    }

    /// Removes the file of an account that is gone.
    pub(crate) fn forget(&self, account: &AccountId) {
        std::fs::remove_file(self.file_of(account)).ok();
    }

    /// Keeps other processes from opening the store at the same time; `None` if one does for longer than we wait.
    pub(crate) fn opening(&self, wait: Duration) -> io::Result<Option<LockFile>> {
        let begin = Instant::now();
        loop {
            if let Ok(lock) = self.take(&self.0.join("opening.lock"))? {
                return Ok(Some(lock));
            }
            if begin.elapsed() >= wait {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn file_of(&self, account: &AccountId) -> PathBuf {
        self.0.join(format!("{account}.lock"))
    }

    fn take(&self, path: &Path) -> io::Result<Result<LockFile, LockHolder>> {
        create_private_dir(&self.0)?;
        let mut file = open_private_file(path)?;
        match file.try_lock() {
            Ok(()) => {
                sign(&mut file)?;
                Ok(Ok(LockFile(file)))
            }
            Err(TryLockError::WouldBlock) => Ok(Err(read_holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// A lock of the operating system on a file: it ends when dropped, and with the process however that ends.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl Drop for LockFile {
    fn drop(&mut self) {
        // Closing would do, unless a child process inherited the file.
        self.0.unlock().ok();
    }
}

/// Writes into the file who holds it, for whoever finds it locked.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{} {}\n", std::process::id(), unix_ms_now()).as_bytes())
}

/// What the holder wrote; nothing if it cannot be read, as on systems where a lock keeps readers out too.
fn read_holder(file: &mut File) -> LockHolder {
    let mut text = String::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(64).read_to_string(&mut text));
    let mut words = text.split_ascii_whitespace();
    match (
        read,
        words.next().map(str::parse),
        words.next().map(str::parse),
    ) {
        (Ok(_), Some(Ok(pid)), Some(Ok(since))) => LockHolder::process(pid, since),
        _ => LockHolder::default(),
    }
}
