use sqlx::{Sqlite, SqlitePool, Transaction};

/// Marks the file as ours: "WAST" in ASCII.
pub(crate) const APPLICATION_ID: u32 = 0x5741_5354;

/// The newest format; a store of version N has had the first N migrations.
pub(crate) const VERSION: u32 = 1;

/// What leads from each format to the next. Released ones never change.
const MIGRATIONS: [&str; VERSION as usize] = [include_str!("migrations/0001_first.sql")];

/// Brings the database to the newest format, one transaction per step.
pub(crate) async fn migrate(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    apply(writer, &MIGRATIONS).await
}

/// The format of the database; 0 for an empty one.
pub(crate) async fn version(
    transaction: &mut Transaction<'static, Sqlite>,
) -> Result<u32, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut **transaction)
        .await
}

async fn apply(writer: &SqlitePool, migrations: &[&'static str]) -> Result<(), sqlx::Error> {
    for (before, script) in (0..).zip(migrations) {
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        // Another process may have taken this step while we waited for the lock.
        if version(&mut transaction).await? == before {
            sqlx::raw_sql(*script).execute(&mut *transaction).await?;
            let after = before + 1;
            // A pragma takes no parameters; the number is ours.
            let set = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {after}"));
            sqlx::raw_sql(set).execute(&mut *transaction).await?;
            tracing::debug!(version = after, "store migrated");
        }
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn memory() -> SqlitePool {
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        pool.connect_with(options).await.unwrap()
    }

    async fn state(pool: &SqlitePool) -> (u32, i64) {
        let mut transaction = pool.begin_with("BEGIN").await.unwrap();
        let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
        let tables = tables.fetch_one(&mut *transaction).await.unwrap();
        (version(&mut transaction).await.unwrap(), tables)
    }

    #[tokio::test]
    async fn steps_are_taken_in_order_and_only_once() {
        let pool = memory().await;
        apply(&pool, &["CREATE TABLE a (x)"]).await.unwrap();
        assert_eq!(state(&pool).await, (1, 1));
        let both = [
            "CREATE TABLE a (x)",
            "ALTER TABLE a ADD COLUMN y; CREATE TABLE b (x)",
        ];
        for _ in 0..2 {
            apply(&pool, &both).await.unwrap();
            assert_eq!(state(&pool).await, (2, 2));
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_half_way_leaves_the_format_before_it() {
        let pool = memory().await;
        let broken = [
            "CREATE TABLE a (x)",
            "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)",
        ];
        assert!(apply(&pool, &broken).await.is_err());
        assert_eq!(state(&pool).await, (1, 1));
    }

    #[tokio::test]
    async fn every_format_has_its_migration() {
        let pool = memory().await;
        migrate(&pool).await.unwrap();
        assert_eq!(state(&pool).await, (VERSION, 3));
    }
}
