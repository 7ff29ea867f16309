//! The file: is it such a database, and of a version that can be read?

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::ReadError;

/// Oldest version of the tables that is read: JIDs have had their present form since.
pub const OLDEST_VERSION: i64 = 5;

/// Newest version of the tables that was looked at. A newer one is read if it says that it is compatible.
pub const NEWEST_VERSION: i64 = 14;

/// Most instructions that SQLite may take over one import; our own bound. A store of a million contacts stays far
/// below it, and at the bound some ten seconds have passed.
pub const MAX_STEPS: u64 = 500_000_000;

/// Instructions between two looks at the count.
const STRIDE: i32 = 10_000;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

const VERSION_TABLE: &str = "whatsmeow_version";

/// Tables without which there is no link, whatever the version.
const REQUIRED: [&str; 3] = [
    "whatsmeow_device",
    "whatsmeow_pre_keys",
    "whatsmeow_identity_keys",
];

/// An open database.
pub(super) struct Database {
    pub(super) connection: SqliteConnection,
    pub(super) path: PathBuf,
    limit: u64,
}

/// Opens the file, and begins the transaction that everything is read in. Never more than `limit` instructions are
/// taken over it.
pub(super) async fn open(path: &Path, limit: u64) -> Result<Database, ReadError> {
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
        limit,
    };
    database.bound().await?;
    sqlx::query("BEGIN")
        .execute(&mut database.connection)
        .await
        .map_err(|error| database.error(&error))?;
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
    /// Counts the instructions, and ends the query that goes beyond the limit.
    async fn bound(&mut self) -> Result<(), ReadError> {
        let limit = self.limit;
        let mut steps = 0;
        let handle = self.connection.lock_handle().await;
        let mut handle = handle.map_err(|error| database_error(&self.path, &error))?;
        handle.set_progress_handler(STRIDE, move || {
            steps += u64::from(STRIDE.unsigned_abs());
            steps <= limit
        });
        Ok(())
    }

    /// What is read is tables of rows: a view, a virtual table or a computed column may run anything.
    pub(super) async fn check_tables(&mut self) -> Result<(), ReadError> {
        for table in REQUIRED {
            if !self.is_plain_table(table).await? {
                return Err(ReadError::Content {
                    path: self.path.clone(),
                    why: format!("{table} is no plain table"),
                });
            }
        }
        Ok(())
    }

    async fn is_plain_table(&mut self, table: &str) -> Result<bool, ReadError> {
        let plain: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 AND rootpage > 0
             AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1) WHERE hidden <> 0)",
        )
        .bind(table)
        .fetch_one(&mut self.connection)
        .await
        .map_err(|error| self.error(&error))?;
        Ok(plain == 1)
    }

    /// Newer versions write down down to which version a reader may be older.
    pub(super) async fn check_version(&mut self) -> Result<(), ReadError> {
        if !self.has_column(VERSION_TABLE, "version").await? {
            return Err(ReadError::Content {
                path: self.path.clone(),
                why: "it is no database of whatsmeow".to_owned(),
            });
        }
        let version = self
            .number("SELECT CASE WHEN octet_length(version) <= 20 THEN CAST(version AS INTEGER) END FROM whatsmeow_version LIMIT 1")
            .await?
            .unwrap_or_default();
        let compatible = if self.has_column(VERSION_TABLE, "compat").await? {
            self.number("SELECT CASE WHEN octet_length(compat) <= 20 THEN CAST(compat AS INTEGER) END FROM whatsmeow_version LIMIT 1")
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
        if !self.is_plain_table(table).await? {
            return Ok(false);
        }
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?")
                .bind(table)
                .bind(column)
                .fetch_one(&mut self.connection)
                .await
                .map_err(|error| self.error(&error))?;
        Ok(found != 0)
    }

    async fn number(&mut self, query: &'static str) -> Result<Option<i64>, ReadError> {
        let row: Option<Option<i64>> = sqlx::query_scalar(query)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))?;
        Ok(row.flatten())
    }

    pub(super) fn error(&self, error: &sqlx::Error) -> ReadError {
        match error {
            // Source: SQLite, Result and Error Codes: 9 is SQLITE_INTERRUPT.
            sqlx::Error::Database(cause) if cause.code().as_deref() == Some("9") => {
                ReadError::TooMuchWork {
                    path: self.path.clone(),
                    limit: self.limit,
                }
            }
            error => database_error(&self.path, error),
        }
    }

    pub(super) async fn close(self) {
        // Nothing was written; a failure to close loses nothing.
        self.connection.close().await.ok();
    }
}

fn database_error(path: &Path, error: &sqlx::Error) -> ReadError {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What counting so many rows comes to under a limit.
    async fn count(rows: u32, limit: u64) -> Result<Option<i64>, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let written = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .connect()
            .await;
        let mut written = written.unwrap();
        for statement in [
            "CREATE TABLE t (i INTEGER)".to_owned(),
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO t SELECT i FROM n"
            ),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut written)
                .await
                .unwrap();
        }
        written.close().await.unwrap();
        let mut database = open(&path, limit).await.unwrap();
        let counted = database.number("SELECT count(*) FROM t WHERE i > 0").await;
        database.close().await;
        counted
    }

    #[tokio::test]
    async fn the_work_is_bounded() {
        assert_eq!(count(100_000, 1_000_000).await.unwrap(), Some(100_000));
        let error = count(100_000, 100_000).await.unwrap_err();
        let ReadError::TooMuchWork { limit, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(limit, 100_000);
    }
}
