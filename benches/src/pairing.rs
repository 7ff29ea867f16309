//! A whole QR pairing over loopback: from connect to `online`, through the restart, the login and 812 prekeys, with the
//! simulated server and phone in the same thread.

use crate::{Op, op};
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Runtime;
use wa_client::{Client, Event, NoiseRoot, Provider};
use wa_sim::{Sim, SimOptions};
use wa_store::MemoryStore;

pub(crate) const GROUP: &str = "whole QR pairing on loopback";

pub(crate) fn operations() -> Vec<Op> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let runtime = Rc::new(runtime);
    // What a phone takes to react is its owner's time, not ours. A phone may link any number of devices here.
    let mut options = SimOptions::default();
    options.world.scan_delay = Duration::ZERO;
    options.world.device_limit = None;
    let sim = Rc::new(
        runtime
            .block_on(Sim::start(options))
            .expect("loopback is there"),
    );
    [
        ("wa rust", Provider::rust()),
        ("wa aws-lc", Provider::aws_lc()),
    ]
    .into_iter()
    .map(|(row, provider)| {
        let (runtime, sim) = (runtime.clone(), sim.clone());
        op(GROUP, row, move || pair(&runtime, &sim, provider))
    })
    .collect()
}

fn pair(runtime: &Runtime, sim: &Sim, provider: Provider) {
    runtime.block_on(async {
        let (client, mut events) = Client::builder()
            .endpoint(sim.url())
            .noise_root(NoiseRoot::from_hex(&sim.noise_root_hex()).expect("the simulator's own"))
            .store(MemoryStore::new())
            .provider(provider)
            .build()
            .await
            .expect("an empty store");
        client.start().await.expect("starts");
        loop {
            match events.next().await.expect("the client runs") {
                Event::Qr { text, seq: 1, .. } => {
                    sim.begin_scan(None, text.expose()).expect("a live code");
                }
                Event::Online { .. } => break,
                Event::PairingFailed(why) => panic!("{why:?}"),
                _ => {}
            }
        }
        let device = client.credentials().expect("linked").jid.device();
        client.shutdown().await;
        // Slots are few; the next round needs this one.
        let phone = sim.default_phone().expect("there is one");
        sim.unlink(phone, device).expect("was linked");
    });
}
