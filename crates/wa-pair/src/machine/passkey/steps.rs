//! The stages of a ceremony: what each request answers and what the phone sends (pairing chapter, C.2
//! and C.6).

use std::time::Instant;

use wa_crypto::{AdvSecret, CryptoRng};
use wa_proto::NodeRef;

use super::super::Pairing;
use crate::clocks::Clock;
use crate::passkey::{Agreed, CompanionOffer, PrimaryIdentity, stanza};
use crate::reply::{self, error_code, error_text};
use crate::{
    Handoff, PairAnswer, PairOutput, PairRequest, PairStep, PasskeyAssertion, PasskeyEnd,
    PasskeyOptions, PasskeyOptionsError,
};

/// Where a ceremony is. Every request in a stage is the one whose answer leads out of it.
pub(super) enum Stage {
    Options {
        request: PairRequest,
    },
    Assertion,
    Ref {
        request: PairRequest,
        assertion: PasskeyAssertion,
    },
    /// The phone may be faster than the server's receipt.
    Prologue {
        request: PairRequest,
        exchange: Exchange,
        early: Option<PrimaryIdentity>,
    },
    Primary {
        exchange: Exchange,
    },
    Nonce {
        request: PairRequest,
        agreed: Agreed,
        proven: bool,
    },
    Confirmation {
        agreed: Agreed,
    },
    PairingRequest {
        request: PairRequest,
    },
    PairSuccess,
}

/// Our half of the exchange, and whether the handoff proof went with it.
pub(super) struct Exchange {
    offer: CompanionOffer,
    proven: bool,
}

impl Stage {
    const fn request(&self) -> Option<PairRequest> {
        match self {
            Self::Options { request }
            | Self::Ref { request, .. }
            | Self::Prologue { request, .. }
            | Self::Nonce { request, .. }
            | Self::PairingRequest { request } => Some(*request),
            Self::Assertion
            | Self::Primary { .. }
            | Self::Confirmation { .. }
            | Self::PairSuccess => None,
        }
    }
}

impl Pairing {
    pub(in super::super) fn passkey_answered(
        &mut self,
        now: Instant,
        request: PairRequest,
        answer: PairAnswer<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let awaited = self.passkey_stage().and_then(Stage::request);
        if awaited != Some(request) {
            return;
        }
        match answer {
            PairAnswer::Result(iq) => self.passkey_result(now, iq, rng),
            PairAnswer::Error(iq) => {
                let end = PasskeyEnd::RequestRefused {
                    step: request.step(),
                    code: error_code(iq),
                    text: error_text(iq),
                };
                self.end_ceremony(now, end, rng);
            }
            PairAnswer::TimedOut => self.ceremony_ran_out(now, rng),
        }
    }

    fn passkey_result(
        &mut self,
        now: Instant,
        iq: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        match self.take_stage() {
            Stage::Options { .. } => self.options_fetched(now, iq, rng),
            Stage::Ref { assertion, .. } => self.send_prologue(now, iq, &assertion, rng),
            Stage::Prologue {
                exchange, early, ..
            } => match early {
                Some(primary) => self.send_nonce(now, &exchange, &primary, rng),
                None => {
                    let window = self.config.timings.passkey_primary;
                    self.enter(now, window, Stage::Primary { exchange });
                }
            },
            Stage::Nonce { agreed, proven, .. } => self.nonce_taken(now, agreed, proven, rng),
            Stage::PairingRequest { .. } => self.await_pair_success(now),
            other => self.put_stage(other),
        }
    }

    /// Our keys are with the phone, or may be: the link is all that is missing.
    pub(super) fn await_pair_success(&mut self, now: Instant) {
        let window = self.config.timings.passkey_pair_success;
        self.enter(now, window, Stage::PairSuccess);
        self.restart_if_possible();
    }

    fn options_fetched(
        &mut self,
        now: Instant,
        iq: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let options = stanza::options(iq)
            .ok_or(PasskeyOptionsError::Missing)
            .and_then(|bytes| PasskeyOptions::parse(&bytes));
        match options {
            Ok(options) => self.ask(now, options),
            Err(error) => self.end_ceremony(now, PasskeyEnd::BadOptions(error), rng),
        }
    }

    fn send_prologue(
        &mut self,
        now: Instant,
        iq: &NodeRef<'_>,
        assertion: &PasskeyAssertion,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(reference) = stanza::reference(iq) else {
            return self.end_ceremony(now, PasskeyEnd::BadRef, rng);
        };
        let provider = self.keys.identity.provider();
        let offer = CompanionOffer::generate(provider, self.config.device_type, reference, rng);
        let payload = offer.prologue();
        let proof = self.handoff_proof(now, &payload);
        let iq = stanza::prologue(assertion, &payload, proof);
        let timeout = self.config.timings.passkey_answer;
        let request = self.request(PairStep::PasskeyPrologue, iq, timeout);
        let exchange = Exchange {
            offer,
            proven: proof.is_some(),
        };
        let stage = Stage::Prologue {
            request,
            exchange,
            early: None,
        };
        self.enter(now, timeout, stage);
    }

