#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Place, device, locked_account, prekey, puts};
use wa_core::{Changes, LinkState, Wipe};
use wa_store::{KeySource, Store as _, StoreError};
use wa_store_sqlite::{SqliteOptions, SqliteStore};

#[tokio::test]
async fn a_commit_that_finds_no_space_changes_nothing_and_a_smaller_one_goes_on() {
    let place = Place::new();
    let mut options = SqliteOptions::default();
    options.max_bytes = Some(256 * 1024);
    let key = KeySource::beside(&place.path());
    let store = SqliteStore::open_with(place.path(), key, options)
        .await
        .unwrap();
    let lock = locked_account(&store).await;
    store
        .commit(&lock, puts([device(b"keys"), prekey(1, b"one")]))
        .await
        .unwrap();
    let before = store.snapshot(lock.account()).await;

    // Small rows first: the first statements succeed before the space runs out.
    let mut changes = puts((0..812).map(|id| prekey(id, &[7; 1000])));
    changes.wipe = Wipe::All;
    changes.link = Some(LinkState::Linked);
    let error = store.commit(&lock, changes).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("free some"), "{error}");
    assert_eq!(store.snapshot(lock.account()).await, before);

    store
        .commit(&lock, puts([prekey(2, b"two")]))
        .await
        .unwrap();
    let wipe = Changes {
        wipe: Wipe::All,
        ..Changes::default()
    };
    store.commit(&lock, wipe).await.unwrap();
    assert_eq!(store.snapshot(lock.account()).await.unwrap().1, []);
}
