use std::time::Duration;

use wa_pair::{PairOutput, PairSummary, QrCode};

use super::{AwaitPairing, AwaitRestart, Offer, Restart};
use crate::engine::connected::Line;
use crate::engine::core::Core;
use crate::engine::end::End;
use crate::engine::stage::Stage;
use crate::error::PairingFailure;
use crate::event::Event;
use crate::io::{Job, Output};
use crate::state::Step;
use crate::time::Now;

/// What is left to do after an output.
enum Next {
    GoOn,
    Restart,
}

impl AwaitPairing {
    /// Does what the pairing wants done, in its order: what it persists comes before what it sends.
    pub(super) fn carry_out(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        core.awaited_link = self.pairing.awaited_link();
        while let Some(output) = self.pairing.poll_output() {
            if let Next::Restart = self.output(core, line, now, output)? {
                return match self.restart {
                    Restart::HeldBack => Err(End::Restart),
                    Restart::NotAskedFor => Ok(Stage::Restarting(AwaitRestart {
                        deadline: now.instant + core.config.timings.restart,
                    })),
                };
            }
        }
        if let Offer::Awaited { .. } = self.offer
            && self.pairing.is_offered()
        {
            self.offer = Offer::Made { since: now.instant };
        }
        Ok(Stage::Pairing(self))
    }

    fn output(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        output: PairOutput,
    ) -> Result<Next, End> {
        match output {
            PairOutput::Send(stanza) => line.send(core, &stanza)?,
            PairOutput::Request {
                request,
                stanza,
                timeout,
            } => line.pair_request(core, now, request, stanza, timeout)?,
            PairOutput::Compute(work) => {
                let epoch = core.epoch;
                core.outputs.push_back(Output::Compute(Job { epoch, work }));
            }
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
            PairOutput::ApprovalNeeded(candidate) => core.tell(Event::ApprovalNeeded(candidate)),
            PairOutput::Paired(summary) => {
                core.paired(summary);
                return Ok(Next::Restart);
            }
            PairOutput::Failed(error) => {
                return Err(End::PairingFailed(PairingFailure::Identity(error)));
            }
            PairOutput::Exhausted => return Err(End::PairingExpired),
            PairOutput::RestartNow => return Err(End::Restart),
            ceremony => self.tell(core, now, ceremony),
        }
        Ok(Next::GoOn)
    }

    /// What the application is told about links by code and by passkey.
    fn tell(&mut self, core: &mut Core, now: Now, output: PairOutput) {
        match output {
            PairOutput::Code(code) => core.show_code(now, code),
            PairOutput::CodeRefused(refusal) => core.code_refused(refusal),
            PairOutput::CodeEnded(end) => core.code_ended(end),
            PairOutput::CodeRefresh { force_manual } => {
                core.tell(Event::PairingCodeRefresh { force_manual });
            }
            PairOutput::PasskeyRequested(challenge) => core.ask_for_passkey(now, challenge),
            PairOutput::PasskeyConfirmation { code, deadline } => {
                core.tell(Event::PasskeyConfirmation {
                    code,
                    expires_at_unix_ms: now.unix_ms_at(deadline),
                });
            }
            PairOutput::PasskeyEnded(end) => core.passkey_ended(end),
            _ => tracing::error!("the pairing wants something this engine does not know"),
        }
    }

    fn show(&mut self, core: &mut Core, now: Now, code: QrCode) {
        if code.seq == 1 {
            core.progress(Step::WaitingForScan);
        }
        core.shown.qr = true;
        core.tell(Event::Qr {
            text: code.text,
            seq: code.seq,
            ttl: code.ttl,
            expires_at_unix_ms: now.unix_ms_at(code.deadline),
        });
    }
}

impl Core {
    /// Credentials are durable and the reply is out: nothing that was on offer matters any more.
    fn paired(&mut self, summary: PairSummary) {
        // Those of the ceremonies before have nothing to do with the one that follows.
        self.restarts = 0;
        self.blank_qr();
        self.offers_are_over();
        self.tell(Event::Paired {
            jid: summary.jid,
            lid: summary.lid,
            platform: summary.platform,
            business_name: summary.business_name,
            key_index: summary.key_index,
        });
        self.progress(Step::Restarting);
    }

    /// Tells that the QR code on show is dead, if there is one.
    pub(in crate::engine) fn blank_qr(&mut self) {
        if std::mem::take(&mut self.shown.qr) {
            self.tell(Event::QrBlanked);
        }
    }
}