    fn handoff_proof(&self, now: Instant, payload: &[u8]) -> Option<[u8; 32]> {
        let ceremony = self.ceremony.as_deref()?;
        let usable = self.config.handoff == Handoff::Send && now < ceremony.handoff_deadline;
        usable.then(|| ceremony.handoff.proof(payload))
    }

    pub(in super::super) fn continuation(
        &mut self,
        now: Instant,
        id: &str,
        notification: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        self.outputs
            .push_back(PairOutput::Send(reply::ack(id, stanza::CONTINUATION)));
        match self.passkey_stage() {
            Some(Stage::Primary { .. } | Stage::Prologue { early: None, .. }) => {}
            _ => {
                tracing::debug!("ignored a passkey continuation");
                return;
            }
        }
        let primary =
            stanza::primary_identity(notification).and_then(|bytes| PrimaryIdentity::read(&bytes));
        let Some(primary) = primary else {
            return self.end_ceremony(now, PasskeyEnd::BadPrimaryIdentity, rng);
        };
        match self.take_stage() {
            Stage::Primary { exchange } => self.send_nonce(now, &exchange, &primary, rng),
            Stage::Prologue {
                request, exchange, ..
            } => self.put_stage(Stage::Prologue {
                request,
                exchange,
                early: Some(primary),
            }),
            other => self.put_stage(other),
        }
    }

    fn send_nonce(
        &mut self,
        now: Instant,
        exchange: &Exchange,
        primary: &PrimaryIdentity,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Ok(agreed) = exchange.offer.agree(primary) else {
            return self.end_ceremony(now, PasskeyEnd::BadPrimaryIdentity, rng);
        };
        let iq = stanza::companion_nonce(exchange.offer.nonce());
        let timeout = self.config.timings.passkey_answer;
        let request = self.request(PairStep::PasskeyNonce, iq, timeout);
        let stage = Stage::Nonce {
            request,
            agreed,
            proven: exchange.proven,
        };
        self.enter(now, timeout, stage);
    }

    /// The proof has told the phone what the comparison of the codes would; without it the user has to
    /// compare.
    fn nonce_taken(
        &mut self,
        now: Instant,
        agreed: Agreed,
        proven: bool,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let code = (!proven).then(|| agreed.code().clone());
        let window = self.config.timings.passkey_confirmation;
        let deadline = self.enter(now, window, Stage::Confirmation { agreed });
        self.outputs
            .push_back(PairOutput::PasskeyConfirmation { code, deadline });
        if proven {
            self.send_pairing_request(now, rng);
        }
    }

    /// Persist, then send: from here on the phone relies on the new secret.
    pub(super) fn send_pairing_request(
        &mut self,
        now: Instant,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let agreed = match self.take_stage() {
            Stage::Confirmation { agreed } => agreed,
            other => return self.put_stage(other),
        };
        let adv = AdvSecret::generate(rng);
        let identity = self.keys.identity.public();
        let sealed = agreed.seal_request(&self.keys.noise, &identity, &adv, rng);
        self.adopt_secret(adv);
        let timeout = self.config.timings.passkey_answer;
        let iq = stanza::pairing_request(sealed);
        let request = self.request(PairStep::PasskeyPairingRequest, iq, timeout);
        self.enter(now, timeout, Stage::PairingRequest { request });
        if self.restart_wanted {
            self.hurry_receipt(now);
        }
    }

    /// Does not keep a restart waiting for a receipt that may never come.
    pub(super) fn hurry_receipt(&mut self, now: Instant) {
        if let Some(Stage::PairingRequest { .. }) = self.passkey_stage() {
            let grace = self.config.timings.passkey_receipt_grace;
            let limit = now.checked_add(grace).unwrap_or(now);
            self.clocks.shorten(Clock::Passkey, limit);
        }
    }

    /// Takes the stage out; whoever does enters another, puts it back or ends the ceremony.
    fn take_stage(&mut self) -> Stage {
        match self.ceremony.as_deref_mut() {
            Some(ceremony) => std::mem::replace(&mut ceremony.stage, Stage::Assertion),
            None => Stage::Assertion,
        }
    }

    fn put_stage(&mut self, stage: Stage) {
        if let Some(ceremony) = self.ceremony.as_deref_mut() {
            ceremony.stage = stage;
        }
    }
}
