//! Our client.

use crate::{Failure, Resume};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wa_client::{Client, Event, Events, NoiseRoot};
use wa_core::{Changes, RecordKind};
use wa_sim::Sim;
use wa_store::{AccountId, KeySource, MemoryStore, Store};
use wa_store_sqlite::SqliteStore;

/// A linked account.
pub(crate) struct Linked<S> {
    store: Arc<S>,
    account: AccountId,
    root: NoiseRoot,
}

pub(crate) async fn memory(sim: &Sim) -> Result<Linked<MemoryStore>, Failure> {
    Linked::new(sim, MemoryStore::new()).await
}

pub(crate) async fn sqlite(sim: &Sim, folder: &Path) -> Result<Linked<SqliteStore>, Failure> {
    let path = folder.join("wa.db");
    let store = SqliteStore::open(&path, KeySource::beside(&path)).await?;
    Linked::new(sim, store).await
}

impl<S: Store> Linked<S> {
    async fn new(sim: &Sim, store: S) -> Result<Self, Failure> {
        let linked = Self {
            account: store.create_account("bench").await?,
            store: Arc::new(store),
            root: NoiseRoot::from_hex(&sim.noise_root_hex())?,
        };
        let (client, mut events) = linked.client(&sim.url()).await?;
        client.start().await?;
        loop {
            match events.next().await {
                Some(Event::Qr { text, seq: 1, .. }) => {
                    sim.begin_scan(None, text.expose())?;
                }
                Some(Event::Online { .. }) => break,
                Some(_) => {}
                None => return Err("the client ended before it was linked".into()),
            }
        }
        client.shutdown().await;
        Ok(linked)
    }

    async fn client(&self, url: &str) -> Result<(Client, Events), Failure> {
        let built = Client::builder()
            .endpoint(url)
            .noise_root(self.root)
            .shared_store(Arc::clone(&self.store))
            .account(self.account)
            .build();
        Ok(built.await?)
    }

    /// Without the server's key only XX is possible.
    async fn forget_server(&self) -> Result<(), Failure> {
        let lock = self.store.lock(&self.account).await?;
        let changes = Changes {
            deletes: vec![(RecordKind::Connection, Vec::new())],
            ..Changes::default()
        };
        Ok(self.store.commit(&lock, changes).await?)
    }
}

pub(crate) struct Resumption<'l, S> {
    linked: &'l Linked<S>,
    name: &'static str,
    forget: bool,
}

impl<'l, S> Resumption<'l, S> {
    pub(crate) fn new(linked: &'l Linked<S>, name: &'static str, forget: bool) -> Self {
        Self {
            linked,
            name,
            forget,
        }
    }
}

impl<S: Store> Resume for Resumption<'_, S> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn once(&mut self, url: &str) -> Result<Duration, Failure> {
        if self.forget {
            self.linked.forget_server().await?;
        }
        let (client, _events) = self.linked.client(url).await?;
        let began = Instant::now();
        client.connect().await?;
        let took = began.elapsed();
        client.shutdown().await;
        Ok(took)
    }
}
