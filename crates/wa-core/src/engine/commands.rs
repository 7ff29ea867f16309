use tracing::info;

use super::connected::{Connected, Line};
use super::core::{ConflictRetry, Core, StoreTrust};
use super::end::{End, Socket};
use super::ops::Waits;
use super::pairing::PasskeyAnswer;
use super::phase::{AwaitDevice, Phase};
use super::settle::Then;
use super::stage::Stage;
use super::unlink::AwaitUnlink;
use crate::config::ClientVersion;
use crate::device::{Device, OtherService, Stored};
use crate::error::{CommandError, FailReason, LogoutReason};
use crate::io::{Command, LogoutOptions, OpId, OpOutcome, Output};
use crate::iq::Purpose;
use crate::record::{Desired, Query, Record};
use crate::stanza;
use crate::state::ConnectionState;
use crate::time::Now;

impl Phase {
    pub(super) fn command(self, core: &mut Core, now: Now, op: OpId, command: Command) -> Self {
        match command {
            Command::Start => self.start(core, now, op),
            Command::Stop => self.stop(core, now, op),
            Command::Logout(options) => self.log_out(core, now, op, options),
            Command::ApprovePairing(accept) => self.approve(core, now, op, accept),
            Command::RequestPairingCode(request) => self.request_code(core, now, op, request),
            Command::CancelPairingCode => self.cancel_code(core, now, op),
            Command::RespondPasskey(assertion) => {
                self.answer_passkey(core, now, op, PasskeyAnswer::Assertion(assertion))
            }
            Command::ConfirmPasskey(accept) => {
                self.answer_passkey(core, now, op, PasskeyAnswer::Confirmation(accept))
            }
            Command::Ping => self.ping(core, now, op),
            Command::UseVersion(version) => self.use_version(core, now, op, version),
        }
    }

    fn start(self, core: &mut Core, now: Now, op: OpId) -> Self {
        core.park(op, Waits::ForOnline);
        if core.settling.is_some() {
            return self.start_after_settling(core, now);
        }
        match self {
            Self::Rest(_) => core.begin_anew(now),
            // Somebody does not want to wait for the pause to end.
            Self::Waiting(_) => core.dial(now),
            Self::Connected(connected) if is_online(&connected) => {
                core.done(op, Ok(OpOutcome::Online));
                Self::Connected(connected)
            }
            under_way => under_way,
        }
    }

    /// A logout is being finished beside; pairing anew comes after it.
    pub(super) fn start_after_settling(self, core: &mut Core, now: Now) -> Self {
        if let Some(settling) = &mut core.settling {
            settling.then = Then::Start;
        }
        match self {
            Self::Rest(_) => core.begin(now),
            Self::Waiting(_) => core.dial(now),
            under_way => {
                let changes = core.want(Desired::Run);
                core.persist(changes);
                under_way
            }
        }
    }

    fn stop(self, core: &mut Core, now: Now, op: OpId) -> Self {
        core.done(op, Ok(OpOutcome::Stopped));
        if let Self::Connected(connected) = self {
            if matches!(connected.stage(), Stage::Unlinking(_)) {
                let ended = connected.step(core, now, |stage, _, _| match stage {
                    Stage::Unlinking(unlink) => Err(unlink.unanswered()),
                    other => Ok(other),
                });
                // The tombstone waits for the next start or logout.
                core.settling = None;
                return match ended {
                    Self::Rest(rest) => Self::rest(rest.state),
                    other => other,
                };
            }
            let changes = core.want(Desired::Stop);
            core.persist(changes);
            return connected.step(core, now, |_, _, _| Err(End::Stop));
        }
        let changes = core.want(Desired::Stop);
        core.persist(changes);
        match self {
            Self::Dialing(_) | Self::Greeting(_) => core.finish(now, End::Stop, Socket::Open),
            Self::Rest(rest) if matches!(rest.state, ConnectionState::LoggedOut { .. }) => {
                core.settling = None;
                for waits in [Waits::ForOnline, Waits::ForCode] {
                    core.done_all(waits, &Err(CommandError::Stopped));
                }
                Self::rest(rest.state)
            }
            _ => core.at_rest_by_wish(),
        }
    }

