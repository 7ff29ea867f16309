#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! However a client ends, its task, its socket and its lock go with it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PATIENCE, builder_for, client_on, memory, pair, sim, sim_with};
use wa_client::{BuildError, ClientError, ConnectionState};
use wa_core::Desired;
use wa_store::Store;

#[tokio::test]
async fn dropping_the_last_handle_ends_the_client() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    let other = client.clone();
    drop(client);
    assert!(other.ping().await.is_ok(), "one handle is enough");
    drop(other);
    tokio::time::timeout(PATIENCE, async { while events.next().await.is_some() {} })
        .await
        .expect("the events end");
    while sim.read(|world| world.connections()) != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let account = store.accounts().await.unwrap().remove(0);
    assert_eq!(
        account.desired,
        Desired::Run,
        "ending a process is no wish to stop the account"
    );
    assert!(store.lock(&account.id).await.is_ok(), "the account is free");
}

#[tokio::test]
async fn shutdown_is_over_when_it_returns_and_later_calls_say_so() {
    let (sim, store) = (sim().await, memory());
    let (client, _events) = client_on(&sim, &store).await;
    client.start().await.unwrap();
    let other = client.clone();
    tokio::join!(client.shutdown(), other.shutdown());
    let account = store.accounts().await.unwrap().remove(0);
    assert!(store.lock(&account.id).await.is_ok());
    assert_eq!(client.connect().await, Err(ClientError::Ended));
    client.shutdown().await;
    client.settled().await;
}

#[tokio::test]
async fn a_call_under_way_ends_with_the_client() {
    let sim = sim().await;
    let (client, _events) = client_on(&sim, &memory()).await;
    let connecting = tokio::spawn({
        let client = client.clone();
        async move { client.connect().await }
    });
    while client.state() != ConnectionState::AwaitingPairing {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.shutdown().await;
    assert_eq!(connecting.await.unwrap(), Err(ClientError::Ended));
}

#[tokio::test]
async fn stopping_is_a_wish_that_the_store_keeps() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    client.disconnect().await.unwrap();
    let account = store.accounts().await.unwrap().remove(0);
    assert_eq!(account.desired, Desired::Stop);
    client.shutdown().await;
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_hold_up_the_end() {
    let sim = sim_with(|_| {}).await;
    sim.inject(wa_sim::FaultRule::always(wa_sim::Fault::SilentAt {
        step: wa_sim::Step::Open,
    }));
    let (client, _events) = client_on(&sim, &memory()).await;
    client.start().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(5), client.shutdown())
        .await
        .expect("the end is bounded");
}

#[tokio::test]
async fn a_wrong_address_is_refused_before_anything_happens() {
    let (sim, store) = (sim().await, memory());
    let build = |url: &str| {
        builder_for(&sim)
            .shared_store(Arc::clone(&store))
            .endpoint(url)
            .build()
    };
    for url in ["http://127.0.0.1/", "127.0.0.1:1", "wss://"] {
        assert!(
            matches!(build(url).await.unwrap_err(), BuildError::Endpoint { .. }),
            "{url}"
        );
    }
    assert!(store.accounts().await.unwrap().is_empty());
}
