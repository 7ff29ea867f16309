//! The databases of whatsmeow: one device or several, old and new versions, with a log beside them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::path::{Path, PathBuf};

use support::{JID, LID, Link, PAIRED_AT, whatsmeow};
use wa_import::{
    Imported, LeftBehind, NEWEST_VERSION, OLDEST_VERSION, PREKEY_ID_GAP, PREKEY_ID_WITHOUT_TRACE,
    ReadError, Service, Target, read_whatsmeow,
};
use wa_store::{MemoryStore, Store as _};

async fn read(path: &Path, jid: Option<&str>) -> Result<Imported, ReadError> {
    read_whatsmeow(path, jid, &Service::production()).await
}

async fn database(links: &[&Link]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whatsmeow.db");
    whatsmeow::write(links, &path).await;
    (folder, path)
}

fn on(jid: &str, seed: u64) -> Link {
    Link {
        jid: jid.to_owned(),
        lid: None,
        ..Link::fresh(seed)
    }
}

async fn next_prekey(imported: Imported) -> u32 {
    let store = MemoryStore::new();
    let target = Target::New {
        label: String::new(),
    };
    let account = imported.put_into(&store, target).await.unwrap();
    let (_, records) = store.snapshot(&account).await.unwrap();
    support::pickles::link(&records).next_prekey
}

#[tokio::test]
async fn a_device_is_taken_over_whole() {
    let link = Link::fresh(1);
    let (_folder, path) = database(&[&link]).await;
    let imported = read(&path, None).await.unwrap();
    let registered = imported.device().registered().unwrap();
    assert_eq!(registered.jid.to_string(), JID);
    assert_eq!(registered.lid.as_ref().unwrap().to_string(), LID);
    assert_eq!(registered.platform.as_deref(), Some("android"));
    assert_eq!(registered.business_name, None);
    assert_eq!(registered.push_name.as_deref(), Some("Ann"));
    assert_eq!(registered.lid_migrated, Some(true));
    assert_eq!((registered.key_index, registered.paired_at), (9, PAIRED_AT));
    assert_eq!(imported.device().registration_id().get(), link.registration);
    let report = imported.report();
    assert_eq!((report.prekeys, report.peers), (5, 2));
    let left = |what, count| LeftBehind { what, count };
    assert_eq!(
        report.left_behind,
        [
            left("sessions", 1),
            left("identity keys of other services", 1)
        ]
    );
    let store = MemoryStore::new();
    let target = Target::New {
        label: String::new(),
    };
    let account = imported.put_into(&store, target).await.unwrap();
    let (_, records) = store.snapshot(&account).await.unwrap();
    let kept = support::pickles::link(&records);
    assert_eq!(kept.noise.private, link.noise.private);
    assert_eq!(kept.identity.private, link.identity.private);
    assert_eq!(kept.prekeys.len(), 5);
    assert_eq!(kept.next_prekey, 7 + 1 + PREKEY_ID_GAP);
}

#[tokio::test]
async fn one_of_several_devices_is_chosen() {
    let (one, two) = (on("1111111111:1@s.whatsapp.net", 1), on(JID, 2));
    let again = on("1111111111:2@s.whatsapp.net", 3);
    let (_folder, path) = database(&[&one, &two, &again]).await;
    match read(&path, None).await.unwrap_err() {
        ReadError::SeveralDevices { jids } => assert_eq!(jids.len(), 3),
        other => panic!("{other}"),
    }
    for wanted in [
        JID,
        "12025550123",
        "+12025550123",
        "12025550123@s.whatsapp.net",
    ] {
        let imported = read(&path, Some(wanted)).await.unwrap();
        assert_eq!(imported.device().jid().unwrap().to_string(), JID);
        assert_eq!(imported.report().prekeys, 5, "its own only");
    }
    match read(&path, Some("1111111111")).await.unwrap_err() {
        ReadError::SeveralDevices { jids } => {
            assert_eq!(jids, [one.jid.clone(), again.jid.clone()]);
        }
        other => panic!("{other}"),
    }
    assert!(read(&path, Some(&again.jid)).await.is_ok());
    assert!(matches!(
        read(&path, Some("1202555012")).await,
        Err(ReadError::OtherDevices { .. })
    ));
    whatsmeow::change(&path, "DELETE FROM whatsmeow_device").await;
    for wanted in [None, Some(JID)] {
        assert!(matches!(
            read(&path, wanted).await,
            Err(ReadError::NoDevice)
        ));
    }
}

