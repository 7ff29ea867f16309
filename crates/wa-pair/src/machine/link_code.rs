//! The pairing code flow: from the application's wish to the end of the code (pairing chapter, B.1 to
//! B.4, B.6).

mod phone;

use std::time::{Duration, Instant};

use wa_crypto::{CryptoRng, LinkEphemeralSecret};
use wa_proto::{Jid, NodeRef};

use super::{Pairing, State};
use crate::clocks::Clock;
use crate::compute::SALT_LEN;
use crate::link_code::{IV_LEN, WrappedEphemeral, stanza};
use crate::{
    CodeEnd, CodeError, CodeRefusal, CodeRefusalKind, CodeRequest, LiveCode, PairAnswer,
    PairComputed, PairJob, PairOutput, PairRequest, PairStep, PairingCode,
};
use phone::Live;

pub use phone::MAX_PRIMARY_HELLOS;

/// A code of ours. Its clock is [`Clock::Code`].
pub(super) struct LinkCode {
    facts: CodeFacts,
    stage: Stage,
}

/// What a code is from its beginning to its end.
struct CodeFacts {
    code: PairingCode,
    jid: Jid,
    push: bool,
    ephemeral: LinkEphemeralSecret,
    /// When the code itself is too old. Once it was typed the clock may run longer.
    deadline: Instant,
}

impl LinkCode {
    /// Whether companion_finish has left: the phone may have the secret of now.
    pub(super) fn is_handed_over(&self) -> bool {
        matches!(&self.stage, Stage::Live(live) if live.handed_over)
    }
}

enum Stage {
    /// Our key is being wrapped.
    Wrapping {
        job: u64,
        salt: [u8; SALT_LEN],
        iv: [u8; IV_LEN],
    },
    /// companion_hello is on its way.
    Asked { request: PairRequest },
    /// The server has accepted the code.
    Live(Live),
}

impl Pairing {
    /// Asks for a pairing code. It waits for the server's pair-device if that has not come. What comes
    /// of it is [`PairOutput::Code`] or [`PairOutput::CodeRefused`], or [`PairOutput::CodeEnded`] if
    /// something else ends it first.
    ///
    /// # Errors
    /// [`CodeError`] when a code lives already, or none can be asked for.
    pub fn request_code(
        &mut self,
        now: Instant,
        request: CodeRequest,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), CodeError> {
        if let Some(remaining) = self.code_remaining(now) {
            return Err(CodeError::Outstanding { remaining });
        }
        if !matches!(self.state, State::AwaitSuccess(_)) || self.ceremony.is_some() {
            return Err(CodeError::NotNow);
        }
        if self.offered {
            self.begin_code(now, request, rng);
        } else {
            self.wanted = Some(request);
        }
        self.close_if_exhausted();
        Ok(())
    }

    /// Ends the code that lives or is asked for. Says whether there was one.
    pub fn cancel_code(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) -> bool {
        if self.wanted.take().is_some() {
            self.outputs
                .push_back(PairOutput::CodeEnded(CodeEnd::Cancelled));
            return true;
        }
        if self.clocks.deadline(Clock::Code).is_none() {
            return false;
        }
        self.end_code(now, PairOutput::CodeEnded(CodeEnd::Cancelled), rng);
        self.close_if_exhausted();
        true
    }

    /// Starts the code that was asked for before the server's refs came.
    pub(super) fn begin_wanted_code(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        if let Some(request) = self.wanted.take() {
            self.begin_code(now, request, rng);
        }
    }

    pub(super) fn code_computed(
        &mut self,
        now: Instant,
        computed: &PairComputed,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(LinkCode { facts, stage }) = self.code.as_deref() else {
            return;
        };
        match stage {
            Stage::Wrapping { job, salt, iv } if *job == computed.generation => {
                let public = facts.ephemeral.public();
                let wrapped = WrappedEphemeral::seal(*salt, *iv, &computed.key, &public);
                let hello = stanza::companion_hello(
                    &facts.jid,
                    facts.push,
                    &wrapped,
                    &self.keys.noise,
                    &self.config.companion,
                );
                let timeout = self.config.timings.hello_answer;
                let request = self.request(PairStep::CompanionHello, hello, timeout);
                if let Some(code) = self.code.as_deref_mut() {
                    code.stage = Stage::Asked { request };
                }
            }
            Stage::Live(_) => self.finish(now, computed, rng),
            _ => {}
        }
    }

