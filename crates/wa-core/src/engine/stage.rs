use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use wa_pair::PairAnswer;
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::{End, Pace};
use super::login::AwaitSuccess;
use super::pairing::{AwaitPairing, AwaitRestart};
use super::session::{self, Session};
use super::settle::AwaitSettle;
use super::unlink::AwaitUnlink;
use crate::config::Timings;
use crate::error::{Awaited, CommandError, DisconnectReason, StreamFault};
use crate::io::{CloseCause, OpOutcome};
use crate::iq::{self, Purpose};
use crate::refusal::{Failure, StreamError};
use crate::stanza;
use crate::state::{ConnectionState, Step};
use crate::time::Now;

/// How far the talk with the server has come.
pub(super) enum Stage {
    Pairing(Box<AwaitPairing>),
    Restarting(AwaitRestart),
    LoggingIn(AwaitSuccess),
    Session(Box<Session>),
    Unlinking(AwaitUnlink),
    Settling(AwaitSettle),
    Ending(AwaitClose),
}

/// The server has said that the stream ends; it closes the socket.
pub(super) struct AwaitClose {
    deadline: Instant,
    state: ConnectionState,
    then: End,
}

/// An iq that answers a request of ours.
#[derive(Clone, Copy)]
pub(super) enum Answer<'n> {
    Result(&'n NodeRef<'n>),
    Error(u16),
}

impl Answer<'_> {
    /// What it means for an operation that has asked for a ping.
    pub(super) const fn to_ping(self, round_trip: Duration) -> Result<OpOutcome, CommandError> {
        match self {
            Self::Result(_) => Ok(OpOutcome::Pong { round_trip }),
            Self::Error(code) => Err(CommandError::Refused { code }),
        }
    }
}

impl Stage {
    /// Any frame has come.
    pub(super) fn frame_came(&mut self) {
        if let Self::Session(session) = self {
            session.frame_came();
        }
    }

    /// Whether the login is complete.
    pub(super) fn is_online(&self) -> bool {
        matches!(self, Self::Session(session) if session.is_online())
    }

    /// Whether the server has been asked to unlink this device.
    pub(super) const fn is_unlinking(&self) -> bool {
        matches!(self, Self::Unlinking(_))
    }

