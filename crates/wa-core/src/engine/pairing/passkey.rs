use tracing::info;
use wa_pair::{AwaitedVia, PasskeyAssertion, PasskeyChallenge, PasskeyEnd, PasskeyError};

use super::AwaitPairing;
use crate::engine::connected::Line;
use crate::engine::core::Core;
use crate::engine::end::End;
use crate::engine::phase::Phase;
use crate::engine::stage::Stage;
use crate::error::CommandError;
use crate::event::Event;
use crate::io::{OpId, OpOutcome};
use crate::time::Now;

/// The application's part in a ceremony.
pub(in crate::engine) enum PasskeyAnswer {
    Assertion(PasskeyAssertion),
    Confirmation(bool),
}

impl Phase {
    pub(in crate::engine) fn answer_passkey(
        self,
        core: &mut Core,
        now: Now,
        op: OpId,
        answer: PasskeyAnswer,
    ) -> Self {
        let Self::Connected(connected) = self else {
            core.done(op, Err(CommandError::NoPasskeyAsked));
            return self;
        };
        connected.step(core, now, |stage, core, line| match stage {
            Stage::Pairing(pairing) => pairing.answer_passkey(core, line, now, op, answer),
            other => {
                core.done(op, Err(CommandError::NoPasskeyAsked));
                Ok(other)
            }
        })
    }
}

impl AwaitPairing {
    fn answer_passkey(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        op: OpId,
        answer: PasskeyAnswer,
    ) -> Result<Stage, End> {
        let (taken, outcome) = match answer {
            PasskeyAnswer::Assertion(assertion) => (
                self.pairing
                    .respond_passkey(now.instant, assertion, &mut *core.rng),
                OpOutcome::PasskeyResponseSent,
            ),
            PasskeyAnswer::Confirmation(accept) => (
                self.pairing
                    .confirm_passkey(now.instant, accept, &mut *core.rng),
                OpOutcome::PasskeyConfirmationSent,
            ),
        };
        let result = match taken {
            Ok(()) => Ok(outcome),
            Err(PasskeyError::NotAsked) => Err(CommandError::NoPasskeyAsked),
            Err(_) => Err(CommandError::NotNow),
        };
        core.done(op, result);
        self.carry_out(core, line, now)
    }
}

impl Core {
    pub(super) fn ask_for_passkey(&mut self, now: Now, challenge: PasskeyChallenge) {
        info!("the account is guarded by a passkey");
        self.shown.passkey = true;
        self.tell(Event::PasskeyRequested {
            options: challenge.options,
            expires_at_unix_ms: now.unix_ms_at(challenge.deadline),
        });
    }

    pub(super) fn passkey_ended(&mut self, end: PasskeyEnd) {
        info!(%end, "the passkey ceremony has ended without a link");
        self.shown.passkey = false;
        self.tell(Event::PasskeyEnded(end));
    }

    /// Whether all that the ceremony of this connection needs is with the phone, or may be: the device is about
    /// to be linked on this connection or the next.
    pub(in crate::engine) fn ceremony_is_over(&self) -> bool {
        self.shown.passkey && self.awaits_link_by(AwaitedVia::Passkey)
    }

    /// A ceremony cannot go on without its connection.
    pub(super) fn withdraw_passkey(&mut self) {
        if std::mem::take(&mut self.shown.passkey) {
            self.passkey_ended(PasskeyEnd::ConnectionEnded);
        }
    }
}
