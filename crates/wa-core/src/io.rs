use std::fmt;
use std::time::Duration;

use wa_pair::{CodeRequest, PairComputed, PairJob, PairingCode, PasskeyAssertion};

use crate::config::{ClientVersion, FetchedVersion};
use crate::event::Event;
use crate::record::{Changes, Query, Record, RecordKind};

/// Number of a connection attempt. Every `Open` has a new one, larger than all before.
///
/// Inputs name the epoch they belong to; an input of an epoch that is over is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch(pub(crate) u64);

impl Epoch {
    /// The number, for logs.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where to connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// WebSocket URL, `ws:` or `wss:`.
    pub url: String,
    /// Names the connection in every input about it.
    pub epoch: Epoch,
}

/// Number the caller gives to a command; its answer carries the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpId(pub u64);

/// What the application wants.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Connect and stay connected; pair first if there is no link. Starts while one is under way share its
    /// outcome. Done when online, or when the attempt has come to rest elsewhere.
    Start,
    /// Disconnect and stay disconnected; the link stays.
    Stop,
    /// Unlink at the server and destroy the credentials, whatever the server answers. If it has not confirmed
    /// the unlink, a tombstone is kept and the unlink is finished later
    /// ([`Event::UnlinkFinished`](crate::Event::UnlinkFinished)); while there is one, this tries at once.
    Logout(LogoutOptions),
    /// Answer to [`Event::ApprovalNeeded`].
    ApprovePairing(bool),
    /// Ask for a pairing code. At rest it starts like [`Start`](Self::Start) and asks once the server has made
    /// its offer. Done when the server has accepted the code, never before.
    RequestPairingCode(CodeRequest),
    /// Withdraw the pairing code that is asked for or live.
    CancelPairingCode,
    /// Answer to [`Event::PasskeyRequested`].
    RespondPasskey(PasskeyAssertion),
    /// Answer to [`Event::PasskeyConfirmation`]: whether the phone shows the same code.
    ConfirmPasskey(bool),
    /// Measure a round trip.
    Ping,
    /// Claim another client version from the next connection on. If the server refused an older one, this
    /// connects again, once per version.
    UseVersion(ClientVersion),
}

/// What a logout leaves in the store.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LogoutOptions {
    /// Kinds of records to keep. Those of the link itself go whatever is said here
    /// ([`RecordKind::may_outlive_the_link`]).
    pub keep: Vec<RecordKind>,
}

impl LogoutOptions {
    /// Keeps records of these kinds.
    #[must_use]
    pub fn keep(kinds: impl IntoIterator<Item = RecordKind>) -> Self {
        Self {
            keep: kinds.into_iter().collect(),
        }
    }
}

/// What the world tells the engine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The WebSocket of this epoch is open.
    Opened(Epoch),
    /// Payload of binary WebSocket messages, cut anywhere.
    Bytes(Epoch, &'a [u8]),
    /// The connection of this epoch is over, or never came to be. Fed once per epoch.
    Closed(Epoch, CloseCause),
    /// Answer to [`Output::Load`].
    Loaded(Query, Vec<Record>),
    /// The store could not answer [`Output::Load`].
    LoadFailed(Query, String),
    /// An [`Output::Persist`] could not be committed. Nothing that followed it may have been acted on.
    PersistFailed(String),
    /// Answer to [`Output::FetchVersion`]: the current version, or why there is none.
    VersionFetched(Result<FetchedVersion, String>),
    /// The outcome of an [`Output::Compute`].
    Computed(Computed),
    /// The application wants something.
    Command(OpId, Command),
    /// The time [`Engine::poll_timeout`](crate::Engine::poll_timeout) named has come.
    Timeout,
}

/// What the engine wants of the world, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Dial, and report under this epoch. A connection still open from before has been closed already.
    Open(Endpoint),
    /// Send these bytes as one binary WebSocket message on the newest connection.
    Transmit(Vec<u8>),
    /// Close the newest connection; nothing more is expected of it.
    Close,
    /// Read from the store; answer with [`Input::Loaded`].
    Load(Query),
    /// Find out the current version of the web client, through the egress of the connections; answer with
    /// [`Input::VersionFetched`]. A driver without a source answers with an error.
    FetchVersion,
    /// Commit before anything after it is acted on.
    Persist(Changes),
    /// Run this where nothing waits for it, and feed the outcome with [`Input::Computed`]. Nothing else depends
    /// on it: go on with what follows.
    Compute(Job),
    /// Tell the application.
    Event(Event),
}

