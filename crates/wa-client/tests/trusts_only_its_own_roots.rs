#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! TLS: a CA given to one client counts for that client alone, and an unknown one is an error with advice.

mod common;

use common::{builder_for, pair, sim_with, until};
use wa_client::{
    BuildError, CloseCause, DisconnectReason, Event, OpenFailure, TlsRoots, TlsRootsError,
};
use wa_sim::Sim;
use wa_store::MemoryStore;

async fn tls_sim() -> Sim {
    sim_with(|options| options.tls_listen = Some(([127, 0, 0, 1], 0).into())).await
}

async fn refusal(sim: &Sim, roots: TlsRoots) -> OpenFailure {
    let (client, mut events) = builder_for(sim)
        .endpoint(sim.tls_url().unwrap())
        .tls_roots(roots)
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    client.start().await.unwrap();
    let seen = until(&mut events, |event| {
        matches!(event, Event::Disconnected { .. })
    })
    .await;
    client.shutdown().await;
    match seen.last() {
        Some(Event::Disconnected {
            reason: DisconnectReason::Closed(CloseCause::OpenFailed(failure)),
            ..
        }) => failure.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_given_ca_is_trusted_beside_or_instead_of_the_built_in_ones() {
    let sim = tls_sim().await;
    let pem = sim.ca_pem().unwrap().as_bytes().to_vec();
    for roots in [TlsRoots::Only(pem.clone()), TlsRoots::WebPkiAnd(pem)] {
        let (client, mut events) = builder_for(&sim)
            .endpoint(sim.tls_url().unwrap())
            .tls_roots(roots)
            .store(MemoryStore::new())
            .build()
            .await
            .unwrap();
        pair(&sim, &client, &mut events).await;
        client.shutdown().await;
    }
}

#[tokio::test]
async fn an_unknown_ca_is_refused_with_advice() {
    let (sim, other) = (tls_sim().await, tls_sim().await);
    for roots in [
        TlsRoots::WebPki,
        TlsRoots::Only(other.ca_pem().unwrap().as_bytes().to_vec()),
    ] {
        let failure = refusal(&sim, roots).await;
        assert!(matches!(failure, OpenFailure::Tls(_)), "{failure:?}");
        assert!(failure.to_string().contains("check the clock"), "{failure}");
    }
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_refused_at_once() {
    let sim = tls_sim().await;
    let built = builder_for(&sim)
        .tls_roots(TlsRoots::Only(b"no certificate".to_vec()))
        .store(MemoryStore::new())
        .build()
        .await;
    assert_eq!(built.unwrap_err(), BuildError::Tls(TlsRootsError::Empty));
}
