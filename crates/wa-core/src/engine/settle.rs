use std::time::Instant;

use tracing::{info, warn};
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::{End, MAX_RESTARTS, Pace};
use super::ops::Waits;
use super::phase::{AwaitRetry, Phase, Rest};
use super::stage::{Answer, Stage};
use crate::device::Tombstone;
use crate::error::{Awaited, DisconnectReason, FailReason, LogoutReason};
use crate::event::Event;
use crate::io::{CloseCause, OpOutcome};
use crate::iq::Purpose;
use crate::refusal::{Failure, StreamError, Verdict};
use crate::stanza;
use crate::state::ConnectionState;
use crate::time::Now;

/// How often a server is asked that lets us log in and does not unlink us.
const MAX_ASKS: u32 = 3;

/// A logout that the server has not confirmed is being settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    pub(super) then: Then,
    attempts: u32,
    asked: u32,
}

/// What comes when it is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// Nothing: it goes on beside the state `logged_out`.
    Rest,
    /// Somebody waits to pair anew.
    Start,
}

/// A login with the credentials of the tombstone, only to unlink them.
pub(super) struct AwaitSettle {
    pub(super) deadline: Instant,
    step: SettleStep,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SettleStep {
    Login,
    Unlink,
}

impl AwaitSettle {
    pub(super) fn new(core: &Core, now: Now) -> Self {
        Self {
            deadline: now.instant + core.config.timings.login,
            step: SettleStep::Login,
        }
    }

    /// Nothing that comes here is acked: the stanzas are for a device that is about to be none.
    pub(super) fn stanza(
        mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Stage, End> {
        let tag = stanza.tag();
        if tag == "success" && self.step == SettleStep::Login {
            let Some(own) = core.tombstone.as_ref().map(|stone| stone.jid.clone()) else {
                return Err(End::Settled {
                    server_unlinked: false,
                });
            };
            if let Some(settling) = &mut core.settling {
                settling.asked += 1;
            }
            self.step = SettleStep::Unlink;
            self.deadline = now.instant + core.config.timings.logout;
            line.request(core, now, Purpose::Unlink, |id| stanza::unlink(id, &own))?;
        } else if tag == "failure" {
            let Failure { reason, verdict } = Failure::read(stanza);
            return Err(ended_by(verdict, DisconnectReason::Refused { reason }));
        } else if tag == "stream:error" {
            let StreamError { fault, verdict } = StreamError::read(stanza);
            return Err(ended_by(verdict, DisconnectReason::Stream(fault)));
        }
        Ok(Stage::Settling(self))
    }

    pub(super) fn answer(self, purpose: Purpose, answer: Answer<'_>) -> Result<Stage, End> {
        match (purpose, answer) {
            (Purpose::Unlink, Answer::Result(_)) => Err(End::Settled {
                server_unlinked: true,
            }),
            (Purpose::Unlink, Answer::Error(reason)) => {
                Err(End::lost(DisconnectReason::Refused { reason }))
            }
            _ => Ok(Stage::Settling(self)),
        }
    }

    pub(super) fn timeout(self, now: Now) -> Result<Stage, End> {
        if now.instant < self.deadline {
            return Ok(Stage::Settling(self));
        }
        Err(End::lost(DisconnectReason::TimedOut(match self.step {
            SettleStep::Login => Awaited::Login,
            SettleStep::Unlink => Awaited::Answer,
        })))
    }

    pub(super) fn closed(&self, cause: CloseCause) -> End {
        End::lost(cause)
    }
}

/// What the tables of the login chapter (sections 10 and 11) come to here. Whatever voids credentials settles it;
/// not all of it says that the device is unlinked.
fn ended_by(verdict: Verdict, reason: DisconnectReason) -> End {
    match verdict {
        Verdict::LogOut(why) => End::Settled {
            server_unlinked: why.says_unlinked(),
        },
        Verdict::GiveUp => End::Refused(reason.code().unwrap_or(0)),
        Verdict::Retry => End::lost(reason),
        Verdict::RetrySlower => End::Lost {
            reason,
            pace: Pace::Slower,
        },
        Verdict::Restart => End::Lost {
            reason,
            pace: Pace::AtOnce,
        },
        Verdict::Conflict => End::Conflict(reason),
        Verdict::Outdated => End::Outdated,
        Verdict::Restricted { code, seconds } => End::Restricted { code, seconds },
    }
}

impl Core {
    /// Settles the logout now.
    pub(super) fn settle(&mut self, now: Now, then: Then) -> Phase {
        info!("finishing a logout that the server has not confirmed");
        self.begin_settling(then);
        self.dial(now)
    }

    /// Settles it after a first pause.
    pub(super) fn settle_later(&mut self, now: Now) -> Phase {
        self.begin_settling(Then::Rest);
        let pause = self.backoff.next(&self.config.reconnect, &mut *self.rng);
        Phase::Rest(Rest {
            state: logged_out(),
            wake: Some(now.instant + pause),
        })
    }

    fn begin_settling(&mut self, then: Then) {
        self.backoff.reset();
        self.settling = Some(Settling {
            then,
            attempts: 0,
            asked: 0,
        });
    }

