//! The store of a command: where it is, what opens it, and which of its accounts is meant.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wa_core::{Query, RecordKind};
use wa_store::{AccountInfo, KeySource, Store as _, StoreError};
use wa_store_sqlite::SqliteStore;

use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::paths::{UserFolders, key_beside};

/// Variables that replace the key file.
const KEY_VARIABLE: &str = "WA_STORE_KEY";
const PASSPHRASE_VARIABLE: &str = "WA_STORE_PASSPHRASE";

/// Label of the account made when the store has none and no other was asked for.
pub(crate) const DEFAULT_LABEL: &str = "default";

/// A place for a store, opened or not.
pub(crate) struct Place {
    path: PathBuf,
    key: KeySource,
}

impl Place {
    /// From the command line, the environment and the user's folders.
    pub(crate) fn of(args: &StoreArgs) -> Result<Self, Failure> {
        let folders = UserFolders::from_environment();
        let homeless = || {
            Failure::Usage(
                "there is no home folder to keep a store in; give --store PATH".to_owned(),
            )
        };
        let (path, key_file) = match &args.store {
            Some(path) => (path.clone(), key_beside(path)),
            None => {
                let folders = folders.ok_or_else(homeless)?;
                (folders.store(), folders.key())
            }
        };
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let key = match (&args.key_file, set(KEY_VARIABLE), set(PASSPHRASE_VARIABLE)) {
            (Some(file), ..) => KeySource::KeyFile(file.clone()),
            (None, Some(_), Some(_)) => {
                return Err(Failure::Usage(format!(
                    "set {KEY_VARIABLE} or {PASSPHRASE_VARIABLE}, not both"
                )));
            }
            (None, Some(key), None) => KeySource::Env(key.into()),
            (None, None, Some(passphrase)) => KeySource::Passphrase(passphrase.into()),
            (None, None, None) => KeySource::KeyFile(key_file),
        };
        Ok(Self { path, key })
    }

    /// A store in this folder with its key beside it.
    pub(crate) fn within(folder: &Path) -> Self {
        let path = folder.join("wa.db");
        Self {
            key: KeySource::KeyFile(key_beside(&path)),
            path,
        }
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the store, making it first if need be.
    pub(crate) async fn open(&self) -> Result<Arc<SqliteStore>, Failure> {
        let store = SqliteStore::open(&self.path, self.key.clone()).await;
        store
            .map(Arc::new)
            .map_err(|error| Failure::Store(error.to_string()))
    }

    /// Opens the store only if there is one.
    pub(crate) async fn open_existing(&self) -> Result<Arc<SqliteStore>, Failure> {
        if self.exists() {
            self.open().await
        } else {
            Err(Failure::NotLinked)
        }
    }
}

/// The account a command is about; `None` if there is none of that name, or none at all.
pub(crate) async fn find_account(
    store: &SqliteStore,
    wanted: Option<&str>,
) -> Result<Option<AccountInfo>, Failure> {
    let accounts = store.accounts().await?;
    let Some(wanted) = wanted else {
        return match accounts.len() {
            0 | 1 => Ok(accounts.into_iter().next()),
            _ => Err(Failure::Usage(format!(
                "the store holds several accounts; choose one with --account: {}",
                names(&accounts)
            ))),
        };
    };
    let mut found = accounts
        .into_iter()
        .filter(|account| account.label == wanted || account.id.as_str() == wanted);
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(Failure::Usage(format!(
            "several accounts are called {wanted}; give the id: {}",
            names(&[first, second])
        ))),
        (found, _) => Ok(found),
    }
}

/// The account a command is about, made if it is missing.
pub(crate) async fn find_or_make_account(
    store: &SqliteStore,
    wanted: Option<&str>,
) -> Result<AccountInfo, Failure> {
    if let Some(account) = find_account(store, wanted).await? {
        return Ok(account);
    }
    let id = store
        .create_account(wanted.unwrap_or(DEFAULT_LABEL))
        .await?;
    Ok(store.account(&id).await?)
}

/// Whether somebody uses the account right now, as far as the store can tell.
pub(crate) async fn is_in_use(store: &SqliteStore, account: &AccountInfo) -> Result<bool, Failure> {
    match store.lock(&account.id).await {
        Ok(_) => Ok(false),
        Err(StoreError::Locked { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Whether a logout of the account still waits to be confirmed by the server.
pub(crate) async fn has_unfinished_logout(
    store: &SqliteStore,
    account: &AccountInfo,
) -> Result<bool, Failure> {
    let records = store.load(&account.id, Query::Device).await?;
    Ok(records
        .iter()
        .any(|record| record.kind == RecordKind::Tombstone))
}

fn names(accounts: &[AccountInfo]) -> String {
    let name = |account: &AccountInfo| match account.label.as_str() {
        "" => account.id.to_string(),
        label => format!("{label} ({})", account.id),
    };
    accounts.iter().map(name).collect::<Vec<_>>().join(", ")
}
