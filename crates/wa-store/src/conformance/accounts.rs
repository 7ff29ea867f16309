use std::cell::RefCell;

use wa_core::{Changes, Desired, LinkState, Query, Wipe};

use super::Place;
use super::fixtures::{
    account, commit, device, identity, locked_account, prekey, puts, records, together,
};
use crate::account::{AccountId, NewAccount};
use crate::error::StoreError;
use crate::limits::MAX_LABEL_LEN;
use crate::store::Store;

/// A new account has its label and nothing else.
pub async fn a_new_account_is_empty_and_unlinked(place: &impl Place) {
    let store = place.open().await;
    assert_eq!(store.accounts().await, Ok(vec![]));
    let id = store
        .create_account("at home")
        .await
        .expect("an account is made");
    let info = store.account(&id).await.expect("the account is there");
    assert_eq!((info.id, info.label.as_str()), (id, "at home"));
    assert_eq!(
        (info.link, info.desired),
        (LinkState::Unlinked, Desired::Run)
    );
    assert_eq!(
        (&info.jid, &info.lid, &info.platform),
        (&None, &None, &None)
    );
    assert!(info.created_unix_ms > 0, "the creation time is kept");
    assert_eq!(info.since_unix_ms, info.created_unix_ms);
    assert_eq!(store.load(&id, Query::Device).await, Ok(vec![]));
    assert_eq!(store.accounts().await, Ok(vec![info]));
}

/// The list is ordered by creation time, then id.
pub async fn accounts_are_listed_by_age(place: &impl Place) {
    let store = place.open().await;
    for _ in 0..12 {
        account(&store).await;
    }
    let listed = store.accounts().await.expect("the accounts are listed");
    assert_eq!(listed.len(), 12);
    assert!(listed.is_sorted_by_key(|info| (info.created_unix_ms, info.id)));
}

/// The first records and facts come with the account.
pub async fn an_account_is_made_with_its_first_records(place: &impl Place) {
    let store = place.open().await;
    let mut new = NewAccount::new("").expect("randomness");
    new.contents = puts([device(b"keys"), prekey(1, b"one")]);
    new.contents.desired = Some(Desired::Stop);
    let id = new.id;
    store
        .insert_account(new)
        .await
        .expect("the account is made");
    assert_eq!(
        records(&store, &id).await,
        [device(b"keys"), prekey(1, b"one")]
    );
    assert_eq!(
        store.account(&id).await.map(|info| info.desired),
        Ok(Desired::Stop)
    );
}

/// An account is not overwritten by a new one of its id.
pub async fn an_id_is_taken_once(place: &impl Place) {
    let store = place.open().await;
    let mut new = NewAccount::new("first").expect("randomness");
    new.contents = puts([device(b"first")]);
    let id = new.id;
    store
        .insert_account(new.clone())
        .await
        .expect("the account is made");
    new.contents = puts([device(b"second"), prekey(1, b"second")]);
    assert_eq!(
        store.insert_account(new).await,
        Err(StoreError::AccountExists { account: id })
    );
    assert_eq!(records(&store, &id).await, [device(b"first")]);
}

/// A device that arrives whole is taken into one account, also when it arrives in several at once.
pub async fn a_device_is_held_once(place: &impl Place) {
    let store = place.open().await;
    let arrival = || Changes {
        wipe: Wipe::All,
        identity: Some(identity(4_915_550_001)),
        ..puts([device(b"keys")])
    };
    let (one, other) = (locked_account(&store).await, locked_account(&store).await);
    let results = RefCell::new(Vec::new());
    together([&one, &other].map(|lock| async {
        let result = store.commit(lock, arrival()).await;
        results.borrow_mut().push((*lock.account(), result));
    }))
    .await;
    let results = results.into_inner();
    let taken: Vec<AccountId> = results
        .iter()
        .filter(|(_, result)| result.is_ok())
        .map(|(id, _)| *id)
        .collect();
    let [holder] = taken.as_slice() else {
        unreachable!("one of two arrives: {results:?}")
    };
    let (first, second) = if holder == one.account() {
        (one, other)
    } else {
        (other, one)
    };
    let held = Err(StoreError::DeviceHeld { account: *holder });
    assert!(results.contains(&(*second.account(), held.clone())));
    assert_eq!(records(&store, second.account()).await, []);

    let mut new = NewAccount::new("").expect("randomness");
    new.contents = arrival();
    assert_eq!(store.insert_account(new.clone()).await, held);
    new.contents.wipe = Wipe::No;
    assert_eq!(store.insert_account(new).await, held);
    assert_eq!(store.accounts().await.map(|all| all.len()), Ok(2));

    // It may take its own place, and any place once it is gone.
    commit(&store, &first, arrival()).await;
    store
        .delete_account(first)
        .await
        .expect("the account is deleted");
    commit(&store, &second, arrival()).await;
}

/// A label changes alone, up to its limit.
pub async fn a_label_changes_and_a_long_one_is_refused(place: &impl Place) {
    let store = place.open().await;
    let lock = locked_account(&store).await;
    let id = *lock.account();
    let mut linked = puts([device(b"keys")]);
    linked.identity = Some(identity(4_915_550_001));
    commit(&store, &lock, linked).await;

    let longest = "x".repeat(MAX_LABEL_LEN);
    store
        .set_label(&id, &longest)
        .await
        .expect("the longest label is taken");
    let refused = StoreError::TooLarge {
        what: "label",
        got: MAX_LABEL_LEN + 1,
        limit: MAX_LABEL_LEN,
    };
    let too_long = "x".repeat(MAX_LABEL_LEN + 1);
    assert_eq!(store.set_label(&id, &too_long).await, Err(refused.clone()));
    assert_eq!(store.create_account(&too_long).await, Err(refused));

    let info = store.account(&id).await.expect("the account is there");
    assert_eq!(info.label, longest);
    assert_eq!(info.jid.as_deref(), Some("4915550001:3@s.whatsapp.net"));
    assert_eq!(records(&store, &id).await, [device(b"keys")]);
}

/// Deleting takes everything of one account and nothing of another.
pub async fn a_deleted_account_is_gone_and_the_others_stay(place: &impl Place) {
    let store = place.open().await;
    let (one, other) = (locked_account(&store).await, locked_account(&store).await);
    for lock in [&one, &other] {
        commit(&store, lock, puts([device(b"keys"), prekey(1, b"one")])).await;
    }
    let gone = *one.account();
    store
        .delete_account(one)
        .await
        .expect("the account is deleted");
    let unknown = StoreError::UnknownAccount { account: gone };
    assert_eq!(store.account(&gone).await, Err(unknown.clone()));
    assert_eq!(store.lock(&gone).await.map(drop), Err(unknown));
    let listed = store.accounts().await.expect("the accounts are listed");
    assert!(listed.iter().map(|info| &info.id).eq([other.account()]));
    assert_eq!(records(&store, other.account()).await.len(), 2);
}

/// Nothing can be done with an account that is not there.
pub async fn an_unknown_account_is_an_error(place: &impl Place) {
    let store = place.open().await;
    let id = AccountId::random().expect("randomness");
    let unknown = StoreError::UnknownAccount { account: id };
    assert_eq!(store.account(&id).await, Err(unknown.clone()));
    assert_eq!(store.load(&id, Query::Device).await, Err(unknown.clone()));
    assert_eq!(store.snapshot(&id).await, Err(unknown.clone()));
    assert_eq!(store.set_label(&id, "").await, Err(unknown.clone()));
    assert_eq!(store.lock(&id).await.map(drop), Err(unknown));
}
