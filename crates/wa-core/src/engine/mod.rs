mod commands;
mod connected;
mod core;
mod dial;
mod drain;
mod end;
mod keepalive;
mod login;
mod notes;
mod ops;
mod own_devices;
mod pairing;
mod phase;
mod session;
mod settle;
mod stage;
mod unlink;
mod upkeep;
mod version;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tracing::debug;
use wa_crypto::CryptoRng;

pub use self::core::{FLAPPING_LOSSES, FLAPPING_WINDOW_MS, Health};
pub use self::ops::MAX_OPS;

use self::core::Core;
use self::phase::Phase;
use crate::config::{ClientVersion, Config};
use crate::device::{Device, KnownVersion, Registered, Stored};
use crate::error::{EngineError, RestoreError};
use crate::event::LinkedDevices;
use crate::io::{CloseCause, Epoch, Input, Output};
use crate::record::Record;
use crate::state::ConnectionState;
use crate::time::Now;

/// The protocol of one account: everything between bytes of a socket and events of an application.
///
/// Drive it like this. Feed every happening with [`handle_input`](Self::handle_input), then drain
/// [`poll_output`](Self::poll_output) to `None`, acting on the outputs in their order. Call
/// `handle_input` with [`Input::Timeout`] when the time [`poll_timeout`](Self::poll_timeout) names has come;
/// it may have changed after every input.
///
/// An [`Output::Persist`] is committed before anything after it is acted on. If it cannot be committed,
/// feed [`Input::PersistFailed`] and drop what is left of the queue by draining again: the engine has
/// replaced it.
pub struct Engine {
    core: Core,
    phase: Phase,
}

impl Engine {
    /// An engine at rest: `stopped` for a linked device, `idle` for another. A device that was generated
    /// is persisted by the first start.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        device: Device,
        rng: Box<dyn CryptoRng + Send>,
        now: Now,
    ) -> Self {
        let stored = Stored {
            device: Some(device),
            ..Stored::default()
        };
        Self::with(config, stored, rng, now)
    }

    /// An engine at rest, from what the store holds: the answer to [`Query::Device`](crate::Query::Device).
    ///
    /// One rule heals a store that was left half written: a link is a signed identity, a JID and all keys, and
    /// what is less is replaced by new keys at the first start. A logout that the server has not confirmed is
    /// taken up again by the next start or logout.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] when a record is damaged or of a newer version. Nothing is written then.
    pub fn restore(
        config: Arc<Config>,
        records: &[Record],
        mut rng: Box<dyn CryptoRng + Send>,
        now: Now,
    ) -> Result<Self, RestoreError> {
        let mut stored = Stored::read(config.provider, records)?;
        if stored.device.is_none() && stored.tombstone.is_none() {
            let new = Device::generate(config.provider, &mut *rng, now.unix_secs());
            stored.device = Some(new);
        }
        Ok(Self::with(config, stored, rng, now))
    }

    fn with(config: Arc<Config>, stored: Stored, rng: Box<dyn CryptoRng + Send>, now: Now) -> Self {
        let core = Core::new(config, stored, rng);
        debug!(state = core.state().name(), at = now.unix_ms, "engine made");
        Self {
            phase: Phase::rest(core.state().clone()),
            core,
        }
    }

    /// Takes in one happening. Whatever it leads to is among the outputs.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the driver does not keep to the contract; nothing has changed then. What the
    /// server does never is an error here.
    pub fn handle_input(&mut self, now: Now, input: Input<'_>) -> Result<(), EngineError> {
        if let Some(epoch) = epoch_of(&input) {
            if self.phase.epoch() != Some(epoch) {
                debug!(
                    epoch = epoch.get(),
                    "dropped an input of a connection that is over"
                );
                return Ok(());
            }
            self.check_order(&input)?;
        }
        if let Input::Command(op, command) = &input {
            self.core.accept(*op, command)?;
        }
        let placeholder = Phase::rest(self.core.state().clone());
        let phase = std::mem::replace(&mut self.phase, placeholder);
        self.phase = step(phase, &mut self.core, now, input);
        if let Phase::Rest(_) = self.phase {
            self.core.forget_awaited_link();
        }
        let state = self.phase.state(&self.core);
        self.core.report(now, state);
        Ok(())
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// When to feed [`Input::Timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.phase.deadline(&self.core.config.timings)
    }

    /// The state last told.
    #[must_use]
    pub fn state(&self) -> &ConnectionState {
        self.core.state()
    }

    /// The link, if there is one.
    #[must_use]
    pub fn credentials(&self) -> Option<&Registered> {
        self.core.registered()
    }

    /// Signs of life of the connection.
    #[must_use]
    pub const fn health(&self) -> Health {
        self.core.health
    }

    /// What to add to the local clock for the server's, in milliseconds; 0 before the first login.
    #[must_use]
    pub const fn server_offset_ms(&self) -> i64 {
        self.core.clock.offset_ms()
    }

    /// The client version claimed by the next connection.
    #[must_use]
    pub const fn version(&self) -> ClientVersion {
        self.core.version
    }

    /// The version that a source has given, if one was ever asked.
    #[must_use]
    pub const fn known_version(&self) -> Option<&KnownVersion> {
        self.core.known_version.as_ref()
    }

    /// The own account's devices as last believed, if a list is known: it outlives the connection and the process,
    /// and goes with the link.
    #[must_use]
    pub fn own_devices(&self) -> Option<LinkedDevices> {
        let own = self.core.registered()?;
        let list = self.core.own_devices.as_ref()?;
        Some(LinkedDevices::new(list.linked(own), list.is_signed()))
    }

    fn check_order(&self, input: &Input<'_>) -> Result<(), EngineError> {
        let dialing = matches!(self.phase, Phase::Dialing(_));
        let input = match input {
            Input::Opened(_) if !dialing => "Opened",
            Input::Bytes(..) if dialing => "Bytes",
            _ => return Ok(()),
        };
        let phase = self.phase.name();
        Err(EngineError::OutOfOrder { input, phase })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("state", self.core.state())
            .finish_non_exhaustive()
    }
}

