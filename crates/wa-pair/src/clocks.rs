use std::time::{Duration, Instant};

/// The ways to link that can be open at once on one connection. Each has its own clock; none closes
/// the connection while another lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The ref on show: 60 s, then 20 s each (pairing chapter, A.3).
    Qr,
    /// An outstanding pairing code: 180 s, and 60 s from primary_hello to pair-success (B.6).
    Code,
    /// The stage of a passkey ceremony (C.6).
    Passkey,
}

impl Clock {
    pub(crate) const ALL: [Self; 3] = [Self::Qr, Self::Code, Self::Passkey];
}

/// A running clock.
#[derive(Clone, Copy, Debug)]
struct Running {
    /// When it runs out.
    deadline: Instant,
    /// The flow has an HMAC pending that uses the ADV secret of now: a refresh must not replace it
    /// (A.4, step 5).
    holds_secret: bool,
}

/// The three independent clocks.
#[derive(Default)]
pub(crate) struct Clocks {
    qr: Option<Running>,
    code: Option<Running>,
    passkey: Option<Running>,
}

impl Clocks {
    /// Starts a clock, or sets one that runs.
    pub(crate) fn start(
        &mut self,
        clock: Clock,
        from: Instant,
        duration: Duration,
        holds_secret: bool,
    ) -> Instant {
        // A time that cannot be told is as good as none left.
        let deadline = from.checked_add(duration).unwrap_or(from);
        *self.slot(clock) = Some(Running {
            deadline,
            holds_secret,
        });
        deadline
    }

    /// Goes on with a clock of an earlier connection, whose flow holds the secret.
    pub(crate) fn resume(&mut self, clock: Clock, deadline: Instant) {
        *self.slot(clock) = Some(Running {
            deadline,
            holds_secret: true,
        });
    }

    /// Sets a clock that runs to an earlier time.
    pub(crate) fn shorten(&mut self, clock: Clock, limit: Instant) {
        if let Some(running) = self.slot(clock) {
            running.deadline = running.deadline.min(limit);
        }
    }

    pub(crate) fn stop(&mut self, clock: Clock) {
        *self.slot(clock) = None;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn deadline(&self, clock: Clock) -> Option<Instant> {
        self.get(clock).map(|running| running.deadline)
    }

    pub(crate) fn has_run_out(&self, clock: Clock, now: Instant) -> bool {
        self.deadline(clock).is_some_and(|deadline| deadline <= now)
    }

    /// The next clock to run out.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Clock::ALL
            .into_iter()
            .filter_map(|clock| self.deadline(clock))
            .min()
    }

    /// No way to link is open any more.
    pub(crate) fn all_dead(&self) -> bool {
        self.next_deadline().is_none()
    }

    /// A flow waits for a pair-success under the ADV secret of now.
    pub(crate) fn secret_is_held(&self) -> bool {
        Clock::ALL.into_iter().any(|clock| self.holds_secret(clock))
    }

    /// The flow of this clock does.
    pub(crate) fn holds_secret(&self, clock: Clock) -> bool {
        self.get(clock).is_some_and(|running| running.holds_secret)
    }

    fn slot(&mut self, clock: Clock) -> &mut Option<Running> {
        match clock {
            Clock::Qr => &mut self.qr,
            Clock::Code => &mut self.code,
            Clock::Passkey => &mut self.passkey,
        }
    }

    fn get(&self, clock: Clock) -> Option<Running> {
        match clock {
            Clock::Qr => self.qr,
            Clock::Code => self.code,
            Clock::Passkey => self.passkey,
        }
    }
}
