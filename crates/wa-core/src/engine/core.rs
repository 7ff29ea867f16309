use std::collections::VecDeque;
use std::sync::Arc;

use tracing::info;
use wa_crypto::CryptoRng;
use wa_pair::{AwaitedLink, CodeRequest};

use super::ops::Ops;
use super::settle::{Settling, Then, logged_out};
use super::version::Refusals;
use crate::backoff::Backoff;
use crate::config::{ClientVersion, Config};
use crate::device::{Device, KnownVersion, OwnDevices, Registered, Stored, Tombstone};
use crate::event::Event;
use crate::io::{Epoch, Output};
use crate::iq::StanzaIds;
use crate::record::{Changes, Desired, RecordKind};
use crate::state::{ConnectionState, Step};
use crate::time::{Now, ServerClock};

/// What outlives a connection, and the queue of outputs.
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) version: ClientVersion,
    pub(super) rng: Box<dyn CryptoRng + Send>,
    /// `None` from a logout to the next start.
    pub(super) device: Option<Device>,
    /// Of a logout that the server has not confirmed.
    pub(super) tombstone: Option<Tombstone>,
    /// Set as long as that is being settled.
    pub(super) settling: Option<Settling>,
    /// What a logout under way leaves in the store.
    pub(super) keep: Vec<RecordKind>,
    pub(super) own_devices: Option<OwnDevices>,
    pub(super) known_version: Option<KnownVersion>,
    pub(super) trust: StoreTrust,
    pub(super) desired: Option<Desired>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) epoch: Epoch,
    pub(super) ids: StanzaIds,
    pub(super) ops: Ops,
    pub(super) backoff: Backoff,
    /// Restarts in a row, none of them followed by an answered ping.
    pub(super) restarts: u32,
    /// Logins in a row, none of them followed by an answered ping.
    pub(super) unproved: u32,
    /// Whether this connection has logged in.
    pub(super) logged_in: bool,
    /// How often this connection has waited for the server before it was logged in.
    pub(super) round_trips: u8,
    pub(super) clock: ServerClock,
    pub(super) connects: u32,
    pub(super) health: Health,
    /// Set from pairing to the first login, in the process that paired.
    pub(super) paired_in: Option<Epoch>,
    pub(super) conflict_retry: ConflictRetry,
    pub(super) resume: Resume,
    pub(super) refusals: Refusals,
    /// Asked for by an operation, and not on its way yet.
    pub(super) wanted_code: Option<CodeRequest>,
    /// Asked for on this connection, and not answered yet.
    pub(super) asked_code: Option<CodeRequest>,
    /// A pair-success that may still come, on this connection or the next.
    pub(super) awaited_link: Option<AwaitedLink>,
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
    /// Round trips from the first byte of the last connection to its login: 2, or 1 with a cached server key.
    pub login_round_trips: Option<u8>,
    /// When logged-in connections were lost, the latest first; 0 for none.
    losses: [u64; KEPT_LOSSES],
}

/// Losses of a connection that are remembered.
const KEPT_LOSSES: usize = 16;

/// Losses within [`FLAPPING_WINDOW_MS`] that make a connection a flapping one; ours.
pub const FLAPPING_LOSSES: usize = 5;

/// How far back [`Health::is_flapping`] looks: 10 minutes; ours.
pub const FLAPPING_WINDOW_MS: u64 = 600_000;

impl Health {
    /// How many logged-in connections were lost since then, wall clock in milliseconds; at most 16 are known.
    #[must_use]
    pub fn losses_since(&self, unix_ms: u64) -> usize {
        let known = self.losses.iter();
        known.filter(|at| **at != 0 && **at >= unix_ms).count()
    }

    /// Whether the connection comes and goes: worse than `online` sounds.
    #[must_use]
    pub fn is_flapping(&self, now_unix_ms: u64) -> bool {
        let since = now_unix_ms.saturating_sub(FLAPPING_WINDOW_MS);
        self.losses_since(since) >= FLAPPING_LOSSES
    }

    fn lost(&mut self, now: Now) {
        self.losses.rotate_right(1);
        if let Some(latest) = self.losses.first_mut() {
            *latest = now.unix_ms;
        }
    }
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
        stored: Stored,
        mut rng: Box<dyn CryptoRng + Send>,
    ) -> Self {
        let Stored {
            device,
            tombstone,
            version: known_version,
            own_devices,
        } = stored;
        let reported = match (&device, &tombstone) {
            (Some(device), _) if device.is_registered() => ConnectionState::Stopped,
            (_, Some(_)) => logged_out(),
            _ => ConnectionState::Idle,
        };
        let cached = known_version.as_ref().map(|known| known.version);
        Self {
            version: config.version.resolve(cached),
            config,
            ids: StanzaIds::new(&mut *rng),
            rng,
            device,
            tombstone,
            settling: None,
            keep: Vec::new(),
            own_devices,
            known_version,
            trust: StoreTrust::Sure,
            desired: None,
            outputs: VecDeque::new(),
            epoch: Epoch(0),
            ops: Ops::default(),
            backoff: Backoff::default(),
            restarts: 0,
            unproved: 0,
            logged_in: false,
            round_trips: 0,
            clock: ServerClock::default(),
            connects: 0,
            health: Health::default(),
            paired_in: None,
            conflict_retry: ConflictRetry::Unused,
            resume: Resume::Offered,
            refusals: Refusals::default(),
            wanted_code: None,
            asked_code: None,
            awaited_link: None,
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

    /// Notes the end of a connection. A logged-in one that nobody wanted to end was lost.
    pub(super) fn connection_over(&mut self, now: Now, wanted: bool) -> bool {
        let was_logged_in = std::mem::take(&mut self.logged_in);
        if was_logged_in && !wanted {
            self.health.lost(now);
        }
        was_logged_in
    }

    /// A ping was answered: the connection works.
    pub(super) const fn proved(&mut self) {
        self.unproved = 0;
        self.restarts = 0;
    }

    pub(super) fn settles_unseen(&self) -> bool {
        self.settling
            .as_ref()
            .is_some_and(|settling| settling.then == Then::Rest)
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
