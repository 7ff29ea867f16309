//! The one loop of a client: it carries the engine's outputs out and brings the world's answers back.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tracing::{debug, error, warn};
use wa_core::{
    Command, CommandError, Computed, Endpoint, Engine, Event, FetchedVersion, Input, Job, Now,
    OpId, OpOutcome, Output, Query,
};
use wa_store::{AccountLock, Store, StoreError};

use crate::client::Snapshot;
use crate::dial::Dialer;
use crate::error::ClientError;
use crate::events::EventSender;
use crate::link::{Link, LinkEvent};
use crate::version::Versions;

/// Most sockets waiting for the server's half of the closing handshake; more are cut off.
const MAX_CLOSING: usize = 4;

/// Longest that a call of the store is waited for; our own bound, three times what SQLite waits for a lock. The loop
/// stands still meanwhile, so it also bounds what a disconnect, a logout or a shutdown may take.
const STORE_LIMIT: Duration = Duration::from_secs(30);

/// What a handle asks of the driver.
pub(crate) enum Request {
    /// A command for the engine, and where to send what became of it. Boxed: the queue has room for many, always.
    Command(
        Box<Command>,
        oneshot::Sender<Result<OpOutcome, ClientError>>,
    ),
    /// Answer once everything that has happened is told.
    Settle(oneshot::Sender<()>),
    /// End without changing what the account is meant to do.
    Shutdown,
}

/// Everything that belongs to one running client. Its one task owns it; nothing else is spawned.
pub(crate) struct Driver<S> {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<S>,
    pub(crate) lock: AccountLock,
    pub(crate) dialer: Dialer,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: EventSender,
    pub(crate) snapshot: watch::Sender<Snapshot>,
    pub(crate) link: Link,
    pub(crate) closing: FuturesUnordered<BoxFuture<'static, ()>>,
    pub(crate) versions: Versions,
    /// The version source, while it is asked.
    pub(crate) asking: Option<BoxFuture<'static, Result<FetchedVersion, String>>>,
    pub(crate) computing: FuturesUnordered<JoinHandle<Computed>>,
    pub(crate) operations: HashMap<OpId, oneshot::Sender<Result<OpOutcome, ClientError>>>,
    pub(crate) next_operation: u64,
}

enum Wake {
    Request(Option<Request>),
    Link(LinkEvent),
    Version(Result<FetchedVersion, String>),
    Computed(Result<Computed, JoinError>),
    Timeout,
    Other,
}

impl<S: Store> Driver<S> {
    /// Runs until the last handle is gone or one asks for the end.
    pub(crate) async fn run(mut self) {
        self.drain().await;
        loop {
            match self.wait().await {
                Wake::Request(Some(Request::Command(command, reply))) => {
                    self.command(*command, reply)
                }
                Wake::Request(Some(Request::Settle(reply))) => {
                    let _ = reply.send(());
                    continue;
                }
                Wake::Request(Some(Request::Shutdown) | None) => break,
                Wake::Link(event) => self.link_event(event),
                Wake::Version(answer) => {
                    self.asking = None;
                    self.feed(Input::VersionFetched(answer));
                }
                Wake::Computed(Ok(computed)) => self.feed(Input::Computed(computed)),
                Wake::Computed(Err(error)) => error!(%error, "a computation was lost"),
                Wake::Timeout => self.feed(Input::Timeout),
                Wake::Other => continue,
            }
            self.drain().await;
        }
        self.close();
        while self.closing.next().await.is_some() {}
        debug!("client ended");
        drop(self.lock);
    }

    async fn wait(&mut self) -> Wake {
        let room = self.events.has_room();
        let deadline = self.engine.poll_timeout();
        tokio::select! {
            request = self.requests.recv() => Wake::Request(request),
            event = poll_fn(|cx| self.link.poll(cx, room)) => Wake::Link(event),
            answer = answer_of(&mut self.asking), if room && self.asking.is_some() => Wake::Version(answer),
            Some(computed) = self.computing.next(), if room && !self.computing.is_empty() => Wake::Computed(computed),
            () = sleep_until(deadline), if room && deadline.is_some() => Wake::Timeout,
            () = self.events.read(), if !room => Wake::Other,
            Some(()) = self.closing.next(), if !self.closing.is_empty() => Wake::Other,
        }
    }

