use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticPublic, Provider};
use wa_proto::{Decoder, Jid, Node};

use super::{Handled, Pairing};
use crate::clocks::Clock;
use crate::{PairConfig, PairKeys, PairOutput};

struct Rig {
    pairing: Pairing,
    start: Instant,
    rng: ChaCha20Rng,
}

impl Rig {
    /// One ref on show, good for 60 s.
    // The one real moment; everything after it is arithmetic.
    #[expect(clippy::disallowed_methods)]
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let keys = PairKeys {
            noise: NoiseStaticPublic::from_bytes([9; 32]),
            identity: IdentitySecret::generate(Provider::rust(), &mut rng),
            adv: AdvSecret::generate(&mut rng),
        };
        let mut rig = Self {
            pairing: Pairing::new(keys, PairConfig::default()),
            start: Instant::now(),
            rng,
        };
        rig.feed(
            "iq",
            "set",
            Node::new("pair-device").child(Node::new("ref").bytes(*b"2@r")),
        );
        rig
    }

    fn feed(&mut self, tag: &'static str, kind: &'static str, child: Node) -> Vec<PairOutput> {
        let stanza = Node::new(tag)
            .attr("type", kind)
            .attr("id", "1")
            .attr("from", Jid::server_jid())
            .child(child);
        let bytes = stanza.to_bytes().unwrap();
        let mut decoder = Decoder::new();
        let stanza = decoder.decode(&bytes).unwrap();
        assert_eq!(
            self.pairing
                .handle_stanza(self.start, &stanza, &mut self.rng),
            Handled::Yes
        );
        self.drain()
    }

    fn drain(&mut self) -> Vec<PairOutput> {
        std::iter::from_fn(|| self.pairing.poll_output()).collect()
    }

    fn run(&mut self, clock: Clock, seconds: u64, holds_secret: bool) {
        let duration = Duration::from_secs(seconds);
        self.pairing
            .clocks
            .start(clock, self.start, duration, holds_secret);
    }

    fn at(&mut self, seconds: u64) -> Vec<PairOutput> {
        self.pairing
            .handle_timeout(self.start + Duration::from_secs(seconds), &mut self.rng);
        self.drain()
    }
}

#[test]
fn used_up_refs_leave_the_connection_open_while_another_flow_lives() {
    for clock in [Clock::Code, Clock::Passkey] {
        let mut rig = Rig::new();
        rig.run(clock, 180, false);
        assert!(matches!(rig.at(60).as_slice(), [PairOutput::QrExpired]));
        assert_eq!(
            rig.pairing.poll_timeout(),
            Some(rig.start + Duration::from_secs(180))
        );
        assert!(rig.at(179).is_empty());
        assert!(matches!(rig.at(180).as_slice(), [PairOutput::Exhausted]));
        assert!(rig.at(181).is_empty());
    }
}

#[test]
fn another_flow_that_ends_first_leaves_the_code_on_show() {
    let mut rig = Rig::new();
    rig.run(Clock::Code, 30, false);
    rig.run(Clock::Passkey, 40, false);
    assert!(rig.at(40).is_empty());
    assert!(matches!(
        rig.at(60).as_slice(),
        [PairOutput::QrExpired, PairOutput::Exhausted]
    ));
}

#[test]
fn clocks_that_run_out_together_exhaust_once() {
    let mut rig = Rig::new();
    rig.run(Clock::Code, 60, false);
    assert!(matches!(
        rig.at(60).as_slice(),
        [PairOutput::QrExpired, PairOutput::Exhausted]
    ));
}

#[test]
fn a_held_secret_is_not_refreshed() {
    let mut rig = Rig::new();
    rig.run(Clock::Code, 60, true);
    let child = || Node::new("companion_reg_refresh");
    let held = rig.feed("notification", "companion_reg_refresh", child());
    assert!(matches!(held.as_slice(), [PairOutput::Send(_)]));
    rig.pairing.clocks.stop(Clock::Code);
    let free = rig.feed("notification", "companion_reg_refresh", child());
    assert!(matches!(
        free.as_slice(),
        [
            PairOutput::PersistAdvSecret(_),
            PairOutput::Send(_),
            PairOutput::Qr(_)
        ]
    ));
}
