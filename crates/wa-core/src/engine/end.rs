use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::core::{ConflictRetry, Core, Journey, StoreTrust};
use super::ops::Waits;
use super::phase::{AwaitRetry, Phase, Rest};
use super::settle::logged_out;
use crate::config::ReconnectPolicy;
use crate::device::{Device, Tombstone};
use crate::error::{
    CommandError, DisconnectReason, FailReason, LogoutReason, PairingFailure, StreamFault,
};
use crate::event::Event;
use crate::io::{OpOutcome, Output};
use crate::record::{Changes, Desired, LinkState, RecordKind, Wipe};
use crate::refusal::Verdict;
use crate::state::ConnectionState;
use crate::time::Now;

/// Restarts in a row, with no ping answered between them, that are followed at once; the next one counts as a
/// failure.
pub(super) const MAX_RESTARTS: u32 = 3;

/// Logins in a row that may be lost before a ping was answered; after that, pauses grow although the server says
/// yes every time.
const MAX_UNPROVED: u32 = 3;

/// Why a connection, or the attempt at one, is over, and thereby what comes next.
#[derive(Debug)]
pub(super) enum End {
    /// The server wants us to come back at once; nothing is wrong.
    Restart,
    Lost {
        reason: DisconnectReason,
        pace: Pace,
    },
    LogOut {
        reason: LogoutReason,
        server_unlinked: Option<bool>,
    },
    Refused(u16),
    Conflict(DisconnectReason),
    Outdated,
    Restricted {
        code: Option<u16>,
        seconds: Option<u64>,
    },
    /// Nothing is left to be done about a logout that the server had not confirmed.
    Settled {
        server_unlinked: bool,
    },
    PairingExpired,
    PairingFailed(PairingFailure),
    Fail(FailReason),
    /// By our own command.
    Stop,
}

/// How soon to come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    AtOnce,
    BackOff,
    /// Some steps further than the last pause.
    Slower,
}

/// Whether there is still a socket to close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Socket {
    Open,
    Gone,
}

impl End {
    pub(super) fn lost(reason: impl Into<DisconnectReason>) -> Self {
        Self::Lost {
            reason: reason.into(),
            pace: Pace::BackOff,
        }
    }
}

impl Core {
    /// What a verdict of the server comes to.
    pub(super) fn end_by(&self, now: Now, verdict: Verdict, reason: DisconnectReason) -> End {
        match verdict {
            Verdict::LogOut(_) if self.registered().is_none() => {
                End::Refused(reason.code().unwrap_or(0))
            }
            Verdict::LogOut(why) => End::LogOut {
                reason: self.refine(now, why),
                server_unlinked: None,
            },
            Verdict::GiveUp => End::Refused(reason.code().unwrap_or(0)),
            Verdict::Retry => End::lost(reason),
            Verdict::RetrySlower => End::Lost {
                reason,
                pace: Pace::Slower,
            },
            Verdict::Restart => End::Restart,
            Verdict::Conflict => End::Conflict(reason),
            Verdict::Outdated => End::Outdated,
            Verdict::Restricted { code, seconds } => End::Restricted { code, seconds },
        }
    }

    /// A removal right after pairing is told apart: it is rarely the owner's doing.
    fn refine(&self, now: Now, why: LogoutReason) -> LogoutReason {
        let Some(link) = self.registered() else {
            return why;
        };
        let seconds = now.unix_secs().saturating_sub(link.paired_at);
        let limit = self.config.timings.removed_after_pairing.as_secs();
        match why {
            LogoutReason::NotAuthorized | LogoutReason::RemovedOnPhone if seconds <= limit => {
                LogoutReason::RemovedAfterPairing { seconds }
            }
            why => why,
        }
    }