    fn log_out(self, core: &mut Core, now: Now, op: OpId, options: LogoutOptions) -> Self {
        if core.trust == StoreTrust::Lost {
            let why = "a commit has failed; start again before logging out".to_owned();
            core.done(op, Err(CommandError::Failed(FailReason::Store(why))));
            return self;
        }
        if core.registered().is_none() {
            return self.settle_now(core, now, op);
        }
        let root = core.config.root;
        if core
            .device
            .as_ref()
            .is_some_and(|device| device.is_of_another(root))
        {
            core.done(op, Err(CommandError::Failed(FailReason::OtherServer)));
            return self;
        }
        core.park(op, Waits::ForUnlink);
        if !matches!(&self, Self::Connected(connected) if connected.stage().is_unlinking()) {
            core.keep = options.keep;
        }
        info!("logging out");
        match self {
            Self::Connected(connected) => match connected.stage() {
                Stage::Unlinking(_) => Self::Connected(connected),
                Stage::Session(_) => {
                    connected.step(core, now, |_, core, line| ask_to_unlink(core, line, now))
                }
                _ => connected.step(core, now, |_, _, _| Err(unasked())),
            },
            Self::Dialing(_) | Self::Greeting(_) => core.finish(now, unasked(), Socket::Open),
            Self::Rest(_) | Self::Waiting(_) | Self::Reloading(_) | Self::Fetching(_) => {
                core.finish(now, unasked(), Socket::Gone)
            }
        }
    }

    /// There is no link. A logout that the server has not confirmed is tried again.
    fn settle_now(self, core: &mut Core, now: Now, op: OpId) -> Self {
        let Some(stone) = &core.tombstone else {
            core.done(op, Err(CommandError::NotLinked));
            return self;
        };
        if stone.is_of_another(core.config.root) {
            core.done(op, Err(CommandError::Failed(FailReason::OtherServer)));
            return self;
        }
        core.park(op, Waits::ForUnlink);
        let reason = LogoutReason::Requested;
        for waits in [Waits::ForOnline, Waits::ForCode] {
            core.fail_waiting(waits, &CommandError::LoggedOut(reason));
        }
        let changes = core.want(Desired::Stop);
        core.persist(changes);
        match self {
            Self::Rest(_) | Self::Waiting(_) | Self::Fetching(_) => core.settle(now, Then::Rest),
            under_way => {
                if let Some(settling) = &mut core.settling {
                    settling.then = Then::Rest;
                }
                under_way
            }
        }
    }

    fn approve(self, core: &mut Core, now: Now, op: OpId, accept: bool) -> Self {
        let Self::Connected(connected) = self else {
            core.done(op, Err(CommandError::NothingToApprove));
            return self;
        };
        connected.step(core, now, |stage, core, line| match stage {
            Stage::Pairing(pairing) => {
                let (awaited, next) = pairing.approve(core, line, now, accept);
                core.done(
                    op,
                    if awaited {
                        Ok(OpOutcome::ApprovalSent)
                    } else {
                        Err(CommandError::NothingToApprove)
                    },
                );
                next
            }
            other => {
                core.done(op, Err(CommandError::NothingToApprove));
                Ok(other)
            }
        })
    }

    fn ping(self, core: &mut Core, now: Now, op: OpId) -> Self {
        let Self::Connected(connected) = self else {
            core.done(op, Err(CommandError::NotConnected));
            return self;
        };
        connected.step(core, now, |stage, core, line| match stage {
            Stage::Session(session) => session.ping(core, line, now, op),
            other => {
                core.done(op, Err(CommandError::NotConnected));
                Ok(other)
            }
        })
    }

    fn use_version(self, core: &mut Core, now: Now, op: OpId, version: ClientVersion) -> Self {
        core.version = version;
        core.refusals.new_round();
        core.done(op, Ok(OpOutcome::VersionSet));
        let newer = core.refusals.last.is_some_and(|refused| version > refused);
        match self {
            Self::Rest(rest)
                if rest.state == ConnectionState::Outdated
                    && newer
                    && core.desired == Some(Desired::Run) =>
            {
                core.begin(now)
            }
            Self::Fetching(_) if newer => core.begin(now),
            other => other,
        }
    }

