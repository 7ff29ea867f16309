mod link_code;
mod offer;
mod passkey;
mod success;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use wa_crypto::CryptoRng;
use wa_proto::{Jid, NodeRef};

use crate::clocks::{Clock, Clocks};
use crate::refs::RefQueue;
use crate::reply::{self, REFRESH_NOTIFICATION};
use crate::{PairConfig, PairError, PairKeys, PairOutput};
use success::AwaitApproval;

pub use link_code::MAX_PRIMARY_HELLOS;

/// The pairing of one unregistered connection.
///
/// Drive it like this: after every `handle_*` and [`approve`](Self::approve) drain
/// [`poll_output`](Self::poll_output) to `None`, carrying the outputs out in order; call
/// [`handle_timeout`](Self::handle_timeout) at the time [`poll_timeout`](Self::poll_timeout) names.
/// A new connection takes a new machine, with the ADV secret last persisted.
pub struct Pairing {
    keys: PairKeys,
    config: PairConfig,
    state: State,
    clocks: Clocks,
    outputs: VecDeque<PairOutput>,
    seq: u32,
}

/// Whether a stanza was the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Handled {
    /// It was, and every answer it needs is among the outputs.
    Yes,
    /// It is somebody else's.
    No,
}

enum State {
    AwaitSuccess(AwaitSuccess),
    AwaitApproval(Box<AwaitApproval>),
    Paired,
    Failed,
}

/// Offers refs and waits for the phone.
struct AwaitSuccess {
    refs: RefQueue,
}

impl Pairing {
    /// A machine that waits for the server's refs.
    pub fn new(keys: PairKeys, config: PairConfig) -> Self {
        Self {
            keys,
            config,
            state: State::AwaitSuccess(AwaitSuccess {
                refs: RefQueue::default(),
            }),
            clocks: Clocks::default(),
            outputs: VecDeque::new(),
            seq: 0,
        }
    }

    /// Looks at a stanza of the server.
    pub fn handle_stanza(
        &mut self,
        now: Instant,
        stanza: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Handled {
        if stanza.attr_jid("from") != Some(Jid::server_jid()) {
            return Handled::No;
        }
        let Some(id) = stanza.attr_text("id") else {
            return Handled::No;
        };
        let Some(kind) = stanza.attr_text("type") else {
            return Handled::No;
        };
        if stanza.tag() == "iq" && kind == "set" {
            if let Some(pair_device) = stanza.child("pair-device") {
                self.pair_device(now, &id, &pair_device);
                return Handled::Yes;
            }
            if let Some(pair_success) = stanza.child("pair-success") {
                self.pair_success(now, &id, stanza, &pair_success, rng);
                return Handled::Yes;
            }
        }
        if stanza.tag() == "notification" && kind == REFRESH_NOTIFICATION {
            self.refresh(now, &id, stanza, rng);
            return Handled::Yes;
        }
        Handled::No
    }

    /// Lets the clocks run out that are due.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        if let State::AwaitApproval(awaiting) = &self.state
            && awaiting.deadline <= now
        {
            let id = awaiting.id.clone();
            self.refuse(&id, PairError::ApprovalTimedOut);
        }
        let mut ran_out = false;
        for clock in Clock::ALL {
            if self.clocks.has_run_out(clock, now) {
                match clock {
                    Clock::Qr => self.rotate(now),
                    // These flows say what else happens when they end; the connection only needs to
                    // know that they did.
                    Clock::Code | Clock::Passkey => self.clocks.stop(clock),
                }
                ran_out = true;
            }
        }
        if ran_out {
            self.close_if_exhausted();
        }
    }

    /// The application's answer to [`PairOutput::ApprovalNeeded`]. Says whether one was awaited.
    pub fn approve(&mut self, accept: bool, rng: &mut (impl CryptoRng + ?Sized)) -> bool {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::AwaitApproval(awaiting) if accept => self.complete(*awaiting, rng),
            State::AwaitApproval(awaiting) => self.refuse(&awaiting.id, PairError::Refused),
            other => {
                self.state = other;
                return false;
            }
        }
        true
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<PairOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::AwaitApproval(awaiting) => Some(awaiting.deadline),
            _ => self.clocks.next_deadline(),
        }
    }

    fn refuse(&mut self, id: &str, error: PairError) {
        tracing::warn!(%error, "refused a pair-success");
        self.outputs
            .push_back(PairOutput::Send(reply::refusal(id, &error)));
        self.outputs.push_back(PairOutput::Failed(error));
        self.clocks.stop_all();
        self.state = State::Failed;
    }

    fn close_if_exhausted(&mut self) {
        if self.clocks.all_dead() && matches!(self.state, State::AwaitSuccess(_)) {
            self.outputs.push_back(PairOutput::Exhausted);
        }
    }
}

impl fmt::Debug for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::AwaitSuccess(_) => "AwaitSuccess",
            State::AwaitApproval(_) => "AwaitApproval",
            State::Paired => "Paired",
            State::Failed => "Failed",
        };
        f.debug_struct("Pairing")
            .field("state", &state)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}
