#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! A client version the server refuses is replaced by what a source says, once, and never one that was pinned.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{builder_for, is_online, is_qr, memory, pair, qr_text, sim_with, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wa_client::{
    ClientError, ClientVersion, CommandError, ConnectionState, LogoutOptions, RecordKind,
    VersionAnswer, VersionOrigin, VersionProvider, VersionSource,
};
use wa_sim::Sim;

const WANTED: ClientVersion = ClientVersion::new(2, 3000, 1_099_999_999);

async fn strict_sim() -> Sim {
    let ClientVersion {
        primary,
        secondary,
        tertiary,
    } = WANTED;
    sim_with(|options| options.world.min_version = Some([primary, secondary, tertiary])).await
}

/// A version page; returns its URL and how often it was read.
async fn page(revision: u32) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sw.js", listener.local_addr().unwrap());
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            let answer = format!("HTTP/1.1 200 OK\r\n\r\n\"client_revision\":{revision},");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, reads)
}

#[tokio::test]
async fn a_refused_version_is_replaced_and_remembered() {
    let sim = strict_sim().await;
    let (url, reads) = page(WANTED.tertiary).await;
    let store = memory();
    let build = || {
        builder_for(&sim)
            .version_source(VersionSource::Fetch { url: url.clone() })
            .shared_store(Arc::clone(&store))
            .build()
    };
    let (client, mut events) = build().await.unwrap();
    assert_eq!(client.version().origin, VersionOrigin::CompiledIn);
    assert_eq!(client.version().age(), None);
    pair(&sim, &client, &mut events).await;
    let version = client.version();
    assert_eq!(version.version, WANTED);
    assert!(
        matches!(&version.origin, VersionOrigin::Fetched { source, .. } if *source == url),
        "{version:?}"
    );
    assert!(version.age().unwrap() < Duration::from_secs(60));
    client.shutdown().await;

    let (client, mut events) = build().await.unwrap();
    assert_eq!(client.version().version, WANTED);
    client.start().await.unwrap();
    until(&mut events, is_online).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1, "it is asked only once");

    let keep = LogoutOptions::keep([RecordKind::Version]);
    client.logout_with(keep).await.unwrap();
    client.shutdown().await;
    let (client, _events) = build().await.unwrap();
    assert_eq!(client.version().version, WANTED, "it was to be kept");
    client.shutdown().await;
}

async fn ends_outdated(sim: &Sim, source: VersionSource) {
    let (client, _events) = builder_for(sim)
        .version_source(source)
        .shared_store(memory())
        .build()
        .await
        .unwrap();
    assert_eq!(
        client.connect().await,
        Err(ClientError::Command(CommandError::Outdated))
    );
    assert_eq!(client.state(), ConnectionState::Outdated);
    assert_eq!(client.version().version, ClientVersion::COMPILED_IN);
    client.shutdown().await;
}

#[tokio::test]
async fn a_source_that_knows_nothing_newer_is_no_help() {
    let sim = strict_sim().await;
    let (stale, reads) = page(7).await;
    ends_outdated(&sim, VersionSource::Fetch { url: stale }).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    ends_outdated(&sim, VersionSource::Off).await;
    let nobody = "http://127.0.0.1:1/sw.js".to_owned();
    ends_outdated(&sim, VersionSource::Fetch { url: nobody }).await;
}

#[tokio::test]
async fn a_pinned_version_is_left_alone_until_the_application_gives_another() {
    let sim = strict_sim().await;
    let (url, reads) = page(WANTED.tertiary).await;
    let (client, mut events) = builder_for(&sim)
        .version(ClientVersion::COMPILED_IN)
        .version_source(VersionSource::Fetch { url })
        .shared_store(memory())
        .build()
        .await
        .unwrap();
    assert_eq!(
        client.connect().await,
        Err(ClientError::Command(CommandError::Outdated))
    );
    assert_eq!(reads.load(Ordering::SeqCst), 0);
    client.use_version(WANTED).await.unwrap();
    let seen = until(&mut events, is_qr).await;
    sim.begin_scan(None, &qr_text(seen.last().unwrap()))
        .unwrap();
    until(&mut events, is_online).await;
    assert_eq!(client.version().origin, VersionOrigin::Given);
    client.shutdown().await;
}

#[derive(Debug)]
struct Silent(Arc<AtomicUsize>);

impl VersionProvider for Silent {
    fn name(&self) -> String {
        "silent".to_owned()
    }

    fn current(&self) -> VersionAnswer<'_> {
        let open = Open(&self.0);
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let _open = open;
            std::future::pending().await
        })
    }
}

/// Counts down when the question is given up.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_source() {
    let sim = strict_sim().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let (client, _events) = builder_for(&sim)
        .version_source(VersionSource::Custom(Arc::new(Silent(Arc::clone(&asked)))))
        .shared_store(memory())
        .build()
        .await
        .unwrap();
    for ends in [false, true] {
        client.start().await.unwrap();
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let began = Instant::now();
        if ends {
            client.shutdown().await;
        } else {
            client.disconnect().await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(2));
        client.settled().await;
        assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody asks any more");
    }
}
