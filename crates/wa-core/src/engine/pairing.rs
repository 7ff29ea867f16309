use std::time::{Duration, Instant};

use tracing::debug;
use wa_pair::{CompanionPlatform, Handled, PairConfig, PairKeys, PairOutput, Pairing, QrCode};
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::{Core, Shown};
use super::end::End;
use super::stage::{Stage, respond};
use crate::config::Config;
use crate::device::Device;
use crate::error::{Awaited, DisconnectReason, PairingFailure};
use crate::event::Event;
use crate::io::CloseCause;
use crate::stanza;
use crate::state::{ConnectionState, Step};
use crate::time::{Now, earlier};

/// A connection of a device that is not linked: offers codes, waits for the phone.
pub(super) struct AwaitPairing {
    pairing: Pairing,
    offer: Offer,
    first_ref: Duration,
}

enum Offer {
    /// The server has not sent its refs.
    Awaited { deadline: Instant },
    /// Codes are or were on show.
    Made { since: Instant },
}

/// The pairing reply is sent; the server restarts the connection.
pub(super) struct AwaitRestart {
    pub(super) deadline: Instant,
}

impl AwaitPairing {
    pub(super) fn new(config: &Config, device: &Device, now: Now) -> Self {
        let keys = PairKeys {
            noise: device.noise_public(),
            identity: device.identity().clone(),
            adv: device.adv().clone(),
        };
        let pairing = Pairing::new(
            keys,
            PairConfig {
                client_type: config.qr_client_type(),
                qr_form: config.qr_form,
                require_approval: config.require_approval,
                companion: CompanionPlatform::new(config.qr_client_type(), &config.device.name),
                device_type: config.device.platform as u32,
                timings: config.timings.pairing,
                ..PairConfig::default()
            },
        );
        Self {
            pairing,
            offer: Offer::Awaited {
                deadline: now.instant + config.timings.pair_device,
            },
            first_ref: config.timings.pairing.first_ref,
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
        if let Offer::Awaited { deadline } = self.offer
            && deadline <= now.instant
        {
            return Err(End::lost(DisconnectReason::TimedOut(Awaited::PairDevice)));
        }
        self.pairing.handle_timeout(now.instant, &mut *core.rng);
        self.carry_out(core, line, now)
    }

    /// The server ends the window by closing. Before the first code has had its time, or when the network
    /// breaks, it is a loss like any other.
    pub(super) fn closed(&self, _core: &Core, now: Now, cause: CloseCause) -> End {
        match (&self.offer, &cause) {
            (Offer::Made { since }, CloseCause::Peer { .. })
                if *since + self.first_ref <= now.instant =>
            {
                End::PairingExpired
            }
            _ => End::lost(cause),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let offer = match self.offer {
            Offer::Awaited { deadline } => Some(deadline),
            Offer::Made { .. } => None,
        };
        earlier(offer, self.pairing.poll_timeout())
    }

    pub(super) const fn state(&self) -> ConnectionState {
        match self.offer {
            Offer::Awaited { .. } => ConnectionState::Starting,
            Offer::Made { .. } => ConnectionState::AwaitingPairing,
        }
    }

    /// Does what the pairing wants done, in its order: what it persists comes before what it sends.
    fn carry_out(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        while let Some(output) = self.pairing.poll_output() {
            match output {
                PairOutput::Send(stanza) => line.send(core, &stanza)?,
                PairOutput::PersistAdvSecret(secret) => {
                    if let Some(device) = &mut core.device {
                        let changes = device.set_adv(secret);
                        core.persist(changes);
                    }
                }
                PairOutput::PersistPaired(paired) => {
                    if let Some(device) = &mut core.device {
                        let changes = device.link_to(&paired, now.unix_secs());
                        core.persist(changes);
                    }
                    core.paired_in = Some(core.epoch);
                    if let Some(secs) = paired.server_time {
                        core.clock.set(now, secs, Duration::ZERO);
                    }
                }
                PairOutput::Qr(code) => self.show(core, now, code),
                PairOutput::QrExpired => core.blank_qr(),
                PairOutput::Verifying => core.progress(Step::Verifying),
                PairOutput::ApprovalNeeded(candidate) => {
                    core.tell(Event::ApprovalNeeded(candidate));
                }
                PairOutput::Paired(summary) => {
                    core.blank_qr();
                    core.tell(Event::Paired {
                        jid: summary.jid,
                        lid: summary.lid,
                        platform: summary.platform,
                        business_name: summary.business_name,
                        key_index: summary.key_index,
                    });
                    core.progress(Step::Restarting);
                    return Ok(Stage::Restarting(AwaitRestart {
                        deadline: now.instant + core.config.timings.restart,
                    }));
                }
                PairOutput::Failed(error) => {
                    return Err(End::PairingFailed(PairingFailure::Identity(error)));
                }
                PairOutput::Exhausted => return Err(End::PairingExpired),
                _ => tracing::error!("the pairing wants something this engine does not know"),
            }
        }
        Ok(Stage::Pairing(self))
    }

    fn show(&mut self, core: &mut Core, now: Now, code: QrCode) {
        if let Offer::Awaited { .. } = self.offer {
            self.offer = Offer::Made { since: now.instant };
            core.progress(Step::WaitingForScan);
        }
        core.shown = Shown::Qr;
        core.tell(Event::Qr {
            text: code.text,
            seq: code.seq,
            ttl: code.ttl,
            expires_at_unix_ms: now.unix_ms_at(code.deadline),
        });
    }
}

impl AwaitRestart {
    /// The server asks although the signed reply is out. An error in answer to a pair-success that is sent
    /// again would say that the pairing has failed.
    pub(super) fn asked(
        &self,
        core: &mut Core,
        line: &mut Line,
        iq: &NodeRef<'_>,
    ) -> Result<(), End> {
        if iq.child("pair-success").is_some() {
            debug!("a pair-success that is answered already");
            return Ok(());
        }
        if iq.child("pair-device").is_some() {
            return match stanza::result(iq) {
                Some(result) => line.send(core, &result),
                None => Ok(()),
            };
        }
        respond(core, line, iq)
    }

    /// The reply is sent, so the login decides, whether or not the server has asked for it.
    pub(super) fn timeout(self, now: Now) -> Result<Stage, End> {
        if now.instant < self.deadline {
            Ok(Stage::Restarting(self))
        } else {
            Err(End::Restart)
        }
    }
}

impl Core {
    /// Tells that the code on show is dead, if there is one.
    pub(super) fn blank_qr(&mut self) {
        if std::mem::replace(&mut self.shown, Shown::Nothing) == Shown::Qr {
            self.tell(Event::QrBlanked);
        }
    }
}
