//! An engine, its store, and the simulated server and phones of `wa-sim`, in virtual time.
// Every test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]

#[path = "../support/store.rs"]
mod store;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_core::{
    CloseCause, CodeRefusalKind, CodeRequest, Command, CommandError, Computed, Config, Device,
    Engine, Epoch, Event, Input, Now, OpId, Output, Query, Record,
};
use wa_crypto::Provider;
use wa_sim::{ConnId, ConnInfo, PhoneConfig, PhoneNumber, ScanId, World, WorldConfig, WorldOutput};

use self::store::MemoryStore;

/// 2026-08-20, within the validity of the simulated certificates.
const START_UNIX_MS: u64 = 1_787_184_000_000;

/// Everything there is: a companion, its store, the server, the phone.
pub struct Universe {
    pub now: Now,
    begin: Now,
    pub world: World,
    pub phone: PhoneNumber,
    pub engine: Engine,
    pub store: MemoryStore,
    pub config: Arc<Config>,
    /// What the companion has told.
    pub events: Vec<Event>,
    /// The phone scans every code that is shown.
    pub scans_codes: bool,
    /// The owner types every pairing code that is shown.
    pub types_codes: bool,
    pub scans: Vec<ScanId>,
    connection: Option<(Epoch, ConnId)>,
    inbox: VecDeque<Feed>,
    next_op: u64,
}

enum Feed {
    Opened(Epoch),
    Bytes(Epoch, Vec<u8>),
    Closed(Epoch),
    Loaded(Query, Vec<Record>),
    Computed(Computed),
    NoVersion,
}

impl Universe {
    pub fn new() -> Self {
        Self::with(PhoneConfig::default())
    }

    pub fn with(phone: PhoneConfig) -> Self {
        Self::with_config(phone, |_| {})
    }

    pub fn with_config(phone: PhoneConfig, change: impl FnOnce(&mut Config)) -> Self {
        let now = start();
        let mut world = World::new(WorldConfig::default(), [7; 32], sim_time(now));
        let phone = world.add_next_phone(sim_time(now), phone).unwrap();
        let mut config = Config::new("ws://world.test/ws/chat", world.noise_root());
        change(&mut config);
        let config = Arc::new(config);
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let device = Device::generate(Provider::rust(), &mut rng, now.unix_secs());
        Self {
            now,
            begin: now,
            world,
            phone,
            engine: Engine::new(config.clone(), device, Box::new(rng), now),
            store: MemoryStore::default(),
            config,
            events: Vec::new(),
            scans_codes: true,
            types_codes: true,
            scans: Vec::new(),
            connection: None,
            inbox: VecDeque::new(),
            next_op: 1,
        }
    }

    /// A phone whose account has a passkey.
    pub fn guarded() -> Self {
        let mut phone = PhoneConfig::default();
        phone.passkey.after_qr = true;
        phone.passkey.after_code = true;
        Self::with(phone)
    }

    /// Gives a command and lets everything happen that happens at once.
    pub fn command(&mut self, command: Command) -> OpId {
        let op = OpId(self.next_op);
        self.next_op += 1;
        self.engine
            .handle_input(self.now, Input::Command(op, command))
            .unwrap();
        self.settle();
        op
    }

    /// Links and comes online, then stops: the next start is a login, and not one right after linking.
    pub fn linked() -> Self {
        let mut all = Self::new();
        all.command(Command::Start);
        assert!(
            all.advance_until(secs(5), |all| all.state() == "online"),
            "{}",
            all.state()
        );
        all.advance(secs(120));
        all.command(Command::Stop);
        all.advance(secs(1));
        assert_eq!(all.state(), "stopped");
        all.events.clear();
        all
    }

