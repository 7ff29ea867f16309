//! The rows of one device. What is read of a column is bounded in the query: a file of a stranger may hold anything.

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use wa_core::{MAX_IMPORTED_TEXT_LEN, MAX_STORED_PREKEYS};
use wa_pair::MAX_DEVICE_IDENTITY_LEN;
use zeroize::Zeroizing;

use super::file::Database;
use crate::ReadError;
use crate::link::Report;

/// Most devices in one file that are looked at; our own bound.
pub const MAX_DEVICES: usize = 10_000;

/// Most identity keys of other devices taken over; our own bound.
pub const MAX_PEERS: usize = 65_536;

/// Devices named in an error.
const NAMED: usize = 20;

/// Tables that have no place in our stores yet, with the column that names the device.
const OTHERS: [(&str, &str, &str); 7] = [
    ("whatsmeow_sessions", "our_jid", "sessions"),
    ("whatsmeow_sender_keys", "our_jid", "sender keys"),
    ("whatsmeow_app_state_sync_keys", "jid", "app state keys"),
    ("whatsmeow_app_state_version", "jid", "app state versions"),
    ("whatsmeow_contacts", "our_jid", "contacts"),
    ("whatsmeow_message_secrets", "our_jid", "message secrets"),
    ("whatsmeow_privacy_tokens", "our_jid", "privacy tokens"),
];

type Secret = Zeroizing<Vec<u8>>;

/// A row of `whatsmeow_device`.
pub(super) struct DeviceRow {
    pub(super) jid: String,
    pub(super) lid: Option<String>,
    pub(super) registration_id: i64,
    pub(super) noise_key: Secret,
    pub(super) identity_key: Secret,
    pub(super) signed_pre_key: Secret,
    pub(super) signed_pre_key_id: i64,
    pub(super) signed_pre_key_sig: Secret,
    pub(super) adv_key: Secret,
    pub(super) adv_details: Secret,
    pub(super) adv_account_sig: Secret,
    pub(super) adv_account_sig_key: Secret,
    pub(super) adv_device_sig: Secret,
    pub(super) platform: Option<String>,
    pub(super) business_name: Option<String>,
    pub(super) push_name: Option<String>,
    pub(super) lid_migration_ts: i64,
}

/// The newest rows of `whatsmeow_pre_keys`, and how many older ones there are.
pub(super) struct PrekeyRows {
    pub(super) keys: Vec<(i64, Secret)>,
    pub(super) older: usize,
}

/// A row of `whatsmeow_identity_keys`: whose, and the key.
pub(super) type PeerRow = (String, Vec<u8>);

impl Database {
    /// The JID of the device that is meant.
    pub(super) async fn choose(&mut self, wanted: Option<&str>) -> Result<String, ReadError> {
        let query = format!(
            "SELECT {} FROM whatsmeow_device ORDER BY jid LIMIT {}",
            text("jid"),
            MAX_DEVICES + 1
        );
        let rows = self.rows(query, None).await?;
        if rows.len() > MAX_DEVICES {
            return Err(ReadError::TooMany {
                path: self.path.clone(),
                what: "devices",
                limit: MAX_DEVICES,
            });
        }
        let mut jids = Vec::with_capacity(rows.len());
        for row in &rows {
            jids.push(self.get::<String>(row, 0)?);
        }
        choose(jids, wanted)
    }

    pub(super) async fn device(&mut self, jid: &str) -> Result<DeviceRow, ReadError> {
        // Columns that came with later versions.
        let lid = if self.has_column("whatsmeow_device", "lid").await? {
            text("lid")
        } else {
            "NULL".to_owned()
        };
        let migrated = if self
            .has_column("whatsmeow_device", "lid_migration_ts")
            .await?
        {
            number("lid_migration_ts")
        } else {
            "0".to_owned()
        };
        let columns = [
            text("jid"),
            lid,
            number("registration_id"),
            bytes("noise_key"),
            bytes("identity_key"),
            bytes("signed_pre_key"),
            number("signed_pre_key_id"),
            bytes("signed_pre_key_sig"),
            bytes("adv_key"),
            bytes("adv_details"),
            bytes("adv_account_sig"),
            bytes("adv_account_sig_key"),
            bytes("adv_device_sig"),
            text("platform"),
            text("business_name"),
            text("push_name"),
            migrated,
        ];
        let query = format!(
            "SELECT {} FROM whatsmeow_device WHERE jid = ? LIMIT 1",
            columns.join(", ")
        );
        let rows = self.rows(query, Some(jid)).await?;
        let row = rows.first().ok_or(ReadError::NoDevice)?;
        Ok(DeviceRow {
            jid: self.get(row, 0)?,
            lid: self.get(row, 1)?,
            registration_id: self.get(row, 2)?,
            noise_key: self.secret(row, 3)?,
            identity_key: self.secret(row, 4)?,
            signed_pre_key: self.secret(row, 5)?,
            signed_pre_key_id: self.get(row, 6)?,
            signed_pre_key_sig: self.secret(row, 7)?,
            adv_key: self.secret(row, 8)?,
            adv_details: self.secret(row, 9)?,
            adv_account_sig: self.secret(row, 10)?,
            adv_account_sig_key: self.secret(row, 11)?,
            adv_device_sig: self.secret(row, 12)?,
            platform: self.get(row, 13)?,
            business_name: self.get(row, 14)?,
            push_name: self.get(row, 15)?,
            lid_migration_ts: self.get(row, 16)?,
        })
    }

