mod link_code;
mod offer;
mod passkey;
mod resume;
mod success;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use wa_crypto::{AdvSecret, CryptoRng};
use wa_proto::{Jid, Node, NodeRef};

use crate::clocks::{Clock, Clocks};
use crate::link_code::stanza::LINK_CODE;
use crate::passkey::stanza::{CONTINUATION, PROLOGUE_REQUEST};
use crate::refs::RefQueue;
use crate::reply::{self, REFRESH_NOTIFICATION};
use crate::{
    CodeRequest, PairAnswer, PairComputed, PairConfig, PairError, PairKeys, PairOutput,
    PairRequest, PairStep,
};
use link_code::LinkCode;
use passkey::Ceremony;
use success::AwaitApproval;

pub use link_code::MAX_PRIMARY_HELLOS;
pub use resume::{AwaitedLink, AwaitedVia};

/// The pairing of one unregistered connection.
///
/// Drive it like this: after every `handle_*` and [`approve`](Self::approve) drain
/// [`poll_output`](Self::poll_output) to `None`, carrying the outputs out in order; call
/// [`handle_timeout`](Self::handle_timeout) at the time [`poll_timeout`](Self::poll_timeout) names.
/// A new connection takes a new machine, with the ADV secret last persisted, and
/// [resumes](Self::resume) what the last one still [awaited](Self::awaited_link).
pub struct Pairing {
    keys: PairKeys,
    config: PairConfig,
    state: State,
    clocks: Clocks,
    outputs: VecDeque<PairOutput>,
    seq: u32,
    /// A pair-device has come.
    offered: bool,
    /// Nothing is open any more, and that was said.
    exhausted: bool,
    /// A code asked for before the pair-device.
    wanted: Option<CodeRequest>,
    code: Option<Box<LinkCode>>,
    ceremony: Option<Box<Ceremony>>,
    /// The server asked for a restart that has to wait.
    restart_wanted: bool,
    /// The restart was handed out.
    restarting: bool,
    /// Numbers requests and jobs, so that what comes late finds nobody.
    generation: u64,
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
            offered: false,
            exhausted: false,
            wanted: None,
            code: None,
            ceremony: None,
            restart_wanted: false,
            restarting: false,
            generation: 0,
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
        let handled = match (stanza.tag() == "iq", kind.as_ref()) {
            (true, "set") => self.iq(now, &id, stanza, rng),
            (false, kind) if stanza.tag() == "notification" => {
                self.notification(now, &id, kind, stanza, rng)
            }
            _ => Handled::No,
        };
        self.close_if_exhausted();
        handled
    }

    fn iq(
        &mut self,
        now: Instant,
        id: &str,
        stanza: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Handled {
        if let Some(pair_device) = stanza.child("pair-device") {
            self.pair_device(now, id, &pair_device, rng);
        } else if let Some(pair_success) = stanza.child("pair-success") {
            self.pair_success(now, id, stanza, &pair_success, rng);
        } else {
            return Handled::No;
        }
        Handled::Yes
    }

    fn notification(
        &mut self,
        now: Instant,
        id: &str,
        kind: &str,
        stanza: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Handled {
        match kind {
            REFRESH_NOTIFICATION => self.refresh(now, id, stanza, rng),
            LINK_CODE => self.link_code_notification(now, id, stanza, rng),
            PROLOGUE_REQUEST => self.prologue_request(now, id, stanza),
            CONTINUATION => self.continuation(now, id, stanza, rng),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    /// What became of a [`PairOutput::Request`]. An answer that comes too late is nobody's.
    pub fn handle_answer(
        &mut self,
        now: Instant,
        request: PairRequest,
        answer: PairAnswer<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        match request.step() {
            PairStep::CompanionHello => self.hello_answered(now, request, answer, rng),
            PairStep::CompanionFinish => self.finish_answered(now, request, answer, rng),
            PairStep::PasskeyOptions
            | PairStep::PasskeyRef
            | PairStep::PasskeyPrologue
            | PairStep::PasskeyNonce
            | PairStep::PasskeyPairingRequest => self.passkey_answered(now, request, answer, rng),
        }
        self.close_if_exhausted();
    }

    /// What became of a [`PairOutput::Compute`]. The outcome of a job that is retired is dropped.
    pub fn handle_computed(
        &mut self,
        now: Instant,
        computed: PairComputed,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        self.code_computed(now, &computed, rng);
    }

    /// Lets the clocks run out that are due.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        if let State::AwaitApproval(awaiting) = &self.state
            && awaiting.deadline <= now
        {
            let id = awaiting.id.clone();
            self.refuse(&id, PairError::ApprovalTimedOut);
        }
        for clock in Clock::ALL {
            if self.clocks.has_run_out(clock, now) {
                match clock {
                    Clock::Qr => self.rotate(now),
                    Clock::Code => self.code_ran_out(now, rng),
                    Clock::Passkey => self.ceremony_ran_out(now, rng),
                }
            }
        }
        self.close_if_exhausted();
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
        self.end_flows();
        self.state = State::Failed;
    }

    /// The pairing is decided: nothing else is open any more.
    fn end_flows(&mut self) {
        self.clocks.stop_all();
        self.wanted = None;
        self.code = None;
        self.ceremony = None;
    }

    /// Hands out a request of ours.
    fn request(&mut self, step: PairStep, stanza: Node, timeout: Duration) -> PairRequest {
        let request = PairRequest::new(step, self.next_generation());
        self.outputs.push_back(PairOutput::Request {
            request,
            stanza,
            timeout,
        });
        request
    }

    fn next_generation(&mut self) -> u64 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    /// The ADV secret is this one now, here and in the store.
    fn adopt_secret(&mut self, adv: AdvSecret) {
        self.keys.adv = adv.clone();
        self.outputs.push_back(PairOutput::PersistAdvSecret(adv));
    }

    /// A fresh ADV secret, and the QR code on show with it.
    fn replace_secret(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        self.adopt_secret(AdvSecret::generate(rng));
        self.redraw(now);
    }

    /// Says once that nothing is open, until something is again.
    fn close_if_exhausted(&mut self) {
        if !self.clocks.all_dead() {
            self.exhausted = false;
        } else if matches!(self.state, State::AwaitSuccess(_))
            && self.offered
            && !self.exhausted
            && !self.restarting
        {
            self.exhausted = true;
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
            .field("code", &self.code.is_some())
            .field("passkey", &self.ceremony.is_some())
            .finish_non_exhaustive()
    }
}
