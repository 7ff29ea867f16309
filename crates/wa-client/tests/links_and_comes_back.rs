#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! The main job: link by QR, log in, and log in again from the store with no code.

mod common;

use std::sync::Arc;

use common::{client_on, companions, is_online, is_qr, memory, pair, sim, until};
use wa_client::{ConnectionState, Event, Step};
use wa_store::{KeySource, Store};
use wa_store_sqlite::SqliteStore;

#[tokio::test]
async fn a_pairing_goes_through_every_step_in_order() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    assert_eq!(client.state(), ConnectionState::Idle);
    assert_eq!(client.credentials(), None);
    let seen = pair(&sim, &client, &mut events).await;

    let mut steps: Vec<Step> = Vec::new();
    for event in &seen {
        if let Event::Progress(step) = event {
            steps.push(*step);
        }
    }
    let expected = [
        Step::Connecting,
        Step::WaitingForScan,
        Step::Verifying,
        Step::Restarting,
        Step::Connecting,
        Step::LoggingIn,
        Step::UploadingKeys,
    ];
    assert_eq!(steps, expected);
    assert!(
        !seen
            .iter()
            .any(|event| matches!(event, Event::Disconnected { .. })),
        "the restart is part of the job, not a failure"
    );
    assert_eq!(client.state(), ConnectionState::Online);
    let link = client.credentials().unwrap();
    assert_eq!(link.jid.device(), 1);
    assert!(client.ping().await.is_ok());
    assert_eq!(companions(&sim), 1);
    client.shutdown().await;
}

#[tokio::test]
async fn connect_returns_once_online_and_at_once_when_online() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    let connecting = tokio::spawn({
        let client = client.clone();
        async move { client.connect().await }
    });
    let seen = until(&mut events, is_qr).await;
    assert!(!connecting.is_finished());
    sim.scan(&common::qr_text(seen.last().unwrap()))
        .await
        .unwrap();
    assert_eq!(connecting.await.unwrap(), Ok(()));
    assert_eq!(client.state(), ConnectionState::Online);
    assert_eq!(client.connect().await, Ok(()));
    client.shutdown().await;
}

#[tokio::test]
async fn a_second_run_logs_in_from_the_store_with_no_code() {
    let sim = sim().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let open = || async {
        Arc::new(
            SqliteStore::open(&path, KeySource::beside(&path))
                .await
                .unwrap(),
        )
    };

    let store = open().await;
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    let jid = client.credentials().unwrap().jid;
    client.shutdown().await;
    store.close().await;

    let store = open().await;
    let (client, mut events) = client_on(&sim, &store).await;
    assert_eq!(client.state(), ConnectionState::Stopped);
    assert_eq!(client.credentials().unwrap().jid, jid);
    client.start().await.unwrap();
    let seen = until(&mut events, is_online).await;
    assert!(!seen.iter().any(is_qr));
    client.shutdown().await;
    store.close().await;
}

#[tokio::test]
async fn disconnecting_keeps_the_link_and_connecting_again_works() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    pair(&sim, &client, &mut events).await;
    client.disconnect().await.unwrap();
    assert_eq!(client.state(), ConnectionState::Stopped);
    assert!(client.credentials().is_some());
    client.connect().await.unwrap();
    assert_eq!(client.state(), ConnectionState::Online);
    client.shutdown().await;
}

#[tokio::test]
async fn the_link_survives_a_server_that_cuts_and_joins_frames_at_will() {
    for fault in [
        wa_sim::Fault::SplitFrames { chunk: 1 },
        wa_sim::Fault::JoinFrames,
    ] {
        let sim = sim().await;
        sim.inject(wa_sim::FaultRule::always(fault));
        let (client, mut events) = client_on(&sim, &memory()).await;
        pair(&sim, &client, &mut events).await;
        client.shutdown().await;
    }
}
