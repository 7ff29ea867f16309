//! A scripted service and phone, a store in memory, and the loop that drives an engine against them in
//! virtual time.
// Every test binary uses its own part of this.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod code_phone;
mod connection;
mod desk;
mod linking;
mod passkey_phone;
mod phone;
mod pickles;
mod rig;
mod service;
mod store;

pub use self::code_phone::{CompanionHello, TypedCode, code_notification};
pub use self::connection::Connection;
pub use self::passkey_phone::{OPTIONS, prologue_request};
pub use self::phone::{Phone, Tamper};
pub use self::pickles::{LinkPickle, Pickles};
pub use self::rig::{Done, Kill, Rig, unreachable};
pub use self::service::{AfterCode, AfterPasskey, Answer, Bundle, Fault, Linked, Point, Service};
pub use self::store::MemoryStore;

use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_core::{Config, Event, Now};

/// 2026-08-20, within the validity of the simulated certificates.
pub const START_UNIX_MS: u64 = 1_787_184_000_000;

/// Number of the simulated account.
pub const NUMBER: u64 = 12_025_550_123;

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The start of virtual time. The instant is the one reading of a clock in all tests: `Instant` has no other
/// constructor, and everything after it is arithmetic.
#[expect(clippy::disallowed_methods)]
pub fn start() -> Now {
    Now::new(Instant::now(), START_UNIX_MS)
}

/// A configuration for the service.
pub fn config(service: &Service) -> Config {
    Config::new("ws://service.test/ws/chat", service.root())
}

/// Names of the states told, in order.
pub fn states(events: &[Event]) -> Vec<&'static str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::State(state) => Some(state.name()),
            _ => None,
        })
        .collect()
}

/// A notification of the service with one child.
pub fn notification(kind: &str, child: &str) -> wa_proto::Node {
    wa_proto::Node::new("notification")
        .attr("from", wa_proto::Jid::server_jid())
        .attr("type", kind)
        .attr("id", "269488578")
        .child(wa_proto::Node::new(child.to_owned()))
}

/// Fewer pings, for stories that last weeks.
pub fn ping_hourly(config: &mut Config) {
    config.timings.ping_min = secs(3000);
    config.timings.ping_max = secs(3600);
    config.timings.ping_silence = secs(24 * 3600);
}
