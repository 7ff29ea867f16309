//! The single file of older versions: credentials and all keys in one object.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    pre_keys: Prekeys,
    sessions: Counted,
    sender_keys: Counted,
    app_state_sync_keys: Counted,
    app_state_versions: Counted,
    sender_key_memory: Counted,
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
    let next = creds.next_prekey_id(keys.pre_keys.highest)?;
    let mut parts = creds.link(service)?;
    parts.next_prekey = next;
    let mut report = Report::default();
    report.leave("prekeys, the oldest", keys.pre_keys.older);
    for (id, pair) in keys.pre_keys.newest {
        let key = pair.prekey(&format!("preKeys.{id}"), id, service)?;
        parts.prekeys.push(key);
    }
    report.leave("app state keys", keys.app_state_sync_keys.0);
    report.leave("app state versions", keys.app_state_versions.0);
    report.leave("notes of sender keys", keys.sender_key_memory.0);
    report.leave("sender keys", keys.sender_keys.0);
    report.leave("sessions", keys.sessions.0);
    Imported::new(parts, report)
}

/// Entries of which nothing but their number is kept.
#[derive(Default)]
struct Counted(usize);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Counted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Counted, A::Error> {
        let mut count = 0;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted(count))
    }
}

/// The newest prekeys, as many as are ever kept; the rest goes while it is read.
#[derive(Default)]
struct Prekeys {
    newest: BTreeMap<PrekeyId, KeyPair>,
    older: usize,
    /// The highest id of all, also of those whose key is gone.
    highest: Option<PrekeyId>,
}

impl Prekeys {
    fn put(&mut self, id: PrekeyId, pair: Option<KeyPair>) {
        self.highest = self.highest.max(Some(id));
        let Some(pair) = pair else { return };
        self.newest.insert(id, pair);
        if self.newest.len() > MAX_STORED_PREKEYS {
            self.newest.pop_first();
            self.older += 1;
        }
    }
}

impl<'de> Deserialize<'de> for Prekeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AllPrekeys)
    }
}

struct AllPrekeys;

impl<'de> Visitor<'de> for AllPrekeys {
    type Value = Prekeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of prekeys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Prekeys, A::Error> {
        let mut prekeys = Prekeys::default();
        while let Some(name) = entries.next_key::<String>()? {
            let id = prekey_id(&name).ok_or_else(|| A::Error::custom("a prekey without an id"))?;
            prekeys.put(id, entries.next_value()?);
        }
        Ok(prekeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_prekeys_are_held_than_are_kept() {
        for more in [0, 1, 5000] {
            let count = MAX_STORED_PREKEYS + more;
            let entries: Vec<String> = (1..=count).map(|id| format!(r#""{id}":{{}}"#)).collect();
            let text = format!(r#"{{"9999":null,{}}}"#, entries.join(","));
            let prekeys: Prekeys = serde_json::from_str(&text).unwrap();
            assert_eq!(prekeys.newest.len(), MAX_STORED_PREKEYS);
            assert_eq!(prekeys.older, more);
            let newest = prekeys.newest.keys().next_back().map(|id| id.get());
            assert_eq!(newest, u32::try_from(count).ok());
            assert_eq!(prekeys.highest, PrekeyId::new(9999));
        }
    }

    #[test]
    fn a_prekey_needs_an_id() {
        for text in [r#"{"0":{}}"#, r#"{"01":{}}"#, r#"{"x":null}"#] {
            assert!(serde_json::from_str::<Prekeys>(text).is_err(), "{text}");
        }
    }
}
