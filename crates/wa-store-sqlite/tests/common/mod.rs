#![allow(dead_code, unreachable_pub)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use wa_core::{Changes, Record, RecordKind};
use wa_store::{AccountLock, KeySource, Store as _};
use wa_store_sqlite::SqliteStore;

/// An empty directory and a path in it for a store.
pub struct Place {
    pub directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("private/wa.db")
    }

    pub fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path(), suffix)
    }

    pub async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path(), KeySource::beside(&self.path()))
            .await
            .unwrap()
    }

    /// A connection that knows nothing of us.
    pub async fn raw(&self) -> SqliteConnection {
        let url = format!("sqlite://{}", self.path().display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    /// Runs SQL behind the store's back.
    pub async fn sql(&self, sql: &'static str) {
        let mut connection = self.raw().await;
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub fn prekey(id: u32, value: &[u8]) -> Record {
    Record::new(RecordKind::Prekey, id.to_be_bytes(), value.to_vec())
}

pub fn device(value: &[u8]) -> Record {
    Record::new(RecordKind::Device, [], value.to_vec())
}

pub fn puts(records: impl IntoIterator<Item = Record>) -> Changes {
    Changes {
        puts: records.into_iter().collect(),
        ..Changes::default()
    }
}

pub async fn locked_account(store: &SqliteStore) -> AccountLock {
    let id = store.create_account("").await.unwrap();
    store.lock(&id).await.unwrap()
}

/// Runs a test of the calling test binary as a process of its own. In an ordinary run that test finds no
/// [`child`] to be and returns at once.
pub fn spawn_child(test: &str, store: &Path, argument: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("WA_STORE_TEST_PATH", store)
        .env("WA_STORE_TEST_ARGUMENT", argument)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// In a child: the store and the argument it was given.
pub async fn child() -> Option<(SqliteStore, String)> {
    let path = PathBuf::from(std::env::var_os("WA_STORE_TEST_PATH")?);
    let store = SqliteStore::open(&path, KeySource::beside(&path))
        .await
        .unwrap();
    Some((store, std::env::var("WA_STORE_TEST_ARGUMENT").unwrap()))
}
