//! The single file of older versions: credentials and all keys in one object.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wa_core::MAX_STORED_PREKEYS;
use wa_signal::PrekeyId;

use super::creds::{Creds, KeyPair};
use super::folder::prekey_id;
use super::read_json;
use crate::ReadError;
use crate::link::{Imported, Report, Service};

/// Longest single file read; our own bound. All sessions are in it.
pub const MAX_SINGLE_FILE_LEN: usize = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct SingleFile {
    /// Absent in files of the time before multi-device, which hold no link of today.
    creds: Option<Creds>,
    #[serde(default)]
    keys: Keys,
}

type Others = BTreeMap<String, IgnoredAny>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    pre_keys: BTreeMap<String, Option<KeyPair>>,
    sessions: Others,
    sender_keys: Others,
    app_state_sync_keys: Others,
    app_state_versions: Others,
    sender_key_memory: Others,
}

pub(super) fn read(path: &Path, service: &Service) -> Result<Imported, ReadError> {
    let file: SingleFile = read_json(path, MAX_SINGLE_FILE_LEN)?;
    let Some(creds) = file.creds else {
        return Err(ReadError::Content {
            path: path.to_owned(),
            why: "it has no \"creds\": it is of the time before linked devices, or something else"
                .to_owned(),
        });
    };
    let keys = file.keys;
    let mut prekeys: BTreeMap<PrekeyId, Option<KeyPair>> = BTreeMap::new();
    for (name, pair) in keys.pre_keys {
        let id = prekey_id(&name).ok_or_else(|| ReadError::Content {
            path: path.to_owned(),
            why: "a prekey without an id".to_owned(),
        })?;
        prekeys.insert(id, pair);
    }
    let next = creds.next_prekey_id(prekeys.keys().next_back().copied())?;
    let mut parts = creds.link(service)?;
    parts.next_prekey = next;
    let present: Vec<(PrekeyId, KeyPair)> = prekeys
        .into_iter()
        .filter_map(|(id, pair)| Some((id, pair?)))
        .collect();
    let mut report = Report::default();
    let excess = present.len().saturating_sub(MAX_STORED_PREKEYS);
    report.leave("prekeys, the oldest", excess);
    for (id, pair) in present.into_iter().skip(excess) {
        let key = pair.prekey(&format!("preKeys.{id}"), id, service)?;
        parts.prekeys.push(key);
    }
    report.leave("app state keys", keys.app_state_sync_keys.len());
    report.leave("app state versions", keys.app_state_versions.len());
    report.leave("notes of sender keys", keys.sender_key_memory.len());
    report.leave("sender keys", keys.sender_keys.len());
    report.leave("sessions", keys.sessions.len());
    Imported::new(parts, report)
}
