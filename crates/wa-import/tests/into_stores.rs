//! An imported link gets into a store once, and never in the place of another link.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Link;
use support::baileys::write_folder;
use wa_core::{Changes, Desired, LinkState, Query, Record, RecordKind};
use wa_import::{Imported, PutError, Service, Target, read_baileys};
use wa_store::{MemoryStore, Store as _};

fn imported(seed: u64, jid: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let link = Link {
        jid: jid.to_owned(),
        lid: None,
        ..Link::fresh(seed)
    };
    read_baileys(&write_folder(&link, folder.path()), &Service::production()).unwrap()
}

const ANN: &str = "1111111111:1@s.whatsapp.net";
const BEA: &str = "2222222222:1@s.whatsapp.net";

fn new(label: &str) -> Target {
    Target::New {
        label: label.to_owned(),
    }
}

#[tokio::test]
async fn it_arrives_linked_and_stopped() {
    let store = MemoryStore::new();
    let account = imported(1, ANN).put_into(&store, new("Ann")).await.unwrap();
    let info = store.account(&account).await.unwrap();
    assert_eq!(info.label, "Ann");
    assert_eq!(info.jid.as_deref(), Some(ANN));
    assert_eq!(
        (info.link, info.desired),
        (LinkState::Linked, Desired::Stop)
    );
    let records = store.load(&account, Query::Device).await.unwrap();
    let provider = Service::production().provider;
    let device = wa_core::Device::restore(provider, &records)
        .unwrap()
        .unwrap();
    assert_eq!(device.jid().unwrap().to_string(), ANN);
    let (_, all) = store.snapshot(&account).await.unwrap();
    let phone = all
        .iter()
        .find(|record| record.kind == RecordKind::PeerIdentity)
        .unwrap();
    assert_eq!(phone.key, b"1111111111@s.whatsapp.net");
}

#[tokio::test]
async fn no_device_is_held_twice() {
    let store = MemoryStore::new();
    let account = imported(1, ANN).put_into(&store, new("a")).await.unwrap();
    let empty = store.create_account("b").await.unwrap();
    for target in [new("c"), Target::InPlaceOf(empty)] {
        let result = imported(1, ANN).put_into(&store, target).await;
        assert_eq!(result, Err(PutError::SameDevice { account }));
    }
    assert_eq!(store.accounts().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_account_is_replaced_in_its_place() {
    let store = MemoryStore::new();
    let account = store.create_account("kept").await.unwrap();
    let lock = store.lock(&account).await.unwrap();
    let old = Record::new(RecordKind::Prekey, [0, 0, 9, 9], vec![1]);
    let changes = Changes {
        puts: vec![old.clone()],
        ..Changes::default()
    };
    store.commit(&lock, changes).await.unwrap();
    drop(lock);
    let target = Target::InPlaceOf(account);
    let done = imported(1, ANN).put_into(&store, target).await;
    assert_eq!(done, Ok(account));
    let (info, records) = store.snapshot(&account).await.unwrap();
    assert_eq!(info.label, "kept");
    assert_eq!(info.jid.as_deref(), Some(ANN));
    assert!(!records.contains(&old));
    let kept = support::pickles::link(&records);
    assert_eq!(kept.noise.private, Link::fresh(1).noise.private);
}

#[tokio::test]
async fn a_link_that_has_gone_on_here_is_not_set_back() {
    let store = MemoryStore::new();
    let account = imported(1, ANN).put_into(&store, new("a")).await.unwrap();
    let before = store.snapshot(&account).await;
    let again = imported(1, ANN)
        .put_into(&store, Target::InPlaceOf(account))
        .await;
    assert_eq!(again, Err(PutError::SameDevice { account }));
    assert!(again.unwrap_err().to_string().contains("start that one"));
    assert_eq!(store.snapshot(&account).await, before);
}

/// What is left of a link whose logout the server has not confirmed.
fn tombstone(jid: &str) -> Record {
    let mut pickle = vec![8, 1, 18, 32];
    pickle.extend_from_slice(&[7; 32]);
    pickle.extend_from_slice(&[26, u8::try_from(jid.len()).unwrap()]);
    pickle.extend_from_slice(jid.as_bytes());
    Record::new(RecordKind::Tombstone, [], pickle)
}

#[tokio::test]
async fn a_logout_is_finished_first() {
    let store = MemoryStore::new();
    let account = store.create_account("").await.unwrap();
    let lock = store.lock(&account).await.unwrap();
    let changes = Changes {
        puts: vec![tombstone(ANN)],
        link: Some(LinkState::Revoked),
        ..Changes::default()
    };
    store.commit(&lock, changes).await.unwrap();
    drop(lock);
    let unfinished = Err(PutError::UnfinishedLogout { account });
    let target = Target::InPlaceOf(account);
    for (jid, target) in [(ANN, new("")), (ANN, target.clone()), (BEA, target)] {
        let result = imported(1, jid).put_into(&store, target).await;
        assert_eq!(result, unfinished);
    }
    let (_, records) = store.snapshot(&account).await.unwrap();
    assert_eq!(records, [tombstone(ANN)]);
    assert!(imported(1, BEA).put_into(&store, new("")).await.is_ok());
}

#[tokio::test]
async fn another_link_is_never_lost() {
    let store = MemoryStore::new();
    let ann = imported(1, ANN).put_into(&store, new("a")).await.unwrap();
    let before = store.snapshot(&ann).await.unwrap();
    let result = imported(2, BEA)
        .put_into(&store, Target::InPlaceOf(ann))
        .await;
    assert_eq!(result, Err(PutError::LinkedOtherwise { account: ann }));
    assert_eq!(store.snapshot(&ann).await.unwrap(), before);
}

#[tokio::test]
async fn an_account_in_use_is_left_alone() {
    let store = MemoryStore::new();
    let account = store.create_account("").await.unwrap();
    let _lock = store.lock(&account).await.unwrap();
    let result = imported(1, ANN)
        .put_into(&store, Target::InPlaceOf(account))
        .await;
    assert!(matches!(
        result,
        Err(PutError::Store(wa_store::StoreError::Locked { .. }))
    ));
}
