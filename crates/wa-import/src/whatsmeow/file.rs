//! The file: is it such a database, and of a version that can be read?

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::ReadError;

/// Oldest version of the tables that is read: JIDs have had their present form since.
pub const OLDEST_VERSION: i64 = 5;

/// Newest version of the tables that was looked at. A newer one is read if it says that it is compatible.
pub const NEWEST_VERSION: i64 = 14;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// An open database of a version that can be read.
pub(super) struct Database {
    pub(super) connection: SqliteConnection,
    pub(super) path: PathBuf,
}

pub(super) async fn open(path: &Path) -> Result<Database, ReadError> {
    check_header(path)?;
    let connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
        .connect()
        .await;
    let connection = connection.map_err(|error| database_error(path, &error))?;
    let mut database = Database {
        connection,
        path: path.to_owned(),
    };
    database.check_version().await?;
    Ok(database)
}

/// A pipe, a device or another file is refused before SQLite waits for it or guesses.
fn check_header(path: &Path) -> Result<(), ReadError> {
    let failed = |source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    let not_such = || ReadError::Content {
        path: path.to_owned(),
        why: "it is no SQLite database".to_owned(),
    };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(not_such());
    }
    let mut header = [0; MAGIC.len()];
    let mut file = std::fs::File::open(path).map_err(failed)?;
    match std::io::Read::read_exact(&mut file, &mut header) {
        Ok(()) if header == *MAGIC => Ok(()),
        Ok(()) => Err(not_such()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(not_such()),
        Err(error) => Err(failed(error)),
    }
}

impl Database {
    /// Newer versions write down down to which version a reader may be older.
    async fn check_version(&mut self) -> Result<(), ReadError> {
        if !self.has_column("whatsmeow_version", "version").await? {
            return Err(ReadError::Content {
                path: self.path.clone(),
                why: "it is no database of whatsmeow".to_owned(),
            });
        }
        let version = self
            .number("SELECT CAST(version AS INTEGER) FROM whatsmeow_version LIMIT 1")
            .await?
            .unwrap_or_default();
        let compatible = if self.has_column("whatsmeow_version", "compat").await? {
            self.number("SELECT CAST(compat AS INTEGER) FROM whatsmeow_version LIMIT 1")
                .await?
        } else {
            None
        };
        let needed = compatible.unwrap_or(version);
        let found = if version < OLDEST_VERSION {
            Some(version)
        } else if version > NEWEST_VERSION && needed > NEWEST_VERSION {
            Some(needed)
        } else {
            None
        };
        match found {
            Some(found) => Err(ReadError::Version {
                found,
                oldest: OLDEST_VERSION,
                newest: NEWEST_VERSION,
            }),
            None => Ok(()),
        }
    }

    pub(super) async fn has_column(
        &mut self,
        table: &str,
        column: &str,
    ) -> Result<bool, ReadError> {
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?")
                .bind(table)
                .bind(column)
                .fetch_one(&mut self.connection)
                .await
                .map_err(|error| database_error(&self.path, &error))?;
        Ok(found != 0)
    }

    async fn number(&mut self, query: &'static str) -> Result<Option<i64>, ReadError> {
        let row: Option<Option<i64>> = sqlx::query_scalar(query)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| database_error(&self.path, &error))?;
        Ok(row.flatten())
    }

    pub(super) async fn close(self) {
        // Nothing was written; a failure to close loses nothing.
        self.connection.close().await.ok();
    }
}

pub(super) fn database_error(path: &Path, error: &sqlx::Error) -> ReadError {
    let why = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} is of another form"),
        sqlx::Error::Io(error) => error.to_string(),
        _ => "SQLite cannot read it".to_owned(),
    };
    ReadError::Content {
        path: path.to_owned(),
        why,
    }
}
