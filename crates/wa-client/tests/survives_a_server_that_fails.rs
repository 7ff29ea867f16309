#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! The server closes, falls silent or sends rubbish at every step; the client ends up linked or says why not.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PATIENCE, builder_for, is_online, is_qr, memory, next, qr_text, sim, until};
use wa_client::{
    Client, CloseCause, ConnectionState, DisconnectReason, Event, Events, OpenFailure,
};
use wa_sim::{BadFrame, Fault, FaultRule, Sim, Step};
use wa_store::MemoryStore;

const LINKING: [Step; 9] = [
    Step::Open,
    Step::ClientHello,
    Step::ServerHello,
    Step::ClientFinish,
    Step::PairDevice,
    Step::PairDeviceAck,
    Step::Scanned,
    Step::PairSuccess,
    Step::PairSign,
];
const LOGIN: [Step; 6] = [
    Step::Login,
    Step::Success,
    Step::Count,
    Step::Upload,
    Step::Active,
    Step::Online,
];

async fn impatient_client(sim: &Sim, store: &Arc<MemoryStore>) -> (Client, Events) {
    let build = builder_for(sim)
        .shared_store(Arc::clone(store))
        .configure(|config| {
            config.timings.handshake = Duration::from_millis(300);
            config.timings.pair_device = Duration::from_millis(300);
            config.timings.restart = Duration::from_millis(300);
            config.timings.login = Duration::from_millis(300);
            config.timings.request = Duration::from_millis(300);
        });
    build.build().await.unwrap()
}

/// Drives a client to `online` whatever happens on the way: scans every code it shows.
async fn drive_online(sim: &Sim, client: &Client, events: &mut Events) {
    client.start().await.unwrap();
    loop {
        let event = next(events).await;
        if is_qr(&event) {
            // A code of a connection that has just been closed is no use to the phone.
            let _ = sim.begin_scan(None, &qr_text(&event));
        }
        match &event {
            _ if is_online(&event) => return,
            Event::State(ConnectionState::LoggedOut { .. }) => client.start().await.unwrap(),
            Event::State(state @ ConnectionState::Failed { .. }) => panic!("{state:?}"),
            _ => {}
        }
    }
}

async fn recovers_from(fault: Fault) {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = impatient_client(&sim, &store).await;
    sim.inject(fault.clone());
    let driven = tokio::time::timeout(PATIENCE, drive_online(&sim, &client, &mut events)).await;
    assert!(
        driven.is_ok(),
        "{fault:?} leaves the client {:?}",
        client.state()
    );
    if client.ping().await.is_err() {
        // The fault struck right after `online`.
        until(&mut events, is_online).await;
        assert!(client.ping().await.is_ok(), "{fault:?}");
    }
    client.shutdown().await;
}

#[tokio::test]
async fn a_close_at_any_step_of_linking_and_login_is_survived() {
    for step in LINKING.into_iter().chain(LOGIN) {
        recovers_from(Fault::CloseAt { step }).await;
    }
}

#[tokio::test]
async fn silence_during_the_handshakes_and_the_login_is_survived() {
    for step in [
        Step::Open,
        Step::ClientHello,
        Step::ClientFinish,
        Step::PairSign,
        Step::Login,
    ] {
        recovers_from(Fault::SilentAt { step }).await;
    }
}

#[tokio::test]
async fn rubbish_after_the_handshake_costs_the_connection_and_no_more() {
    for frame in [BadFrame::Garbage, BadFrame::Empty] {
        recovers_from(Fault::BadFrameAt {
            step: Step::ClientFinish,
            frame,
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_reported_with_advice_and_the_time_of_the_next_try() {
    // Bound and not listening: refused, and nobody else can get the port meanwhile.
    let gone = tokio::net::TcpSocket::new_v4().unwrap();
    gone.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = gone.local_addr().unwrap();
    let sim = sim().await;
    let (client, mut events) = builder_for(&sim)
        .endpoint(format!("ws://{address}/"))
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    client.start().await.unwrap();
    let seen = until(&mut events, |event| {
        matches!(event, Event::Disconnected { .. })
    })
    .await;
    let Some(Event::Disconnected {
        reason,
        retry_at_unix_ms,
        ..
    }) = seen.last()
    else {
        unreachable!()
    };
    let text = reason.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("check the network"),
        "{text}"
    );
    assert!(retry_at_unix_ms.is_some());
    let last = until(&mut events, |event| {
        matches!(event, Event::State(ConnectionState::Failed { .. }))
    })
    .await;
    let attempts = last
        .iter()
        .chain(&seen)
        .filter(|event| matches!(event, Event::Disconnected { .. }))
        .count();
    assert_eq!(attempts, 8, "an unlinked device gives up after its budget");
    client.shutdown().await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_and_an_http_server_are_told_apart() {
    let sim =
        common::sim_with(|options| options.control_listen = Some(([127, 0, 0, 1], 0).into())).await;
    let failure = |url: String| {
        let builder = builder_for(&sim).endpoint(url).store(MemoryStore::new());
        async move {
            let (client, mut events) = builder.build().await.unwrap();
            client.start().await.unwrap();
            let seen = until(&mut events, |event| {
                matches!(
                    event,
                    Event::Disconnected { .. } | Event::State(ConnectionState::Failed { .. })
                )
            })
            .await;
            client.shutdown().await;
            match seen.last().unwrap() {
                Event::Disconnected {
                    reason: DisconnectReason::Closed(CloseCause::OpenFailed(failure)),
                    ..
                } => failure.clone(),
                Event::State(ConnectionState::Failed {
                    error: wa_client::FailReason::Open(failure),
                }) => failure.clone(),
                other => panic!("{other:?}"),
            }
        }
    };
    assert!(matches!(
        failure("ws://sim.invalid/".to_owned()).await,
        OpenFailure::Resolve(_)
    ));
    let http = sim.control_url().unwrap().replace("http://", "ws://");
    assert!(matches!(
        failure(http).await,
        OpenFailure::Upgrade { status: 400..=499 }
    ));
}

#[tokio::test]
async fn messages_longer_than_any_frame_are_refused() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = impatient_client(&sim, &store).await;
    sim.inject(FaultRule::once(Fault::BadFrameAt {
        step: Step::ClientFinish,
        frame: BadFrame::Oversize,
    }));
    // The announced bytes never come: the silence ends the connection, not a buffer of sixteen megabytes.
    tokio::time::timeout(PATIENCE, drive_online(&sim, &client, &mut events))
        .await
        .unwrap();
    client.shutdown().await;
}
