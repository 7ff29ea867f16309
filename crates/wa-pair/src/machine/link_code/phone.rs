//! The phone's half of the code flow: primary_hello, companion_finish, refresh_code (pairing chapter,
//! B.5 and B.7).

use std::time::Instant;

use wa_crypto::{CryptoRng, IdentityPublic};
use wa_proto::NodeRef;

use super::super::{Pairing, State};
use super::{CodeFacts, LinkCode, Stage};
use crate::clocks::Clock;
use crate::link_code::{Finish, WrappedEphemeral, stanza};
use crate::reply::{self, error_code};
use crate::{CodeEnd, PairAnswer, PairComputed, PairJob, PairOutput, PairRequest, PairStep};

/// Most attempts of the phone with one code (pairing chapter, B.5).
pub const MAX_PRIMARY_HELLOS: u8 = 3;

/// A code the phone can be told.
pub(super) struct Live {
    reference: Vec<u8>,
    hellos: u8,
    /// A primary_hello came after the last one that is allowed.
    pub(super) overrun: bool,
    /// What the newest accepted primary_hello said.
    newest: Option<HelloKeys>,
    attempt: Option<Attempt>,
    finish: Option<PairRequest>,
    /// The secret of now is derived with this code, and companion_finish has left.
    pub(super) handed_over: bool,
}

/// The keys of a primary_hello, as they came.
#[derive(PartialEq, Eq)]
struct HelloKeys {
    wrapped: Vec<u8>,
    identity: [u8; 32],
}

/// A primary_hello whose key is being opened. The newest replaces the one before.
struct Attempt {
    job: u64,
    wrapped: WrappedEphemeral,
    identity: IdentityPublic,
}

impl Live {
    pub(super) const fn new(reference: Vec<u8>) -> Self {
        Self {
            reference,
            hellos: 0,
            overrun: false,
            newest: None,
            attempt: None,
            finish: None,
            handed_over: false,
        }
    }
}

impl Pairing {
    pub(in super::super) fn link_code_notification(
        &mut self,
        now: Instant,
        id: &str,
        notification: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        self.outputs
            .push_back(PairOutput::Send(reply::ack(id, stanza::LINK_CODE)));
        let waiting = matches!(self.state, State::AwaitSuccess(_)) && self.ceremony.is_none();
        let Some(body) = notification.child(stanza::LINK_CODE).filter(|_| waiting) else {
            return;
        };
        match body.attr_text("stage").as_deref() {
            Some("primary_hello") => self.primary_hello(now, &body),
            Some("refresh_code") => self.refresh_code(now, &body, rng),
            _ => tracing::debug!("ignored a pairing code notification"),
        }
    }

    /// The checks in their order (pairing chapter, B.5): nothing changes before they have passed.
    fn primary_hello(&mut self, now: Instant, body: &NodeRef<'_>) {
        let job = self.next_generation();
        let Some((facts, live)) = self.live_code(body) else {
            return;
        };
        let content = |name: &str| body.child(name).and_then(|child| child.bytes());
        let wrapped = content("link_code_pairing_wrapped_primary_ephemeral_pub");
        let identity = content("primary_identity_pub");
        if wrapped.is_none() && identity.is_none() {
            tracing::debug!("a primary_hello without keys: a passkey is asked for next");
            return;
        }
        if facts.deadline < now {
            tracing::debug!("ignored a primary_hello for an old code");
            return;
        }
        let identity = identity.as_deref().and_then(|key| key.try_into().ok());
        let (Some(bytes), Some(identity)) = (wrapped.as_deref(), identity) else {
            tracing::warn!("ignored a primary_hello with keys of a wrong length");
            return;
        };
        let Some(wrapped) = WrappedEphemeral::read(bytes) else {
            tracing::warn!("ignored a primary_hello with keys of a wrong length");
            return;
        };
        let said = HelloKeys {
            wrapped: bytes.to_vec(),
            identity,
        };
        if live.newest.as_ref() == Some(&said) {
            tracing::debug!("a primary_hello that was taken already");
            return;
        }
        if live.hellos >= MAX_PRIMARY_HELLOS {
            // The pair-success of the one before may be on its way.
            tracing::warn!("ignored a primary_hello: too many attempts with one code");
            live.overrun = true;
            return;
        }
        live.newest = Some(said);
        live.hellos = live.hellos.saturating_add(1);
        live.finish = None;
        let compute = PairJob::new(job, facts.code.clone(), wrapped.salt());
        live.attempt = Some(Attempt {
            job,
            wrapped,
            identity: IdentityPublic::from_bytes(identity),
        });
        self.outputs.push_back(PairOutput::Compute(compute));
        let watchdog = self.config.timings.after_primary_hello;
        self.clocks.start(Clock::Code, now, watchdog, true);
    }

    /// The code that the ref of a stanza names, if it is ours.
    fn live_code(&mut self, body: &NodeRef<'_>) -> Option<(&CodeFacts, &mut Live)> {
        let reference = stanza::reference(body)?;
        let LinkCode { facts, stage } = self.code.as_deref_mut()?;
        match stage {
            Stage::Live(live) if live.reference == reference => Some((facts, live)),
            _ => {
                tracing::debug!("ignored a notification about another pairing code");
                None
            }
        }
    }

    /// The phone's key is open: derive, persist, send.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        computed: &PairComputed,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(LinkCode {
            facts,
            stage: Stage::Live(live),
        }) = self.code.as_deref_mut()
        else {
            return;
        };
        let Some(attempt) = live
            .attempt
            .take_if(|attempt| attempt.job == computed.generation)
        else {
            return;
        };
        let derived = Finish::derive(
            &self.keys.identity,
            &facts.ephemeral,
            &attempt.identity,
            &attempt.wrapped.open(&computed.key),
            rng,
        );
        let finish = match derived {
            Ok(finish) => finish,
            Err(error) => {
                tracing::warn!(%error, "a primary_hello with unusable keys");
                return;
            }
        };
        let iq = stanza::companion_finish(
            &facts.jid,
            &finish,
            &self.keys.identity.public(),
            &live.reference,
        );
        self.adopt_secret(finish.adv);
        let timeout = self.config.timings.finish_answer;
        let request = self.request(PairStep::CompanionFinish, iq, timeout);
        if let Some(LinkCode {
            stage: Stage::Live(live),
            ..
        }) = self.code.as_deref_mut()
        {
            live.finish = Some(request);
            live.handed_over = true;
        }
        self.redraw(now);
    }

    /// No answer alone ends nothing: the watchdog waits for the pair-success.
    pub(in super::super) fn finish_answered(
        &mut self,
        now: Instant,
        request: PairRequest,
        answer: PairAnswer<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(Stage::Live(live)) = self.code.as_deref_mut().map(|code| &mut code.stage) else {
            return;
        };
        if live.finish.take_if(|sent| *sent == request).is_none() {
            return;
        }
        if let PairAnswer::Error(iq) = answer {
            let code = error_code(iq);
            self.end_code(
                now,
                PairOutput::CodeEnded(CodeEnd::FinishRefused { code }),
                rng,
            );
        }
    }

    fn refresh_code(
        &mut self,
        now: Instant,
        body: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        if self.live_code(body).is_none() {
            return;
        }
        let force_manual = body.attr_text("force_manual_refresh").as_deref() == Some("true");
        self.end_code(now, PairOutput::CodeEnded(CodeEnd::ReplacedByServer), rng);
        self.outputs
            .push_back(PairOutput::CodeRefresh { force_manual });
    }
}
