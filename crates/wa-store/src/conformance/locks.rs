use super::Place;
use super::fixtures::{account, commit, device, locked_account, prekey, puts, records, together};
use crate::error::StoreError;
use crate::lock::AccountLock;
use crate::store::Store;

/// A locked account is refused to everybody, another handle included, until the lock is dropped.
pub async fn a_lock_excludes_until_it_is_dropped(place: &impl Place) {
    let (store, second) = (place.open().await, place.open().await);
    let lock = locked_account(&store).await;
    let id = *lock.account();
    for handle in [&store, &second] {
        let refused = handle
            .lock(&id)
            .await
            .map(drop)
            .expect_err("the account is locked");
        assert!(matches!(&refused, StoreError::Locked { account, .. } if *account == id));
        assert!(refused.to_string().contains("stop that one"), "{refused}");
    }
    second.account(&id).await.expect("reading needs no lock");
    let held = lock.generation();
    drop(lock);
    let lock = second.lock(&id).await.expect("the account is free again");
    assert!(lock.generation() > held, "every lock is a new generation");
    assert!(matches!(
        store.lock(&id).await,
        Err(StoreError::Locked { .. })
    ));
}

/// Locks of different accounts have nothing to do with each other.
pub async fn accounts_are_locked_apart(place: &impl Place) {
    let store = place.open().await;
    let (one, other) = (locked_account(&store).await, locked_account(&store).await);
    commit(&store, &one, puts([device(b"one")])).await;
    commit(&store, &other, puts([device(b"other")])).await;
    drop(one);
    commit(&store, &other, puts([device(b"still other")])).await;
    assert_eq!(
        records(&store, other.account()).await,
        [device(b"still other")]
    );
}

/// A holder that was replaced without noticing can neither commit nor delete.
pub async fn a_lost_lock_writes_nothing(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    commit(&store, &lock, puts([device(b"kept")])).await;
    let id = *lock.account();
    let held = lock.generation();
    drop(lock);
    let lost = AccountLock::new(id, held, ());
    let present = store.lock(&id).await.expect("the account is free");
    let refused = StoreError::LockLost {
        account: id,
        held,
        current: present.generation(),
    };
    assert_eq!(
        store.commit(&lost, puts([device(b"stale")])).await,
        Err(refused.clone())
    );
    assert_eq!(store.delete_account(lost).await, Err(refused));
    assert_eq!(records(&store, &id).await, [device(b"kept")]);
    commit(&store, &present, puts([device(b"new")])).await;
}

/// Many accounts commit at the same time and none loses anything.
pub async fn accounts_commit_side_by_side(place: &impl Place) {
    let store = place.open().await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(account(&store).await);
    }
    together(ids.iter().map(|id| async {
        let lock = store.lock(id).await.expect("every account has one holder");
        for round in 0..20 {
            let own = id.as_str().as_bytes();
            commit(&store, &lock, puts([prekey(round, own), device(own)])).await;
        }
    }))
    .await;
    for id in &ids {
        let records = records(&store, id).await;
        assert_eq!(records.len(), 21);
        assert!(
            records
                .iter()
                .all(|record| record.value.expose() == id.as_str().as_bytes())
        );
    }
}
