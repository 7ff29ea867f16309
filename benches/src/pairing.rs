//! A whole QR pairing over loopback: from connect to `online`, through the restart, the login and 812 prekeys, with the
//! simulated server and phone in the same thread. Building the client and ending it are not part of it.

use crate::{Op, op_on};
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Runtime;
use wa_client::{Client, Event, Events, NoiseRoot, Provider};
use wa_sim::{Sim, SimOptions};
use wa_store::MemoryStore;

pub(crate) const GROUP: &str = "whole QR pairing on loopback";

/// Clients built at a time.
const BATCH: usize = 4;

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
        let pairing = Pairing {
            runtime: runtime.clone(),
            sim: sim.clone(),
            provider,
            fresh: Vec::new(),
            linked: Vec::new(),
        };
        op_on(GROUP, row, BATCH, pairing, Pairing::prepare, Pairing::run)
    })
    .collect()
}

struct Pairing {
    runtime: Rc<Runtime>,
    sim: Rc<Sim>,
    provider: Provider,
    /// At rest, with empty stores.
    fresh: Vec<(Client, Events)>,
    linked: Vec<Client>,
}

impl Pairing {
    /// Ends the clients of the runs before and builds those of the next.
    fn prepare(&mut self, runs: usize) {
        let Self {
            runtime,
            sim,
            provider,
            fresh,
            linked,
        } = self;
        runtime.block_on(async {
            for client in linked.drain(..) {
                let device = client.credentials().expect("linked").jid.device();
                client.shutdown().await;
                // The phone's list would only grow.
                let phone = sim.default_phone().expect("there is one");
                sim.unlink(phone, device).expect("was linked");
            }
            while fresh.len() < runs {
                let root = NoiseRoot::from_hex(&sim.noise_root_hex());
                let built = Client::builder()
                    .endpoint(sim.url())
                    .noise_root(root.expect("the simulator's own"))
                    .store(MemoryStore::new())
                    .provider(*provider)
                    .build();
                fresh.push(built.await.expect("an empty store"));
            }
        });
    }

    /// From the call that connects to `online`.
    fn run(&mut self) {
        let (client, mut events) = self.fresh.pop().expect("was made ready");
        self.runtime.block_on(async {
            client.start().await.expect("starts");
            loop {
                match events.next().await.expect("the client runs") {
                    Event::Qr { text, seq: 1, .. } => {
                        self.sim
                            .begin_scan(None, text.expose())
                            .expect("a live code");
                    }
                    Event::Online { .. } => break,
                    Event::PairingFailed(why) => panic!("{why:?}"),
                    _ => {}
                }
            }
        });
        self.linked.push(client);
    }
}
