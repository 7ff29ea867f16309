use std::time::Duration;

use wa_crypto::CryptoRng;

use crate::config::ReconnectPolicy;

/// Pauses between attempts: Fibonacci, with jitter and a cap (login chapter, section 14).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Backoff {
    attempts: u32,
    /// Where in the sequence of pauses we are.
    steps: u32,
}

impl Backoff {
    /// Attempts in a row that have failed, this one included, after [`next`](Self::next).
    pub(crate) const fn attempts(self) -> u32 {
        self.attempts
    }

    /// Forgets all failures; only a login does that.
    pub(crate) const fn reset(&mut self) {
        self.attempts = 0;
        self.steps = 0;
    }

    /// Makes the next pause one that is `steps` further, after the server said that we are too fast.
    pub(crate) const fn skip(&mut self, steps: u32) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Counts a failed attempt and says how long to wait.
    pub(crate) fn next(
        &mut self,
        policy: &ReconnectPolicy,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        self.steps = self.steps.saturating_add(1);
        let plain = plain_pause(policy, self.steps);
        jitter(plain, policy.jitter_percent, rng)
    }
}

/// The pause with this place in the sequence, counted from 1, before jitter.
pub(crate) fn plain_pause(policy: &ReconnectPolicy, step: u32) -> Duration {
    let (mut previous, mut pause) = (Duration::ZERO, policy.base);
    for _ in 1..step {
        if pause >= policy.cap {
            break;
        }
        (previous, pause) = (pause, pause.saturating_add(previous));
    }
    pause.min(policy.cap)
}

/// A duration within `percent` of `around`, uniform.
fn jitter(around: Duration, percent: u32, rng: &mut (impl CryptoRng + ?Sized)) -> Duration {
    let spread = around * percent.min(100) / 100;
    (around - spread) + uniform(spread * 2, rng)
}

/// A duration from zero to `max`, uniform, in whole milliseconds: what is told as wall-clock time is then the
/// very moment of the timer.
pub(crate) fn uniform(max: Duration, rng: &mut (impl CryptoRng + ?Sized)) -> Duration {
    let millis = u64::try_from(max.as_millis()).unwrap_or(u64::MAX - 1);
    Duration::from_millis(rng.next_u64() % (millis + 1))
}
