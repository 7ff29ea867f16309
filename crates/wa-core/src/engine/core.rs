use std::collections::VecDeque;
use std::sync::Arc;

use tracing::info;
use wa_crypto::CryptoRng;
use wa_pair::CodeRequest;

use super::ops::Ops;
use crate::backoff::Backoff;
use crate::config::{ClientVersion, Config};
use crate::device::{Device, Registered};
use crate::event::Event;
use crate::io::{Epoch, Output};
use crate::iq::StanzaIds;
use crate::record::{Changes, Desired};
use crate::state::{ConnectionState, Step};
use crate::time::{Now, ServerClock};

/// What outlives a connection, and the queue of outputs.
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) version: ClientVersion,
    pub(super) rng: Box<dyn CryptoRng + Send>,
    /// `None` from a logout to the next start.
    pub(super) device: Option<Device>,
    pub(super) trust: StoreTrust,
    pub(super) desired: Option<Desired>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) epoch: Epoch,
    pub(super) ids: StanzaIds,
    pub(super) ops: Ops,
    pub(super) backoff: Backoff,
    pub(super) restarts: u32,
    pub(super) clock: ServerClock,
    pub(super) connects: u32,
    pub(super) health: Health,
    /// Set from pairing to the first login, in the process that paired.
    pub(super) paired_in: Option<Epoch>,
    pub(super) conflict_retry: ConflictRetry,
    pub(super) resume: Resume,
    pub(super) refused_version: Option<ClientVersion>,
    /// Asked for by an operation, and not on its way yet.
    pub(super) wanted_code: Option<CodeRequest>,
    pub(super) shown: Shown,
    reported: ConnectionState,
    after_state: Vec<Event>,
}

/// Whether the device in memory is known to be the one in the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StoreTrust {
    Sure,
    /// A commit has failed: what the store holds must be read again before anything goes on.
    Lost,
}

/// Whether the one slow retry after a conflict is still there to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ConflictRetry {
    Unused,
    Used,
}

/// Whether a cached server key is used for the next handshake (transport chapter, section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resume {
    Offered,
    /// An attempt with it has failed; left alone until a handshake succeeds.
    Failed,
}

/// What the application has been told to show or to answer, and not been told to forget.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Shown {
    pub(super) qr: bool,
    pub(super) code: bool,
    pub(super) passkey: bool,
}

/// Signs of life, wall clock in milliseconds.
///
/// A connection is known to work because pings are answered, not because something or nothing comes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Health {
    /// When the last frame of any kind came.
    pub last_frame_unix_ms: Option<u64>,
    /// When the last answer to a ping came.
    pub last_pong_unix_ms: Option<u64>,
    /// Round trip of that ping in milliseconds.
    pub last_round_trip_ms: Option<u64>,
}

/// What the next connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Journey {
    Register,
    FirstLogin,
    Login,
}

impl Core {
    pub(super) fn new(
        config: Arc<Config>,
        device: Device,
        mut rng: Box<dyn CryptoRng + Send>,
    ) -> Self {
        let reported = if device.is_registered() {
            ConnectionState::Stopped
        } else {
            ConnectionState::Idle
        };
        Self {
            version: config.version.resolve(None),
            config,
            ids: StanzaIds::new(&mut *rng),
            rng,
            device: Some(device),
            trust: StoreTrust::Sure,
            desired: None,
            outputs: VecDeque::new(),
            epoch: Epoch(0),
            ops: Ops::default(),
            backoff: Backoff::default(),
            restarts: 0,
            clock: ServerClock::default(),
            connects: 0,
            health: Health::default(),
            paired_in: None,
            conflict_retry: ConflictRetry::Unused,
            resume: Resume::Offered,
            refused_version: None,
            wanted_code: None,
            shown: Shown::default(),
            reported,
            after_state: Vec::new(),
        }
    }

    pub(super) fn registered(&self) -> Option<&Registered> {
        self.device.as_ref().and_then(Device::registered)
    }

    pub(super) fn journey(&self) -> Journey {
        match self.registered() {
            None => Journey::Register,
            Some(_) if self.paired_in.is_some() => Journey::FirstLogin,
            Some(_) => Journey::Login,
        }
    }

    pub(super) fn persist(&mut self, changes: Changes) {
        if !changes.is_empty() {
            self.outputs.push_back(Output::Persist(changes));
        }
    }

    /// Persists the wish if it is not known to be stored already.
    pub(super) fn want(&mut self, desired: Desired) -> Changes {
        if self.desired == Some(desired) {
            return Changes::default();
        }
        self.desired = Some(desired);
        Changes {
            desired: Some(desired),
            ..Changes::default()
        }
    }

    pub(super) fn transmit(&mut self, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit(bytes));
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells it once the state that this step leads to has been told.
    pub(super) fn tell_after(&mut self, event: Event) {
        self.after_state.push(event);
    }

    pub(super) fn progress(&mut self, step: Step) {
        self.tell(Event::Progress(step));
    }

    pub(super) fn state(&self) -> &ConnectionState {
        &self.reported
    }

    /// Tells the state if it has changed, and what was to be told after it.
    pub(super) fn report(&mut self, now: Now, state: ConnectionState) {
        if state != self.reported {
            info!(
                state = state.name(),
                from = self.reported.name(),
                at = now.unix_ms,
                "state"
            );
            self.reported = state.clone();
            self.tell(Event::State(state));
        }
        for event in std::mem::take(&mut self.after_state) {
            self.tell(event);
        }
    }
}
