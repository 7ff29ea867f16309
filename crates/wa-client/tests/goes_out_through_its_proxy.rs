#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! A proxy is the only way out: names are left to it, its refusal is the end, and no proxy comes from elsewhere.

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::net::SocketAddr;
use std::time::Duration;

use common::{builder_for, next, pair, sim, until};
use proxy::{Kind, TestProxy};
use wa_client::{
    CloseCause, ConnectionState, DisconnectReason, Event, FailReason, OpenFailure, TlsRoots,
};
use wa_sim::Sim;
use wa_store::MemoryStore;

/// A name that no resolver knows (RFC 6761): only the proxy can lead anywhere with it.
const NAME: &str = "sim.invalid";

fn address(url: &str) -> SocketAddr {
    url.split('/').nth(2).unwrap().parse().unwrap()
}

fn named(sim: &Sim) -> String {
    format!("ws://{NAME}:{}/ws/chat", address(&sim.url()).port())
}

async fn links_through(
    kind: Kind,
    password: Option<&'static str>,
    url: impl Fn(SocketAddr) -> String,
) -> TestProxy {
    let sim = sim().await;
    let proxy = TestProxy::start(kind, Some(address(&sim.url())), password).await;
    let (client, mut events) = builder_for(&sim)
        .endpoint(named(&sim))
        .proxy(url(proxy.address).parse().unwrap())
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    pair(&sim, &client, &mut events).await;
    client.shutdown().await;
    let asked = proxy.asked();
    assert_eq!(
        asked.len(),
        2,
        "the pairing and the login both went through"
    );
    assert!(
        asked
            .iter()
            .all(|(name, _)| *name == format!("{NAME}:{}", address(&sim.url()).port()))
    );
    proxy
}

#[tokio::test]
async fn http_connect_leads_to_a_name_only_the_proxy_knows() {
    links_through(Kind::Http, None, |at| format!("http://{at}")).await;
}

#[tokio::test]
async fn socks5_leads_to_a_name_only_the_proxy_knows() {
    links_through(Kind::Socks5, None, |at| format!("socks5://{at}")).await;
}

#[tokio::test]
async fn both_kinds_take_a_user_and_a_password() {
    let proxy = links_through(Kind::Http, Some("pass:word"), |at| {
        format!("http://ann:pass%3Aword@{at}")
    })
    .await;
    assert_eq!(proxy.asked()[0].1.as_deref(), Some("YW5uOnBhc3M6d29yZA=="));
    let proxy = links_through(Kind::Socks5, Some("pass:word"), |at| {
        format!("socks5h://ann:pass%3Aword@{at}")
    })
    .await;
    assert_eq!(proxy.asked()[0].1.as_deref(), Some("ann:pass:word"));
}

#[tokio::test]
async fn tls_runs_through_the_tunnel_to_the_server() {
    let sim =
        common::sim_with(|options| options.tls_listen = Some(([127, 0, 0, 1], 0).into())).await;
    let url = sim.tls_url().unwrap();
    let proxy = TestProxy::start(Kind::Socks5, Some(address(&url)), None).await;
    let (client, mut events) = builder_for(&sim)
        .endpoint(format!("wss://localhost:{}/ws/chat", address(&url).port()))
        .tls_roots(TlsRoots::Only(sim.ca_pem().unwrap().into()))
        .proxy(format!("socks5://{}", proxy.address).parse().unwrap())
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    pair(&sim, &client, &mut events).await;
    client.shutdown().await;
}

/// The first connection attempt of a client that could reach the server directly, if it wanted.
async fn attempt(sim: &Sim, proxy: String) -> (ConnectionState, OpenFailure) {
    let (client, mut events) = builder_for(sim)
        .proxy(proxy.parse().unwrap())
        .connect_timeout(Duration::from_millis(500))
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    client.start().await.unwrap();
    let seen = until(&mut events, |event| {
        matches!(
            event,
            Event::Disconnected { .. } | Event::State(ConnectionState::Failed { .. })
        )
    })
    .await;
    let failure = match seen.last().unwrap() {
        Event::Disconnected {
            reason: DisconnectReason::Closed(CloseCause::OpenFailed(failure)),
            ..
        } => failure.clone(),
        Event::State(ConnectionState::Failed {
            error: FailReason::Open(failure),
        }) => failure.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        sim.read(|world| world.connections()),
        0,
        "nothing goes around the proxy"
    );
    if let Event::Disconnected { .. } = seen.last().unwrap() {
        next(&mut events).await;
    }
    client.settled().await;
    let state = client.state();
    client.shutdown().await;
    (state, failure)
}

#[tokio::test]
async fn a_refusing_proxy_is_the_end_of_the_attempt() {
    let sim = sim().await;
    for (kind, scheme) in [(Kind::Http, "http"), (Kind::Socks5, "socks5")] {
        let proxy = TestProxy::start(kind, None, None).await;
        let (state, failure) = attempt(&sim, format!("{scheme}://{}", proxy.address)).await;
        assert!(
            matches!(state, ConnectionState::Reconnecting { .. }),
            "{state:?}"
        );
        assert!(
            matches!(&failure, OpenFailure::Proxy(what) if what.contains("refused the tunnel")),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_tried_again_and_never_shown() {
    let sim = sim().await;
    for (kind, scheme) in [(Kind::Http, "http"), (Kind::Socks5, "socks5")] {
        let proxy = TestProxy::start(kind, Some(address(&sim.url())), Some("right")).await;
        let (state, failure) =
            attempt(&sim, format!("{scheme}://ann:hunter2@{}", proxy.address)).await;
        assert!(matches!(state, ConnectionState::Failed { .. }), "{state:?}");
        assert!(
            matches!(&failure, OpenFailure::Misconfigured(what) if what.contains("credentials")),
            "{failure}"
        );
        assert!(!format!("{state:?} {failure:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_says_nothing_is_named_as_the_culprit() {
    let sim = sim().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let (_, failure) = attempt(&sim, format!("http://{address}")).await;
    assert!(
        failure.to_string().contains(&address.to_string()),
        "{failure}"
    );

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_, failure) = attempt(&sim, format!("socks5://{}", silent.local_addr().unwrap())).await;
    assert!(
        matches!(&failure, OpenFailure::Proxy(what) if what.contains("took longer than 0.5 s")),
        "{failure}"
    );
}