    /// What the end of a connection means for the logout that it was to settle.
    pub(super) fn settling_ended(&mut self, now: Now, settling: Settling, end: End) -> Phase {
        let settling = Settling {
            attempts: settling.attempts.saturating_add(1),
            ..settling
        };
        let unseen = settling.then == Then::Rest;
        match end {
            End::Settled { server_unlinked } => self.bury(now, settling.then, server_unlinked),
            End::Stop => self.at_rest_by_wish(),
            End::Lost { reason, pace } => self.settling_lost(now, settling, reason, pace),
            End::Restricted { seconds, .. } if unseen => self.settle_at_end(now, settling, seconds),
            End::Outdated | End::Fail(_) | End::Refused(_) | End::Conflict(_) if unseen => {
                self.leave_unsettled(settling.asked)
            }
            End::Outdated => self.outdated(now),
            End::Fail(reason) => self.give_up(reason),
            End::Refused(reason) => {
                self.unlink_not_confirmed(settling.asked);
                self.refused(reason)
            }
            End::Conflict(reason) => {
                self.unlink_not_confirmed(settling.asked);
                let rest = self.conflict(now, reason);
                self.go_on_settling(settling, rest)
            }
            End::Restricted { code, seconds } => {
                self.unlink_not_confirmed(settling.asked);
                let rest = self.restricted(now, code, seconds);
                self.go_on_settling(settling, rest)
            }
            _ => {
                let reason = DisconnectReason::TimedOut(Awaited::Login);
                self.settling_lost(now, settling, reason, Pace::BackOff)
            }
        }
    }

    fn settling_lost(
        &mut self,
        now: Now,
        settling: Settling,
        reason: DisconnectReason,
        pace: Pace,
    ) -> Phase {
        let Settling {
            then,
            attempts,
            asked,
        } = settling;
        if asked >= MAX_ASKS {
            warn!("the server does not unlink this device; the owner has to do it on the phone");
            return self.bury(now, then, false);
        }
        warn!(%reason, attempts, "the logout could not be finished");
        self.unlink_not_confirmed(asked);
        if self.was_tried_often_enough(settling) {
            if then == Then::Rest {
                return self.leave_unsettled(asked);
            }
            let last = Box::new(reason);
            return self.give_up(FailReason::Budget { attempts, last });
        }
        self.settling = Some(settling);
        if pace == Pace::AtOnce && attempts <= MAX_RESTARTS {
            return self.dial(now);
        }
        if pace == Pace::Slower {
            self.backoff.skip(self.config.reconnect.rate_limit_steps);
        }
        let pause = self.backoff.next(&self.config.reconnect, &mut *self.rng);
        let retry_at = now.instant + pause;
        match then {
            Then::Rest => Phase::Rest(Rest {
                state: logged_out(),
                wake: Some(retry_at),
            }),
            Then::Start => {
                let retry_at_unix_ms = now.unix_ms_at(retry_at);
                self.disconnected(reason, Some(retry_at_unix_ms));
                Phase::Waiting(AwaitRetry {
                    retry_at,
                    retry_at_unix_ms,
                    attempt: attempts,
                })
            }
        }
    }

    fn was_tried_often_enough(&self, settling: Settling) -> bool {
        settling.attempts >= self.config.reconnect.unlink_budget
    }

    /// The server lets nobody in before a time it names.
    fn settle_at_end(&mut self, now: Now, settling: Settling, seconds: Option<u64>) -> Phase {
        let wake = self.wake_after(now, seconds);
        self.unlink_not_confirmed(settling.asked);
        let rest = Phase::Rest(Rest {
            state: logged_out(),
            wake,
        });
        self.go_on_settling(settling, rest)
    }

    /// If it comes back by itself, it comes back for the logout.
    fn go_on_settling(&mut self, settling: Settling, phase: Phase) -> Phase {
        match phase {
            Phase::Rest(rest) if self.was_tried_often_enough(settling) => Phase::rest(rest.state),
            Phase::Rest(rest) if rest.wake.is_some() => {
                self.settling = Some(settling);
                Phase::Rest(rest)
            }
            other => other,
        }
    }

    /// The tombstone waits for the next start or logout.
    fn leave_unsettled(&mut self, asked: u32) -> Phase {
        self.unlink_not_confirmed(asked);
        Phase::rest(logged_out())
    }

    /// A logout is not kept waiting for more than one attempt.
    fn unlink_not_confirmed(&mut self, asked: u32) {
        let server_unlinked = (asked > 0).then_some(false);
        let outcome = OpOutcome::LoggedOut { server_unlinked };
        self.done_all(Waits::ForUnlink, &Ok(outcome));
    }

    fn bury(&mut self, now: Now, then: Then, server_unlinked: bool) -> Phase {
        info!(server_unlinked, "the logout is settled");
        self.tombstone = None;
        self.persist(Tombstone::removed());
        self.tell(Event::UnlinkFinished { server_unlinked });
        let outcome = OpOutcome::LoggedOut {
            server_unlinked: Some(server_unlinked),
        };
        self.done_all(Waits::ForUnlink, &Ok(outcome));
        self.backoff.reset();
        match then {
            Then::Rest => Phase::rest(logged_out()),
            Then::Start => self.begin(now),
        }
    }
}

/// The state of a device whose logout is not settled yet, or just was.
pub(super) const fn logged_out() -> ConnectionState {
    ConnectionState::LoggedOut {
        reason: LogoutReason::Requested,
    }
}
