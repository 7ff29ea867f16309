//! What the world waits for.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::names::{ConnId, PhoneNumber, ScanId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The handshake takes too long.
    Handshake(ConnId),
    /// Nobody scanned a code of this connection.
    RefWindow(ConnId),
    /// The signed reply does not come.
    SignReply(ConnId, ScanId),
    /// The restart is due.
    Restart(ConnId),
    /// Time to ping, or to give up a connection that says nothing.
    Ping(ConnId),
    /// The last word has been out long enough.
    Close(ConnId),
    /// A delay is over on a connection that is over.
    LastWords(ConnId),
    /// A delay is over.
    Release(ConnId),
    /// A stanza may have waited too long for its ack.
    Ack(ConnId),
    /// A phone's owner has pointed it at a code, or typed one.
    Scan(ScanId),
    /// The companion does not answer an entered code.
    CodeFinish(PhoneNumber, ScanId),
    /// A passkey ceremony takes too long.
    Passkey(ConnId, ScanId),
    /// A phone's owner has compared the codes.
    Confirm(ConnId, ScanId),
    /// A phone in a passkey ceremony has what it needs for its next word.
    PhoneAnswer(ConnId, ScanId),
}

/// Deadlines in order. A timer whose subject is gone does nothing when it comes.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<(Instant, u64), Timer>,
    sequence: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, timer: Timer) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), timer);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn due(&mut self, now: Instant) -> Option<Timer> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
