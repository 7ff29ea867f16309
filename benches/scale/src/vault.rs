//! The store of all accounts, and what an account costs that lies in memory instead.

use crate::arguments::Arguments;
use crate::{Failure, heap};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wa_core::Changes;
use wa_store::{KeySource, MemoryStore, Store as _};
use wa_store_sqlite::SqliteStore;

/// What the memory store holds for one linked account.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

pub(crate) async fn open(arguments: &Arguments) -> Result<Arc<SqliteStore>, Failure> {
    let path = arguments.database();
    Ok(Arc::new(
        SqliteStore::open(&path, KeySource::beside(&path)).await?,
    ))
}

/// Copies some accounts into a memory store and weighs it.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let store = open(arguments).await?;
    let mut accounts = store.accounts().await?;
    accounts.truncate(arguments.sessions);
    let memory = MemoryStore::new();
    let mut records = 0;
    let before = heap::live();
    for account in &accounts {
        let (_, found) = store.snapshot(&account.id).await?;
        records += found.len();
        let copy = memory.create_account("").await?;
        let lock = memory.lock(&copy).await?;
        let changes = Changes {
            puts: found,
            ..Changes::default()
        };
        memory.commit(&lock, changes).await?;
    }
    let bytes = heap::live().saturating_sub(before);
    let count = accounts.len().max(1);
    let kept = Kept {
        records: records / count,
        bytes: bytes / count,
    };
    println!("{}", serde_json::to_string(&kept)?);
    Ok(())
}
