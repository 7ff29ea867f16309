#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Place, device, locked_account, prekey, puts};
use wa_core::{Query, Record};
use wa_store::{Store as _, StoreError, UnsealError};

/// Two accounts with two prekeys each; then somebody changes the file while nobody has it open.
async fn after(sql: &'static str) -> (Place, Vec<Result<Vec<Record>, StoreError>>) {
    let place = Place::new();
    let store = place.open().await;
    let mut ids = Vec::new();
    for owner in [b"one", b"two"] {
        let lock = locked_account(&store).await;
        ids.push(*lock.account());
        store
            .commit(
                &lock,
                puts([device(owner), prekey(1, owner), prekey(2, owner)]),
            )
            .await
            .unwrap();
    }
    store.close().await;
    place.sql(sql).await;
    let store = place.open().await;
    let mut loaded = Vec::new();
    for id in ids {
        loaded.push(store.load(&id, Query::Prekeys).await);
    }
    store.close().await;
    (place, loaded)
}

fn is_tampered(loaded: &Result<Vec<Record>, StoreError>) -> bool {
    matches!(
        loaded,
        Err(StoreError::Unseal {
            cause: UnsealError::Tampered { .. },
            ..
        })
    )
}

#[tokio::test]
async fn rows_swapped_within_an_account_are_noticed() {
    let swap = "UPDATE record SET sealed = (SELECT other.sealed FROM record AS other
                WHERE other.account = record.account AND other.kind = record.kind AND other.slot != record.slot)
                WHERE kind = 5 AND account = (SELECT min(id) FROM account)";
    let (_place, loaded) = after(swap).await;
    assert_eq!(
        loaded.iter().filter(|loaded| is_tampered(loaded)).count(),
        1
    );
    assert_eq!(
        loaded.iter().filter(|loaded| loaded.is_ok()).count(),
        1,
        "the other account is as it was"
    );
}

#[tokio::test]
async fn rows_moved_to_another_account_are_noticed() {
    let (_place, loaded) = after(
        "DELETE FROM record WHERE account = (SELECT min(id) FROM account);
         UPDATE record SET account = (SELECT min(id) FROM account)",
    )
    .await;
    assert_eq!(
        loaded.iter().filter(|loaded| is_tampered(loaded)).count(),
        1
    );
}

#[tokio::test]
async fn a_row_of_another_kind_is_noticed() {
    let (_place, loaded) = after("UPDATE record SET kind = 5 WHERE kind = 1").await;
    assert!(loaded.iter().all(is_tampered), "{loaded:?}");
}

#[tokio::test]
async fn a_changed_byte_is_noticed() {
    let flip = "UPDATE record SET sealed = CAST(substr(sealed, 1, length(sealed) - 1)
                || iif(substr(sealed, -1) = x'00', x'01', x'00') AS BLOB) WHERE kind = 5";
    let (_place, loaded) = after(flip).await;
    assert!(loaded.iter().all(is_tampered), "{loaded:?}");
}

#[tokio::test]
async fn keys_and_profiles_of_another_account_are_noticed() {
    for swap in [
        "UPDATE account SET data_key = (SELECT data_key FROM account AS other WHERE other.id != account.id)",
        "UPDATE account SET profile = (SELECT profile FROM account AS other WHERE other.id != account.id)",
    ] {
        let (_place, loaded) = after(swap).await;
        assert!(loaded.iter().any(is_tampered), "{loaded:?}");
    }
}

#[tokio::test]
async fn rows_of_a_kind_nobody_knows_are_left_alone_but_never_left_out_of_an_export() {
    let (place, loaded) = after("UPDATE record SET kind = 999 WHERE kind = 1").await;
    assert!(loaded.iter().all(Result::is_ok), "no query asks for them");
    let store = place.open().await;
    let id = store.accounts().await.unwrap()[0].id;
    assert!(
        store.snapshot(&id).await.is_err(),
        "but an export does not leave them out"
    );
}

#[tokio::test]
async fn words_nobody_wrote_are_damage() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.create_account("").await.unwrap();
    place.sql("UPDATE account SET link = 'perhaps'").await;
    let error = store.account(&id).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { detail } if detail.contains("link")),
        "{error}"
    );
}
