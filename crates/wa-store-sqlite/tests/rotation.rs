#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Place, device, locked_account, prekey, puts};
use wa_core::Query;
use wa_store::{KeyError, KeySource, Store as _, StoreError};
use wa_store_sqlite::{OpenError, RotateError, SqliteStore};

const KEY: &str = "5f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";

#[tokio::test]
async fn a_new_key_opens_everything_and_the_former_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    store
        .commit(&lock, puts([device(b"keys"), prekey(1, b"one")]))
        .await
        .unwrap();
    store.rotate_key(KeySource::Env(KEY.into())).await.unwrap();
    store
        .commit(&lock, puts([device(b"newer keys")]))
        .await
        .unwrap();
    let other = store.create_account("made after").await.unwrap();
    drop(lock);
    store.close().await;

    let former = SqliteStore::open(place.path(), KeySource::beside(&place.path())).await;
    assert!(matches!(
        former,
        Err(OpenError::Key {
            cause: KeyError::WrongKey,
            ..
        })
    ));
    let store = SqliteStore::open(place.path(), KeySource::Env(KEY.into()))
        .await
        .unwrap();
    assert_eq!(
        store.load(&id, Query::Device).await,
        Ok(vec![device(b"newer keys")])
    );
    assert_eq!(
        store.load(&id, Query::Prekeys).await,
        Ok(vec![prekey(1, b"one")])
    );
    assert_eq!(store.account(&other).await.unwrap().label, "made after");
}

#[tokio::test]
async fn a_key_file_can_give_way_to_a_passphrase_and_back() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.create_account("mine").await.unwrap();
    let passphrase = || KeySource::Passphrase("correct horse battery".into());
    store.rotate_key(passphrase()).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(place.path(), passphrase()).await.unwrap();
    let file = KeySource::KeyFile(place.beside(".second-key"));
    store.rotate_key(file.clone()).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(place.path(), file).await.unwrap();
    assert_eq!(store.account(&id).await.unwrap().label, "mine");
}

#[tokio::test]
async fn a_weak_new_key_changes_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.create_account("mine").await.unwrap();
    let refused = store.rotate_key(KeySource::Env("changeme".into())).await;
    assert!(
        matches!(refused, Err(RotateError::Key(KeyError::Text(_)))),
        "{refused:?}"
    );
    store.close().await;
    assert_eq!(place.open().await.account(&id).await.unwrap().label, "mine");
}

#[tokio::test]
async fn others_who_have_the_store_open_are_told_to_open_it_again() {
    let place = Place::new();
    let (store, other) = (place.open().await, place.open().await);
    let lock = locked_account(&other).await;
    store.rotate_key(KeySource::Env(KEY.into())).await.unwrap();
    assert_eq!(other.accounts().await, Err(StoreError::KeyChanged));
    assert_eq!(
        other.commit(&lock, puts([device(b"late")])).await,
        Err(StoreError::KeyChanged)
    );
    assert_eq!(other.create_account("").await, Err(StoreError::KeyChanged));
    assert_eq!(
        other.rotate_key(KeySource::beside(&place.path())).await,
        Err(StoreError::KeyChanged.into())
    );
    assert_eq!(store.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn commits_go_on_while_the_key_changes() {
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let commits = async {
        for n in 0..40 {
            store
                .commit(&lock, puts([prekey(n, b"value")]))
                .await
                .unwrap();
        }
    };
    let rotations = async {
        for n in 0..5 {
            let file = place.beside(&format!(".key-{n}"));
            store.rotate_key(KeySource::KeyFile(file)).await.unwrap();
        }
    };
    tokio::join!(commits, rotations);
    assert_eq!(
        store
            .load(lock.account(), Query::Prekeys)
            .await
            .unwrap()
            .len(),
        40
    );
}
