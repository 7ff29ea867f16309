use std::sync::Arc;
use std::time::Duration;

use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::{RwLock, RwLockReadGuard};
use wa_core::{Changes, Query, Record};
use wa_store::{
    AccountId, AccountInfo, AccountLock, NewAccount, Store, StoreError, Vault, check_changes,
    check_label, unix_ms_now,
};

use crate::error::{io_error, store_error, task_error};
use crate::lock_file::LockDir;
use crate::rows::{Account, Fault};

/// Accounts in a SQLite database. Clones share the connections.
#[derive(Clone)]
pub struct SqliteStore(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    /// The only connection that writes.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// Read-locked for as long as a transaction relies on it, so that a new key takes over between transactions.
    pub(crate) vault: RwLock<Vault>,
    pub(crate) locks: LockDir,
    pub(crate) busy_timeout: Duration,
}

impl SqliteStore {
    /// A transaction that holds the write lock from its begin, and the key that goes with what it sees.
    async fn write(&self) -> Result<Transact<'_>, StoreError> {
        let vault = self.0.vault.read().await;
        let begun = self.0.writer.begin_with("BEGIN IMMEDIATE").await;
        Ok(Transact {
            store: self,
            transaction: begun.map_err(|error| self.fault(error))?,
            vault,
        })
    }

    /// A transaction that sees one state of the database, and the key that goes with it.
    async fn read(&self) -> Result<Transact<'_>, StoreError> {
        let vault = self.0.vault.read().await;
        let begun = self.0.readers.begin_with("BEGIN").await;
        Ok(Transact {
            store: self,
            transaction: begun.map_err(|error| self.fault(error))?,
            vault,
        })
    }

    pub(crate) fn fault(&self, fault: impl Into<Fault>) -> StoreError {
        match fault.into() {
            Fault::Store(error) => error,
            Fault::Sql(error) => store_error(error, self.0.busy_timeout),
        }
    }

    /// Empties the write-ahead log, so that what was deleted is gone from it too. If readers are in the way it
    /// happens at a later checkpoint.
    async fn empty_log(&self) {
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.0.writer)
            .await;
        if let Err(error) = emptied {
            tracing::debug!(error = %self.fault(error), "the write-ahead log could not be emptied yet");
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}

impl Store for SqliteStore {
    async fn accounts(&self) -> Result<Vec<AccountInfo>, StoreError> {
        let mut at = self.read().await?;
        let accounts = Account::all(&mut at.transaction, &at.vault).await;
        Ok(accounts
            .map_err(|fault| self.fault(fault))?
            .into_iter()
            .map(|account| account.info)
            .collect())
    }

    async fn account(&self, account: &AccountId) -> Result<AccountInfo, StoreError> {
        let mut at = self.read().await?;
        Ok(at.account(account).await?.info)
    }

    async fn insert_account(&self, new: NewAccount) -> Result<(), StoreError> {
        new.check()?;
        let mut at = self.write().await?;
        Account::insert(&mut at.transaction, &at.vault, new)
            .await
            .map_err(|fault| self.fault(fault))?;
        at.commit().await
    }

    async fn set_label(&self, account: &AccountId, label: &str) -> Result<(), StoreError> {
        check_label(label)?;
        let mut at = self.write().await?;
        let mut account = at.account(account).await?;
        label.clone_into(&mut account.info.label);
        account.info.updated_unix_ms = unix_ms_now();
        account
            .update(&mut at.transaction)
            .await
            .map_err(|fault| self.fault(fault))?;
        at.commit().await
    }

    async fn lock(&self, account: &AccountId) -> Result<AccountLock, StoreError> {
        // An unknown account gets no lock file.
        self.account(account).await?;
        let (locks, id) = (self.0.locks.clone(), *account);
        let taken = tokio::task::spawn_blocking(move || locks.account(&id));
        let guard = taken
            .await
            .map_err(|error| task_error(&error))?
            .map_err(|error| io_error(&error))?
            .map_err(|holder| StoreError::Locked {
                account: *account,
                holder,
            })?;
        let mut at = self.write().await?;
        let generation = Account::next_generation(&mut at.transaction, account)
            .await
            .map_err(|fault| self.fault(fault))?;
        at.commit().await?;
        Ok(AccountLock::new(*account, generation, guard))
    }

    async fn load(&self, account: &AccountId, query: Query) -> Result<Vec<Record>, StoreError> {
        let mut at = self.read().await?;
        let account = at.account(account).await?;
        let mut records = Vec::new();
        for kind in query.kinds() {
            let of_kind = account.records(&mut at.transaction, Some(*kind)).await;
            records.extend(of_kind.map_err(|fault| self.fault(fault))?);
        }
        sort(&mut records);
        Ok(records)
    }

    async fn snapshot(
        &self,
        account: &AccountId,
    ) -> Result<(AccountInfo, Vec<Record>), StoreError> {
        let mut at = self.read().await?;
        let account = at.account(account).await?;
        let records = account.records(&mut at.transaction, None).await;
        let mut records = records.map_err(|fault| self.fault(fault))?;
        sort(&mut records);
        Ok((account.info, records))
    }

    async fn commit(&self, lock: &AccountLock, changes: Changes) -> Result<(), StoreError> {
        check_changes(&changes)?;
        let mut at = self.write().await?;
        let mut account = at.held(lock).await?;
        let wiped = changes.wipe.is_wipe();
        account
            .apply(&mut at.transaction, &at.vault, changes)
            .await
            .map_err(|fault| self.fault(fault))?;
        at.commit().await?;
        if wiped {
            self.empty_log().await;
        }
        Ok(())
    }

    async fn delete_account(&self, lock: AccountLock) -> Result<(), StoreError> {
        let mut at = self.write().await?;
        let account = at.held(&lock).await?;
        account
            .delete(&mut at.transaction)
            .await
            .map_err(|fault| self.fault(fault))?;
        at.commit().await?;
        self.empty_log().await;
        // Ids are never reused, so nobody can be waiting for a lock that still means something.
        self.0.locks.forget(lock.account());
        Ok(())
    }

    async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }
}

/// A transaction together with the key that was in force when it began.
struct Transact<'s> {
    store: &'s SqliteStore,
    transaction: Transaction<'static, Sqlite>,
    vault: RwLockReadGuard<'s, Vault>,
}

impl Transact<'_> {
    async fn account(&mut self, account: &AccountId) -> Result<Account, StoreError> {
        Account::read(&mut self.transaction, &self.vault, account)
            .await
            .map_err(|fault| self.store.fault(fault))
    }

    /// The account of a lock, if the lock is still the newest.
    async fn held(&mut self, lock: &AccountLock) -> Result<Account, StoreError> {
        let account = self.account(lock.account()).await?;
        if account.generation != lock.generation() {
            return Err(StoreError::LockLost {
                account: *lock.account(),
                held: lock.generation(),
                current: account.generation,
            });
        }
        Ok(account)
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.transaction
            .commit()
            .await
            .map_err(|error| self.store.fault(error))
    }
}

fn sort(records: &mut [Record]) {
    records.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
}
