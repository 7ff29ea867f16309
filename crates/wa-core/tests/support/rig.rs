use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wa_core::{
    Changes, CloseCause, Command, CommandError, Computed, Config, ConnectionState, Device, Engine,
    Epoch, Event, FetchedVersion, Input, Job, Now, OpId, OpOutcome, OpenFailure, Output, Query,
    Record,
};
use wa_crypto::Provider;
use wa_proto::Node;

use super::connection::Connection;
use super::phone::Tamper;
use super::service::{Answer, Fault, Point, Service};
use super::store::MemoryStore;
use super::{config, rng, start};

/// An engine, its driver, its store, and the service it talks to.
pub struct Rig {
    pub now: Now,
    begin: Now,
    pub engine: Engine,
    pub store: MemoryStore,
    pub service: Service,
    pub config: Arc<Config>,
    pub events: Vec<Event>,
    /// Times of the `Open`s.
    pub opens: Vec<Now>,
    /// Outputs carried out, in order.
    pub log: Vec<Done>,
    /// What the next commits do.
    pub kill: Option<Kill>,
    /// The process was killed: nothing moves until [`restart`](Self::restart).
    pub killed: bool,
    pub refuse_commits: bool,
    /// Number of the one commit that is refused, counted from 1.
    pub refuse_commit: Option<usize>,
    /// What the driver finds when it is asked for the current client version; `None`: it never answers.
    pub version_source: Option<Result<FetchedVersion, String>>,
    /// Jobs wait until the test runs them.
    pub hold_jobs: bool,
    /// The store does not answer.
    pub hold_loads: bool,
    pub jobs: Vec<Job>,
    pub(super) connection: Option<(Epoch, Connection)>,
    inbox: VecDeque<Feed>,
    next_op: u64,
    seed: u64,
}

/// When the process dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kill {
    /// Before the commit with this number, counted from 1.
    Before(usize),
    /// Right after it.
    After(usize),
}

/// An output that was carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    Open,
    Transmit,
    Close,
    Load,
    FetchVersion,
    Compute,
    Persist(Changes),
    Event(Event),
}

enum Feed {
    Opened(Epoch),
    Bytes(Epoch, Vec<u8>),
    Closed(Epoch, CloseCause),
    Loaded(Query, Vec<Record>),
    PersistFailed,
    VersionFetched(Result<FetchedVersion, String>),
    Computed(Computed),
}

