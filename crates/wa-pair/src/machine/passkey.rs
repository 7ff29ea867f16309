//! The passkey ceremony: its beginning, the application's part in it, its end (pairing chapter, C).

mod steps;

use std::time::{Duration, Instant};

use wa_crypto::CryptoRng;
use wa_proto::NodeRef;

use super::{Pairing, State};
use crate::clocks::Clock;
use crate::passkey::{HandoffKey, stanza};
use crate::{
    PairOutput, PairStep, PasskeyAssertion, PasskeyChallenge, PasskeyEnd, PasskeyError,
    PasskeyOptions, PasskeyStage, reply,
};
use steps::Stage;

/// One attempt, from the server's request to its end. Its clock is [`Clock::Passkey`], set anew for
/// every stage.
pub(super) struct Ceremony {
    handoff: HandoffKey,
    handoff_deadline: Instant,
    stage: Stage,
}

impl Ceremony {
    /// One that waits for nothing but the pair-success.
    pub(super) const fn over(handoff: HandoffKey, handoff_deadline: Instant) -> Self {
        Self {
            handoff,
            handoff_deadline,
            stage: Stage::PairSuccess,
        }
    }
}

impl Pairing {
    /// The assertion of the owner's authenticator.
    ///
    /// # Errors
    /// [`PasskeyError::NotAsked`] when none is awaited.
    pub fn respond_passkey(
        &mut self,
        now: Instant,
        assertion: PasskeyAssertion,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PasskeyError> {
        if !matches!(self.passkey_stage(), Some(Stage::Assertion)) {
            return Err(PasskeyError::NotAsked);
        }
        let timeout = self.config.timings.passkey_answer;
        let request = self.request(PairStep::PasskeyRef, stanza::get_ref(), timeout);
        self.enter(now, timeout, Stage::Ref { request, assertion });
        Ok(())
    }

    /// The user's word on the code of a [`PairOutput::PasskeyConfirmation`]. A refusal is taken at any
    /// time before our keys have left, also in place of an assertion.
    ///
    /// # Errors
    /// [`PasskeyError::NotAsked`] when nothing is to be confirmed, or to be refused any more.
    pub fn confirm_passkey(
        &mut self,
        now: Instant,
        accept: bool,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PasskeyError> {
        match self.passkey_stage() {
            None | Some(Stage::PairingRequest { .. } | Stage::PairSuccess) => {
                return Err(PasskeyError::NotAsked);
            }
            Some(Stage::Confirmation { .. }) if accept => self.send_pairing_request(now, rng),
            Some(_) if accept => return Err(PasskeyError::NotAsked),
            Some(_) => self.end_ceremony(now, PasskeyEnd::Refused, rng),
        }
        self.close_if_exhausted();
        Ok(())
    }

    /// Whether the pairing is at a point where a restart of the connection would destroy it: a 515 has
    /// to wait. That is a ceremony up to the receipt for our keys, after which nothing is left in memory that
    /// the next connection would miss, and a pair-success that the application has not approved yet.
    pub fn holds_restart(&self) -> bool {
        matches!(self.state, State::AwaitApproval(_))
            || self
                .passkey_stage()
                .is_some_and(|stage| !matches!(stage, Stage::PairSuccess))
    }

    /// The server asked for a restart. [`PairOutput::RestartNow`] comes when it can be made, which may
    /// be at once.
    pub fn restart_asked(&mut self, now: Instant) {
        self.restart_wanted = true;
        self.restart_if_possible();
        self.hurry_receipt(now);
    }

    /// Whether a ceremony runs.
    pub fn is_awaiting_passkey(&self) -> bool {
        self.ceremony.is_some()
    }

    pub(super) fn prologue_request(&mut self, now: Instant, id: &str, notification: &NodeRef<'_>) {
        self.outputs
            .push_back(PairOutput::Send(reply::ack(id, stanza::PROLOGUE_REQUEST)));
        if !matches!(self.state, State::AwaitSuccess(_)) || self.ceremony.is_some() {
            tracing::debug!("ignored a passkey request");
            return;
        }
        self.hide();
        self.hand_code_over();
        let timings = self.config.timings;
        self.ceremony = Some(Box::new(Ceremony {
            handoff: HandoffKey::derive(&self.keys.adv),
            handoff_deadline: now.checked_add(timings.passkey_handoff).unwrap_or(now),
            stage: Stage::Assertion,
        }));
        let inline = stanza::options(notification).map(|bytes| PasskeyOptions::parse(&bytes));
        match inline {
            Some(Ok(options)) => self.ask(now, options),
            unusable => {
                if let Some(Err(error)) = unusable {
                    tracing::warn!(%error, "asking for the passkey options again");
                }
                let step = PairStep::PasskeyOptions;
                let request = self.request(step, stanza::get_options(), timings.passkey_answer);
                self.enter(now, timings.passkey_answer, Stage::Options { request });
            }
        }
    }

    /// Asks the application for an assertion.
    fn ask(&mut self, now: Instant, options: PasskeyOptions) {
        let window = self.config.timings.passkey_assertion;
        let window = match options.timeout() {
            Some(timeout) if !timeout.is_zero() => timeout.min(window),
            _ => window,
        };
        let deadline = self.enter(now, window, Stage::Assertion);
        self.outputs
            .push_back(PairOutput::PasskeyRequested(PasskeyChallenge {
                options,
                deadline,
            }));
    }

    /// The clock of the stage ran out.
    pub(super) fn ceremony_ran_out(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        match self.passkey_stage().map(Stage::name) {
            // The receipt may be lost, and the pair-success come all the same.
            Some(PasskeyStage::PairingRequest) => self.await_pair_success(now),
            Some(stage) => self.end_ceremony(now, PasskeyEnd::TimedOut { stage }, rng),
            None => self.clocks.stop(Clock::Passkey),
        }
    }

    /// Ends the ceremony without a link. The secret the phone may have got dies with it; otherwise the
    /// QR code is shown again as it was, because the server may begin another ceremony after the same
    /// scan.
    fn end_ceremony(&mut self, now: Instant, end: PasskeyEnd, rng: &mut (impl CryptoRng + ?Sized)) {
        tracing::warn!(%end, "a passkey ceremony ended without a link");
        let staged = self.clocks.holds_secret(Clock::Passkey);
        self.clocks.stop(Clock::Passkey);
        self.ceremony = None;
        self.outputs.push_back(PairOutput::PasskeyEnded(end));
        if staged {
            self.replace_secret(now, rng);
        } else {
            self.redraw(now);
        }
        self.restart_if_possible();
    }

    fn passkey_stage(&self) -> Option<&Stage> {
        self.ceremony.as_deref().map(|ceremony| &ceremony.stage)
    }

    /// Puts the ceremony into a stage, and its clock on the time that has.
    fn enter(&mut self, now: Instant, window: Duration, stage: Stage) -> Instant {
        let holds_secret = matches!(stage, Stage::PairingRequest { .. } | Stage::PairSuccess);
        if let Some(ceremony) = self.ceremony.as_deref_mut() {
            ceremony.stage = stage;
        }
        self.clocks.start(Clock::Passkey, now, window, holds_secret)
    }

    pub(super) fn restart_if_possible(&mut self) {
        if self.restart_wanted && !self.holds_restart() {
            self.restart_wanted = false;
            self.restarting = true;
            self.outputs.push_back(PairOutput::RestartNow);
        }
    }
}

impl Stage {
    const fn name(&self) -> PasskeyStage {
        match self {
            Self::Options { .. } => PasskeyStage::Options,
            Self::Assertion => PasskeyStage::Assertion,
            Self::Ref { .. } => PasskeyStage::Ref,
            Self::Prologue { .. } => PasskeyStage::Prologue,
            Self::Primary { .. } => PasskeyStage::Primary,
            Self::Nonce { .. } => PasskeyStage::Nonce,
            Self::Confirmation { .. } => PasskeyStage::Confirmation,
            Self::PairingRequest { .. } => PasskeyStage::PairingRequest,
            Self::PairSuccess => PasskeyStage::PairSuccess,
        }
    }
}
