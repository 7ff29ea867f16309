//! Refs on show: pair-device, rotation and refresh (pairing chapter, A.1, A.3, A.4).

use std::time::{Duration, Instant};

use wa_crypto::{AdvSecret, CryptoRng};
use wa_proto::NodeRef;

use super::{AwaitSuccess, Pairing, State};
use crate::clocks::Clock;
use crate::refs::RefQueue;
use crate::reply::{self, REFRESH_NOTIFICATION};
use crate::{PairOutput, QrCode, QrText};

/// The children that ask for a refresh; a notification without one of them is acked and ignored.
const REFRESH_CHILDREN: [&str; 2] = ["companion_reg_refresh", "pair-device-rotate-qr"];

impl Pairing {
    pub(super) fn pair_device(
        &mut self,
        now: Instant,
        id: &str,
        pair_device: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        self.outputs.push_back(PairOutput::Send(reply::result(id)));
        let State::AwaitSuccess(AwaitSuccess { refs }) = &mut self.state else {
            return;
        };
        *refs = RefQueue::read(pair_device);
        if refs.current().is_some() {
            self.start_qr_clock(now, self.config.timings.first_ref);
            self.show(now);
        } else {
            tracing::warn!("pair-device without a usable ref");
            self.blank();
        }
        self.offered = true;
        self.begin_wanted_code(now, rng);
    }

    /// Whether the server has made its offer, usable or not: codes can be asked for.
    pub fn is_offered(&self) -> bool {
        self.offered
    }

    /// Puts on show the ref whose time it is. A driver that comes late skips the refs it slept
    /// through: the server's clock did not wait either.
    pub(super) fn rotate(&mut self, now: Instant) {
        while let Some(deadline) = self.clocks.deadline(Clock::Qr)
            && deadline <= now
        {
            let State::AwaitSuccess(AwaitSuccess { refs }) = &mut self.state else {
                return;
            };
            if !refs.advance() {
                self.blank();
                return;
            }
            self.start_qr_clock(deadline, self.config.timings.next_ref);
        }
        self.show(now);
    }

    pub(super) fn refresh(
        &mut self,
        now: Instant,
        id: &str,
        notification: &NodeRef<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let asked = REFRESH_CHILDREN
            .iter()
            .any(|name| notification.child(name).is_some());
        let waiting = matches!(self.state, State::AwaitSuccess(_));
        let ack = reply::ack(id, REFRESH_NOTIFICATION);
        if !asked || !waiting || self.clocks.secret_is_held() {
            self.outputs.push_back(PairOutput::Send(ack));
            return;
        }
        self.adopt_secret(AdvSecret::generate(rng));
        self.outputs.push_back(PairOutput::Send(ack));
        self.redraw(now);
    }

    /// Takes the QR code off the screen for good.
    pub(super) fn blank(&mut self) {
        self.hide();
        self.clocks.stop(Clock::Qr);
    }

    /// Takes the QR code off the screen; its refs go on ageing.
    pub(super) fn hide(&mut self) {
        if self.clocks.deadline(Clock::Qr).is_some() && self.ceremony.is_none() {
            self.outputs.push_back(PairOutput::QrExpired);
        }
    }

    /// Shows the current ref once more, because what is written beside it has changed.
    pub(super) fn redraw(&mut self, now: Instant) {
        if self.clocks.has_run_out(Clock::Qr, now) {
            self.rotate(now);
        } else {
            self.show(now);
        }
    }

    /// Emits the current ref, written now, with the time it has left. During a ceremony the screen is
    /// the passkey's.
    fn show(&mut self, now: Instant) {
        if self.ceremony.is_some() {
            return;
        }
        let State::AwaitSuccess(AwaitSuccess { refs }) = &self.state else {
            return;
        };
        let (Some(reference), Some(deadline)) = (refs.current(), self.clocks.deadline(Clock::Qr))
        else {
            return;
        };
        let text = QrText::build(
            self.config.qr_form,
            reference,
            &self.keys.noise,
            &self.keys.identity.public(),
            &self.keys.adv,
            self.config.client_type,
        );
        self.seq = self.seq.saturating_add(1);
        let ttl = deadline.saturating_duration_since(now);
        self.outputs.push_back(PairOutput::Qr(QrCode {
            text,
            seq: self.seq,
            ttl,
            deadline,
        }));
    }

    fn start_qr_clock(&mut self, from: Instant, ttl: Duration) {
        self.clocks.start(Clock::Qr, from, ttl, false);
    }
}
