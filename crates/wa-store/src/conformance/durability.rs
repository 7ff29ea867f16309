use wa_core::{LinkState, Query};

use super::Place;
use super::fixtures::{commit, device, identity, locked_account, prekey, puts};
use crate::error::StoreError;
use crate::store::Store;

/// Closing and opening again changes nothing and leaves no lock behind.
pub async fn contents_outlive_the_handle(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    let mut linked = puts([device(b"keys"), prekey(1, b"one")]);
    linked.link = Some(LinkState::Linked);
    linked.identity = Some(identity(4_915_550_006));
    commit(&store, &lock, linked).await;
    store
        .set_label(&id, "mine")
        .await
        .expect("the label changes");
    let before = store.snapshot(&id).await.expect("the account is read");
    drop(lock);
    store.close().await;
    drop(store);

    let store = place.open().await;
    assert_eq!(store.snapshot(&id).await, Ok(before.clone()));
    assert_eq!(store.accounts().await, Ok(vec![before.0]));
    let lock = store.lock(&id).await.expect("the account is free");
    commit(&store, &lock, puts([device(b"newer")])).await;
    assert_eq!(
        store.load(&id, Query::Device).await,
        Ok(vec![device(b"newer")])
    );
}

/// After closing every call says so, and a lock may still be dropped.
pub async fn a_closed_store_says_so(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    store.close().await;
    store.close().await;
    assert_eq!(store.accounts().await, Err(StoreError::Closed));
    assert_eq!(store.account(&id).await, Err(StoreError::Closed));
    assert_eq!(
        store.load(&id, Query::Device).await,
        Err(StoreError::Closed)
    );
    assert_eq!(
        store.commit(&lock, puts([device(b"late")])).await,
        Err(StoreError::Closed)
    );
    assert_eq!(store.lock(&id).await.map(drop), Err(StoreError::Closed));
    drop(lock);
}

/// A wrong key is an error before anything is read or written. Nothing to check for a store without keys.
pub async fn a_wrong_key_opens_nothing_and_changes_nothing(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    commit(&store, &lock, puts([device(b"keys")])).await;
    let before = store.snapshot(lock.account()).await;
    let id = *lock.account();
    drop(lock);
    store.close().await;
    if let Some(opened) = place.open_with_wrong_key().await {
        let message = opened.map(drop).expect_err("a wrong key opens nothing");
        assert!(message.contains("key"), "{message}");
        assert_eq!(place.open().await.snapshot(&id).await, before);
    }
}
