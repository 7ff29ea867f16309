#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! No globals: two clients of one process differ in everything and live independently.

mod common;

use std::sync::Arc;

use common::{builder_for, memory, pair, sim};
use wa_client::{BuildError, ClientVersion, ConnectionState, Provider};
use wa_store::{Store, StoreError};

#[tokio::test]
async fn two_clients_on_two_servers_differ_in_everything() {
    let (first_sim, second_sim) = (sim().await, sim().await);
    assert_ne!(first_sim.noise_root_hex(), second_sim.noise_root_hex());
    let (first, mut first_events) = builder_for(&first_sim)
        .store(wa_store::MemoryStore::new())
        .device_name("first")
        .provider(Provider::rust())
        .version(ClientVersion::new(2, 3000, 1))
        .build()
        .await
        .unwrap();
    let (second, mut second_events) = builder_for(&second_sim)
        .store(wa_store::MemoryStore::new())
        .device_name("second")
        .build()
        .await
        .unwrap();
    tokio::join!(
        pair(&first_sim, &first, &mut first_events),
        pair(&second_sim, &second, &mut second_events)
    );
    for (sim, name) in [(&first_sim, "first"), (&second_sim, "second")] {
        let account = sim.read(|world| world.accounts().remove(0));
        assert_eq!(account.devices.len(), 1);
        assert_eq!(account.devices[0].name.as_deref(), Some(name));
    }
    first.shutdown().await;
    assert_eq!(
        second.state(),
        ConnectionState::Online,
        "ending one leaves the other alone"
    );
    assert!(second.ping().await.is_ok());
    second.shutdown().await;
}

#[tokio::test]
async fn two_accounts_of_one_store_link_side_by_side() {
    let sim = sim().await;
    let store = memory();
    let (one, two) = (
        store.create_account("one").await.unwrap(),
        store.create_account("two").await.unwrap(),
    );
    let build = |account| {
        builder_for(&sim)
            .shared_store(Arc::clone(&store))
            .account(account)
            .build()
    };
    let (first, mut first_events) = build(one).await.unwrap();
    let (second, mut second_events) = build(two).await.unwrap();
    pair(&sim, &first, &mut first_events).await;
    pair(&sim, &second, &mut second_events).await;
    assert_ne!(
        first.credentials().unwrap().jid,
        second.credentials().unwrap().jid
    );
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn an_account_belongs_to_one_client_at_a_time() {
    let (sim, store) = (sim().await, memory());
    let build = || builder_for(&sim).shared_store(Arc::clone(&store)).build();
    let (client, _events) = build().await.unwrap();
    assert!(matches!(
        build().await.unwrap_err(),
        BuildError::Store(StoreError::Locked { .. })
    ));
    client.shutdown().await;
    assert!(build().await.is_ok());
}

#[tokio::test]
async fn several_accounts_must_be_told_apart() {
    let (sim, store) = (sim().await, memory());
    store.create_account("one").await.unwrap();
    store.create_account("two").await.unwrap();
    let error = builder_for(&sim)
        .shared_store(store)
        .build()
        .await
        .unwrap_err();
    assert_eq!(error, BuildError::AmbiguousAccount { count: 2 });
}