    pub(super) fn stanza(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Self, End> {
        let tag = stanza.tag();
        if tag == "iq" {
            return self.iq(core, line, now, stanza);
        }
        let this = match self {
            Self::Settling(settle) => return settle.stanza(core, line, now, stanza),
            other => other,
        };
        this.talk(core, line, now, stanza)
    }

    /// A stanza that is no iq.
    fn talk(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Self, End> {
        let tag = stanza.tag();
        if tag == "ib" {
            return self.ib(core, line, now, stanza);
        }
        if stanza::wants_ack(stanza) {
            return self.delivery(core, line, now, stanza);
        }
        if tag == "success" {
            return match self {
                Self::LoggingIn(login) => login.success(core, line, now, stanza),
                // While unpaired it means nothing, and a second one neither.
                other => Ok(other),
            };
        }
        if tag == "failure" {
            let Failure { reason, verdict } = Failure::read(stanza);
            warn!(reason, "the server refused the login");
            return Err(core.end_by(now, verdict, DisconnectReason::Refused { reason }));
        }
        if tag == "stream:error" {
            return self.stream_error(core, line, now, StreamError::read(stanza));
        }
        if tag == "xmlstreamend" {
            return self.stream_end(core, now);
        }
        Ok(self)
    }

    /// The time of a request is over.
    pub(super) fn unanswered(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        purpose: Purpose,
    ) -> Result<Self, End> {
        match (self, purpose) {
            (stage, Purpose::Ping(op)) => {
                core.done(op, Err(CommandError::TimedOut));
                Ok(stage)
            }
            (Self::Pairing(pairing), Purpose::Pair(request)) => {
                pairing.answered(core, line, now, request, PairAnswer::TimedOut)
            }
            // A device can be used without them, and another connection may get no answer either.
            (Self::Session(session), Purpose::Digest | Purpose::Rotate | Purpose::Devices) => {
                session.unanswered(core, line, now, purpose)
            }
            (Self::Session(_), Purpose::Count | Purpose::Upload | Purpose::Active) => {
                Err(End::lost(DisconnectReason::TimedOut(Awaited::Answer)))
            }
            // Whether the connection still works is the keep-alive's to say, and one that is no session is
            // about to end for another reason.
            (stage, _) => Ok(stage),
        }
    }

    pub(super) fn timeout(self, core: &mut Core, line: &mut Line, now: Now) -> Result<Self, End> {
        match self {
            Self::Pairing(pairing) => pairing.timeout(core, line, now),
            Self::Restarting(restart) => restart.timeout(now),
            Self::LoggingIn(login) => login.timeout(now),
            Self::Session(session) => session.timeout(core, line, now),
            Self::Unlinking(unlink) => unlink.timeout(now),
            Self::Settling(settle) => settle.timeout(now),
            Self::Ending(ending) if now.instant < ending.deadline => Ok(Self::Ending(ending)),
            Self::Ending(ending) => Err(ending.then),
        }
    }

    /// What the close of the socket comes to.
    pub(super) fn closed(self, core: &mut Core, now: Now, cause: CloseCause) -> End {
        match self {
            Self::Pairing(pairing) => pairing.closed(core, now, cause.into()),
            // The restart stanza may get lost; the close means the same.
            Self::Restarting(_) => End::Restart,
            Self::Unlinking(unlink) => unlink.unanswered(),
            Self::Settling(settle) => settle.closed(cause),
            Self::Ending(ending) => ending.then,
            Self::LoggingIn(_) | Self::Session(_) => End::lost(cause),
        }
    }

    pub(super) fn deadline(&self, timings: &Timings) -> Option<Instant> {
        match self {
            Self::Pairing(pairing) => pairing.deadline(),
            Self::Restarting(restart) => Some(restart.deadline),
            Self::LoggingIn(login) => Some(login.deadline),
            Self::Session(session) => session.deadline(timings),
            Self::Unlinking(unlink) => Some(unlink.deadline),
            Self::Settling(settle) => Some(settle.deadline),
            Self::Ending(ending) => Some(ending.deadline),
        }
    }

    pub(super) fn state(&self, core: &Core) -> ConnectionState {
        match self {
            Self::Pairing(pairing) => pairing.state(),
            Self::Restarting(_) => ConnectionState::Linking {
                step: Step::Restarting,
            },
            Self::LoggingIn(_) => core.state_during(Step::LoggingIn),
            Self::Session(session) => session.state(core),
            Self::Unlinking(_) => core.state().clone(),
            Self::Settling(_) => core.state_during(Step::LoggingIn),
            Self::Ending(ending) => ending.state.clone(),
        }
    }

    fn iq(self, core: &mut Core, line: &mut Line, now: Now, iq: &NodeRef<'_>) -> Result<Self, End> {
        match iq.attr_text("type").as_deref() {
            Some("result") => self.answer(core, line, now, iq, Answer::Result(iq)),
            Some("error") => {
                let code = iq::error_code(iq);
                self.answer(core, line, now, iq, Answer::Error(code))
            }
            Some("get" | "set") => match self {
                Self::Pairing(pairing) => match pairing.offer(core, line, now, iq)? {
                    Ok(next) => Ok(next),
                    Err(pairing) => {
                        respond(core, line, iq)?;
                        Ok(Self::Pairing(pairing))
                    }
                },
                Self::Restarting(restart) => {
                    restart.asked(core, line, iq)?;
                    Ok(Self::Restarting(restart))
                }
                other => {
                    respond(core, line, iq)?;
                    Ok(other)
                }
            },
            _ => Ok(self),
        }
    }

    fn answer(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        iq: &NodeRef<'_>,
        answer: Answer<'_>,
    ) -> Result<Self, End> {
        let Some(answered) = line.requests.take_answered(iq, now.instant) else {
            debug!("an answer to nothing we asked");
            return Ok(self);
        };
        match (self, answered.purpose) {
            (Self::Pairing(pairing), Purpose::Pair(request)) => {
                let answer = match answer {
                    Answer::Result(iq) => PairAnswer::Result(iq),
                    Answer::Error(_) => PairAnswer::Error(iq),
                };
                pairing.answered(core, line, now, request, answer)
            }
            (Self::Session(session), _) => session.answer(core, line, now, answered, answer),
            (stage, _) => {
                // Its connection is about to end; the operation has its answer all the same.
                if let Purpose::Ping(op) = answered.purpose {
                    core.done(op, answer.to_ping(answered.round_trip));
                }
                match stage {
                    Self::Unlinking(unlink) => unlink.answer(answered.purpose, answer),
                    Self::Settling(settle) => settle.answer(answered.purpose, answer),
                    other => Ok(other),
                }
            }
        }
    }

    /// Messages and the like: not processed yet, but acked, or the server ends the stream over them.
    fn delivery(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Self, End> {
        let this = match self {
            Self::Pairing(pairing) => match pairing.offer(core, line, now, stanza)? {
                Ok(next) => return Ok(next),
                Err(pairing) => Self::Pairing(pairing),
            },
            other => other,
        };
        // An ack would take the note from the server's queue before the wipe is durable.
        if let Some(end) = session::voided(core, stanza) {
            return match this {
                // The wipe is on its way already, and for another reason.
                Self::Unlinking(_) => Ok(this),
                _ => Err(end),
            };
        }
        match stanza::ack(stanza) {
            Some(ack) => line.send(core, &ack)?,
            None => debug!("a stanza without id or sender cannot be acked"),
        }
        match this {
            Self::Session(session) => session.delivery(core, line, now, stanza),
            other => Ok(other),
        }
    }

    fn stream_error(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        error: StreamError,
    ) -> Result<Self, End> {
        let StreamError { fault, verdict } = error;
        match fault {
            StreamFault::Code(515) => info!("the server asks for a restart"),
            StreamFault::Unacked | StreamFault::NotWellFormed => {
                tracing::error!(%fault, "the server ended the stream over a stanza of ours");
            }
            _ => warn!(%fault, "the server ended the stream"),
        }
        let end = core.end_by(now, verdict, DisconnectReason::Stream(fault));
        Err(match (self, end) {
            (Self::Pairing(pairing), End::Restart) => {
                return pairing.restart_asked(core, line, now);
            }
            (Self::Pairing(pairing), End::Lost { .. }) if pairing.is_restarting(core) => {
                End::Restart
            }
            // Whatever ends the stream after the pairing reply is the restart, unless we were refused.
            (Self::Restarting(_), End::Lost { .. }) => End::Restart,
            (Self::Unlinking(unlink), End::LogOut { reason, .. }) if reason.says_unlinked() => {
                unlink.confirmed()
            }
            (Self::Unlinking(unlink), _) => unlink.unanswered(),
            (_, end) => end,
        })
    }

    fn stream_end(self, core: &mut Core, now: Now) -> Result<Self, End> {
        Ok(match self {
            Self::Restarting(_) => return Err(End::Restart),
            stays @ (Self::Unlinking(_) | Self::Ending(_)) => stays,
            other => {
                let reason = DisconnectReason::Stream(StreamFault::End);
                let state = other.state(core);
                let then = match other {
                    Self::Pairing(pairing) => pairing.closed(core, now, reason),
                    _ => End::lost(reason),
                };
                if let End::Restart = then {
                    return Err(then);
                }
                Self::Ending(AwaitClose {
                    deadline: now.instant + core.config.timings.stream_end,
                    state,
                    then,
                })
            }
        })
    }
}

/// Answers a request of the server.
pub(super) fn respond(core: &mut Core, line: &mut Line, iq: &NodeRef<'_>) -> Result<(), End> {
    match stanza::answer(iq) {
        Some(answer) => line.send(core, &answer),
        None => Ok(()),
    }
}

/// A dead connection is dialled again at once.
pub(super) const fn dead() -> End {
    End::Lost {
        reason: DisconnectReason::KeepAlive,
        pace: Pace::AtOnce,
    }
}
