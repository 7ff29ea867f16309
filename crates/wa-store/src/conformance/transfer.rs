use wa_core::{Changes, Desired, LinkState, Wipe};

use super::Place;
use super::fixtures::{
    account, commit, device, identity, locked_account, prekey, puts, records, tombstone,
};
use crate::account::AccountId;
use crate::error::StoreError;
use crate::export::{AccountExport, ExportKey, export_sealed};
use crate::import::{ImportError, OnExisting, import, import_sealed};
use crate::lock::AccountLock;
use crate::secret::StoreKey;
use crate::store::Store;

/// An account that was exported and deleted comes back by its export, wanting to stay stopped.
pub async fn an_export_arrives_whole_and_stopped(place: &impl Place) {
    let store = place.open().await;
    let (lock, key) = (linked_account(&store).await, fresh_key());
    let id = *lock.account();
    store
        .set_label(&id, "mine")
        .await
        .expect("the label changes");
    let (info, kept) = store.snapshot(&id).await.expect("the account is read");
    let sealed = export_sealed(&store, &lock, &key)
        .await
        .expect("the account is exported");
    store
        .delete_account(lock)
        .await
        .expect("the account is deleted");

    let refused = import_sealed(&store, &sealed, &fresh_key(), OnExisting::Refuse).await;
    assert_eq!(refused, Err(ImportError::DoesNotOpen));
    assert_eq!(
        store.accounts().await,
        Ok(vec![]),
        "a wrong key changes nothing"
    );

    assert_eq!(
        import_sealed(&store, &sealed, &key, OnExisting::Refuse).await,
        Ok(id)
    );
    let (arrived, records) = store.snapshot(&id).await.expect("the account is read");
    assert_eq!(records, kept);
    assert_eq!(
        (arrived.link, arrived.desired),
        (LinkState::Linked, Desired::Stop)
    );
    assert_eq!(
        (arrived.label, arrived.jid, arrived.lid),
        (info.label, info.jid, info.lid)
    );
}

/// An account that is there is replaced when the caller says so, nobody uses it and nothing newer is lost.
pub async fn an_import_replaces_only_when_asked(place: &impl Place) {
    let store = place.open().await;
    let (lock, key) = (linked_account(&store).await, fresh_key());
    let id = *lock.account();
    let exported = records(&store, &id).await;
    let sealed = export_sealed(&store, &lock, &key)
        .await
        .expect("the account is exported");
    let present = store.snapshot(&id).await;

    let refused = import_sealed(&store, &sealed, &key, OnExisting::Refuse).await;
    assert_eq!(refused, Err(ImportError::Exists { account: id }));
    let refused = import_sealed(&store, &sealed, &key, OnExisting::Replace).await;
    assert!(matches!(
        refused,
        Err(ImportError::Store(StoreError::Locked { .. }))
    ));
    assert_eq!(store.snapshot(&id).await, present);

    // The link is lost here, and comes back by its export.
    let lost = Changes {
        puts: vec![device(b"new keys")],
        wipe: Wipe::All,
        link: Some(LinkState::Unlinked),
        ..Changes::default()
    };
    commit(&store, &lock, lost).await;
    drop(lock);
    assert_eq!(
        import_sealed(&store, &sealed, &key, OnExisting::Replace).await,
        Ok(id)
    );
    assert_eq!(records(&store, &id).await, exported);
}

/// Neither another link nor a newer state of the same one is replaced.
pub async fn an_import_never_goes_back(place: &impl Place) {
    let store = place.open().await;
    let lock = linked_account(&store).await;
    let id = *lock.account();
    let mut export = AccountExport::read(&store, &lock)
        .await
        .expect("the account is exported");
    commit(&store, &lock, puts([prekey(9, b"later")])).await;
    drop(lock);
    let changed = store.account(&id).await.expect("the account is there");
    let present = store.snapshot(&id).await;

    export.exported_unix_ms = changed.updated_unix_ms - 1;
    let refused = import(&store, export.clone(), OnExisting::Replace).await;
    assert_eq!(refused, Err(ImportError::Older { account: id }));

    export.exported_unix_ms = changed.updated_unix_ms;
    for other in [Some(identity(4_915_550_008)), None] {
        let other = AccountExport {
            identity: other,
            ..export.clone()
        };
        let refused = import(&store, other, OnExisting::Replace).await;
        assert_eq!(refused, Err(ImportError::LinkedOtherwise { account: id }));
    }
    assert_eq!(store.snapshot(&id).await, present);

    let kept = export.records.clone();
    assert_eq!(import(&store, export, OnExisting::Replace).await, Ok(id));
    assert_eq!(records(&store, &id).await, kept);
}

/// A logout that the server has not confirmed is not lost to an import, nor is the import lost to it.
pub async fn an_unfinished_logout_is_in_the_way_of_an_import(place: &impl Place) {
    let store = place.open().await;
    let lock = linked_account(&store).await;
    let id = *lock.account();
    let export = AccountExport::read(&store, &lock)
        .await
        .expect("the account is exported");
    let logged_out = Changes {
        puts: vec![tombstone("4915550007:3@s.whatsapp.net")],
        wipe: Wipe::All,
        link: Some(LinkState::Revoked),
        ..Changes::default()
    };
    commit(&store, &lock, logged_out).await;
    drop(lock);
    let unfinished = Err(ImportError::UnfinishedLogout { account: id });
    let elsewhere = AccountExport {
        account: AccountId::random().expect("randomness"),
        ..export.clone()
    };
    let another = AccountExport {
        identity: Some(identity(4_915_550_008)),
        ..export.clone()
    };
    let fine = AccountExport {
        account: AccountId::random().expect("randomness"),
        ..another.clone()
    };
    for export in [export, elsewhere, another] {
        assert_eq!(
            import(&store, export, OnExisting::Replace).await,
            unfinished
        );
    }
    assert_eq!(store.accounts().await.map(|accounts| accounts.len()), Ok(1));
    assert_eq!(
        records(&store, &id).await,
        [tombstone("4915550007:3@s.whatsapp.net")]
    );
    let other = fine.account;
    assert_eq!(import(&store, fine, OnExisting::Refuse).await, Ok(other));
}

/// The same device under another id is not doubled.
pub async fn one_device_is_imported_once(place: &impl Place) {
    let store = place.open().await;
    let lock = linked_account(&store).await;
    let mut export = AccountExport::read(&store, &lock)
        .await
        .expect("the account is exported");
    let other = account(&store).await;
    export.account = other;
    let refused = import(&store, export, OnExisting::Replace).await;
    assert_eq!(
        refused,
        Err(ImportError::SameDevice {
            account: *lock.account()
        })
    );
    assert_eq!(records(&store, &other).await, []);
}

async fn linked_account(store: &impl Store) -> AccountLock {
    let lock = locked_account(store).await;
    let linked = Changes {
        link: Some(LinkState::Linked),
        identity: Some(identity(4_915_550_007)),
        ..puts([device(b"keys"), prekey(1, b"one"), prekey(2, b"")])
    };
    commit(store, &lock, linked).await;
    lock
}

fn fresh_key() -> ExportKey {
    ExportKey::Key(StoreKey::generate().expect("randomness"))
}