/// Work that takes tens of milliseconds of processor time.
#[derive(Debug)]
pub struct Job {
    pub(crate) epoch: Epoch,
    pub(crate) work: PairJob,
}

impl Job {
    /// Does the work. It touches nothing but what the job holds.
    #[must_use]
    pub fn run(self) -> Computed {
        Computed {
            epoch: self.epoch,
            outcome: self.work.run(),
        }
    }
}

/// Outcome of a [`Job`]. Once the connection it was for is over, it is dropped.
#[derive(Debug)]
pub struct Computed {
    pub(crate) epoch: Epoch,
    pub(crate) outcome: PairComputed,
}

/// Why a connection is over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseCause {
    /// The server closed it.
    #[error("the server closed the connection{}", close_code(*.code))]
    Peer {
        /// WebSocket close code, when it gave one.
        code: Option<u16>,
    },
    /// It broke.
    #[error("the connection broke: {0}")]
    Network(String),
    /// It never opened.
    #[error("cannot connect: {0}")]
    OpenFailed(#[from] OpenFailure),
}

fn close_code(code: Option<u16>) -> String {
    code.map_or_else(String::new, |code| format!(" (code {code})"))
}

/// Why a connection did not open.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenFailure {
    /// The name did not resolve.
    #[error("name resolution failed ({0}); check the network and the server name")]
    Resolve(String),
    /// No TCP connection.
    #[error("{0}; check the network, a firewall, the address")]
    Connect(String),
    /// TLS failed.
    #[error("TLS failed ({0}); check the clock, a proxy that intercepts TLS, the trusted roots")]
    Tls(String),
    /// The proxy refused or failed.
    #[error("the proxy failed ({0}); check its address and credentials")]
    Proxy(String),
    /// The server did not upgrade to WebSocket.
    #[error("the server answered HTTP {status} instead of a WebSocket upgrade; {}", upgrade_advice(*.status))]
    Upgrade {
        /// HTTP status.
        status: u16,
    },
    /// It took too long.
    #[error("no connection in time; check the network and a firewall")]
    TimedOut,
    /// The configuration cannot work, whatever the network does.
    #[error("the configuration cannot work: {0}")]
    Misconfigured(String),
}

const fn upgrade_advice(status: u16) -> &'static str {
    match status {
        400 => "check the URL and the Origin header a proxy may have changed",
        401 | 407 => "a proxy or gateway in between wants credentials",
        403 => "this address is refused; try another network or proxy",
        404 | 405 | 426 => "check the URL",
        429 => "too many connections from this address; wait, or use another",
        300..=399 => "it redirects, which may be the login page of a network",
        408 | 500..=599 => "the server is in trouble",
        _ => "check the URL and what stands between",
    }
}

impl OpenFailure {
    /// Whether another attempt may go better (transport chapter, section 1).
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Upgrade { status } => matches!(*status, 408 | 500..=504),
            Self::Misconfigured(_) => false,
            _ => true,
        }
    }
}

/// What a finished command has brought about.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OpOutcome {
    /// Logged in and ready.
    Online,
    /// Disconnected.
    Stopped,
    /// Credentials destroyed.
    LoggedOut {
        /// Whether the server confirmed the unlink; `None`: there was no connection to ask on.
        server_unlinked: Option<bool>,
    },
    /// The answer went to the pairing that waited for it.
    ApprovalSent,
    /// The server has accepted the pairing code.
    PairingCode {
        /// What the user types on the phone.
        code: PairingCode,
        /// When it dies, wall clock in milliseconds.
        expires_at_unix_ms: u64,
    },
    /// The pairing code is withdrawn.
    PairingCodeCancelled,
    /// The assertion is on its way; what comes of it is told by events.
    PasskeyResponseSent,
    /// The answer went to the ceremony that waited for it; what comes of it is told by events.
    PasskeyConfirmationSent,
    /// The server answered a ping.
    Pong {
        /// From sending to answer.
        round_trip: Duration,
    },
    /// The version is used from now on.
    VersionSet,
}
