//! The folder: `creds.json`, and a file for every key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wa_core::MAX_STORED_PREKEYS;
use wa_signal::PrekeyId;

use super::creds::{Creds, KeyPair};
use super::{file_error, read_json};
use crate::ReadError;
use crate::link::{Imported, Report, Service};

/// Longest `creds.json` read; our own bound, hundreds of times what it comes to.
pub const MAX_CREDS_LEN: usize = 4 * 1024 * 1024;

/// Longest file of one prekey read; our own bound.
pub const MAX_PREKEY_FILE_LEN: usize = 4096;

/// Most files in a folder; our own bound.
pub const MAX_FOLDER_ENTRIES: usize = 1_000_000;

/// What file names begin with, the longer names first, and what the files are called in a report. None of it has a
/// place in our stores yet.
const OTHERS: [(&str, &str); 9] = [
    ("app-state-sync-key-", "app state keys"),
    ("app-state-sync-version-", "app state versions"),
    ("sender-key-memory-", "notes of sender keys"),
    ("sender-key-", "sender keys"),
    ("session-", "sessions"),
    ("identity-key-", "identity keys"),
    ("lid-mapping-", "LID mappings"),
    ("device-list-", "device lists"),
    ("tctoken-", "privacy tokens"),
];

pub(super) fn read(folder: &Path, service: &Service) -> Result<Imported, ReadError> {
    let creds: Creds = read_json(&folder.join("creds.json"), MAX_CREDS_LEN)?;
    let files = Files::list(folder)?;
    let next = creds.next_prekey_id(files.prekeys.keys().next_back().copied())?;
    let mut parts = creds.link(service)?;
    parts.next_prekey = next;
    let mut report = Report::default();
    let excess = files.prekeys.len().saturating_sub(MAX_STORED_PREKEYS);
    report.leave("prekeys, the oldest", excess);
    for (id, path) in files.prekeys.iter().skip(excess) {
        // A key that was used is `null` in files of older versions.
        let pair: Option<KeyPair> = read_json(path, MAX_PREKEY_FILE_LEN)?;
        if let Some(pair) = pair {
            parts
                .prekeys
                .push(pair.prekey(&path.display().to_string(), *id, service)?);
        }
    }
    for (what, count) in files.others {
        report.leave(what, count);
    }
    Imported::new(parts, report)
}

/// What is in the folder, by name only.
#[derive(Default)]
struct Files {
    prekeys: BTreeMap<PrekeyId, PathBuf>,
    others: BTreeMap<&'static str, usize>,
}

impl Files {
    fn list(folder: &Path) -> Result<Self, ReadError> {
        let mut files = Self::default();
        let entries = std::fs::read_dir(folder).map_err(|source| file_error(folder, source))?;
        for (number, entry) in entries.enumerate() {
            if number == MAX_FOLDER_ENTRIES {
                return Err(ReadError::TooMany {
                    path: folder.to_owned(),
                    what: "files",
                    limit: MAX_FOLDER_ENTRIES,
                });
            }
            let entry = entry.map_err(|source| file_error(folder, source))?;
            let kind = entry
                .file_type()
                .map_err(|source| file_error(&entry.path(), source))?;
            // Neither a pipe nor a link to elsewhere was written by the library.
            if let (Some(name), true) = (entry.file_name().to_str(), kind.is_file()) {
                files.sort_in(name, entry.path());
            }
        }
        Ok(files)
    }

    fn sort_in(&mut self, name: &str, path: PathBuf) {
        let Some(name) = name.strip_suffix(".json") else {
            return;
        };
        if let Some(id) = name.strip_prefix("pre-key-").and_then(prekey_id) {
            self.prekeys.insert(id, path);
            return;
        }
        let other = OTHERS.iter().find(|(start, _)| name.starts_with(start));
        if let Some((_, what)) = other {
            *self.others.entry(what).or_default() += 1;
        }
    }
}

/// The id in a name, if it is written as the library writes it.
pub(super) fn prekey_id(text: &str) -> Option<PrekeyId> {
    let id = text.parse().ok().and_then(PrekeyId::new)?;
    (id.to_string() == text).then_some(id)
}
