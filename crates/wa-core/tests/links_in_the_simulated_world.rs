#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

//! The engine against the simulator's server and phone, which share no code with it, in virtual time.

mod support;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use support::{MemoryStore, Rig, rng, secs, start};
use wa_core::{
    CloseCause, CodeEnd, Command, Config, Device, Engine, Epoch, Event, Handoff, Input, OpId,
    Output, PasskeyAssertion, Provider,
};
use wa_sim::{
    ConnId, ConnInfo, PasskeyPolicy, PhoneConfig, PhoneNumber, ScanId, ScanOutcome, World,
    WorldConfig, WorldOutput,
};

/// An engine on one end, the world on the other, and a clock between them.
struct Pair {
    now: wa_core::Now,
    engine: Engine,
    store: MemoryStore,
    world: World,
    number: PhoneNumber,
    events: Vec<Event>,
    link: Option<(Epoch, ConnId)>,
    inbox: VecDeque<Feed>,
    next_op: u64,
}

enum Feed {
    Opened(Epoch),
    Bytes(Epoch, Vec<u8>),
    Closed(Epoch),
    Computed(wa_core::Computed),
    Loaded(wa_core::Query),
}

fn sim(now: wa_core::Now) -> wa_sim::Now {
    wa_sim::Now {
        instant: now.instant,
        unix_ms: now.unix_ms,
    }
}

impl Pair {
    fn new(passkey: PasskeyPolicy, handoff: Handoff) -> Self {
        let now = start();
        let mut world = World::new(WorldConfig::default(), [5; 32], sim(now));
        let phone = PhoneConfig {
            passkey,
            ..PhoneConfig::default()
        };
        let number = PhoneNumber::new(support::NUMBER).unwrap();
        world.add_phone(sim(now), number, phone).unwrap();
        let mut config = Config::new("ws://world.test/ws/chat", world.noise_root());
        config.handoff = handoff;
        let mut rng = rng(6);
        let device = Device::generate(Provider::rust(), &mut rng, now.unix_secs());
        Self {
            now,
            engine: Engine::new(Arc::new(config), device, Box::new(rng), now),
            store: MemoryStore::default(),
            world,
            number,
            events: Vec::new(),
            link: None,
            inbox: VecDeque::new(),
            next_op: 1,
        }
    }

    fn command(&mut self, command: Command) {
        let op = OpId(self.next_op);
        self.next_op += 1;
        let input = Input::Command(op, command);
        self.engine.handle_input(self.now, input).unwrap();
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            while let Some(output) = self.engine.poll_output() {
                self.carry_out(output);
            }
            while let Some(output) = self.world.poll_output() {
                self.relay(output);
            }
            let Some(feed) = self.inbox.pop_front() else {
                return;
            };
            let input = match feed {
                Feed::Opened(epoch) => Input::Opened(epoch),
                Feed::Bytes(epoch, ref bytes) => Input::Bytes(epoch, bytes),
                Feed::Closed(epoch) => Input::Closed(epoch, CloseCause::Peer { code: None }),
                Feed::Computed(computed) => Input::Computed(computed),
                Feed::Loaded(query) => Input::Loaded(query, self.store.load(query)),
            };
            self.engine.handle_input(self.now, input).unwrap();
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Open(endpoint) => {
                let conn = self.world.open(sim(self.now), ConnInfo::default());
                self.link = Some((endpoint.epoch, conn));
                self.inbox.push_back(Feed::Opened(endpoint.epoch));
            }
            Output::Transmit(bytes) => {
                if let Some((_, conn)) = self.link {
                    self.world.handle_bytes(sim(self.now), conn, &bytes);
                }
            }
            Output::Close => {
                if let Some((_, conn)) = self.link.take() {
                    self.world.handle_closed(sim(self.now), conn);
                }
            }
            Output::Load(query) => self.inbox.push_back(Feed::Loaded(query)),
            Output::Persist(changes) => self.store.commit(changes),
            Output::Compute(job) => self.inbox.push_back(Feed::Computed(job.run())),
            Output::Event(event) => self.events.push(event),
            other => panic!("unknown output {other:?}"),
        }
    }

    fn relay(&mut self, output: WorldOutput) {
        match (output, self.link) {
            (WorldOutput::Transmit(from, bytes), Some((epoch, conn))) if from == conn => {
                self.inbox.push_back(Feed::Bytes(epoch, bytes));
            }
            (WorldOutput::Close(from), Some((epoch, conn))) if from == conn => {
                self.link = None;
                self.inbox.push_back(Feed::Closed(epoch));
            }
            _ => {}
        }
    }

    fn advance(&mut self, by: Duration) {
        let end = self.now.instant + by;
        loop {
            let due = [self.engine.poll_timeout(), self.world.poll_timeout()];
            let Some(next) = due.into_iter().flatten().min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self
                .now
                .after(next.saturating_duration_since(self.now.instant));
            self.world.handle_timeout(sim(self.now));
            self.settle();
            self.engine.handle_input(self.now, Input::Timeout).unwrap();
            self.settle();
        }
        self.now = self
            .now
            .after(end.saturating_duration_since(self.now.instant));
    }

    fn code(&self) -> String {
        let shown = self.events.iter().rev().find_map(|event| match event {
            Event::PairingCode { code, .. } => Some(code.expose().to_owned()),
            _ => None,
        });
        shown.expect("a pairing code")
    }

    fn type_in(&mut self, code: &str) -> ScanId {
        let scan = self
            .world
            .enter_code(sim(self.now), self.number, code)
            .unwrap();
        self.advance(secs(5));
        scan
    }

    fn scan(&mut self) -> ScanId {
        let text = self.events.iter().rev().find_map(|event| match event {
            Event::Qr { text, .. } => Some(text.expose().to_owned()),
            _ => None,
        });
        let text = text.expect("a QR code");
        let scan = self.world.scan(sim(self.now), self.number, &text).unwrap();
        self.advance(secs(5));
        scan
    }

    /// The owner's authenticator signs what the application was handed.
    fn sign(&mut self) {
        let options = self.events.iter().rev().find_map(|event| match event {
            Event::PasskeyRequested { options, .. } => Some(options.expose().to_owned()),
            _ => None,
        });
        let options = options.expect("a challenge");
        let assertion = self.world.assert_passkey(sim(self.now), &options).unwrap();
        let assertion = PasskeyAssertion::from_json(&assertion).unwrap();
        self.command(Command::RespondPasskey(assertion));
        self.advance(secs(1));
    }

    /// The code to compare with the phone's.
    fn confirmation(&self) -> Option<String> {
        self.events.iter().rev().find_map(|event| match event {
            Event::PasskeyConfirmation { code, .. } => {
                code.as_ref().map(|code| code.display().to_string())
            }
            _ => None,
        })
    }

    fn assert_linked(&self, scan: ScanId) {
        let outcome = self.world.scan_outcome(scan);
        assert!(
            matches!(outcome, Some(ScanOutcome::Linked { .. })),
            "{outcome:?}"
        );
        assert_eq!(self.engine.state().name(), "online");
        let remarks: Vec<_> = self.world.remarks().collect();
        assert!(remarks.is_empty(), "{remarks:?}");
    }
}

