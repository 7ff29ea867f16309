mod trouble;

pub use self::trouble::{RestoreError, Trouble};

use wa_noise::{FrameError, HandshakeError, TransportError};
use wa_pair::{CodeEnd, CodeRefusal, PairError};

use crate::io::{CloseCause, OpId, OpenFailure};

/// Misuse of the engine by its driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The command was not accepted: an operation with this number is still under way.
    #[error("operation {0:?} is still under way; every command needs a number of its own")]
    OpInUse(OpId),
    /// The command was not accepted: too many are under way.
    #[error("more than {limit} operations are under way")]
    TooManyOps {
        /// Most operations at a time.
        limit: usize,
    },
    /// The input does not fit the connection: bytes before it was opened, or opened twice.
    #[error("{input} does not fit a connection that is {phase}")]
    OutOfOrder {
        /// Name of the input.
        input: &'static str,
        /// What the engine was doing.
        phase: &'static str,
    },
}

/// Why a command did not do what it asks for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no link to undo.
    #[error("this account is not linked")]
    NotLinked,
    /// No pairing waits for approval.
    #[error("no pairing waits for approval")]
    NothingToApprove,
    /// There is a link already.
    #[error("this account is linked already; log out first")]
    AlreadyLinked,
    /// Another pairing code is asked for or live. The server knows one code per number, and a second would kill
    /// the first silently.
    #[error("another pairing code is outstanding for {} s; cancel it first", remaining_ms.div_ceil(1000))]
    CodeOutstanding {
        /// Until it ends by itself, at the latest.
        remaining_ms: u64,
    },
    /// The server did not take the pairing code.
    #[error(transparent)]
    CodeRefused(CodeRefusal),
    /// The pairing code ended before the server had accepted it.
    #[error(transparent)]
    CodeEnded(CodeEnd),
    /// No pairing code is asked for or live.
    #[error("there is no pairing code to cancel")]
    NoPairingCode,
    /// The pairing has come too far for it.
    #[error("not possible at this point of a pairing")]
    NotNow,
    /// No passkey ceremony waits for this answer.
    #[error("no passkey answer is awaited")]
    NoPasskeyAsked,
    /// The connection it was sent on is over.
    #[error("the connection ended before the server had answered: {0}")]
    ConnectionEnded(DisconnectReason),
    /// Only possible while online.
    #[error("not connected")]
    NotConnected,
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server answered with an error.
    #[error("the server refused with code {code}")]
    Refused {
        /// Code of the error.
        code: u16,
    },
    /// Too many requests wait for an answer.
    #[error("more than {limit} requests wait for an answer")]
    TooManyRequests {
        /// Most requests at a time.
        limit: usize,
    },
    /// A stop came in between.
    #[error("stopped")]
    Stopped,
    /// The code was not scanned in time.
    #[error("nobody linked the device in time; start again for a new code")]
    PairingExpired,
    /// Another connection uses the same credentials.
    #[error("another connection has taken over these credentials")]
    Conflict,
    /// The account is restricted for a while.
    #[error("the account is restricted by the server")]
    Restricted,
    /// The server refuses this client version.
    #[error(
        "the server refuses this client version as too old; give a newer one, do not pin it, or update the program"
    )]
    Outdated,
    /// The link is gone.
    #[error("logged out: {0}")]
    LoggedOut(LogoutReason),
    /// The attempt was given up.
    #[error(transparent)]
    Failed(#[from] FailReason),
}

/// Why the link is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutReason {
    /// By our own command.
    #[error("by this device")]
    Requested,
    /// The owner removed the device on the phone.
    #[error("removed on the phone")]
    RemovedOnPhone,
    /// Removed within a minute of pairing; usually the server's decision, not the owner's.
    #[error("removed {seconds} s after pairing")]
    RemovedAfterPairing {
        /// Seconds from pairing to removal.
        seconds: u64,
    },
    /// The server does not know the credentials any more (401).
    #[error("the server does not accept the credentials any more")]
    NotAuthorized,
    /// The account is locked, or its phone is gone (403).
    #[error("the account is locked or its phone is gone")]
    AccountLocked,
    /// The account is banned (406).
    #[error("the account is banned")]
    Banned,
    /// The server forced a logout (516, or a conflict of an unknown type).
    #[error("forced by the server")]
    Forced,
    /// The phone has new identity keys; the link was made with the old ones.
    #[error("the phone has changed its identity")]
    PrimaryIdentityChanged,
}

impl LogoutReason {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::RemovedOnPhone => "removed_on_phone",
            Self::RemovedAfterPairing { .. } => "removed_after_pairing",
            Self::NotAuthorized => "not_authorized",
            Self::AccountLocked => "account_locked",
            Self::Banned => "banned",
            Self::Forced => "forced",
            Self::PrimaryIdentityChanged => "primary_identity_changed",
        }
    }

    /// Whether the device is off the list of its account; the other reasons void the link and do not say so.
    pub(crate) const fn says_unlinked(self) -> bool {
        matches!(
            self,
            Self::NotAuthorized | Self::RemovedOnPhone | Self::RemovedAfterPairing { .. }
        )
    }
}

/// Why a pairing failed although a phone took part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairingFailure {
    /// The identity in `pair-success` was refused; the server has been told.
    #[error("the phone's answer was refused: {0}")]
    Identity(#[from] PairError),
    /// The phone is too old to link devices.
    #[error("the phone does not support linked devices; update the app on the phone")]
    NoMultiDevice,
}

