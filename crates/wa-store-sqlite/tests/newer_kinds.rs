//! Records of kinds that only a newer version knows: kept through everything an older one does, and never in the way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Place, device, locked_account, prekey, puts};
use sqlx::Row as _;
use wa_core::{Changes, Query, RecordKind, Wipe};
use wa_store::{AccountId, Store as _, StoreError};
use wa_store_sqlite::SqliteStore;

/// Every row of the kind no version knows, as it lies on the disk.
async fn newer(place: &Place) -> Vec<Vec<u8>> {
    let rows = sqlx::query("SELECT sealed FROM record WHERE kind = 60000 ORDER BY slot")
        .fetch_all(&mut place.raw().await)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// An account with records of known kinds, and one that a newer version has left there.
async fn place_with_a_newer_kind() -> (Place, AccountId) {
    let place = Place::new();
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    let known = puts([device(b"keys"), prekey(1, b"one"), prekey(2, b"two")]);
    store.commit(&lock, known).await.unwrap();
    drop(lock);
    store.close().await;
    place
        .sql(
            "INSERT INTO record (account, kind, slot, sealed)
             SELECT account, 60000, slot, sealed FROM record WHERE kind = 1",
        )
        .await;
    assert_eq!(newer(&place).await.len(), 1);
    (place, id)
}

async fn commit(store: &SqliteStore, id: &AccountId, changes: Changes) {
    let lock = store.lock(id).await.unwrap();
    store.commit(&lock, changes).await.unwrap();
}

#[tokio::test]
async fn commits_and_loads_go_past_it() {
    let (place, id) = place_with_a_newer_kind().await;
    let before = newer(&place).await;
    let store = place.open().await;
    let mut changes = puts([device(b"newer keys"), prekey(3, b"three")]);
    changes.deletes = vec![(RecordKind::Prekey, 1_u32.to_be_bytes().to_vec())];
    commit(&store, &id, changes).await;
    assert_eq!(
        store.load(&id, Query::Device).await.unwrap(),
        [device(b"newer keys")]
    );
    assert_eq!(store.load(&id, Query::Prekeys).await.unwrap().len(), 2);
    assert_eq!(store.accounts().await.unwrap().len(), 1);
    store.close().await;
    assert_eq!(newer(&place).await, before);
}

#[tokio::test]
async fn it_is_never_left_out_silently() {
    let (place, id) = place_with_a_newer_kind().await;
    let store = place.open().await;
    let error = store.snapshot(&id).await.unwrap_err();
    assert!(matches!(error, StoreError::Unseal { .. }), "{error}");
    store.close().await;
}

#[tokio::test]
async fn no_wipe_lets_it_outlive_the_link() {
    let kept = Wipe::all_but(RecordKind::ALL.iter().copied());
    for (wipe, left) in [(Wipe::All, 0), (kept, 3)] {
        let (place, id) = place_with_a_newer_kind().await;
        let store = place.open().await;
        let changes = Changes {
            wipe,
            ..Changes::default()
        };
        commit(&store, &id, changes).await;
        assert_eq!(store.snapshot(&id).await.unwrap().1.len(), left);
        store.close().await;
        assert!(newer(&place).await.is_empty());
    }
}