    pub(super) fn loaded(
        self,
        core: &mut Core,
        now: Now,
        query: Query,
        records: &[Record],
    ) -> Self {
        match (self, query) {
            (Self::Reloading(_), Query::Device) => core.reloaded(now, records),
            (Self::Connected(connected), Query::Prekeys) => {
                connected.step(core, now, |stage, core, line| match stage {
                    Stage::Session(session) => session.prekeys(core, line, now, records),
                    other => Ok(other),
                })
            }
            (other, _) => other,
        }
    }

    /// The store does not answer. What waits for it cannot go on, and nothing else has asked.
    pub(super) fn load_failed(self, core: &mut Core, now: Now, query: Query, why: String) -> Self {
        let end = End::Fail(FailReason::Store(why));
        match (self, query) {
            (Self::Reloading(_), Query::Device) => core.finish(now, end, Socket::Gone),
            (Self::Connected(connected), Query::Prekeys) => {
                connected.step(core, now, |stage, _, _| match stage {
                    Stage::Session(_) => Err(end),
                    other => Ok(other),
                })
            }
            (other, _) => other,
        }
    }
}

impl Core {
    /// Starts because somebody wants it: earlier failures count no more.
    pub(super) fn begin_anew(&mut self, now: Now) -> Phase {
        self.backoff.reset();
        self.refusals.new_round();
        self.proved();
        self.conflict_retry = ConflictRetry::Unused;
        self.begin(now)
    }

    /// Starts from rest: whatever the store must know first is persisted before the first connection.
    pub(super) fn begin(&mut self, now: Now) -> Phase {
        if self.trust == StoreTrust::Lost {
            self.outputs.push_back(Output::Load(Query::Device));
            return Phase::Reloading(AwaitDevice::new(self, now));
        }
        let root = self.config.root;
        if let Some(stone) = &self.tombstone
            && self.registered().is_none()
        {
            if stone.is_of_another(root) {
                return self.give_up(FailReason::OtherServer);
            }
            let wish = self.want(Desired::Run);
            self.persist(wish);
            return self.settle(now, Then::Start);
        }
        let device = self.device.get_or_insert_with(|| {
            Device::generate(self.config.provider, &mut *self.rng, now.unix_secs())
        });
        let bound = match device.bind_to(root) {
            Ok(bound) => bound,
            Err(OtherService) => return self.give_up(FailReason::OtherServer),
        };
        let changes = device.first_changes().unwrap_or(bound);
        let wish = self.want(Desired::Run);
        self.persist(changes.and(wish));
        self.dial(now)
    }

    fn reloaded(&mut self, now: Now, records: &[Record]) -> Phase {
        match Stored::read(self.config.provider, records) {
            Ok(stored) => {
                self.trust = StoreTrust::Sure;
                self.device = stored.device;
                self.tombstone = stored.tombstone;
                self.own_devices = stored.own_devices;
                self.known_version = stored.version;
                self.paired_in = None;
                if self.registered().is_some() && self.is_awaited(Waits::ForCode) {
                    self.done_all(Waits::ForCode, &Err(CommandError::AlreadyLinked));
                    if !self.is_awaited(Waits::ForOnline) {
                        return self.at_rest_by_wish();
                    }
                }
                self.begin(now)
            }
            Err(error) => self.give_up(FailReason::Restore(error)),
        }
    }
}

fn ask_to_unlink(core: &mut Core, line: &mut Line, now: Now) -> Result<Stage, End> {
    let Some(own) = core.registered().map(|link| link.jid.clone()) else {
        return Err(unasked());
    };
    line.request(core, now, Purpose::Unlink, |id| stanza::unlink(id, &own))
        .map_err(|_| unasked())?;
    Ok(Stage::Unlinking(AwaitUnlink::new(core, now)))
}

/// Logs out without a connection to say so on.
const fn unasked() -> End {
    End::LogOut {
        reason: LogoutReason::Requested,
        server_unlinked: None,
    }
}

fn is_online(connected: &Connected) -> bool {
    connected.stage().is_online()
}