/// The connection an input is about.
const fn epoch_of(input: &Input<'_>) -> Option<Epoch> {
    match input {
        Input::Opened(epoch) | Input::Bytes(epoch, _) | Input::Closed(epoch, _) => Some(*epoch),
        Input::Computed(computed) => Some(computed.epoch),
        _ => None,
    }
}

fn step(phase: Phase, core: &mut Core, now: Now, input: Input<'_>) -> Phase {
    match input {
        Input::Opened(_) => match phase {
            Phase::Dialing(socket) => socket.opened(core, now),
            other => other,
        },
        Input::Bytes(_, bytes) => match phase {
            Phase::Greeting(hello) => hello.bytes(core, now, bytes),
            Phase::Connected(connected) => connected.bytes(core, now, bytes),
            other => other,
        },
        Input::Computed(computed) => phase.computed(core, now, computed),
        Input::Closed(_, cause) => closed(phase, core, now, cause),
        Input::Loaded(query, records) => phase.loaded(core, now, query, &records),
        Input::LoadFailed(query, why) => phase.load_failed(core, now, query, why),
        Input::PersistFailed(why) => core.stop_safe(&phase, why),
        Input::VersionFetched(fetched) => phase.version_fetched(core, now, fetched),
        Input::Command(op, command) => phase.command(core, now, op, command),
        Input::Timeout => timeout(phase, core, now),
    }
}

fn closed(phase: Phase, core: &mut Core, now: Now, cause: CloseCause) -> Phase {
    match phase {
        Phase::Dialing(socket) => socket.closed(core, now, cause),
        Phase::Greeting(hello) => hello.closed(core, now, cause),
        Phase::Connected(connected) => connected.closed(core, now, cause),
        other => other,
    }
}

fn timeout(phase: Phase, core: &mut Core, now: Now) -> Phase {
    match phase {
        Phase::Rest(rest) if rest.wake.is_some_and(|wake| wake <= now.instant) => core.dial(now),
        Phase::Waiting(waiting) if waiting.retry_at <= now.instant => core.dial(now),
        Phase::Reloading(device) => device.timeout(core, now),
        Phase::Fetching(version) => version.timeout(core, now),
        Phase::Dialing(socket) => socket.timeout(core, now),
        Phase::Greeting(hello) => hello.timeout(core, now),
        Phase::Connected(connected) => connected.timeout(core, now),
        other => other,
    }
}
