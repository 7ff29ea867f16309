//! Writes databases with the tables of whatsmeow, as far as they matter here.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::Link;

const TABLES: [&str; 6] = [
    "CREATE TABLE whatsmeow_version (version INTEGER, compat INTEGER)",
    "CREATE TABLE whatsmeow_device (jid TEXT PRIMARY KEY, lid TEXT, facebook_uuid uuid, registration_id BIGINT NOT NULL,
        noise_key bytea NOT NULL, identity_key bytea NOT NULL, signed_pre_key bytea NOT NULL,
        signed_pre_key_id INTEGER NOT NULL, signed_pre_key_sig bytea NOT NULL, adv_key bytea NOT NULL,
        adv_details bytea NOT NULL, adv_account_sig bytea NOT NULL, adv_account_sig_key bytea NOT NULL,
        adv_device_sig bytea NOT NULL, platform TEXT NOT NULL DEFAULT '', business_name TEXT NOT NULL DEFAULT '',
        push_name TEXT NOT NULL DEFAULT '', lid_migration_ts BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE whatsmeow_identity_keys (our_jid TEXT, their_id TEXT, identity bytea NOT NULL,
        PRIMARY KEY (our_jid, their_id))",
    "CREATE TABLE whatsmeow_pre_keys (jid TEXT, key_id INTEGER, key bytea NOT NULL, uploaded BOOLEAN NOT NULL,
        PRIMARY KEY (jid, key_id))",
    "CREATE TABLE whatsmeow_sessions (our_jid TEXT, their_id TEXT, session bytea, PRIMARY KEY (our_jid, their_id))",
    "INSERT INTO whatsmeow_version (version, compat) VALUES (14, 8)",
];

/// A new database with these devices.
pub(crate) async fn write(links: &[&Link], path: &Path) {
    let mut database = open(path).await;
    for table in TABLES {
        run(&mut database, table).await;
    }
    for link in links {
        add(link, &mut database).await;
    }
    database.close().await.unwrap();
}

/// For changes by hand.
pub(crate) async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap()
}

pub(crate) async fn run(database: &mut SqliteConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(database)
        .await
        .unwrap();
}

pub(crate) async fn change(path: &Path, statement: &str) {
    let mut database = open(path).await;
    run(&mut database, statement).await;
    database.close().await.unwrap();
}

pub(crate) async fn add(link: &Link, database: &mut SqliteConnection) {
    sqlx::query(
        "INSERT INTO whatsmeow_device (jid, lid, registration_id, noise_key, identity_key, signed_pre_key,
            signed_pre_key_id, signed_pre_key_sig, adv_key, adv_details, adv_account_sig, adv_account_sig_key,
            adv_device_sig, platform, push_name, lid_migration_ts)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'android', 'Ann', 1750000000)",
    )
    .bind(link.jid.clone())
    .bind(link.lid.clone())
    .bind(i64::from(link.registration))
    .bind(link.noise.private.to_vec())
    .bind(link.identity.private.to_vec())
    .bind(link.signed.private.to_vec())
    .bind(i64::from(link.signed_id))
    .bind(link.signed_signature.clone())
    .bind(link.adv.to_vec())
    .bind(link.details.clone())
    .bind(link.account_signature.clone())
    .bind(link.account_key.clone())
    .bind(link.device_signature.clone())
    .execute(&mut *database)
    .await
    .unwrap();
    for (id, key) in &link.prekeys {
        sqlx::query(
            "INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded) VALUES (?, ?, ?, ?)",
        )
        .bind(link.jid.clone())
        .bind(i64::from(*id))
        .bind(key.private.to_vec())
        .bind(id % 2 == 0)
        .execute(&mut *database)
        .await
        .unwrap();
    }
    let user = link.lid.as_deref().unwrap_or(&link.jid);
    let user = user.split(':').next().unwrap();
    let peers = [
        (format!("{user}_1:0"), link.account_key.clone()),
        ("12025550999:3".to_owned(), vec![3; 32]),
        ("elsewhere_7:0".to_owned(), vec![4; 32]),
    ];
    for (address, key) in peers {
        sqlx::query(
            "INSERT INTO whatsmeow_identity_keys (our_jid, their_id, identity) VALUES (?, ?, ?)",
        )
        .bind(link.jid.clone())
        .bind(address)
        .bind(key)
        .execute(&mut *database)
        .await
        .unwrap();
    }
    sqlx::query(
        "INSERT INTO whatsmeow_sessions (our_jid, their_id, session) VALUES (?, '1:0', x'00')",
    )
    .bind(link.jid.clone())
    .execute(&mut *database)
    .await
    .unwrap();
}
