use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wa_core::{Changes, Query, Record, RecordKind, SecretBytes};

use crate::account::{AccountId, AccountInfo, NewAccount, arriving_device, check_label};
use crate::clock::unix_ms_now;
use crate::error::StoreError;
use crate::limits::check_changes;
use crate::lock::{AccountLock, LockHolder};
use crate::store::Store;

/// A store in memory, for tests and for accounts that need not outlive the process. Clones share their contents.
///
/// Nothing is sealed, since nothing leaves the process; records are wiped when they go.
#[derive(Clone, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
    closed: Arc<AtomicBool>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle on the same contents, as if the store had been opened anew: closing one leaves the other open.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self {
            contents: Arc::clone(&self.contents),
            closed: Arc::default(),
        }
    }

    // Contents are changed only after every check has passed, so a panic elsewhere leaves them whole.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Contents>, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        Ok(self.contents())
    }

    fn free(&self, account: &AccountId) {
        if let Some(entry) = self.contents().accounts.get_mut(account) {
            entry.locked_since = None;
        }
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Store for MemoryStore {
    async fn accounts(&self) -> Result<Vec<AccountInfo>, StoreError> {
        let mut accounts: Vec<_> = self
            .open()?
            .accounts
            .values()
            .map(|entry| entry.info.clone())
            .collect();
        accounts.sort_by_key(|info| (info.created_unix_ms, info.id));
        Ok(accounts)
    }

    async fn account(&self, account: &AccountId) -> Result<AccountInfo, StoreError> {
        Ok(self.open()?.entry(account)?.info.clone())
    }

    async fn insert_account(&self, new: NewAccount) -> Result<(), StoreError> {
        new.check()?;
        let mut contents = self.open()?;
        if contents.accounts.contains_key(&new.id) {
            return Err(StoreError::AccountExists { account: new.id });
        }
        if let Some(identity) = &new.contents.identity {
            contents.refuse_double(&new.id, &identity.jid.to_string())?;
        }
        let mut entry = Entry::new(new.id, new.label);
        entry.apply(new.contents);
        contents.accounts.insert(new.id, entry);
        Ok(())
    }

    async fn set_label(&self, account: &AccountId, label: &str) -> Result<(), StoreError> {
        check_label(label)?;
        let mut contents = self.open()?;
        let info = &mut contents.entry(account)?.info;
        label.clone_into(&mut info.label);
        info.updated_unix_ms = unix_ms_now();
        Ok(())
    }

    async fn lock(&self, account: &AccountId) -> Result<AccountLock, StoreError> {
        let mut contents = self.open()?;
        let entry = contents.entry(account)?;
        if let Some(since) = entry.locked_since {
            return Err(StoreError::Locked {
                account: *account,
                holder: LockHolder::process(std::process::id(), since),
            });
        }
        entry.locked_since = Some(unix_ms_now());
        entry.generation += 1;
        let guard = Free {
            store: self.clone(),
            account: *account,
        };
        Ok(AccountLock::new(*account, entry.generation, guard))
    }

    async fn load(&self, account: &AccountId, query: Query) -> Result<Vec<Record>, StoreError> {
        let mut contents = self.open()?;
        let mut records = contents.entry(account)?.records();
        records.retain(|record| query.kinds().contains(&record.kind));
        Ok(records)
    }

    async fn snapshot(
        &self,
        account: &AccountId,
    ) -> Result<(AccountInfo, Vec<Record>), StoreError> {
        let mut contents = self.open()?;
        let entry = contents.entry(account)?;
        Ok((entry.info.clone(), entry.records()))
    }

    async fn commit(&self, lock: &AccountLock, changes: Changes) -> Result<(), StoreError> {
        check_changes(&changes)?;
        let mut contents = self.open()?;
        contents.held(lock)?;
        if let Some(jid) = arriving_device(&changes) {
            contents.refuse_double(lock.account(), &jid)?;
        }
        contents.held(lock)?.apply(changes);
        Ok(())
    }

    async fn delete_account(&self, lock: AccountLock) -> Result<(), StoreError> {
        {
            let mut contents = self.open()?;
            contents.held(&lock)?;
            contents.accounts.remove(lock.account());
        }
        Ok(())
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

#[derive(Default)]
struct Contents {
    accounts: BTreeMap<AccountId, Entry>,
}

impl Contents {
    fn entry(&mut self, account: &AccountId) -> Result<&mut Entry, StoreError> {
        self.accounts
            .get_mut(account)
            .ok_or(StoreError::UnknownAccount { account: *account })
    }

    /// Refuses a device that another account is linked as.
    fn refuse_double(&self, account: &AccountId, jid: &str) -> Result<(), StoreError> {
        let mut others = self.accounts.iter().filter(|(id, _)| *id != account);
        match others.find(|(_, entry)| entry.info.jid.as_deref() == Some(jid)) {
            Some((holder, _)) => Err(StoreError::DeviceHeld { account: *holder }),
            None => Ok(()),
        }
    }

    fn held(&mut self, lock: &AccountLock) -> Result<&mut Entry, StoreError> {
        let entry = self.entry(lock.account())?;
        if entry.generation != lock.generation() {
            return Err(StoreError::LockLost {
                account: *lock.account(),
                held: lock.generation(),
                current: entry.generation,
            });
        }
        Ok(entry)
    }
}

struct Entry {
    info: AccountInfo,
    generation: u64,
    locked_since: Option<u64>,
    records: BTreeMap<(RecordKind, Vec<u8>), SecretBytes>,
}

impl Entry {
    fn new(id: AccountId, label: String) -> Self {
        Self {
            info: AccountInfo::new(id, label, unix_ms_now()),
            generation: 0,
            locked_since: None,
            records: BTreeMap::new(),
        }
    }

    fn apply(&mut self, changes: Changes) {
        self.info.apply(&changes, unix_ms_now());
        self.records
            .retain(|(kind, _), _| changes.wipe.keeps(*kind));
        for key in changes.deletes {
            self.records.remove(&key);
        }
        for record in changes.puts {
            self.records.insert((record.kind, record.key), record.value);
        }
    }

    fn records(&self) -> Vec<Record> {
        self.records
            .iter()
            .map(|((kind, key), value)| Record {
                kind: *kind,
                key: key.clone(),
                value: value.clone(),
            })
            .collect()
    }
}

/// Frees the account when its lock is dropped.
struct Free {
    store: MemoryStore,
    account: AccountId,
}

impl Drop for Free {
    fn drop(&mut self) {
        self.store.free(&self.account);
    }
}
