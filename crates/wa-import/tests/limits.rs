//! What is read is bounded, to the byte and to the row.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::baileys::{prekey, write, write_folder};
use support::{Link, whatsmeow};
use wa_core::MAX_STORED_PREKEYS;
use wa_import::{
    LeftBehind, MAX_CREDS_LEN, MAX_PEERS, MAX_PREKEY_FILE_LEN, MAX_SINGLE_FILE_LEN, ReadError,
    Service, read_baileys, read_whatsmeow,
};

/// Fills a file up with white space.
fn pad(path: &std::path::Path, len: usize) {
    let mut content = std::fs::read(path).unwrap();
    content.truncate(content.trim_ascii_end().len());
    content.resize(len, b' ');
    std::fs::write(path, content).unwrap();
}

#[test]
fn files_are_read_up_to_their_limits() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_folder(&Link::fresh(1), folder.path());
    let single = folder.path().join("auth_info.json");
    support::baileys::write_single(&Link::fresh(1), &single);
    for (read, file, limit) in [
        (&path, path.join("creds.json"), MAX_CREDS_LEN),
        (&path, path.join("pre-key-3.json"), MAX_PREKEY_FILE_LEN),
        (&single, single.clone(), MAX_SINGLE_FILE_LEN),
    ] {
        let service = Service::production();
        pad(&file, limit);
        assert!(read_baileys(read, &service).is_ok(), "{}", file.display());
        pad(&file, limit + 1);
        match read_baileys(read, &service).unwrap_err() {
            ReadError::File { path, source } => {
                assert_eq!(path, file);
                assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge);
            }
            other => panic!("{other}"),
        }
        pad(&file, limit);
    }
}

#[test]
fn the_newest_prekeys_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut link = Link::fresh(1);
    let key = link.prekeys.remove(0).1;
    link.prekeys.clear();
    let path = write_folder(&link, folder.path());
    let count = u32::try_from(MAX_STORED_PREKEYS).unwrap();
    for id in 1..=count {
        write(&path, &format!("pre-key-{id}.json"), &prekey(&key));
    }
    let imported = read_baileys(&path, &Service::production()).unwrap();
    assert_eq!(imported.report().prekeys, MAX_STORED_PREKEYS);
    let oldest = |imported: &wa_import::Imported| {
        let left = imported.report().left_behind.iter();
        left.filter(|LeftBehind { what, .. }| what.starts_with("prekeys"))
            .map(|left| left.count)
            .sum::<usize>()
    };
    assert_eq!(oldest(&imported), 0);
    write(&path, &format!("pre-key-{}.json", count + 1), &prekey(&key));
    // The one that is left behind is not even read.
    std::fs::write(path.join("pre-key-1.json"), "torn").unwrap();
    let imported = read_baileys(&path, &Service::production()).unwrap();
    assert_eq!(imported.report().prekeys, MAX_STORED_PREKEYS);
    assert_eq!(oldest(&imported), 1);
}

#[tokio::test]
async fn rows_are_read_up_to_their_limits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whatsmeow.db");
    whatsmeow::write(&[&Link::fresh(1)], &path).await;
    let fill = |to: usize| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to})
             INSERT OR IGNORE INTO whatsmeow_identity_keys SELECT d.jid, (20000000000 + i) || ':0', zeroblob(32)
             FROM n, whatsmeow_device d"
        )
    };
    // Three are there already.
    whatsmeow::change(&path, &fill(MAX_PEERS - 3)).await;
    let service = Service::production();
    let imported = read_whatsmeow(&path, None, &service).await.unwrap();
    assert_eq!(
        imported.report().peers,
        MAX_PEERS - 1,
        "one is of elsewhere"
    );
    whatsmeow::change(&path, &fill(MAX_PEERS - 2)).await;
    assert!(matches!(
        read_whatsmeow(&path, None, &service).await,
        Err(ReadError::TooMany {
            limit: MAX_PEERS,
            ..
        })
    ));

    let path = folder.path().join("prekeys.db");
    whatsmeow::write(&[&Link::fresh(1)], &path).await;
    let fill = |to: usize| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to})
             INSERT OR IGNORE INTO whatsmeow_pre_keys SELECT d.jid, i, d.noise_key, true FROM n, whatsmeow_device d"
        )
    };
    whatsmeow::change(&path, &fill(MAX_STORED_PREKEYS)).await;
    let imported = read_whatsmeow(&path, None, &service).await.unwrap();
    assert_eq!(imported.report().prekeys, MAX_STORED_PREKEYS);
    whatsmeow::change(&path, &fill(MAX_STORED_PREKEYS + 1)).await;
    let imported = read_whatsmeow(&path, None, &service).await.unwrap();
    assert_eq!(imported.report().prekeys, MAX_STORED_PREKEYS);
    let left = LeftBehind {
        what: "prekeys, the oldest",
        count: 1,
    };
    assert!(imported.report().left_behind.contains(&left));
}

#[tokio::test]
async fn what_could_run_anything_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    let prekeys = format!(
        "CREATE VIEW whatsmeow_pre_keys AS {endless} SELECT '12025550123:48@s.whatsapp.net' AS jid, i AS key_id, NULL AS key FROM n"
    );
    let device = "CREATE VIEW whatsmeow_device AS SELECT * FROM devices".to_owned();
    let version =
        format!("CREATE VIEW whatsmeow_version AS {endless} SELECT max(i) AS version FROM n");
    let computed =
        "CREATE TABLE whatsmeow_pre_keys (jid TEXT, key_id INTEGER, key AS (zeroblob(900000000)))";
    let cases = [
        ("whatsmeow_pre_keys", "old", prekeys),
        ("whatsmeow_device", "devices", device),
        ("whatsmeow_version", "old", version),
        ("whatsmeow_pre_keys", "old", computed.to_owned()),
    ];
    for (number, (table, renamed, create)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.db"));
        whatsmeow::write(&[&Link::fresh(1)], &path).await;
        whatsmeow::change(&path, &format!("ALTER TABLE {table} RENAME TO {renamed}")).await;
        whatsmeow::change(&path, &create).await;
        let error = read_whatsmeow(&path, None, &Service::production())
            .await
            .unwrap_err();
        assert!(matches!(error, ReadError::Content { .. }), "{error}");
    }
    // Of what is only counted, it is left out.
    let path = folder.path().join("sessions.db");
    whatsmeow::write(&[&Link::fresh(1)], &path).await;
    whatsmeow::change(&path, "DROP TABLE whatsmeow_sessions").await;
    let sessions = format!(
        "CREATE VIEW whatsmeow_sessions AS {endless} SELECT '12025550123:48@s.whatsapp.net' AS our_jid FROM n"
    );
    whatsmeow::change(&path, &sessions).await;
    let imported = read_whatsmeow(&path, None, &Service::production())
        .await
        .unwrap();
    let left = &imported.report().left_behind;
    assert!(left.iter().all(|left| left.what != "sessions"), "{left:?}");
}

#[tokio::test]
async fn long_values_are_told_by_their_length() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (change, is_read)) in [
        ("push_name = printf('%.*c', 1024, 'x')", true),
        ("push_name = printf('%.*c', 1025, 'x')", false),
        ("registration_id = printf('%.*c', 50000000, '7')", false),
        ("jid = zeroblob(50000000)", false),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.db"));
        whatsmeow::write(&[&Link::fresh(1)], &path).await;
        whatsmeow::change(&path, &format!("UPDATE whatsmeow_device SET {change}")).await;
        let read = read_whatsmeow(&path, None, &Service::production()).await;
        assert_eq!(read.is_ok(), is_read, "{change}: {:?}", read.err());
    }
}
