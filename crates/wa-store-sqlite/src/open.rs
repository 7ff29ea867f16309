use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::RwLock;
use wa_store::{KeyError, KeySource, StoreError, Vault, create_private_dir, open_private_file};

use crate::error::{OpenError, io_error, store_error, task_error};
use crate::lock_file::{LockDir, LockFile};
use crate::options::SqliteOptions;
use crate::schema;
use crate::store::{Inner, SqliteStore};

const PAGE_BYTES: u64 = 4096;

/// The write-ahead log is cut back to this size after a checkpoint.
const JOURNAL_BYTES: u64 = 4 * 1024 * 1024;

impl SqliteStore {
    /// Opens the store at this path, with the default options; makes it if there is none.
    ///
    /// The key is tried first: a wrong one, or a new one that is too weak, leaves everything as it is.
    pub async fn open(path: impl AsRef<Path>, key: KeySource) -> Result<Self, OpenError> {
        Self::open_with(path, key, SqliteOptions::default()).await
    }

    /// Opens the store at this path; makes it if there is none.
    pub async fn open_with(
        path: impl AsRef<Path>,
        key: KeySource,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        let opening = Opening {
            path: path.as_ref().to_owned(),
            key,
            options,
        };
        let path = opening.path.clone();
        opening.run().await.map_err(|fault| fault.at(path))
    }
}

struct Opening {
    path: PathBuf,
    key: KeySource,
    options: SqliteOptions,
}

impl Opening {
    async fn run(self) -> Result<SqliteStore, Fault> {
        let (place, _opening) = self.prepare().await?;
        let found = if place.exists {
            self.look(&place.database).await?
        } else {
            Found::Empty
        };
        let vault = self.vault(&found).await?;
        if !place.exists {
            open_private_file(&place.database).map_err(|error| io_error(&error))?;
        }
        let writer = self.writer(&place.database).await?;
        let opened = self.settle(&writer, &place, found, &vault).await;
        if let Err(fault) = opened {
            writer.close().await;
            return Err(fault);
        }
        Ok(SqliteStore(Arc::new(Inner {
            readers: self.readers(&place.database),
            writer,
            vault: RwLock::new(vault),
            locks: place.locks,
            busy_timeout: self.options.busy_timeout,
        })))
    }

    /// Makes the directory, and keeps other processes from opening the store until we have.
    async fn prepare(&self) -> Result<(Place, LockFile), Fault> {
        let path = self.path.clone();
        let wait = self.options.busy_timeout;
        let prepared = tokio::task::spawn_blocking(move || -> io::Result<_> {
            let place = Place::of(&path)?;
            let lock = place.locks.opening(wait)?;
            // Looked at under the lock: whoever had it may just have made the store.
            let exists = place.database.try_exists()?;
            let foreign = exists && !begins_like_sqlite(&place.database)?;
            Ok((Place { exists, ..place }, lock, foreign))
        });
        let (place, lock, foreign) = prepared
            .await
            .map_err(|error| task_error(&error))?
            .map_err(|error| io_error(&error))?;
        if foreign {
            return Err(Fault::NotAStore);
        }
        let lock = lock.ok_or_else(|| self.busy())?;
        Ok((place, lock))
    }

    /// Looks into a file that exists and changes nothing of it.
    async fn look(&self, database: &Path) -> Result<Found, Fault> {
        let options = self.connection(database);
        let mut connection = options.connect().await.map_err(|error| self.fault(error))?;
        let found = look(&mut connection)
            .await
            .map_err(|error| self.fault(error));
        connection
            .close()
            .await
            .map_err(|error| self.fault(error))?;
        match found? {
            Found::Other => Err(Fault::NotAStore),
            Found::Store { version, .. } if version > schema::VERSION => {
                Err(Fault::Newer { version })
            }
            found => Ok(found),
        }
    }

    /// Proves the key. A passphrase computes for a good part of a second, so it has a thread of its own.
    async fn vault(&self, found: &Found) -> Result<Vault, Fault> {
        let key = self.key.clone();
        let header = match found {
            Found::Store {
                header, accounts, ..
            } => match header {
                Some(header) => Some(header.clone()),
                None if *accounts => return Err(KeyError::DamagedHeader.into()),
                // Its making was cut short after the first migration.
                None => None,
            },
            _ => None,
        };
        let vault = tokio::task::spawn_blocking(move || match header {
            Some(header) => Vault::open(&key, &header),
            None => Vault::create(&key),
        });
        Ok(vault.await.map_err(|error| task_error(&error))??)
    }

