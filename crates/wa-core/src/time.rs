use std::time::{Duration, Instant};

/// The present, as the driver saw it when it called.
///
/// Timers run on `instant`; what is stored, shown or compared with the server runs on `unix_ms`. The
/// engine never reads a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// Monotonic time, for timers.
    pub instant: Instant,
    /// Wall-clock time in milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

impl Now {
    /// Joins the two readings.
    #[must_use]
    pub const fn new(instant: Instant, unix_ms: u64) -> Self {
        Self { instant, unix_ms }
    }

    /// Wall-clock time in whole seconds.
    #[must_use]
    pub const fn unix_secs(self) -> u64 {
        self.unix_ms / 1000
    }

    /// Wall-clock milliseconds of a monotonic deadline; a deadline in the past maps to now.
    #[must_use]
    pub fn unix_ms_at(self, deadline: Instant) -> u64 {
        let ahead = deadline.saturating_duration_since(self.instant);
        self.unix_ms
            .saturating_add(u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX))
    }

    /// This moment moved forward by `by`; for drivers that simulate time.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self {
            instant: self.instant + by,
            unix_ms: self
                .unix_ms
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// Difference between the server's clock and ours (login chapter, section 9).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct ServerClock {
    offset_ms: i64,
}

impl ServerClock {
    /// Sets the offset from a server time in Unix seconds, received after a round trip of `round_trip`.
    pub(crate) fn set(&mut self, now: Now, server_secs: u64, round_trip: Duration) {
        let server_ms = i64::try_from(server_secs.saturating_mul(1000)).unwrap_or(i64::MAX);
        let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
        let local = i64::try_from(now.unix_ms).unwrap_or(i64::MAX);
        self.offset_ms = server_ms.saturating_add(half).saturating_sub(local);
    }

    pub(crate) const fn offset_ms(self) -> i64 {
        self.offset_ms
    }

    /// Id of the current session week, as the `unified_session` stanza wants it.
    pub(crate) fn session_id(self, now: Now) -> u64 {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let server = now.unix_ms.saturating_add_signed(self.offset_ms);
        server.saturating_add(3 * DAY_MS) % (7 * DAY_MS)
    }
}

/// The earlier of two optional deadlines.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
