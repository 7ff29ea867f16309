#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::fs;
use std::time::Duration;

use common::{Place, device, locked_account, puts};
use sqlx::Connection as _;
use wa_core::Query;
use wa_store::{KeyError, KeySource, Store as _, StoreError};
use wa_store_sqlite::{OpenError, SqliteOptions, SqliteStore};

async fn open(place: &Place) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(place.path(), KeySource::beside(&place.path())).await
}

#[tokio::test]
async fn a_store_of_a_newer_format_names_both_formats_and_stays_as_it_is() {
    let place = Place::new();
    place.open().await.close().await;
    place.sql("PRAGMA user_version = 7").await;
    let before = fs::read(place.path()).unwrap();
    let error = open(&place).await.unwrap_err();
    let newer = OpenError::Newer {
        path: place.path(),
        found: 7,
        known: 1,
    };
    assert_eq!(error, newer);
    let message = error.to_string();
    assert!(
        message.contains('7') && message.contains('1') && message.contains("newer version"),
        "{message}"
    );
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn other_files_are_not_touched() {
    let place = Place::new();
    fs::create_dir(place.path().parent().unwrap()).unwrap();
    fs::write(place.path(), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    assert_eq!(
        open(&place).await.unwrap_err(),
        OpenError::NotAStore { path: place.path() }
    );
    assert_eq!(
        fs::read(place.path()).unwrap(),
        b"root:x:0:0:root:/root:/bin/bash\n"
    );
    assert!(
        !place.beside(".key").exists(),
        "no key is made for a file that is no store"
    );

    fs::write(place.path(), "").unwrap();
    place.sql("CREATE TABLE music (title TEXT)").await;
    let before = fs::read(place.path()).unwrap();
    let error = open(&place).await.unwrap_err();
    assert_eq!(error, OpenError::NotAStore { path: place.path() });
    assert!(error.to_string().contains("another path"), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let place = Place::new();
    fs::create_dir(place.path().parent().unwrap()).unwrap();
    fs::write(place.path(), "").unwrap();
    assert_eq!(open(&place).await.unwrap().accounts().await, Ok(vec![]));
}

#[tokio::test]
async fn a_store_whose_making_was_cut_short_is_made_whole() {
    let place = Place::new();
    place.open().await.close().await;
    place.sql("DELETE FROM store").await;
    let store = open(&place).await.unwrap();
    store.create_account("").await.unwrap();
    store.close().await;
    place.sql("DELETE FROM store").await;
    let error = open(&place).await.unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Key {
                cause: KeyError::DamagedHeader,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_database_is_a_typed_error() {
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    store
        .commit(&lock, puts([device(&[7; 9000])]))
        .await
        .unwrap();
    drop(lock);
    store.close().await;
    let whole = fs::read(place.path()).unwrap();

    // The page of the account table is overwritten: opening or reading notices.
    let mut damaged = whole.clone();
    let text = id.as_str().as_bytes();
    for start in (0..damaged.len()).step_by(4096).skip(1) {
        if damaged[start..start + 4096]
            .windows(text.len())
            .any(|window| window == text)
        {
            damaged[start..start + 4096].fill(0xa5);
        }
    }
    assert_ne!(damaged, whole);
    fs::write(place.path(), damaged).unwrap();
    let cause = match open(&place).await {
        Ok(store) => store.account(&id).await.unwrap_err(),
        Err(OpenError::Store { cause, .. }) => cause,
        Err(other) => panic!("{other}"),
    };
    assert!(matches!(cause, StoreError::Corrupt { .. }), "{cause:?}");
    assert!(cause.to_string().contains("link again"), "{cause}");
}

#[tokio::test]
async fn a_lost_key_file_is_named_and_not_made_anew() {
    let place = Place::new();
    place.open().await.close().await;
    let key = place.beside(".key");
    let away = place.beside(".elsewhere");
    fs::rename(&key, &away).unwrap();
    let error = open(&place).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Key { cause: KeyError::FileMissing { path }, .. } if *path == key)
    );
    assert!(!key.exists());
    fs::rename(&away, &key).unwrap();
    open(&place).await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_file_is_an_error_that_changes_nothing() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    store.commit(&lock, puts([device(b"keys")])).await.unwrap();
    drop(lock);
    store.close().await;
    other.open().await.close().await;
    let before = fs::read(place.path()).unwrap();

    let error = SqliteStore::open(place.path(), KeySource::KeyFile(other.beside(".key")))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Key {
                cause: KeyError::WrongKey,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("wrong key"), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
    assert_eq!(
        place.open().await.load(&id, Query::Device).await,
        Ok(vec![device(b"keys")])
    );
}

#[tokio::test]
async fn a_weak_key_makes_no_store() {
    let place = Place::new();
    let error = SqliteStore::open(place.path(), KeySource::Env("00".repeat(32).into()))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Key {
                cause: KeyError::Text(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(!place.path().exists());
}

#[tokio::test]
async fn a_passphrase_opens_the_store_it_made() {
    let place = Place::new();
    let passphrase = || KeySource::Passphrase("correct horse battery".into());
    let store = SqliteStore::open(place.path(), passphrase()).await.unwrap();
    let id = store.create_account("mine").await.unwrap();
    store.close().await;
    let wrong =
        SqliteStore::open(place.path(), KeySource::Passphrase("correct horse".into())).await;
    assert!(matches!(
        wrong,
        Err(OpenError::Key {
            cause: KeyError::WrongKey,
            ..
        })
    ));
    let store = SqliteStore::open(place.path(), passphrase()).await.unwrap();
    assert_eq!(store.account(&id).await.unwrap().label, "mine");
}

#[tokio::test]
async fn many_may_open_a_new_store_at_the_same_time() {
    let place = Place::new();
    let opening = (0..8).map(|_| {
        let path = place.path();
        tokio::spawn(async move {
            let store = SqliteStore::open(&path, KeySource::beside(&path))
                .await
                .unwrap();
            store.create_account("").await.unwrap();
        })
    });
    for task in opening.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(place.open().await.accounts().await.unwrap().len(), 8);
}

#[cfg(unix)]
#[tokio::test]
async fn everything_on_disk_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    store.commit(&lock, puts([device(b"keys")])).await.unwrap();
    let directory = place.path().parent().unwrap().to_owned();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let mut files = 0;
    for directory in [directory, place.beside(".locks")] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "{}", path.display());
            files += 1;
        }
    }
    assert_eq!(
        files, 7,
        "database, log, index, key file, lock directory, two locks"
    );

    drop(lock);
    store.close().await;
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
    place.open().await;
    assert_eq!(
        mode(&place.path()),
        0o600,
        "a store that was left open to others is shut"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_reached_by_another_path_has_the_same_locks() {
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let link = place.directory.path().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    let other = SqliteStore::open(&link, KeySource::beside(&place.path()))
        .await
        .unwrap();
    assert!(matches!(
        other.lock(lock.account()).await,
        Err(StoreError::Locked { .. })
    ));
}

#[tokio::test]
async fn an_unusable_path_is_a_typed_error() {
    let place = Place::new();
    fs::create_dir_all(place.path()).unwrap();
    let error = open(&place).await.unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Store {
                cause: StoreError::Io { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("check the disk and the permissions"),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_that_is_written_to_elsewhere_delays_and_then_says_busy() {
    let place = Place::new();
    place.open().await.close().await;
    let mut options = SqliteOptions::default();
    options.busy_timeout = Duration::from_millis(300);
    let key = KeySource::beside(&place.path());
    let store = SqliteStore::open_with(place.path(), key, options)
        .await
        .unwrap();
    let lock = locked_account(&store).await;

    let mut other = place.raw().await;
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let refused = store.commit(&lock, puts([device(b"late")])).await;
    assert_eq!(refused, Err(StoreError::Busy { waited_ms: 300 }));
    assert_eq!(
        store.load(lock.account(), Query::Device).await,
        Ok(vec![]),
        "reading waits for nobody"
    );

    let (commit, ()) = tokio::join!(store.commit(&lock, puts([device(b"in time")])), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        held.rollback().await.unwrap();
    });
    assert_eq!(commit, Ok(()));
    assert_eq!(
        store.load(lock.account(), Query::Device).await,
        Ok(vec![device(b"in time")])
    );
}