    /// Ends the connection and says what comes next.
    pub(super) fn finish(&mut self, now: Now, end: End, socket: Socket) -> Phase {
        let end = match end {
            End::Lost { .. } if self.ceremony_is_over() => End::Restart,
            end => end,
        };
        if self.ceremony_is_over() && matches!(end, End::Restart | End::Outdated) {
            // The next connection goes on with it.
            self.shown.passkey = false;
        }
        self.withdraw_offers();
        if socket == Socket::Open {
            self.outputs.push_back(Output::Close);
        }
        if let Some(settling) = self.settling.take() {
            return self.settling_ended(now, settling, end);
        }
        let wanted = matches!(end, End::Stop | End::LogOut { .. });
        let was_logged_in = self.connection_over(now, wanted);
        if was_logged_in && matches!(end, End::Lost { .. } | End::Restart) {
            // A login has set the pauses back to the shortest one.
            self.backoff
                .skip(self.unproved.saturating_sub(MAX_UNPROVED));
        }
        match end {
            End::Restart => self.restart(now),
            End::Lost { reason, pace } => self.lost(now, reason, pace),
            End::LogOut {
                reason,
                server_unlinked,
            } => self.log_out(now, reason, server_unlinked),
            End::Refused(reason) => self.refused(reason),
            End::Conflict(reason) => self.conflict(now, reason),
            End::Outdated => {
                self.want_code_again();
                self.outdated(now)
            }
            End::Settled { .. } => Phase::rest(logged_out()),
            End::Restricted { code, seconds } => self.restricted(now, code, seconds),
            End::PairingExpired => {
                info!("nobody scanned the code in time");
                self.fail_all(&CommandError::PairingExpired);
                Phase::rest(ConnectionState::PairingExpired)
            }
            End::PairingFailed(failure) => {
                self.tell(Event::PairingFailed(failure.clone()));
                self.give_up(FailReason::Pairing(failure))
            }
            End::Fail(reason) => self.give_up(reason),
            End::Stop => self.stopped(),
        }
    }

    fn restart(&mut self, now: Now) -> Phase {
        self.restarts += 1;
        let reason = DisconnectReason::Stream(StreamFault::Code(515));
        self.code_unanswered(&reason);
        if self.restarts > MAX_RESTARTS {
            return self.lost(now, reason, Pace::BackOff);
        }
        // On the way to a link it is how the server works.
        if self.journey() == Journey::Login {
            self.disconnected(reason, Some(now.unix_ms));
        }
        self.dial(now)
    }

    fn lost(&mut self, now: Now, reason: DisconnectReason, pace: Pace) -> Phase {
        warn!(reason = %reason, "connection lost");
        self.code_unanswered(&reason);
        let policy = &self.config.reconnect;
        let attempts = self.backoff.attempts().saturating_add(1);
        if self.budget(policy).is_some_and(|limit| attempts >= limit) {
            let last = Box::new(reason.clone());
            self.disconnected(reason, None);
            return self.give_up(FailReason::Budget { attempts, last });
        }
        if pace == Pace::Slower {
            self.backoff.skip(policy.rate_limit_steps);
        }
        if pace == Pace::AtOnce {
            self.disconnected(reason, Some(now.unix_ms));
            return self.dial(now);
        }
        let pause = self.backoff.next(&self.config.reconnect, &mut *self.rng);
        let retry_at = now.instant + pause;
        let retry_at_unix_ms = now.unix_ms_at(retry_at);
        self.disconnected(reason, Some(retry_at_unix_ms));
        Phase::Waiting(AwaitRetry {
            retry_at,
            retry_at_unix_ms,
            attempt: self.backoff.attempts(),
        })
    }

    fn budget(&self, policy: &ReconnectPolicy) -> Option<u32> {
        match self.journey() {
            Journey::Register => Some(policy.pairing_budget),
            Journey::FirstLogin | Journey::Login => policy.budget,
        }
    }

    fn log_out(&mut self, now: Now, reason: LogoutReason, server_unlinked: Option<bool>) -> Phase {
        warn!(
            reason = reason.name(),
            "logged out; the credentials are destroyed"
        );
        if reason == LogoutReason::Requested && server_unlinked != Some(true) {
            self.tombstone = self.device.as_ref().and_then(Device::tombstone);
        }
        self.destroy_credentials(LinkState::Revoked);
        self.tell(Event::LoggedOut {
            reason,
            server_unlinked,
        });
        let outcome = OpOutcome::LoggedOut { server_unlinked };
        self.done_all(Waits::ForUnlink, &Ok(outcome));
        self.fail_all(&CommandError::LoggedOut(reason));
        if self.tombstone.is_some() {
            return self.settle_later(now);
        }
        Phase::rest(ConnectionState::LoggedOut { reason })
    }

    /// Forgets the device, here and in the store, but for the tombstone and what is to be kept. The client version
    /// has nothing to do with the link. The next start makes a new device.
    fn destroy_credentials(&mut self, link: LinkState) {
        self.device = None;
        self.paired_in = None;
        self.own_devices = None;
        self.desired = Some(Desired::Stop);
        let version = self.known_version.as_ref().map(|_| RecordKind::Version);
        let kept = std::mem::take(&mut self.keep);
        let kept = kept.into_iter().filter(|kind| kind.may_outlive_the_link());
        self.persist(Changes {
            puts: self.tombstone.iter().map(Tombstone::record).collect(),
            wipe: Wipe::all_but(kept.chain(version)),
            link: Some(link),
            desired: Some(Desired::Stop),
            ..Changes::default()
        });
    }

