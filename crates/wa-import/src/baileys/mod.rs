//! The auth state of Baileys.

mod blob;
mod creds;
mod folder;
mod single;

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use wa_store::read_bounded;

pub use self::folder::{MAX_CREDS_LEN, MAX_FOLDER_ENTRIES, MAX_PREKEY_FILE_LEN};
pub use self::single::MAX_SINGLE_FILE_LEN;
use crate::ReadError;
use crate::link::{Imported, Service};

/// Reads a link from the auth state of Baileys: the folder with `creds.json`, or the single file of older versions.
///
/// # Errors
///
/// [`ReadError`] names the file or the part that is missing, damaged or contradicts another.
pub fn read_baileys(path: &Path, service: &Service) -> Result<Imported, ReadError> {
    let kind = std::fs::metadata(path).map_err(|source| file_error(path, source))?;
    if kind.is_dir() {
        folder::read(path, service)
    } else {
        single::read(path, service)
    }
}

/// A file of JSON. What is in it never gets into an error.
fn read_json<T: DeserializeOwned>(path: &Path, limit: usize) -> Result<T, ReadError> {
    let bytes = read_bounded(path, limit).map_err(|source| file_error(path, source))?;
    from_json(path, &bytes)
}

fn from_json<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::Content {
        path: path.to_owned(),
        why: match error.classify() {
            Category::Eof => "it is cut short".to_owned(),
            Category::Data => format!(
                "a value of another form at line {}, column {}",
                error.line(),
                error.column()
            ),
            _ => format!(
                "no JSON at line {}, column {}",
                error.line(),
                error.column()
            ),
        },
    })
}

fn file_error(path: &Path, source: io::Error) -> ReadError {
    ReadError::File {
        path: path.to_owned(),
        source,
    }
}
