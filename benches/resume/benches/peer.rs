//! whatsapp-rust, from `spawn` to its `Connected` event.

use crate::{Failure, Resume};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wa_sim::Sim;
use wacore::store::in_memory::InMemoryBackend;
use wacore::store::traits::Backend;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::events::Event;

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Resumption {
    backend: Arc<dyn Backend>,
    name: &'static str,
}

impl Resumption {
    pub(crate) async fn in_memory(sim: &Sim) -> Result<Self, Failure> {
        let backend = Arc::new(InMemoryBackend::new());
        Self::linked(sim, backend, "whatsapp-rust 0.7.0").await
    }

    pub(crate) async fn in_sqlite(sim: &Sim, folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("peer.db");
        let store = SqliteStore::new(&path.to_string_lossy()).await?;
        Self::linked(sim, Arc::new(store), "whatsapp-rust 0.7.0, SQLite").await
    }

    async fn linked(
        sim: &Sim,
        backend: Arc<dyn Backend>,
        name: &'static str,
    ) -> Result<Self, Failure> {
        let linked = Self { backend, name };
        linked.connect(&sim.url(), Some(sim)).await?;
        Ok(linked)
    }

    /// To `Connected`, by a scan if there is a phone to scan with.
    async fn connect(&self, url: &str, phone: Option<&Sim>) -> Result<Duration, Failure> {
        let (events, mut seen) = mpsc::unbounded_channel();
        let bot = Bot::builder()
            .with_backend_arc(Arc::clone(&self.backend))
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(url))
            .with_version((2, 3000, 1_045_649_367))
            // Without a name of its own it waits for one from the phone's synchronisation at every start.
            .with_push_name("bench")
            .on_event(move |event, _| {
                let _ = events.send(event);
                async {}
            })
            .build()
            .await?;
        let began = Instant::now();
        let bot = bot.spawn();
        let deadline = tokio::time::Instant::now() + LIMIT;
        let took = loop {
            let event = tokio::time::timeout_at(deadline, seen.recv())
                .await?
                .ok_or("the peer's events ended")?;
            match (&*event, phone) {
                (Event::PairingQrCode(qr), Some(sim)) => {
                    // The first code does; whatever comes of the others.
                    let _ = sim.begin_scan(None, &qr.code);
                }
                (Event::PairingQrCode(_), None) => return Err("the peer is not linked".into()),
                (Event::Connected(_), _) => break began.elapsed(),
                _ => {}
            }
        };
        bot.shutdown().await;
        Ok(took)
    }
}

impl Resume for Resumption {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn once(&mut self, url: &str) -> Result<Duration, Failure> {
        self.connect(url, None).await
    }
}