    pub(super) async fn prekeys(&mut self, jid: &str) -> Result<PrekeyRows, ReadError> {
        let query = format!(
            "SELECT {}, {} FROM whatsmeow_pre_keys WHERE jid = ? ORDER BY key_id DESC LIMIT {MAX_STORED_PREKEYS}",
            number("key_id"),
            bytes("key")
        );
        let rows = self.rows(query, Some(jid)).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push((self.get(row, 0)?, self.secret(row, 1)?));
        }
        let all = self.count("whatsmeow_pre_keys", "jid", jid).await?;
        Ok(PrekeyRows {
            older: all.saturating_sub(keys.len()),
            keys,
        })
    }

    pub(super) async fn peers(&mut self, jid: &str) -> Result<Vec<PeerRow>, ReadError> {
        let query = format!(
            "SELECT {}, {} FROM whatsmeow_identity_keys WHERE our_jid = ? LIMIT {}",
            text("their_id"),
            bytes("identity"),
            MAX_PEERS + 1
        );
        let rows = self.rows(query, Some(jid)).await?;
        if rows.len() > MAX_PEERS {
            return Err(ReadError::TooMany {
                path: self.path.clone(),
                what: "identity keys",
                limit: MAX_PEERS,
            });
        }
        let mut peers = Vec::with_capacity(rows.len());
        for row in &rows {
            peers.push((self.get(row, 0)?, self.get(row, 1)?));
        }
        Ok(peers)
    }

    /// Counts what cannot be taken over yet.
    pub(super) async fn left_behind(&mut self, jid: &str) -> Result<Report, ReadError> {
        let mut report = Report::default();
        for (table, column, what) in OTHERS {
            if self.has_column(table, column).await? {
                report.leave(what, self.count(table, column, jid).await?);
            }
        }
        Ok(report)
    }

    async fn count(
        &mut self,
        table: &'static str,
        column: &'static str,
        jid: &str,
    ) -> Result<usize, ReadError> {
        let query = format!("SELECT count(*) FROM {table} WHERE {column} = ?");
        let rows = self.rows(query, Some(jid)).await?;
        let count: i64 = match rows.first() {
            Some(row) => self.get(row, 0)?,
            None => 0,
        };
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// `query` is put together from constants of this file; what the user gave is bound.
    async fn rows(
        &mut self,
        query: String,
        jid: Option<&str>,
    ) -> Result<Vec<SqliteRow>, ReadError> {
        let mut query = sqlx::query(AssertSqlSafe(query));
        if let Some(jid) = jid {
            query = query.bind(jid.to_owned());
        }
        query
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))
    }

    fn get<'r, T>(&self, row: &'r SqliteRow, column: usize) -> Result<T, ReadError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        row.try_get(column).map_err(|error| self.error(&error))
    }

    fn secret(&self, row: &SqliteRow, column: usize) -> Result<Secret, ReadError> {
        self.get(row, column).map(Zeroizing::new)
    }
}

fn choose(mut jids: Vec<String>, wanted: Option<&str>) -> Result<String, ReadError> {
    if jids.is_empty() {
        return Err(ReadError::NoDevice);
    }
    if let Some(wanted) = wanted {
        let is_meant = |jid: &String| {
            let number = wanted.strip_prefix('+').unwrap_or(wanted);
            let (user, server) = jid.split_once('@').unwrap_or((jid, ""));
            let user = user.split([':', '.']).next().unwrap_or_default();
            jid == wanted || user == number || wanted.split_once('@') == Some((user, server))
        };
        if !jids.iter().any(is_meant) {
            jids.truncate(NAMED);
            return Err(ReadError::OtherDevices { jids });
        }
        jids.retain(is_meant);
    }
    match (jids.pop(), jids.is_empty()) {
        (Some(jid), true) => Ok(jid),
        (last, _) => {
            jids.extend(last);
            jids.truncate(NAMED);
            Err(ReadError::SeveralDevices { jids })
        }
    }
}

/// No value that is longer than this is used whole anywhere, so one byte more shows that there was more.
const MAX_VALUE_LEN: usize = max(MAX_IMPORTED_TEXT_LEN, MAX_DEVICE_IDENTITY_LEN);

const fn max(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

/// Longest number, written out.
const MAX_NUMBER_LEN: usize = 20;

/// A value of up to `limit` bytes. Of a longer one SQLite looks at the length alone, and one zero byte more than the
/// limit stands for it.
fn up_to(column: &str, limit: usize) -> String {
    let more = limit + 1;
    format!("CASE WHEN octet_length({column}) > {limit} THEN zeroblob({more}) ELSE {column} END")
}

fn bytes(column: &str) -> String {
    format!("CAST({} AS BLOB)", up_to(column, MAX_VALUE_LEN))
}

fn text(column: &str) -> String {
    format!("CAST({} AS TEXT)", up_to(column, MAX_VALUE_LEN))
}

fn number(column: &str) -> String {
    format!("CAST({} AS INTEGER)", up_to(column, MAX_NUMBER_LEN))
}