    pub(super) fn hello_answered(
        &mut self,
        now: Instant,
        request: PairRequest,
        answer: PairAnswer<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(code) = self.code.as_deref_mut() else {
            return;
        };
        if !matches!(code.stage, Stage::Asked { request: asked } if asked == request) {
            return;
        }
        let refusal = match answer {
            PairAnswer::Result(iq) => match reference_of(iq) {
                Some(reference) => {
                    code.stage = Stage::Live(Live::new(reference));
                    let deadline = code.facts.deadline;
                    let live = LiveCode {
                        code: code.facts.code.clone(),
                        deadline,
                        ttl: deadline.saturating_duration_since(now),
                    };
                    self.outputs.push_back(PairOutput::Code(live));
                    return;
                }
                None => CodeRefusal::without_backoff(CodeRefusalKind::NoRef),
            },
            PairAnswer::Error(iq) => CodeRefusal::read(iq),
            PairAnswer::TimedOut => CodeRefusal::without_backoff(CodeRefusalKind::NoAnswer),
        };
        tracing::warn!(%refusal, "no pairing code");
        self.end_code(now, PairOutput::CodeRefused(refusal), rng);
    }

    /// The code's clock ran out.
    pub(super) fn code_ran_out(&mut self, now: Instant, rng: &mut (impl CryptoRng + ?Sized)) {
        let Some(code) = self.code.as_deref() else {
            if !self.clocks.holds_secret(Clock::Code) {
                return self.clocks.stop(Clock::Code);
            }
            // That of an earlier connection, which the phone was to answer.
            let end = PairOutput::CodeEnded(CodeEnd::NoPairSuccess);
            return self.end_code(now, end, rng);
        };
        let end = match &code.stage {
            Stage::Live(live) if live.overrun => PairOutput::CodeEnded(CodeEnd::TooManyAttempts),
            Stage::Live(_) if self.clocks.holds_secret(Clock::Code) => {
                PairOutput::CodeEnded(CodeEnd::NoPairSuccess)
            }
            Stage::Live(_) => PairOutput::CodeEnded(CodeEnd::Expired),
            Stage::Wrapping { .. } | Stage::Asked { .. } => {
                PairOutput::CodeRefused(CodeRefusal::without_backoff(CodeRefusalKind::NoAnswer))
            }
        };
        self.end_code(now, end, rng);
    }

    /// The ceremony goes on with what the code has made: its secret stays.
    pub(super) fn hand_code_over(&mut self) {
        let wanted = self.wanted.take().is_some();
        let lived = self.clocks.deadline(Clock::Code).is_some();
        self.code = None;
        self.clocks.stop(Clock::Code);
        if wanted || lived {
            self.outputs
                .push_back(PairOutput::CodeEnded(CodeEnd::PasskeyBegan));
        }
    }

    /// Retires the code. A secret the phone may have derived dies with it (pairing chapter, B.6).
    fn end_code(&mut self, now: Instant, end: PairOutput, rng: &mut (impl CryptoRng + ?Sized)) {
        let derived = self.clocks.holds_secret(Clock::Code);
        self.clocks.stop(Clock::Code);
        self.code = None;
        self.outputs.push_back(end);
        if derived {
            self.replace_secret(now, rng);
        }
    }

    fn begin_code(
        &mut self,
        now: Instant,
        request: CodeRequest,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let code = request.custom.unwrap_or_else(|| {
            let mut random = zeroize::Zeroizing::new([0; 5]);
            rng.fill_bytes(random.as_mut_slice());
            PairingCode::from_random(*random)
        });
        let ephemeral = LinkEphemeralSecret::generate(self.keys.identity.provider(), rng);
        let (mut salt, mut iv) = ([0; SALT_LEN], [0; IV_LEN]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut iv);
        let job = self.next_generation();
        self.outputs
            .push_back(PairOutput::Compute(PairJob::new(job, code.clone(), salt)));
        let deadline = self
            .clocks
            .start(Clock::Code, now, self.config.timings.code, false);
        let facts = CodeFacts {
            code,
            jid: request.number.jid(),
            push: request.push,
            ephemeral,
            deadline,
        };
        self.code = Some(Box::new(LinkCode {
            facts,
            stage: Stage::Wrapping { job, salt, iv },
        }));
    }

    fn code_remaining(&self, now: Instant) -> Option<Duration> {
        if self.wanted.is_some() {
            return Some(self.config.timings.code);
        }
        let deadline = self.clocks.deadline(Clock::Code)?;
        Some(deadline.saturating_duration_since(now))
    }
}

fn reference_of(iq: &NodeRef<'_>) -> Option<Vec<u8>> {
    stanza::reference(&iq.child(stanza::LINK_CODE)?)
}
