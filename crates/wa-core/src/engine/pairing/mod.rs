mod code;
mod outputs;
mod passkey;
mod restart;

use std::time::{Duration, Instant};

use wa_pair::{AwaitedLink, Handled, PairAnswer, PairConfig, PairKeys, PairRequest, Pairing};
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::phase::Phase;
use super::stage::Stage;
use crate::config::Config;
use crate::device::Device;
use crate::error::{Awaited, DisconnectReason};
use crate::io::{CloseCause, Computed};
use crate::state::ConnectionState;
use crate::time::{Now, earlier};

pub(super) use self::passkey::PasskeyAnswer;
pub(super) use self::restart::AwaitRestart;

/// A connection of a device that is not linked: offers codes, waits for the phone.
pub(super) struct AwaitPairing {
    pairing: Pairing,
    offer: Offer,
    first_ref: Duration,
    restart: Restart,
}

enum Offer {
    /// The server has not sent its refs.
    Awaited { deadline: Instant },
    /// Codes are or were on show.
    Made { since: Instant },
}

/// Whether the server has asked for a restart that has to wait for a ceremony.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Restart {
    NotAskedFor,
    HeldBack,
}

impl AwaitPairing {
    /// `awaited` may come of an earlier connection.
    pub(super) fn new(
        config: &Config,
        device: &Device,
        awaited: Option<AwaitedLink>,
        now: Now,
    ) -> Self {
        let keys = PairKeys {
            noise: device.noise_public(),
            identity: device.identity().clone(),
            adv: device.adv().clone(),
        };
        let mut pairing = Pairing::new(keys, pair_config(config));
        if let Some(link) = awaited {
            pairing.resume(link);
        }
        Self {
            pairing,
            offer: Offer::Awaited {
                deadline: now.instant + config.timings.pair_device,
            },
            first_ref: config.timings.pairing.first_ref,
            restart: Restart::NotAskedFor,
        }
    }

    /// Lets the pairing look at a stanza. The inner error hands the stage back: the stanza is not about
    /// pairing.
    pub(super) fn offer(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Result<Stage, Box<Self>>, End> {
        match self
            .pairing
            .handle_stanza(now.instant, stanza, &mut *core.rng)
        {
            Handled::Yes => self.carry_out(core, line, now).map(Ok),
            Handled::No => Ok(Err(self)),
        }
    }

    /// A request of the pairing has its answer, or none in time.
    pub(super) fn answered(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        request: PairRequest,
        answer: PairAnswer<'_>,
    ) -> Result<Stage, End> {
        self.pairing
            .handle_answer(now.instant, request, answer, &mut *core.rng);
        self.carry_out(core, line, now)
    }

    /// The application's answer to a phone. Says whether one was awaited.
    pub(super) fn approve(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        accept: bool,
    ) -> (bool, Result<Stage, End>) {
        let awaited = self.pairing.approve(accept, &mut *core.rng);
        (awaited, self.carry_out(core, line, now))
    }

    pub(super) fn timeout(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        if self
            .offer_deadline()
            .is_some_and(|deadline| deadline <= now.instant)
        {
            return Err(End::lost(DisconnectReason::TimedOut(Awaited::PairDevice)));
        }
        self.pairing.handle_timeout(now.instant, &mut *core.rng);
        self.carry_out(core, line, now)
    }

    /// The server asks for a restart. What would end by that keeps it waiting.
    pub(super) fn restart_asked(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        if !self.pairing.holds_restart() {
            return Err(End::Restart);
        }
        tracing::info!("the restart waits for the end of the ceremony or the approval");
        self.restart = Restart::HeldBack;
        self.pairing.restart_asked(now.instant);
        self.carry_out(core, line, now)
    }

    /// What the server's end of the connection comes to. A close by the server is how it ends the window, if
    /// nothing but refs was live; before the first code has had its time, or when the network breaks, it is a
    /// loss like any other.
    pub(super) fn closed(&self, core: &Core, now: Now, reason: DisconnectReason) -> End {
        let by_server = matches!(
            reason,
            DisconnectReason::Closed(CloseCause::Peer { .. }) | DisconnectReason::Stream(_)
        );
        match self.offer {
            // The restart stanza may get lost; the close means the same.
            _ if self.is_restarting(core) => End::Restart,
            Offer::Made { since }
                if by_server
                    && since + self.first_ref <= now.instant
                    && !self.pairing.is_awaiting_passkey()
                    && !core.has_code() =>
            {
                End::PairingExpired
            }
            _ => End::lost(reason),
        }
    }

    /// Whether any end of this connection is a restart: one that the server has asked for, or all that it was
    /// for is with the phone.
    pub(super) fn is_restarting(&self, core: &Core) -> bool {
        self.restart == Restart::HeldBack || core.ceremony_is_over()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        earlier(self.offer_deadline(), self.pairing.poll_timeout())
    }

    /// Until when the server has to make its offer. A ceremony has clocks of its own.
    fn offer_deadline(&self) -> Option<Instant> {
        match self.offer {
            Offer::Awaited { deadline } if !self.pairing.is_awaiting_passkey() => Some(deadline),
            _ => None,
        }
    }

    pub(super) fn state(&self) -> ConnectionState {
        match self.offer {
            _ if self.pairing.is_awaiting_passkey() => ConnectionState::AwaitingPasskey,
            Offer::Awaited { .. } => ConnectionState::Starting,
            Offer::Made { .. } => ConnectionState::AwaitingPairing,
        }
    }
}

/// What the pairing is told about this client. Its presentation is the one of the registration.
fn pair_config(config: &Config) -> PairConfig {
    let presentation = config.presentation();
    PairConfig {
        client_type: presentation.client_type,
        companion: presentation.companion,
        device_type: presentation.device_type,
        handoff: config.handoff,
        qr_form: config.qr_form,
        require_approval: config.require_approval,
        timings: config.timings.pairing,
    }
}

impl Phase {
    /// The outcome of a computation. It is no sign of life of anything.
    pub(in crate::engine) fn computed(self, core: &mut Core, now: Now, computed: Computed) -> Self {
        let Self::Connected(connected) = self else {
            return self;
        };
        connected.step(core, now, |stage, core, line| match stage {
            Stage::Pairing(mut pairing) => {
                pairing
                    .pairing
                    .handle_computed(now.instant, computed.outcome, &mut *core.rng);
                pairing.carry_out(core, line, now)
            }
            other => Ok(other),
        })
    }
}