    pub(super) fn refused(&mut self, reason: u16) -> Phase {
        if self.registered().is_none() && matches!(reason, 401 | 403 | 406) {
            // These say that the credentials are void. Without a link the keys are all there is of them.
            self.destroy_credentials(LinkState::Unlinked);
        }
        self.disconnected(DisconnectReason::Refused { reason }, None);
        self.give_up(FailReason::Refused { reason })
    }

    pub(super) fn conflict(&mut self, now: Now, reason: DisconnectReason) -> Phase {
        let retry = match (self.conflict_retry, self.config.reconnect.conflict_retry) {
            (ConflictRetry::Unused, Some(pause)) => {
                self.conflict_retry = ConflictRetry::Used;
                Some(now.instant + pause)
            }
            _ => None,
        };
        let retry_at_unix_ms = retry.map(|at| now.unix_ms_at(at));
        self.disconnected(reason, retry_at_unix_ms);
        self.fail_all(&CommandError::Conflict);
        Phase::Rest(Rest {
            state: ConnectionState::Conflict { retry_at_unix_ms },
            wake: retry,
        })
    }

    pub(super) fn restricted(
        &mut self,
        now: Now,
        code: Option<u16>,
        seconds: Option<u64>,
    ) -> Phase {
        let wake = self.wake_after(now, seconds);
        let expires_at_unix_ms = wake.map(|at| now.unix_ms_at(at));
        self.disconnected(
            DisconnectReason::Refused { reason: 402 },
            expires_at_unix_ms,
        );
        self.fail_all(&CommandError::Restricted);
        Phase::Rest(Rest {
            state: ConnectionState::Restricted {
                code,
                expires_at_unix_ms,
            },
            wake,
        })
    }

    /// The end of a restriction, but no sooner than after the pause that a lost connection would have.
    pub(super) fn wake_after(&mut self, now: Now, seconds: Option<u64>) -> Option<Instant> {
        let pause = self.backoff.next(&self.config.reconnect, &mut *self.rng);
        let named = Duration::from_secs(seconds?);
        now.instant.checked_add(named.max(pause))
    }

    pub(super) fn give_up(&mut self, reason: FailReason) -> Phase {
        warn!(reason = %reason, "given up until the next start");
        self.fail_all(&CommandError::Failed(reason.clone()));
        Phase::rest(ConnectionState::Failed { error: reason })
    }

    fn stopped(&mut self) -> Phase {
        self.disconnected(DisconnectReason::Requested, None);
        self.at_rest_by_wish()
    }

    /// The state of a device that is disconnected because somebody wants it so.
    pub(super) fn at_rest_by_wish(&mut self) -> Phase {
        for waits in [Waits::ForOnline, Waits::ForCode] {
            self.done_all(waits, &Err(CommandError::Stopped));
        }
        self.settling = None;
        let outcome = OpOutcome::LoggedOut {
            server_unlinked: None,
        };
        self.done_all(Waits::ForUnlink, &Ok(outcome));
        Phase::rest(if self.registered().is_some() {
            ConnectionState::Stopped
        } else if self.tombstone.is_some() {
            logged_out()
        } else {
            ConnectionState::Idle
        })
    }

    /// A commit has failed: nothing that was to follow it may happen.
    pub(super) fn stop_safe(&mut self, phase: &Phase, why: String) -> Phase {
        warn!("the store failed; stopping before anything depends on it");
        // What the driver has not been told yet has not happened: its socket may still be the one that a
        // queued close was for, and that of a queued open does not exist.
        let mut socket = if phase.epoch().is_some() {
            Socket::Open
        } else {
            Socket::Gone
        };
        for output in std::mem::take(&mut self.outputs).into_iter().rev() {
            match output {
                Output::Open(_) => socket = Socket::Gone,
                Output::Close => socket = Socket::Open,
                Output::Event(Event::OpDone { op, .. }) => {
                    let error = CommandError::Failed(FailReason::Store(why.clone()));
                    let result = Err(error);
                    self.tell_after(Event::OpDone { op, result });
                }
                _ => {}
            }
        }
        self.trust = StoreTrust::Lost;
        self.desired = None;
        self.awaited_link = None;
        self.withdraw_offers();
        self.settling = None;
        self.logged_in = false;
        if socket == Socket::Open {
            self.outputs.push_back(Output::Close);
        }
        self.give_up(FailReason::Store(why))
    }

    pub(super) fn disconnected(&mut self, reason: DisconnectReason, retry_at_unix_ms: Option<u64>) {
        let code = reason.code();
        self.tell(Event::Disconnected {
            reason,
            code,
            retry_at_unix_ms,
        });
    }
}