impl Rig {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let service = Service::new();
        let mut config = config(&service);
        change(&mut config);
        let config = Arc::new(config);
        let now = start();
        let mut rng = rng(3);
        let device = Device::generate(Provider::rust(), &mut rng, now.unix_secs());
        Self {
            now,
            begin: now,
            engine: Engine::new(config.clone(), device, Box::new(rng), now),
            store: MemoryStore::default(),
            service,
            config,
            events: Vec::new(),
            opens: Vec::new(),
            log: Vec::new(),
            kill: None,
            killed: false,
            refuse_commits: false,
            refuse_commit: None,
            version_source: Some(Err("no source".to_owned())),
            hold_jobs: false,
            hold_loads: false,
            jobs: Vec::new(),
            connection: None,
            inbox: VecDeque::new(),
            next_op: 1,
            seed: 4,
        }
    }

    /// A rig whose device is linked and online.
    pub fn online() -> Self {
        Self::online_with(|_| {})
    }

    pub fn online_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut rig = Self::with(change);
        rig.pair();
        assert_eq!(*rig.engine.state(), ConnectionState::Online);
        rig.events.clear();
        rig
    }

    /// The same, with the events kept, and a look at it.
    pub fn online_then(look: impl FnOnce(&Self)) -> Self {
        let mut rig = Self::new();
        rig.pair();
        assert_eq!(*rig.engine.state(), ConnectionState::Online);
        look(&rig);
        rig
    }

    /// What the one event that fits says.
    pub fn heard<T>(&self, read: impl Fn(&Event) -> Option<T>) -> T {
        let mut found = self.events.iter().filter_map(read);
        let first = found.next().expect("such an event");
        assert!(found.next().is_none(), "one such event");
        first
    }

    /// Identity key in the store.
    pub fn engine_identity(&self) -> wa_crypto::IdentityPublic {
        self.stored().expect("a device").identity_public()
    }

    /// The device in the store.
    pub fn stored(&self) -> Option<Device> {
        let records = self.store.load(Query::Device);
        Device::restore(Provider::rust(), &records).expect("the store is readable")
    }

    /// Starts, and lets the phone scan the first code.
    pub fn pair(&mut self) -> OpId {
        let op = self.command(Command::Start);
        self.scan();
        op
    }

    /// The process ends as it is and starts again from the store.
    pub fn restart(&mut self) {
        self.connection = None;
        self.inbox.clear();
        self.killed = false;
        self.kill = None;
        self.seed += 1;
        let rng = rng(self.seed);
        let records = self.store.load(Query::Device);
        self.engine = Engine::restore(self.config.clone(), &records, Box::new(rng), self.now)
            .expect("the store is readable");
    }

    /// Gives a command and settles.
    pub fn command(&mut self, command: Command) -> OpId {
        let op = OpId(self.next_op);
        self.next_op += 1;
        self.input(Input::Command(op, command));
        op
    }

    /// Feeds one input and settles.
    pub fn input(&mut self, input: Input<'_>) {
        self.engine.handle_input(self.now, input).unwrap();
        self.settle();
    }

    /// Lets the phone scan the code on show.
    pub fn scan(&mut self) {
        let qr = self.qr().expect("a code is on show");
        self.scan_this(&qr, Tamper::Nothing);
    }

    pub fn scan_this(&mut self, qr: &str, tamper: Tamper) {
        let (_, connection) = self.connection.as_mut().expect("a connection");
        let stanza = connection.pair_success(&mut self.service, qr, tamper);
        self.serve(&stanza);
    }

    /// The code on show, if one is.
    pub fn qr(&self) -> Option<String> {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Qr { text, .. } => Some(Some(text.expose().to_owned())),
                Event::QrBlanked => Some(None),
                _ => None,
            })
            .flatten()
    }

    /// The service sends a stanza.
    pub fn serve(&mut self, stanza: &Node) {
        let (epoch, connection) = self.connection.as_mut().expect("a connection");
        let bytes = connection.send(stanza);
        self.inbox.push_back(Feed::Bytes(*epoch, bytes));
        self.settle();
    }

    pub fn serve_plaintext(&mut self, plaintext: &[u8]) {
        let (epoch, connection) = self.connection.as_mut().expect("a connection");
        let bytes = connection.send_plaintext(plaintext);
        self.inbox.push_back(Feed::Bytes(*epoch, bytes));
        self.settle();
    }

    /// The service sends bytes that are no sealed frame.
    pub fn serve_bytes(&mut self, bytes: &[u8]) {
        let (epoch, _) = self.connection.as_ref().expect("a connection");
        self.inbox.push_back(Feed::Bytes(*epoch, bytes.to_vec()));
        self.settle();
    }

    /// The connection ends from outside.
    pub fn drop_connection(&mut self, cause: CloseCause) {
        let (epoch, _) = self.connection.take().expect("a connection");
        self.inbox.push_back(Feed::Closed(epoch, cause));
        self.settle();
    }

    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether the service can send stanzas.
    pub fn is_established(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|(_, connection)| connection.is_open())
    }

    /// Whether the code is one of the connection that is open.
    pub fn offers(&self, qr: &str) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|(_, connection)| connection.offers(qr))
    }

    pub fn epoch(&self) -> Option<Epoch> {
        self.connection.as_ref().map(|(epoch, _)| *epoch)
    }

    /// Moves time, stopping at every moment the engine asks for.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.instant + by;
        while !self.killed {
            let Some(next) = self.engine.poll_timeout().filter(|next| *next <= end) else {
                break;
            };
            let step = next.saturating_duration_since(self.now.instant);
            self.set_time(next);
            self.input(Input::Timeout);
            if step.is_zero() {
                assert_ne!(
                    self.engine.poll_timeout(),
                    Some(next),
                    "a timeout that is due is dealt with"
                );
            }
        }
        self.set_time(end.max(self.now.instant));
    }

    fn set_time(&mut self, instant: Instant) {
        self.now = self
            .begin
            .after(instant.saturating_duration_since(self.begin.instant));
    }

    /// The one answer to an operation, if it has come.
    pub fn result(&self, op: OpId) -> Option<Result<OpOutcome, CommandError>> {
        let mut results = self.events.iter().filter_map(|event| match event {
            Event::OpDone { op: done, result } if *done == op => Some(result.clone()),
            _ => None,
        });
        let first = results.next();
        assert!(results.next().is_none(), "one answer per operation");
        first
    }

    pub fn state(&self) -> &'static str {
        self.engine.state().name()
    }

    /// Carries out outputs and feeds what they lead to until nothing moves.
    pub fn settle(&mut self) {
        loop {
            self.drain();
            if self.killed {
                return;
            }
            let Some(feed) = self.inbox.pop_front() else {
                return;
            };
            if let (Feed::Closed(closed, _), Some((epoch, _))) = (&feed, &self.connection)
                && closed == epoch
            {
                self.connection = None;
            }
            let input = match feed {
                Feed::Opened(epoch) => Input::Opened(epoch),
                Feed::Bytes(epoch, ref bytes) => Input::Bytes(epoch, bytes),
                Feed::Closed(epoch, cause) => Input::Closed(epoch, cause),
                Feed::Loaded(query, records) => Input::Loaded(query, records),
                Feed::Computed(computed) => Input::Computed(computed),
                Feed::VersionFetched(found) => Input::VersionFetched(found),
                Feed::PersistFailed => Input::PersistFailed("no space left".to_owned()),
            };
            self.engine.handle_input(self.now, input).unwrap();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.log.push(match &output {
                Output::Open(_) => Done::Open,
                Output::Transmit(_) => Done::Transmit,
                Output::Close => Done::Close,
                Output::Load(_) => Done::Load,
                Output::FetchVersion => Done::FetchVersion,
                Output::Compute(_) => Done::Compute,
                Output::Persist(changes) => Done::Persist(changes.clone()),
                Output::Event(event) => Done::Event(event.clone()),
                other => panic!("unknown output {other:?}"),
            });
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Persist(changes) => {
                    if self.refuse_commits || self.refuse_commit == Some(self.store.commits + 1) {
                        let failed = Input::PersistFailed("no space left".to_owned());
                        self.engine.handle_input(self.now, failed).unwrap();
                        continue;
                    }
                    let number = self.store.commits + 1;
                    if self.kill == Some(Kill::Before(number)) {
                        self.killed = true;
                        return;
                    }
                    self.store.commit(changes);
                    if self.kill == Some(Kill::After(number)) {
                        self.killed = true;
                        return;
                    }
                }
                Output::FetchVersion => {
                    if let Some(found) = &self.version_source {
                        self.inbox.push_back(Feed::VersionFetched(found.clone()));
                    }
                }
                Output::Load(_) if self.hold_loads => {}
                Output::Load(query) => {
                    let records = self.store.load(query);
                    self.inbox.push_back(Feed::Loaded(query, records));
                }
                Output::Compute(job) if self.hold_jobs => self.jobs.push(job),
                Output::Compute(job) => self.inbox.push_back(Feed::Computed(job.run())),
                Output::Open(endpoint) => self.open(endpoint.epoch),
                Output::Transmit(bytes) => self.transmit(&bytes),
                Output::Close => self.connection = None,
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    fn open(&mut self, epoch: Epoch) {
        assert!(
            self.connection.is_none(),
            "one connection at a time, closed before the next"
        );
        self.opens.push(self.now);
        self.service.seen.connections += 1;
        match self.service.fault(Point::Open) {
            Some(Fault::Refuse(failure)) => {
                let cause = CloseCause::OpenFailed(failure);
                self.inbox.push_back(Feed::Closed(epoch, cause));
            }
            Some(Fault::Silent) => self.connection = Some((epoch, Connection::new())),
            Some(Fault::Close) => {
                self.connection = None;
                self.inbox.push_back(Feed::Opened(epoch));
                self.inbox
                    .push_back(Feed::Closed(epoch, CloseCause::Peer { code: None }));
            }
            _ => {
                self.connection = Some((epoch, Connection::new()));
                self.inbox.push_back(Feed::Opened(epoch));
            }
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        // A socket may be gone while its close is still on the way.
        let Some((epoch, connection)) = self.connection.as_mut() else {
            return;
        };
        let epoch = *epoch;
        for answer in connection.receive(&mut self.service, bytes) {
            match answer {
                Answer::Send(bytes) => self.inbox.push_back(Feed::Bytes(epoch, bytes)),
                Answer::Close => {
                    let cause = CloseCause::Peer { code: Some(1000) };
                    self.inbox.push_back(Feed::Closed(epoch, cause));
                }
            }
        }
    }
}

/// A failure to open that goes away by itself.
pub fn unreachable() -> OpenFailure {
    OpenFailure::Connect("connection refused".to_owned())
}
