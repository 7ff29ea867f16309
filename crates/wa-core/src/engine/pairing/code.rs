use tracing::{info, warn};
use wa_crypto::AdvSecret;
use wa_pair::{AwaitedVia, CodeEnd, CodeError, CodeRefusal, CodeRequest, LiveCode};

use super::AwaitPairing;
use crate::engine::connected::Line;
use crate::engine::core::{Core, StoreTrust};
use crate::engine::end::End;
use crate::engine::ops::Waits;
use crate::engine::phase::Phase;
use crate::engine::stage::Stage;
use crate::error::{CommandError, DisconnectReason};
use crate::event::Event;
use crate::io::{OpId, OpOutcome};
use crate::time::Now;

impl Phase {
    /// Asks for a pairing code, now or as soon as there is a connection to ask on.
    pub(in crate::engine) fn request_code(
        self,
        core: &mut Core,
        now: Now,
        op: OpId,
        request: CodeRequest,
    ) -> Self {
        if core.trust == StoreTrust::Sure && core.registered().is_some() {
            core.done(op, Err(CommandError::AlreadyLinked));
            return self;
        }
        if core.settling.is_some() {
            if core.want_code(op, request) {
                return self.start_after_settling(core, now);
            }
            return self;
        }
        if let Self::Connected(connected) = self {
            return connected.step(core, now, |stage, core, line| match stage {
                Stage::Pairing(pairing) => pairing.request_code(core, line, now, op, request),
                other => {
                    // The connection is about to end.
                    core.want_code(op, request);
                    Ok(other)
                }
            });
        }
        if !core.want_code(op, request) {
            return self;
        }
        match self {
            Self::Rest(_) => core.begin_anew(now),
            Self::Waiting(_) => core.dial(now),
            under_way => under_way,
        }
    }

    pub(in crate::engine) fn cancel_code(self, core: &mut Core, now: Now, op: OpId) -> Self {
        if core.wanted_code.is_some() {
            core.code_ended(CodeEnd::Cancelled);
            core.done(op, Ok(OpOutcome::PairingCodeCancelled));
            return self;
        }
        let Self::Connected(connected) = self else {
            let result = if core.awaits_link_by(AwaitedVia::Code) {
                core.retire_typed_code();
                Ok(OpOutcome::PairingCodeCancelled)
            } else {
                Err(CommandError::NoPairingCode)
            };
            core.done(op, result);
            return self;
        };
        connected.step(core, now, |stage, core, line| match stage {
            Stage::Pairing(pairing) => pairing.cancel_code(core, line, now, op),
            other => {
                core.done(op, Err(CommandError::NoPairingCode));
                Ok(other)
            }
        })
    }
}

impl AwaitPairing {
    /// Hands over what was asked for before there was a connection. The machine waits for the server's offer.
    pub(in crate::engine) fn ask_for_wanted_code(&mut self, core: &mut Core, now: Now) {
        let Some(request) = core.wanted_code.take() else {
            return;
        };
        core.asked_code = Some(request.clone());
        let asked = self
            .pairing
            .request_code(now.instant, request, &mut *core.rng);
        if let Err(error) = asked {
            core.done_all(Waits::ForCode, &Err(refused(&error)));
        }
    }

    fn request_code(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        op: OpId,
        request: CodeRequest,
    ) -> Result<Stage, End> {
        let asked = self
            .pairing
            .request_code(now.instant, request.clone(), &mut *core.rng);
        match asked {
            Ok(()) => {
                core.park(op, Waits::ForCode);
                core.asked_code = Some(request);
            }
            Err(error) => core.done(op, Err(refused(&error))),
        }
        self.carry_out(core, line, now)
    }

    fn cancel_code(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        op: OpId,
    ) -> Result<Stage, End> {
        let cancelled = self.pairing.cancel_code(now.instant, &mut *core.rng);
        let next = self.carry_out(core, line, now);
        let result = if cancelled {
            Ok(OpOutcome::PairingCodeCancelled)
        } else {
            Err(CommandError::NoPairingCode)
        };
        core.done(op, result);
        next
    }
}

fn refused(error: &CodeError) -> CommandError {
    match error {
        CodeError::Outstanding { remaining } => outstanding(*remaining),
        _ => CommandError::NotNow,
    }
}

