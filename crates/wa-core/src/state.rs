use crate::error::{FailReason, LogoutReason};

/// A step of linking or logging in, for progress displays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Opening the socket, shaking hands.
    Connecting,
    /// A code is on show.
    WaitingForScan,
    /// The phone has answered; its answer is being checked.
    Verifying,
    /// Accepted; the server restarts the connection.
    Restarting,
    /// Logging in with the credentials.
    LoggingIn,
    /// Making and uploading one-time keys.
    UploadingKeys,
}

impl Step {
    /// Stable name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::WaitingForScan => "waiting_for_scan",
            Self::Verifying => "verifying",
            Self::Restarting => "restarting",
            Self::LoggingIn => "logging_in",
            Self::UploadingKeys => "uploading_keys",
        }
    }
}

/// The one state of the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nothing runs, nothing is linked.
    Idle,
    /// Connecting in order to pair; no code yet.
    Starting,
    /// A code is on offer.
    AwaitingPairing,
    /// The phone asks for a passkey.
    AwaitingPasskey,
    /// Credentials are durable; replying, restarting, logging in for the first time.
    Linking {
        /// How far.
        step: Step,
    },
    /// Logging in with stored credentials.
    Connecting {
        /// How far.
        step: Step,
    },
    /// Logged in.
    Online,
    /// Waiting for the next attempt.
    Reconnecting {
        /// When it starts, wall clock in milliseconds.
        retry_at_unix_ms: u64,
        /// How many have failed in a row.
        attempt: u32,
    },
    /// Another connection has taken over the credentials.
    Conflict {
        /// When the one slow retry starts, if the policy has one.
        retry_at_unix_ms: Option<u64>,
    },
    /// The account is restricted for a while.
    Restricted {
        /// The server's number for the kind of restriction.
        code: Option<u16>,
        /// When it ends and the next attempt starts, wall clock in milliseconds.
        expires_at_unix_ms: Option<u64>,
    },
    /// The server refuses this client version as too old.
    Outdated,
    /// The codes are used up and nobody has linked.
    PairingExpired,
    /// Linked, and disconnected by wish.
    Stopped,
    /// The link is gone, the credentials are destroyed.
    LoggedOut {
        /// Why.
        reason: LogoutReason,
    },
    /// Given up until the next start.
    Failed {
        /// Why.
        error: FailReason,
    },
}

impl ConnectionState {
    /// Stable name in snake case, without the details.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::AwaitingPairing => "awaiting_pairing",
            Self::AwaitingPasskey => "awaiting_passkey",
            Self::Linking { .. } => "linking",
            Self::Connecting { .. } => "connecting",
            Self::Online => "online",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Conflict { .. } => "conflict",
            Self::Restricted { .. } => "restricted",
            Self::Outdated => "outdated",
            Self::PairingExpired => "pairing_expired",
            Self::Stopped => "stopped",
            Self::LoggedOut { .. } => "logged_out",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether the engine stays here until a command comes. Beside `logged_out`, a logout that the server has not
    /// confirmed may still be finished.
    #[must_use]
    pub const fn is_at_rest(&self) -> bool {
        match self {
            Self::Idle
            | Self::Outdated
            | Self::PairingExpired
            | Self::Stopped
            | Self::LoggedOut { .. }
            | Self::Failed { .. } => true,
            Self::Conflict { retry_at_unix_ms } => retry_at_unix_ms.is_none(),
            Self::Restricted {
                expires_at_unix_ms, ..
            } => expires_at_unix_ms.is_none(),
            _ => false,
        }
    }
}
