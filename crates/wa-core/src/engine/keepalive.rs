use std::time::{Duration, Instant};

use wa_crypto::CryptoRng;

use crate::backoff::uniform;
use crate::config::Timings;
use crate::time::earlier;

/// Pings of one logged-in connection (login chapter, section 8).
#[derive(Debug)]
pub(super) struct Keepalive {
    next_ping: Instant,
    /// When the oldest ping was sent that no frame has followed.
    unproved_since: Option<Instant>,
    last_pong: Instant,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The connection is dead.
    Dead,
}

impl Keepalive {
    pub(super) fn new(
        timings: &Timings,
        now: Instant,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        Self {
            next_ping: now + pause(timings, rng),
            unproved_since: None,
            last_pong: now,
        }
    }

    /// Any frame proves that the connection works.
    pub(super) const fn frame_came(&mut self) {
        self.unproved_since = None;
    }

    pub(super) const fn pong_came(&mut self, now: Instant) {
        self.last_pong = now;
    }

    /// Says what is due; a due ping is taken to be sent.
    pub(super) fn poll(
        &mut self,
        timings: &Timings,
        now: Instant,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Due {
        let unproved = self.unproved_since.map(|sent| sent + timings.ping_answer);
        if unproved.is_some_and(|limit| limit <= now)
            || self.last_pong + timings.ping_silence <= now
        {
            return Due::Dead;
        }
        if self.next_ping > now {
            return Due::Nothing;
        }
        self.next_ping = now + pause(timings, rng);
        self.unproved_since.get_or_insert(now);
        Due::Ping
    }

    pub(super) fn deadline(&self, timings: &Timings) -> Option<Instant> {
        let unproved = self.unproved_since.map(|sent| sent + timings.ping_answer);
        let silence = self.last_pong + timings.ping_silence;
        earlier(unproved, Some(self.next_ping.min(silence)))
    }
}

fn pause(timings: &Timings, rng: &mut (impl CryptoRng + ?Sized)) -> Duration {
    let spread = timings.ping_max.saturating_sub(timings.ping_min);
    timings.ping_min + uniform(spread, rng)
}