    /// Brings the database to the newest format and writes the header of a new one.
    async fn settle(
        &self,
        writer: &SqlitePool,
        place: &Place,
        found: Found,
        vault: &Vault,
    ) -> Result<(), Fault> {
        schema::migrate(writer)
            .await
            .map_err(|error| self.fault(error))?;
        let has_header = matches!(
            found,
            Found::Store {
                header: Some(_),
                ..
            }
        );
        if !has_header {
            sqlx::query("INSERT INTO store (id, header) VALUES (1, ?)")
                .bind(vault.header())
                .execute(writer)
                .await
                .map_err(|error| self.fault(error))?;
        }
        // It is ours beyond doubt now, so it may be shut to others; opening it does that.
        open_private_file(&place.database).map_err(|error| io_error(&error))?;
        Ok(())
    }

    async fn writer(&self, database: &Path) -> Result<SqlitePool, Fault> {
        let mut options = self
            .connection(database)
            .journal_mode(SqliteJournalMode::Wal)
            // In WAL mode anything less loses the last commits when the machine fails.
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .pragma("journal_size_limit", JOURNAL_BYTES.to_string());
        if let Some(bytes) = self.options.max_bytes {
            options = options.pragma("max_page_count", (bytes / PAGE_BYTES).max(1).to_string());
        }
        self.pool(1)
            .connect_with(options)
            .await
            .map_err(|error| self.fault(error))
    }

    fn readers(&self, database: &Path) -> SqlitePool {
        self.pool(self.options.readers.max(1))
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(self.connection(database).read_only(true))
    }

    fn connection(&self, database: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(database)
            .busy_timeout(self.options.busy_timeout)
            .foreign_keys(true)
            .pragma("cell_size_check", "ON")
            .pragma("trusted_schema", "OFF")
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging()
    }

    fn pool(&self, connections: u32) -> SqlitePoolOptions {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.options.busy_timeout.max(Duration::from_secs(1)))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false)
    }

    fn busy(&self) -> StoreError {
        store_error(sqlx::Error::PoolTimedOut, self.options.busy_timeout)
    }

    fn fault(&self, error: sqlx::Error) -> Fault {
        Fault::Store(store_error(error, self.options.busy_timeout))
    }
}

/// Where a store is, whatever links lead there: two processes must agree on the lock files.
struct Place {
    database: PathBuf,
    locks: LockDir,
    exists: bool,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        create_private_dir(parent)?;
        let database = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = path.file_name().ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidInput, "the path names no file")
                })?;
                parent.canonicalize()?.join(name)
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            locks: LockDir::of(&database),
            database,
            exists: false,
        })
    }
}

/// What a file turned out to be.
enum Found {
    /// Nothing is in it yet.
    Empty,
    /// A database of something else.
    Other,
    /// A store.
    Store {
        version: u32,
        header: Option<Vec<u8>>,
        accounts: bool,
    },
}

async fn look(connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
    let application: u32 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    let version: u32 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?;
    if application != schema::APPLICATION_ID {
        return Ok(if tables == 0 && application == 0 {
            Found::Empty
        } else {
            Found::Other
        });
    }
    if version > schema::VERSION {
        // What a newer version keeps where is not for us to read.
        return Ok(Found::Store {
            version,
            header: None,
            accounts: true,
        });
    }
    let header = sqlx::query_scalar("SELECT header FROM store WHERE id = 1")
        .fetch_optional(&mut *connection)
        .await?;
    let accounts = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM account)")
        .fetch_one(&mut *connection)
        .await?;
    Ok(Found::Store {
        version,
        header,
        accounts,
    })
}

/// Whether a file is empty or begins as every SQLite database does.
fn begins_like_sqlite(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut begin)?;
    Ok(begin.is_empty() || begin == b"SQLite format 3\0")
}

/// An [`OpenError`] that does not know its path yet.
enum Fault {
    Key(KeyError),
    Newer { version: u32 },
    NotAStore,
    Store(StoreError),
}

impl Fault {
    fn at(self, path: PathBuf) -> OpenError {
        match self {
            Self::Key(cause) => OpenError::Key { path, cause },
            Self::Newer { version } => OpenError::Newer {
                path,
                found: version,
                known: schema::VERSION,
            },
            Self::NotAStore => OpenError::NotAStore { path },
            Self::Store(cause) => OpenError::Store { path, cause },
        }
    }
}

impl From<KeyError> for Fault {
    fn from(cause: KeyError) -> Self {
        Self::Key(cause)
    }
}

impl From<StoreError> for Fault {
    fn from(cause: StoreError) -> Self {
        Self::Store(cause)
    }
}
