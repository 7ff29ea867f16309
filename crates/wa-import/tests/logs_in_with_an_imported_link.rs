//! The whole way: a device is linked, written down as another library would, imported into a fresh store, and logs in
//! again with no new code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Link, baileys, pickles, whatsmeow};
use wa_client::{Client, ConnectionState, Event, Events, NoiseRoot};
use wa_import::{Imported, Service, Target, read_baileys, read_whatsmeow};
use wa_sim::{Sim, SimOptions};
use wa_store::{AccountId, MemoryStore, Store};

/// Nothing on loopback takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    sim: Sim,
    service: Service,
    /// What the library that linked first would have stored.
    link: Link,
}

impl World {
    /// Links a device and stops it.
    async fn linked() -> Self {
        let sim = Sim::start(SimOptions {
            tls_listen: None,
            control_listen: None,
            ..SimOptions::default()
        })
        .await
        .unwrap();
        let root = NoiseRoot::from_hex(&sim.noise_root_hex()).unwrap();
        let store = Arc::new(MemoryStore::new());
        let account = store.create_account("").await.unwrap();
        let (client, mut events) = client(&sim, root, &store, account).await;
        client.start().await.unwrap();
        loop {
            match next(&mut events).await {
                Event::Qr { text, .. } => {
                    sim.begin_scan(None, text.expose()).unwrap();
                }
                Event::Online { .. } => break,
                _ => {}
            }
        }
        client.shutdown().await;
        let (_, records) = store.snapshot(&account).await.unwrap();
        Self {
            sim,
            service: Service::with_root(root),
            link: pickles::link(&records),
        }
    }

    /// Puts an import into a fresh store and goes online with it.
    async fn logs_in(&self, imported: Imported) {
        let prekeys = imported.report().prekeys;
        assert_eq!(prekeys, self.link.prekeys.len());
        let store = Arc::new(MemoryStore::new());
        let target = Target::New {
            label: "moved".to_owned(),
        };
        let account = imported.put_into(store.as_ref(), target).await.unwrap();
        let (client, mut events) = client(&self.sim, self.service.root, &store, account).await;
        client.start().await.unwrap();
        loop {
            match next(&mut events).await {
                Event::Online { jid, .. } => {
                    assert_eq!(jid.to_string(), self.link.jid);
                    break;
                }
                Event::Qr { .. } => panic!("it asks for a new link"),
                _ => {}
            }
        }
        assert_eq!(client.state(), ConnectionState::Online);
        assert!(client.ping().await.is_ok());
        let number = self.sim.default_phone().unwrap();
        let companions = self
            .sim
            .read(|world| world.phone(number).unwrap().companions.len());
        assert_eq!(companions, 1, "the same entry in the phone's list");
        client.shutdown().await;
        let (_, records) = store.snapshot(&account).await.unwrap();
        let kept = pickles::link(&records);
        for key in &self.link.prekeys {
            let is_same =
                |other: &(u32, support::Pair)| other.0 == key.0 && other.1.private == key.1.private;
            assert!(kept.prekeys.iter().any(is_same), "prekey {} is kept", key.0);
        }
        assert!(kept.next_prekey >= self.link.next_prekey);
    }
}

async fn client(
    sim: &Sim,
    root: NoiseRoot,
    store: &Arc<MemoryStore>,
    account: AccountId,
) -> (Client, Events) {
    Client::builder()
        .endpoint(sim.url())
        .noise_root(root)
        .shared_store(Arc::clone(store))
        .account(account)
        .build()
        .await
        .unwrap()
}

async fn next(events: &mut Events) -> Event {
    let event = tokio::time::timeout(PATIENCE, events.next()).await;
    event
        .expect("an event comes in time")
        .expect("the client lives")
}

#[tokio::test]
async fn from_baileys() {
    let world = World::linked().await;
    let folder = tempfile::tempdir().unwrap();
    let path = baileys::write_folder(&world.link, folder.path());
    world
        .logs_in(read_baileys(&path, &world.service).unwrap())
        .await;
}

#[tokio::test]
async fn from_the_single_file_of_baileys() {
    let world = World::linked().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth_info.json");
    let mut link = world.link.clone();
    // The first one is written as used.
    link.prekeys.retain(|(id, _)| *id != 1);
    baileys::write_single(&link, &path);
    let world = World { link, ..world };
    world
        .logs_in(read_baileys(&path, &world.service).unwrap())
        .await;
}

#[tokio::test]
async fn from_whatsmeow() {
    let world = World::linked().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whatsmeow.db");
    whatsmeow::write(&[&world.link], &path).await;
    let imported = read_whatsmeow(&path, None, &world.service).await.unwrap();
    world.logs_in(imported).await;
}

#[tokio::test]
async fn a_link_is_not_offered_to_a_service_it_was_not_imported_for() {
    let world = World::linked().await;
    let folder = tempfile::tempdir().unwrap();
    let path = baileys::write_folder(&world.link, folder.path());
    let imported = read_baileys(&path, &Service::production()).unwrap();
    let store = Arc::new(MemoryStore::new());
    let target = Target::New {
        label: String::new(),
    };
    let account = imported.put_into(store.as_ref(), target).await.unwrap();
    let (client, mut events) = client(&world.sim, world.service.root, &store, account).await;
    // The start is refused or fails; either way nothing is sent.
    client.start().await.ok();
    while !matches!(client.state(), ConnectionState::Failed { .. }) {
        assert!(!matches!(next(&mut events).await, Event::Online { .. }));
    }
    client.shutdown().await;
    let info = store.account(&account).await.unwrap();
    assert_eq!(info.link, wa_core::LinkState::Linked, "the link is kept");
}
