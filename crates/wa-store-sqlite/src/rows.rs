use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};
use wa_core::{Changes, Desired, LinkState, Record, RecordKind, Wipe};
use wa_store::{
    AccountId, AccountInfo, AccountSealer, NewAccount, Profile, RandomError, Slot, StoreError,
    UnsealError, Vault, arriving_device, unix_ms_now,
};

type Tx = Transaction<'static, Sqlite>;

/// Rows per statement where many go in or out. Ours: 4 parameters each stay far below SQLite's 32,766, and larger
/// statements gain nothing any more.
const ROWS_PER_STATEMENT: usize = 200;

/// Why something inside a transaction failed.
pub(crate) enum Fault {
    Store(StoreError),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RandomError> for Fault {
    fn from(error: RandomError) -> Self {
        Self::Store(error.into())
    }
}

/// The row of an account, opened.
pub(crate) struct Account {
    pub(crate) info: AccountInfo,
    pub(crate) generation: u64,
    sealer: AccountSealer,
}

impl Account {
    pub(crate) async fn read(
        tx: &mut Tx,
        vault: &Vault,
        account: &AccountId,
    ) -> Result<Self, Fault> {
        let row = sqlx::query("SELECT * FROM account WHERE id = ?")
            .bind(account.as_str())
            .fetch_optional(&mut **tx)
            .await?
            .ok_or(StoreError::UnknownAccount { account: *account })?;
        Self::open(tx, vault, &row).await
    }

    /// Every account, ordered by creation time, then id.
    pub(crate) async fn all(tx: &mut Tx, vault: &Vault) -> Result<Vec<Self>, Fault> {
        let rows = sqlx::query("SELECT * FROM account ORDER BY created_unix_ms, id")
            .fetch_all(&mut **tx)
            .await?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in &rows {
            accounts.push(Self::open(tx, vault, row).await?);
        }
        Ok(accounts)
    }