fn request() -> Command {
    Command::RequestPairingCode(Rig::code_request())
}

#[test]
fn by_code() {
    let mut pair = Pair::new(PasskeyPolicy::default(), Handoff::Send);
    pair.command(request());
    let scan = pair.type_in(&pair.code());
    pair.assert_linked(scan);
}

#[test]
fn by_code_when_the_refs_are_used_up() {
    let mut pair = Pair::new(PasskeyPolicy::default(), Handoff::Send);
    pair.command(request());
    pair.advance(secs(155));
    let scan = pair.type_in(&pair.code());
    pair.assert_linked(scan);
}

#[test]
fn by_code_after_a_wrong_one() {
    let mut pair = Pair::new(PasskeyPolicy::default(), Handoff::Send);
    pair.command(request());
    let wrong = pair.type_in("1111-1111");
    let outcome = pair.world.scan_outcome(wrong);
    assert!(
        matches!(outcome, Some(ScanOutcome::Failed(_))),
        "{outcome:?}"
    );
    let scan = pair.type_in(&pair.code());
    pair.assert_linked(scan);
}

#[test]
fn by_passkey_after_a_scan_and_after_a_code_in_every_form() {
    for inline_options in [true, false] {
        for precursor in [true, false] {
            for handoff in [Handoff::Send, Handoff::Withhold] {
                for by_code in [true, false] {
                    let policy = PasskeyPolicy {
                        after_qr: true,
                        after_code: true,
                        inline_options,
                        precursor,
                        ..PasskeyPolicy::default()
                    };
                    by_passkey(policy, handoff, by_code);
                }
            }
        }
    }
}

fn by_passkey(policy: PasskeyPolicy, handoff: Handoff, by_code: bool) {
    let mut pair = Pair::new(policy, handoff);
    let scan = if by_code {
        pair.command(request());
        pair.type_in(&pair.code())
    } else {
        pair.command(Command::Start);
        pair.scan()
    };
    assert_eq!(pair.engine.state().name(), "awaiting_passkey", "{policy:?}");
    pair.sign();
    if handoff == Handoff::Withhold {
        let shown = pair.confirmation().expect("a code to compare");
        assert_eq!(pair.world.passkey_code(pair.number), Some(shown));
        pair.command(Command::ConfirmPasskey(true));
    }
    pair.advance(secs(30));
    pair.assert_linked(scan);
}

#[test]
fn a_code_that_the_server_renews_ends() {
    let mut pair = Pair::new(PasskeyPolicy::default(), Handoff::Send);
    pair.command(request());
    assert!(
        pair.world
            .refresh_pairing_code(sim(pair.now), pair.number, true)
    );
    pair.settle();
    let told = |event: &Event| matches!(event, Event::PairingCodeEnded(CodeEnd::ReplacedByServer));
    assert!(pair.events.iter().any(told));
    pair.command(request());
    let scan = pair.type_in(&pair.code());
    pair.assert_linked(scan);
}
