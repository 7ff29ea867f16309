use std::time::Instant;

use super::connected::Connected;
use super::core::{Core, Journey};
use super::dial::{AwaitHello, AwaitSocket};
use super::end::{End, Socket};
use super::settle::logged_out;
use super::version::AwaitVersion;
use crate::config::Timings;
use crate::error::FailReason;
use crate::io::Epoch;
use crate::state::{ConnectionState, Step};
use crate::time::Now;

/// What the engine is doing. Every variant is named for what it awaits; a step consumes it.
pub(super) enum Phase {
    Rest(Rest),
    Waiting(AwaitRetry),
    Reloading(AwaitDevice),
    Fetching(AwaitVersion),
    Dialing(AwaitSocket),
    Greeting(Box<AwaitHello>),
    Connected(Box<Connected>),
}

/// Nothing runs until a command comes, or until `wake`.
pub(super) struct Rest {
    pub(super) state: ConnectionState,
    pub(super) wake: Option<Instant>,
}

/// Waits out the pause between two attempts.
pub(super) struct AwaitRetry {
    pub(super) retry_at: Instant,
    pub(super) retry_at_unix_ms: u64,
    pub(super) attempt: u32,
}

/// A commit has failed; waits for what the store really holds.
pub(super) struct AwaitDevice {
    deadline: Instant,
}

impl AwaitDevice {
    pub(super) fn new(core: &Core, now: Now) -> Self {
        Self {
            deadline: now.instant + core.config.timings.store,
        }
    }

    pub(super) fn timeout(self, core: &mut Core, now: Now) -> Phase {
        if now.instant < self.deadline {
            return Phase::Reloading(self);
        }
        core.finish(now, store_is_silent(), Socket::Gone)
    }
}

/// The store was asked for records and has not answered in time.
pub(super) fn store_is_silent() -> End {
    End::Fail(FailReason::Store("it gives no answer".to_owned()))
}

impl Phase {
    pub(super) fn rest(state: ConnectionState) -> Self {
        Self::Rest(Rest { state, wake: None })
    }

    /// The epoch whose inputs are heard.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Rest(_) | Self::Waiting(_) | Self::Reloading(_) | Self::Fetching(_) => None,
            Self::Dialing(socket) => Some(socket.epoch),
            Self::Greeting(hello) => Some(hello.epoch),
            Self::Connected(connected) => Some(connected.epoch),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Rest(_) => "at rest",
            Self::Waiting(_) => "waiting to be dialled again",
            Self::Reloading(_) => "waiting for the store",
            Self::Fetching(_) => "waiting for a client version",
            Self::Dialing(_) => "being dialled",
            Self::Greeting(_) => "shaking hands",
            Self::Connected(_) => "established",
        }
    }

    pub(super) fn deadline(&self, timings: &Timings) -> Option<Instant> {
        match self {
            Self::Rest(rest) => rest.wake,
            Self::Waiting(waiting) => Some(waiting.retry_at),
            Self::Reloading(device) => Some(device.deadline),
            Self::Fetching(version) => Some(version.deadline),
            Self::Dialing(socket) => Some(socket.deadline),
            Self::Greeting(hello) => Some(hello.deadline),
            Self::Connected(connected) => connected.deadline(timings),
        }
    }

    pub(super) fn state(&self, core: &Core) -> ConnectionState {
        match self {
            Self::Rest(rest) => rest.state.clone(),
            Self::Waiting(waiting) => ConnectionState::Reconnecting {
                retry_at_unix_ms: waiting.retry_at_unix_ms,
                attempt: waiting.attempt,
            },
            Self::Reloading(_) | Self::Fetching(_) | Self::Dialing(_) | Self::Greeting(_) => {
                core.state_during(Step::Connecting)
            }
            Self::Connected(connected) => connected.state(core),
        }
    }
}

impl Core {
    /// The state of a connection attempt that has come as far as `step`.
    pub(super) fn state_during(&self, step: Step) -> ConnectionState {
        if self.settles_unseen() {
            return logged_out();
        }
        match self.journey() {
            Journey::Register => ConnectionState::Starting,
            Journey::FirstLogin => ConnectionState::Linking { step },
            Journey::Login => ConnectionState::Connecting { step },
        }
    }
}