    pub fn state(&self) -> &'static str {
        self.engine.state().name()
    }

    /// The companions the server knows, as (device, prekeys, stanzas that were not acknowledged).
    pub fn devices(&self) -> Vec<(u16, usize, usize)> {
        let account = self.world.account(self.phone).unwrap();
        let devices = account.devices.iter();
        devices
            .map(|device| (device.device, device.prekeys, device.waiting))
            .collect()
    }

    /// Whether the store holds a device that is linked.
    pub fn holds_a_link(&self) -> bool {
        let records = self.store.load(Query::Device);
        let device = Device::restore(Provider::rust(), &records).expect("the store is readable");
        device.is_some_and(|device| device.is_registered())
    }

    /// What the simulator has to say about the companion.
    pub fn remarks(&self) -> Vec<String> {
        self.world
            .remarks()
            .map(|remark| remark.what.to_string())
            .collect()
    }

    /// Asks for a pairing code of the phone's number.
    pub fn ask_for_code(&mut self) {
        let number = wa_core::PhoneNumber::parse(&self.phone.to_string()).unwrap();
        self.command(Command::RequestPairingCode(CodeRequest::new(number)));
    }

    /// The pairing code that was told last.
    pub fn code(&self) -> String {
        let told = self.events.iter().rev().find_map(|event| match event {
            Event::PairingCode { code, .. } => Some(code.expose().to_owned()),
            _ => None,
        });
        told.expect("a pairing code")
    }

    /// The owner types this on the phone.
    pub fn type_in(&mut self, code: &str) -> ScanId {
        let now = sim_time(self.now);
        let entered = self.world.enter_code(now, self.phone, code).unwrap();
        self.advance(secs(5));
        entered
    }

    /// The server wants another code.
    pub fn renew_code(&mut self, manual: bool) {
        let now = sim_time(self.now);
        assert!(self.world.refresh_pairing_code(now, self.phone, manual));
        self.settle();
    }

    /// Moves time, stopping wherever somebody waits for it.
    pub fn advance(&mut self, by: Duration) {
        self.advance_until(by, |_| false);
    }

    /// The same until something is so; whether it came to be.
    pub fn advance_until(&mut self, by: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.instant + by;
        self.settle();
        loop {
            if is_so(self) {
                return true;
            }
            let engine = self.engine.poll_timeout();
            let world = self.world.poll_timeout();
            let next = [engine, world].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.set_time(end);
                return false;
            };
            self.set_time(next.max(self.now.instant));
            if world.is_some_and(|at| at <= next) {
                self.world.handle_timeout(sim_time(self.now));
                self.settle();
            }
            if self.engine.poll_timeout().is_some_and(|at| at <= next) {
                self.engine.handle_input(self.now, Input::Timeout).unwrap();
                self.settle();
            }
        }
    }

    fn set_time(&mut self, instant: Instant) {
        self.now = self
            .begin
            .after(instant.saturating_duration_since(self.begin.instant));
    }

    /// Until nothing moves.
    pub fn settle(&mut self) {
        loop {
            self.drain_engine();
            self.drain_world();
            let Some(feed) = self.inbox.pop_front() else {
                return;
            };
            if let (Feed::Closed(closed), Some((epoch, _))) = (&feed, &self.connection)
                && closed == epoch
            {
                self.connection = None;
            }
            let input = match &feed {
                Feed::Opened(epoch) => Input::Opened(*epoch),
                Feed::Bytes(epoch, bytes) => Input::Bytes(*epoch, bytes),
                Feed::Closed(epoch) => Input::Closed(*epoch, CloseCause::Peer { code: Some(1000) }),
                Feed::Loaded(query, records) => Input::Loaded(*query, records.clone()),
                Feed::NoVersion => Input::VersionFetched(Err("no source".to_owned())),
                Feed::Computed(_) => {
                    let Feed::Computed(computed) = feed else {
                        unreachable!()
                    };
                    let input = Input::Computed(computed);
                    self.engine.handle_input(self.now, input).unwrap();
                    continue;
                }
            };
            self.engine.handle_input(self.now, input).unwrap();
        }
    }

    fn drain_engine(&mut self) {
        let now = sim_time(self.now);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(event) => self.hear(event),
                Output::Persist(changes) => self.store.commit(changes),
                Output::Load(query) => {
                    let records = self.store.load(query);
                    self.inbox.push_back(Feed::Loaded(query, records));
                }
                Output::FetchVersion => self.inbox.push_back(Feed::NoVersion),
                Output::Compute(job) => self.inbox.push_back(Feed::Computed(job.run())),
                Output::Open(endpoint) => {
                    assert!(self.connection.is_none(), "one connection at a time");
                    let id = self.world.open(now, ConnInfo::default());
                    self.connection = Some((endpoint.epoch, id));
                    self.inbox.push_back(Feed::Opened(endpoint.epoch));
                }
                Output::Transmit(bytes) => {
                    if let Some((_, id)) = self.connection {
                        self.world.handle_bytes(now, id, &bytes);
                    }
                }
                Output::Close => {
                    if let Some((_, id)) = self.connection.take() {
                        self.world.handle_closed(now, id);
                    }
                }
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    fn drain_world(&mut self) {
        while let Some(output) = self.world.poll_output() {
            match output {
                WorldOutput::Transmit(id, bytes) => {
                    if let Some((epoch, _)) = self.connection.filter(|(_, open)| *open == id) {
                        self.inbox.push_back(Feed::Bytes(epoch, bytes));
                    }
                }
                WorldOutput::Close(id) => {
                    if let Some((epoch, _)) = self.connection.filter(|(_, open)| *open == id) {
                        self.inbox.push_back(Feed::Closed(epoch));
                    }
                }
            }
        }
    }

    /// The owner of the phone does what a code or a passkey asks for.
    fn hear(&mut self, event: Event) {
        let now = sim_time(self.now);
        match &event {
            Event::Qr { text, .. } if self.scans_codes => {
                let scan = self.world.scan(now, self.phone, text.expose());
                self.scans.push(scan.unwrap());
            }
            Event::PairingCode { code, .. } if self.types_codes => {
                let entered = self.world.enter_code(now, self.phone, code.expose());
                self.scans.extend(entered);
            }
            Event::PasskeyRequested { options, .. } => {
                if let Ok(assertion) = self.world.assert_passkey(now, options.expose()) {
                    let assertion = wa_core::PasskeyAssertion::from_json(&assertion).unwrap();
                    self.tell_later(Command::RespondPasskey(assertion));
                }
            }
            Event::PasskeyConfirmation {
                code: Some(code), ..
            } => {
                let on_the_phone = self.world.passkey_code(self.phone);
                assert_eq!(on_the_phone.as_deref(), Some(code.display().as_str()));
                self.tell_later(Command::ConfirmPasskey(true));
            }
            _ => {}
        }
        self.events.push(event);
    }

    /// A command out of an event: the engine takes it after what it has to say.
    fn tell_later(&mut self, command: Command) {
        let op = OpId(self.next_op);
        self.next_op += 1;
        self.engine
            .handle_input(self.now, Input::Command(op, command))
            .unwrap();
    }
}

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What an event says of a loss, a logout or a trouble, as scenarios name it.
pub fn told(event: &Event) -> Option<String> {
    let with = |name: &str, code: Option<u16>| match code {
        Some(code) => format!("{name} {code}"),
        None => name.to_owned(),
    };
    Some(match event {
        Event::Disconnected { reason, code, .. } => with(reason.name(), *code),
        Event::LoggedOut { reason, .. } => format!("logged_out {}", reason.name()),
        Event::Trouble(trouble) => trouble.name().to_owned(),
        Event::PairingFailed(_) => "pairing_failed".to_owned(),
        Event::Devices { .. } => "devices".to_owned(),
        Event::PairingCodeEnded(_) => "pairing_code_ended".to_owned(),
        Event::PasskeyEnded(_) => "passkey_ended".to_owned(),
        Event::OpDone {
            result: Err(CommandError::CodeRefused(refusal)),
            ..
        } => {
            let kind = refused(&refusal.kind);
            match refusal.backoff {
                Some(backoff) => format!("code_refused {kind} {}", backoff.as_secs()),
                None => format!("code_refused {kind}"),
            }
        }
        _ => return None,
    })
}

fn refused(kind: &CodeRefusalKind) -> &'static str {
    match kind {
        CodeRefusalKind::BadRequest => "bad_request",
        CodeRefusalKind::Forbidden => "forbidden",
        CodeRefusalKind::RateLimited => "rate_limited",
        CodeRefusalKind::NotAvailable => "not_available",
        CodeRefusalKind::Server => "server",
        CodeRefusalKind::NoAnswer => "no_answer",
        _ => "unclassified",
    }
}

/// The instant is the one reading of a clock: `Instant` has no other constructor.
#[expect(clippy::disallowed_methods)]
fn start() -> Now {
    Now::new(Instant::now(), START_UNIX_MS)
}

fn sim_time(now: Now) -> wa_sim::Now {
    wa_sim::Now {
        instant: now.instant,
        unix_ms: now.unix_ms,
    }
}