    fn command(
        &mut self,
        command: Command,
        reply: oneshot::Sender<Result<OpOutcome, ClientError>>,
    ) {
        let operation = OpId(self.next_operation);
        self.next_operation += 1;
        match self
            .engine
            .handle_input(now(), Input::Command(operation, command))
        {
            Ok(()) => {
                self.operations.insert(operation, reply);
            }
            Err(error) => {
                let _ = reply.send(Err(ClientError::Engine(error)));
            }
        }
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Opened(epoch) => self.feed(Input::Opened(epoch)),
            LinkEvent::Bytes(epoch, bytes) => self.feed(Input::Bytes(epoch, &bytes)),
            LinkEvent::Closed(epoch, cause) => {
                debug!(%epoch, %cause, "connection over");
                self.feed(Input::Closed(epoch, cause));
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        if let Err(error) = self.engine.handle_input(now(), input) {
            error!(%error, "the engine refused an input");
        }
    }

    /// Acts on every output, in order. A `Persist` is durable before the next output is looked at.
    async fn drain(&mut self) {
        let mut stored = false;
        while let Some(output) = self.engine.poll_output() {
            stored |= matches!(output, Output::Load(_) | Output::Persist(_));
            match output {
                Output::Open(endpoint) => self.open(endpoint),
                Output::Transmit(bytes) => self.link.push(bytes),
                Output::Close => self.close(),
                Output::Load(query) => self.load(query).await,
                Output::Persist(changes) => {
                    if let Err(problem) = bounded(self.store.commit(&self.lock, changes)).await {
                        warn!(problem, "the store did not take a change");
                        self.feed(Input::PersistFailed(problem));
                    }
                }
                Output::FetchVersion => self.fetch_version(),
                Output::Compute(job) => self.compute(job),
                Output::Event(Event::OpDone { op, result }) => self.finish(op, result),
                Output::Event(event) => self.events.push(event),
                other => warn!(
                    ?other,
                    "an output of the engine is not known to this driver"
                ),
            }
        }
        self.publish(stored);
    }

    /// Asks beside the connection; an answer that is no longer waited for is not asked for any more.
    fn fetch_version(&mut self) {
        let asking = self.versions.ask();
        self.asking = Some(Box::pin(async {
            match asking.await {
                Ok((version, source)) => Ok(FetchedVersion { version, source }),
                Err(error) => Err(error.to_string()),
            }
        }));
    }

    /// Tens of milliseconds of work: on a thread where they delay nobody, this client least of all.
    fn compute(&mut self, job: Job) {
        self.computing
            .push(tokio::task::spawn_blocking(move || job.run()));
    }

    fn open(&mut self, endpoint: Endpoint) {
        self.close();
        debug!(epoch = %endpoint.epoch, "dialling");
        let dialer = self.dialer.clone();
        let dial = Box::pin(async move { dialer.dial(&endpoint.url).await });
        self.link = Link::Dialling(endpoint.epoch, dial);
    }

    fn close(&mut self) {
        if let Link::Open(_, socket) = std::mem::replace(&mut self.link, Link::None)
            && self.closing.len() < MAX_CLOSING
        {
            self.closing.push(Box::pin(socket.close()));
        }
    }

    async fn load(&mut self, query: Query) {
        match bounded(self.store.load(self.lock.account(), query)).await {
            Ok(records) => self.feed(Input::Loaded(query, records)),
            Err(problem) => self.feed(Input::LoadFailed(query, problem)),
        }
    }

    fn finish(&mut self, operation: OpId, result: Result<OpOutcome, CommandError>) {
        if let Some(reply) = self.operations.remove(&operation) {
            // Whoever asked may have lost interest.
            let _ = reply.send(result.map_err(ClientError::Command));
        }
    }

    /// Publishes what the engine has come to; `stored`: what is in the store may have changed, too.
    fn publish(&mut self, stored: bool) {
        if self.engine.state().is_at_rest() {
            self.asking = None;
        }
        self.snapshot
            .send_if_modified(|snapshot| snapshot.update(&self.engine, stored));
    }
}

/// What the store answers in time.
async fn bounded<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match tokio::time::timeout(STORE_LIMIT, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", STORE_LIMIT.as_secs())),
    }
}

/// The present, by the runtime's clock, so that tests can stop it.
pub(crate) fn now() -> Now {
    let instant = tokio::time::Instant::now().into_std();
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now::new(instant, u64::try_from(unix.as_millis()).unwrap_or(u64::MAX))
}

async fn answer_of<T>(asking: &mut Option<BoxFuture<'static, T>>) -> T {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline.into()).await;
    }
}