fn outstanding(remaining: std::time::Duration) -> CommandError {
    CommandError::CodeOutstanding {
        remaining_ms: u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX),
    }
}

impl Core {
    /// Notes a code to be asked for on the next connection. Says whether it did: one at a time.
    fn want_code(&mut self, op: OpId, request: CodeRequest) -> bool {
        if self.is_awaited(Waits::ForCode) {
            // None of its time is used up: it is not drawn yet.
            let error = outstanding(self.config.timings.pairing.code);
            self.done(op, Err(error));
            return false;
        }
        self.park(op, Waits::ForCode);
        self.wanted_code = Some(request);
        true
    }

    /// Whether a code is live, or asked for and not refused.
    pub(super) fn has_code(&self) -> bool {
        self.shown.code || self.is_awaited(Waits::ForCode)
    }

    pub(super) fn show_code(&mut self, now: Now, live: LiveCode) {
        info!(
            seconds = live.ttl.as_secs(),
            "the server has accepted a pairing code"
        );
        let LiveCode {
            code,
            deadline,
            ttl,
        } = live;
        let expires_at_unix_ms = now.unix_ms_at(deadline);
        self.shown.code = true;
        self.tell(Event::PairingCode {
            code: code.clone(),
            ttl,
            expires_at_unix_ms,
        });
        let outcome = OpOutcome::PairingCode {
            code,
            expires_at_unix_ms,
        };
        self.done_all(Waits::ForCode, &Ok(outcome));
    }

    pub(super) fn code_refused(&mut self, refusal: CodeRefusal) {
        warn!(%refusal, "no pairing code");
        self.done_all(Waits::ForCode, &Err(CommandError::CodeRefused(refusal)));
    }

    /// A code is no longer good, or will never be.
    pub(super) fn code_ended(&mut self, end: CodeEnd) {
        info!(%end, "the pairing code has ended");
        if std::mem::take(&mut self.shown.code) {
            self.tell(Event::PairingCodeEnded(end.clone()));
        }
        self.done_all(Waits::ForCode, &Err(CommandError::CodeEnded(end)));
    }

    /// The device is linked, so nobody has to look at a code or answer for a passkey any more.
    pub(super) fn offers_are_over(&mut self) {
        self.shown.code = false;
        self.shown.passkey = false;
        self.done_all(Waits::ForCode, &Err(CommandError::AlreadyLinked));
    }

    /// What was on offer ends with its connection, but for a code that was typed and only has to be answered.
    /// What has not been asked for yet is asked for on the next.
    pub(in crate::engine) fn withdraw_offers(&mut self) {
        self.blank_qr();
        if !self.awaits_link_by(AwaitedVia::Code) {
            self.withdraw_code();
        }
        self.withdraw_passkey();
    }

    fn withdraw_code(&mut self) {
        if std::mem::take(&mut self.shown.code) {
            self.tell(Event::PairingCodeEnded(CodeEnd::ConnectionEnded));
        }
    }

    pub(in crate::engine) fn awaits_link_by(&self, via: AwaitedVia) -> bool {
        self.awaited_link.is_some_and(|link| link.via == via)
    }

    /// Cancels a code between two connections. The secret the phone may have derived dies with it.
    fn retire_typed_code(&mut self) {
        self.awaited_link = None;
        self.code_ended(CodeEnd::Cancelled);
        if let Some(device) = &mut self.device {
            let changes = device.set_adv(AdvSecret::generate(&mut *self.rng));
            self.persist(changes);
        }
    }

    /// There is no next connection that the phone could answer on.
    pub(in crate::engine) fn forget_awaited_link(&mut self) {
        self.awaited_link = None;
        self.withdraw_code();
    }

    /// Another client version is tried before anybody is told: the code is asked for under that.
    pub(in crate::engine) fn want_code_again(&mut self) {
        if let Some(request) = self.asked_code.take() {
            self.wanted_code = Some(request);
        }
    }

    /// The connection a code was asked for on is over.
    pub(in crate::engine) fn code_unanswered(&mut self, reason: &DisconnectReason) {
        if self.wanted_code.is_none() {
            let error = CommandError::ConnectionEnded(reason.clone());
            self.done_all(Waits::ForCode, &Err(error));
        }
    }
}