    /// Refuses a device that another account is linked as. Rows that do not open hold nothing that could log in.
    pub(crate) async fn refuse_double(
        tx: &mut Tx,
        vault: &Vault,
        account: &AccountId,
        jid: &str,
    ) -> Result<(), Fault> {
        let rows = sqlx::query("SELECT * FROM account WHERE id <> ?")
            .bind(account.as_str())
            .fetch_all(&mut **tx)
            .await?;
        for row in &rows {
            match Self::open(tx, vault, row).await {
                Ok(other) if other.info.jid.as_deref() == Some(jid) => {
                    let account = other.info.id;
                    return Err(StoreError::DeviceHeld { account }.into());
                }
                Ok(_) | Err(Fault::Store(StoreError::Unseal { .. })) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    pub(crate) async fn insert(tx: &mut Tx, vault: &Vault, new: NewAccount) -> Result<(), Fault> {
        if !is_current(tx, vault).await? {
            return Err(StoreError::KeyChanged.into());
        }
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM account WHERE id = ?)")
            .bind(new.id.as_str())
            .fetch_one(&mut **tx)
            .await?;
        if exists {
            return Err(StoreError::AccountExists { account: new.id }.into());
        }
        if let Some(identity) = &new.contents.identity {
            Self::refuse_double(tx, vault, &new.id, &identity.jid.to_string()).await?;
        }
        let (sealer, data_key) = vault.new_account(&new.id)?;
        let mut account = Self {
            info: AccountInfo::new(new.id, new.label, unix_ms_now()),
            generation: 0,
            sealer,
        };
        sqlx::query(
            "INSERT INTO account (id, data_key, profile, link, desired, since_unix_ms, created_unix_ms, updated_unix_ms)
             VALUES (?, ?, x'', '', '', 0, ?, 0)",
        )
        .bind(new.id.as_str())
        .bind(data_key)
        .bind(signed(account.info.created_unix_ms))
        .execute(&mut **tx)
        .await?;
        account.apply(tx, vault, new.contents).await
    }

    /// Counts one more lock of the account.
    pub(crate) async fn next_generation(tx: &mut Tx, account: &AccountId) -> Result<u64, Fault> {
        let generation: Option<i64> = sqlx::query_scalar(
            "UPDATE account SET generation = generation + 1 WHERE id = ? RETURNING generation",
        )
        .bind(account.as_str())
        .fetch_optional(&mut **tx)
        .await?;
        Ok(generation
            .ok_or(StoreError::UnknownAccount { account: *account })?
            .cast_unsigned())
    }

    /// Applies a commit: wipe, deletes, puts, facts.
    pub(crate) async fn apply(
        &mut self,
        tx: &mut Tx,
        vault: &Vault,
        changes: Changes,
    ) -> Result<(), Fault> {
        if let Some(jid) = arriving_device(&changes) {
            Self::refuse_double(tx, vault, &self.info.id, &jid).await?;
        }
        self.info.apply(&changes, unix_ms_now());
        if changes.wipe.is_wipe() {
            self.wipe(tx, vault, &changes.wipe).await?;
        }
        self.delete_records(tx, &changes.deletes).await?;
        self.put_records(tx, &changes.puts).await?;
        self.update(tx).await
    }

    /// Writes the row back, all but the data key and the generation.
    pub(crate) async fn update(&self, tx: &mut Tx) -> Result<(), Fault> {
        let profile = Profile {
            label: self.info.label.clone(),
            jid: self.info.jid.clone(),
            lid: self.info.lid.clone(),
            platform: self.info.platform.clone(),
        };
        sqlx::query(
            "UPDATE account SET profile = ?, link = ?, desired = ?, since_unix_ms = ?, updated_unix_ms = ? WHERE id = ?",
        )
        .bind(self.sealer.seal_profile(&profile)?)
        .bind(self.info.link.name())
        .bind(self.info.desired.name())
        .bind(signed(self.info.since_unix_ms))
        .bind(signed(self.info.updated_unix_ms))
        .bind(self.info.id.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, tx: &mut Tx) -> Result<(), Fault> {
        sqlx::query("DELETE FROM account WHERE id = ?")
            .bind(self.info.id.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Records of one kind, or all, in no particular order.
    pub(crate) async fn records(
        &self,
        tx: &mut Tx,
        kind: Option<RecordKind>,
    ) -> Result<Vec<Record>, Fault> {
        let rows = match kind {
            Some(kind) => {
                sqlx::query("SELECT kind, slot, sealed FROM record WHERE account = ? AND kind = ?")
                    .bind(self.info.id.as_str())
                    .bind(kind.code())
                    .fetch_all(&mut **tx)
                    .await?
            }
            None => {
                sqlx::query("SELECT kind, slot, sealed FROM record WHERE account = ?")
                    .bind(self.info.id.as_str())
                    .fetch_all(&mut **tx)
                    .await?
            }
        };
        rows.iter().map(|row| self.open_record(row)).collect()
    }

    async fn open(tx: &mut Tx, vault: &Vault, row: &SqliteRow) -> Result<Self, Fault> {
        let id: AccountId = text(row, "id", |id| id.parse().ok())?;
        let unseal = |cause| StoreError::Unseal { account: id, cause };
        let data_key: &[u8] = row.try_get("data_key")?;
        let sealer = match vault.account(&id, data_key) {
            Ok(sealer) => sealer,
            Err(_) if !is_current(tx, vault).await? => return Err(StoreError::KeyChanged.into()),
            Err(cause) => return Err(unseal(cause).into()),
        };
        let profile = sealer
            .open_profile(row.try_get("profile")?)
            .map_err(unseal)?;
        Ok(Self {
            info: AccountInfo {
                id,
                label: profile.label.clone(),
                jid: profile.jid.clone(),
                lid: profile.lid.clone(),
                platform: profile.platform.clone(),
                link: text(row, "link", LinkState::from_name)?,
                desired: text(row, "desired", Desired::from_name)?,
                since_unix_ms: unsigned(row, "since_unix_ms")?,
                created_unix_ms: unsigned(row, "created_unix_ms")?,
                updated_unix_ms: unsigned(row, "updated_unix_ms")?,
            },
            generation: unsigned(row, "generation")?,
            sealer,
        })
    }

    fn open_record(&self, row: &SqliteRow) -> Result<Record, Fault> {
        let kind: u16 = row.try_get("kind")?;
        let slot: &[u8] = row.try_get("slot")?;
        let sealed: &[u8] = row.try_get("sealed")?;
        let opened =
            Slot::try_from(slot).and_then(|slot| self.sealer.open_record(kind, slot, sealed));
        opened.map_err(|cause: UnsealError| {
            let account = self.info.id;
            StoreError::Unseal { account, cause }.into()
        })
    }

    /// Deletes the records and goes on under a fresh data key, so that copies of the old rows, in backups or in
    /// flash cells that were never overwritten, do not open with what the store holds from now on. Records that
    /// stay are sealed anew.
    async fn wipe(&mut self, tx: &mut Tx, vault: &Vault, wipe: &Wipe) -> Result<(), Fault> {
        let id = self.info.id;
        let mut kept = Vec::new();
        for kind in RecordKind::ALL {
            if wipe.keeps(*kind) {
                kept.extend(self.records(tx, Some(*kind)).await?);
            }
        }
        sqlx::query("DELETE FROM record WHERE account = ?")
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        let (sealer, data_key) = vault.new_account(&id)?;
        sqlx::query("UPDATE account SET data_key = ? WHERE id = ?")
            .bind(data_key)
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        self.sealer = sealer;
        self.put_records(tx, &kept).await
    }

    async fn delete_records(
        &self,
        tx: &mut Tx,
        deletes: &[(RecordKind, Vec<u8>)],
    ) -> Result<(), Fault> {
        for chunk in deletes.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM record WHERE account = ");
            query.push_bind(self.info.id.as_str().to_owned());
            query.push(" AND (kind, slot) IN (");
            query.push_values(chunk, |mut row, (kind, key)| {
                let slot = self.sealer.slot(*kind, key);
                row.push_bind(kind.code())
                    .push_bind(slot.as_bytes().to_vec());
            });
            query.push(")").build().execute(&mut **tx).await?;
        }
        Ok(())
    }

    async fn put_records(&self, tx: &mut Tx, puts: &[Record]) -> Result<(), Fault> {
        for chunk in puts.chunks(ROWS_PER_STATEMENT) {
            let mut rows = Vec::with_capacity(chunk.len());
            for record in chunk {
                let (slot, sealed) = self.sealer.seal_record(record)?;
                rows.push((record.kind.code(), slot, sealed));
            }
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO record (account, kind, slot, sealed) ",
            );
            query.push_values(rows, |mut row, (kind, slot, sealed)| {
                row.push_bind(self.info.id.as_str().to_owned())
                    .push_bind(kind)
                    .push_bind(slot.as_bytes().to_vec())
                    .push_bind(sealed);
            });
            query.build().execute(&mut **tx).await?;
        }
        Ok(())
    }
}

/// Whether the store's key is still the one it was opened with.
pub(crate) async fn is_current(tx: &mut Tx, vault: &Vault) -> Result<bool, sqlx::Error> {
    let header: Option<Vec<u8>> = sqlx::query_scalar("SELECT header FROM store WHERE id = 1")
        .fetch_optional(&mut **tx)
        .await?;
    Ok(header.as_deref() == Some(vault.header()))
}

/// Wraps the key of every account for another master key, and puts its header in place.
pub(crate) async fn rewrap(tx: &mut Tx, from: &Vault, to: &Vault) -> Result<(), Fault> {
    if !is_current(tx, from).await? {
        return Err(StoreError::KeyChanged.into());
    }
    let rows = sqlx::query("SELECT id, data_key FROM account")
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        let id: AccountId = text(row, "id", |id| id.parse().ok())?;
        let wrapped =
            from.rewrap(&id, row.try_get("data_key")?, to)
                .map_err(|error| match error {
                    wa_store::RewrapError::Unseal(cause) => {
                        StoreError::Unseal { account: id, cause }
                    }
                    wa_store::RewrapError::Random(error) => error.into(),
                    other => StoreError::Backend {
                        detail: other.to_string(),
                    },
                })?;
        sqlx::query("UPDATE account SET data_key = ? WHERE id = ?")
            .bind(wrapped)
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("UPDATE store SET header = ? WHERE id = 1")
        .bind(to.header())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// SQLite's integers are signed; times and counters stay far below where that matters.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(row: &SqliteRow, column: &'static str) -> Result<u64, Fault> {
    let value: i64 = row.try_get(column)?;
    Ok(u64::try_from(value).map_err(|_| damaged(column))?)
}

fn text<T>(
    row: &SqliteRow,
    column: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Fault> {
    let value: &str = row.try_get(column)?;
    Ok(read(value).ok_or_else(|| damaged(column))?)
}

fn damaged(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        detail: format!("column {column} holds something else than it should"),
    }
}