#[tokio::test]
async fn the_version_is_checked() {
    let (_folder, path) = database(&[&Link::fresh(1)]).await;
    for (version, compatible, is_read) in [
        (OLDEST_VERSION, "NULL", true),
        (OLDEST_VERSION - 1, "NULL", false),
        (OLDEST_VERSION - 1, "1", false),
        (NEWEST_VERSION, "NULL", true),
        (NEWEST_VERSION, "8", true),
        (NEWEST_VERSION + 1, "8", true),
        (NEWEST_VERSION + 1, &NEWEST_VERSION.to_string(), true),
        (NEWEST_VERSION + 1, &(NEWEST_VERSION + 1).to_string(), false),
        (NEWEST_VERSION + 1, "NULL", false),
    ] {
        let change =
            format!("UPDATE whatsmeow_version SET version = {version}, compat = {compatible}");
        whatsmeow::change(&path, &change).await;
        let result = read(&path, None).await;
        assert_eq!(
            result.is_ok(),
            is_read,
            "{version} {compatible}: {result:?}"
        );
        assert!(is_read || matches!(result, Err(ReadError::Version { .. })));
    }
    whatsmeow::change(&path, "ALTER TABLE whatsmeow_version DROP COLUMN compat").await;
    assert!(matches!(
        read(&path, None).await,
        Err(ReadError::Version { .. })
    ));
    whatsmeow::change(&path, "UPDATE whatsmeow_version SET version = 6").await;
    for column in ["lid", "lid_migration_ts"] {
        whatsmeow::change(
            &path,
            &format!("ALTER TABLE whatsmeow_device DROP COLUMN {column}"),
        )
        .await;
    }
    let imported = read(&path, None).await.unwrap();
    let registered = imported.device().registered().unwrap();
    assert_eq!((&registered.lid, registered.lid_migrated), (&None, None));
}

#[tokio::test]
async fn what_the_log_holds_is_read_and_nothing_is_changed() {
    let (_folder, path) = database(&[&Link::fresh(1)]).await;
    let mut holder = whatsmeow::open(&path).await;
    whatsmeow::run(&mut holder, "PRAGMA wal_autocheckpoint = 0").await;
    whatsmeow::run(&mut holder, "UPDATE whatsmeow_device SET push_name = 'Bea'").await;
    let before = std::fs::read(&path).unwrap();
    let imported = read(&path, None).await.unwrap();
    let name = imported.device().registered().unwrap().push_name.clone();
    assert_eq!(name.as_deref(), Some("Bea"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn the_highest_id_may_have_been_used_and_deleted() {
    let mut link = Link::fresh(1);
    link.prekeys.clear();
    let (_folder, path) = database(&[&link]).await;
    assert_eq!(
        next_prekey(read(&path, None).await.unwrap()).await,
        PREKEY_ID_WITHOUT_TRACE,
        "no key is left to tell how far they went"
    );
    let key = Link::fresh(1).prekeys[0].1;
    for (highest, next) in [
        (0x00ff_fffe - PREKEY_ID_GAP, 0x00ff_ffff),
        (0x00ff_fffe, 0x00ff_ffff),
    ] {
        link.prekeys = vec![(highest, key)];
        let (_folder, path) = database(&[&link]).await;
        assert_eq!(next_prekey(read(&path, None).await.unwrap()).await, next);
    }
    link.prekeys = vec![(0x00ff_ffff, key)];
    let (_folder, path) = database(&[&link]).await;
    assert!(matches!(
        read(&path, None).await,
        Err(ReadError::PrekeyIdsUsedUp)
    ));
}

#[tokio::test]
async fn other_files_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for content in [
        &b""[..],
        b"SQLite format 3",
        b"a text that is longer than that",
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(matches!(
            read(&path, None).await,
            Err(ReadError::Content { .. })
        ));
    }
    assert!(matches!(
        read(folder.path(), None).await,
        Err(ReadError::Content { .. })
    ));
    assert!(matches!(
        read(&folder.path().join("none"), None).await,
        Err(ReadError::File { .. })
    ));
    let other = folder.path().join("other.db");
    whatsmeow::change(&other, "CREATE TABLE t (x)").await;
    let error = read(&other, None).await.unwrap_err();
    assert!(error.to_string().contains("whatsmeow"), "{error}");
    whatsmeow::change(&other, "CREATE TABLE whatsmeow_version (version INTEGER)").await;
    assert!(matches!(
        read(&other, None).await,
        Err(ReadError::Version { found: 0, .. })
    ));
    whatsmeow::change(&other, "INSERT INTO whatsmeow_version VALUES (14)").await;
    assert!(matches!(
        read(&other, None).await,
        Err(ReadError::Content { .. })
    ));
    let mut torn = std::fs::read(&other).unwrap();
    torn[100..].fill(0xff);
    std::fs::write(&other, torn).unwrap();
    assert!(matches!(
        read(&other, None).await,
        Err(ReadError::Content { .. })
    ));
}
