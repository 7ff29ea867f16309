//! What the tests of this crate share: a simulator, clients on it, and waiting for events.
#![allow(dead_code)]

use std::sync::Arc;
use std::time::Duration;

use wa_client::{Client, ClientBuilder, Event, Events, NoiseRoot};
use wa_sim::{PhoneNumber, Sim, SimOptions};
use wa_store::{MemoryStore, Store};

/// Nothing on loopback takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn sim() -> Sim {
    sim_with(|_| {}).await
}

pub(crate) async fn sim_with(change: impl FnOnce(&mut SimOptions)) -> Sim {
    let mut options = SimOptions {
        tls_listen: None,
        control_listen: None,
        ..SimOptions::default()
    };
    change(&mut options);
    Sim::start(options).await.unwrap()
}

/// A client of the simulator that does not wait long before it tries again.
pub(crate) fn builder_for(sim: &Sim) -> ClientBuilder<()> {
    Client::builder()
        .endpoint(sim.url())
        .noise_root(NoiseRoot::from_hex(&sim.noise_root_hex()).unwrap())
        .configure(|config| config.reconnect.base = Duration::from_millis(20))
}

pub(crate) async fn client_on<S: Store>(sim: &Sim, store: &Arc<S>) -> (Client, Events) {
    builder_for(sim)
        .shared_store(Arc::clone(store))
        .build()
        .await
        .unwrap()
}

pub(crate) fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

pub(crate) fn number(sim: &Sim) -> PhoneNumber {
    sim.default_phone().unwrap()
}

/// How many companions the phone believes in.
pub(crate) fn companions(sim: &Sim) -> usize {
    let number = number(sim);
    sim.read(|world| world.phone(number).unwrap().companions.len())
}

pub(crate) async fn next(events: &mut Events) -> Event {
    let event = tokio::time::timeout(PATIENCE, events.next()).await;
    event
        .expect("an event comes in time")
        .expect("the client lives")
}

/// Reads events until one is wanted; returns all of them, the wanted one last.
pub(crate) async fn until(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut seen = Vec::new();
    loop {
        let event = next(events).await;
        let found = wanted(&event);
        seen.push(event);
        if found {
            return seen;
        }
    }
}

pub(crate) fn is_online(event: &Event) -> bool {
    matches!(event, Event::Online { .. })
}

pub(crate) fn is_qr(event: &Event) -> bool {
    matches!(event, Event::Qr { .. })
}

pub(crate) fn qr_text(event: &Event) -> String {
    match event {
        Event::Qr { text, .. } => text.expose().to_owned(),
        other => panic!("no code: {other:?}"),
    }
}

/// Links by QR and waits until online; returns every event on the way.
pub(crate) async fn pair(sim: &Sim, client: &Client, events: &mut Events) -> Vec<Event> {
    client.start().await.unwrap();
    let mut seen = until(events, is_qr).await;
    sim.begin_scan(None, &qr_text(seen.last().unwrap()))
        .unwrap();
    seen.extend(until(events, is_online).await);
    seen
}