/// Why a connection was lost or given up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// It closed, or never opened.
    #[error(transparent)]
    Closed(#[from] CloseCause),
    /// The other side was silent for too long.
    #[error("the server was silent: {0}")]
    TimedOut(Awaited),
    /// The Noise handshake failed.
    #[error("the handshake failed: {0}")]
    Handshake(#[from] HandshakeError),
    /// The first frame after the handshake does not open.
    #[error("the handshake failed: the first frame after it does not open, so the keys differ")]
    KeysDiffer,
    /// The bytes are no frames.
    #[error("the server sent no frames: {0}")]
    Frame(#[from] FrameError),
    /// A frame does not open.
    #[error("a frame does not open: {0}")]
    Transport(#[from] TransportError),
    /// Pings stay unanswered.
    #[error("the connection is dead: pings stay unanswered")]
    KeepAlive,
    /// The server refused the login for now.
    #[error("the server refused the login with reason {reason}")]
    Refused {
        /// Number in the `failure` stanza.
        reason: u16,
    },
    /// The server ended the stream.
    #[error("the server ended the stream: {0}")]
    Stream(StreamFault),
    /// By our own command.
    #[error("stopped")]
    Requested,
}

impl DisconnectReason {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed(CloseCause::Peer { .. }) => "closed",
            Self::Closed(CloseCause::Network(_)) => "network",
            Self::Closed(CloseCause::OpenFailed(_)) => "connect_failed",
            Self::TimedOut(_) => "timed_out",
            Self::Handshake(_) | Self::KeysDiffer => "handshake",
            Self::Frame(_) => "frame",
            Self::Transport(_) => "transport",
            Self::KeepAlive => "keep_alive",
            Self::Refused { .. } => "refused",
            Self::Stream(_) => "stream_error",
            Self::Requested => "requested",
        }
    }

    /// The server's number for it, when it gave one.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Closed(CloseCause::Peer { code }) => *code,
            Self::Closed(CloseCause::OpenFailed(OpenFailure::Upgrade { status })) => Some(*status),
            Self::Refused { reason } => Some(*reason),
            Self::Stream(fault) => fault.code(),
            _ => None,
        }
    }
}

/// What did not come in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Awaited {
    /// The socket.
    #[error("no connection")]
    Socket,
    /// The server's part of the handshake.
    #[error("no answer to the handshake")]
    ServerHello,
    /// The refs of the QR code.
    #[error("no pairing offer")]
    PairDevice,
    /// The answer to the login.
    #[error("no answer to the login")]
    Login,
    /// The answer to a request.
    #[error("no answer to a request")]
    Answer,
}

/// What a `stream:error` said (login chapter, section 11).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFault {
    /// Another connection uses the same credentials.
    #[error("replaced by another connection")]
    Replaced,
    /// A number.
    #[error("code {0}")]
    Code(u16),
    /// We did not ack a stanza.
    #[error("a stanza was not acked")]
    Unacked,
    /// We sent something unreadable.
    #[error("a stanza of ours was unreadable")]
    NotWellFormed,
    /// Nothing we know.
    #[error("no known reason")]
    Unknown,
    /// It ended in order (`xmlstreamend`).
    #[error("end of stream")]
    End,
}

impl StreamFault {
    const fn code(self) -> Option<u16> {
        match self {
            Self::Code(code) => Some(code),
            _ => None,
        }
    }
}

/// Why the engine gave up until the next start.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailReason {
    /// The server refused the login, and trying again will not help.
    #[error("the server refused the login with reason {reason}: {}", advice(*.reason))]
    Refused {
        /// Number in the `failure` stanza.
        reason: u16,
    },
    /// The pairing failed.
    #[error(transparent)]
    Pairing(#[from] PairingFailure),
    /// The server could not prove that it is the one we are to talk to.
    #[error("{0}; check the configured root key")]
    Server(HandshakeError),
    /// The connection cannot be opened.
    #[error(transparent)]
    Open(OpenFailure),
    /// Too many attempts in a row.
    #[error("gave up after {attempts} attempts; last: {last}")]
    Budget {
        /// Number of attempts.
        attempts: u32,
        /// Why the last one failed.
        last: Box<DisconnectReason>,
    },
    /// The store does not take what must be durable. Nothing that depends on it was sent.
    #[error(
        "the store failed ({0}); check that its disk has space and is writable, then start again"
    )]
    Store(String),
    /// The stored device cannot be read.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The device was linked through another server than the configured one. Nothing was sent.
    #[error(
        "this device was linked through another server (its root key differs); use the server it was linked with, or another account"
    )]
    OtherServer,
    /// A bound of the program was exceeded.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// What somebody can do about a login that was refused for good (login chapter, section 10).
const fn advice(reason: u16) -> &'static str {
    match reason {
        400 => "the login was malformed; update the program",
        401 | 403 | 406 => "the keys were refused and are gone; start again to pair with new ones",
        402 => "the account is restricted; look at the phone",
        409 => {
            "the server does not take this kind of client; check the configured version and platform"
        }
        411 => "the phone does not support linked devices; update the app on the phone",
        413 | 414 => "a token of another service has expired; this program cannot renew it",
        415 => "the server does not find the account; check that the number is still registered",
        418 => "the server does not know this client; check the configured version and platform",
        501 => "the server does not offer this login; update the program",
        _ => "nothing known helps; keep the credentials, update the program and start again",
    }
}

impl FailReason {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Pairing(_) => "pairing",
            Self::Server(_) => "server_identity",
            Self::Open(_) => "connect_failed",
            Self::Budget { .. } => "gave_up",
            Self::Store(_) => "store",
            Self::Restore(_) => "restore",
            Self::OtherServer => "other_server",
            Self::Internal(_) => "internal",
        }
    }
}
