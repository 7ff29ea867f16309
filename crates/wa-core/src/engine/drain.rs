use std::time::Instant;

use tracing::info;
use wa_proto::NodeRef;

use super::core::Core;
use crate::event::Event;
use crate::time::Now;

/// The stanzas that waited at the server while we were away (login chapter, section 6).
#[derive(Clone, Copy, Debug)]
pub(super) enum Drain {
    /// The server was not told yet that we are active.
    Ahead {
        stanzas: u64,
    },
    Running {
        stanzas: u64,
        deadline: Instant,
    },
    Done,
}

impl Drain {
    pub(super) const fn new() -> Self {
        Self::Ahead { stanzas: 0 }
    }

    /// The server was told that we are active: it sends what waits.
    pub(super) fn begin(&mut self, core: &Core, now: Now) {
        if let Self::Ahead { stanzas } = *self {
            *self = Self::Running {
                stanzas,
                deadline: now.instant + core.config.timings.drain,
            };
        }
    }

    /// A stanza has come; one that waited is progress.
    pub(super) fn stanza(&mut self, core: &Core, now: Now, stanza: &NodeRef<'_>) {
        if stanza.attr("offline").is_none() {
            return;
        }
        match self {
            Self::Ahead { stanzas } => *stanzas += 1,
            Self::Running { stanzas, deadline } => {
                *stanzas += 1;
                *deadline = now.instant + core.config.timings.drain;
            }
            Self::Done => {}
        }
    }

    /// The server says that nothing waits any more.
    pub(super) fn end(&mut self, core: &mut Core) {
        self.finish(core, true);
    }

    pub(super) fn timeout(&mut self, core: &mut Core, now: Now) {
        if self
            .deadline()
            .is_some_and(|deadline| deadline <= now.instant)
        {
            self.finish(core, false);
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Running { deadline, .. } => Some(*deadline),
            _ => None,
        }
    }

    fn finish(&mut self, core: &mut Core, complete: bool) {
        let (Self::Ahead { stanzas } | Self::Running { stanzas, .. }) = *self else {
            return;
        };
        *self = Self::Done;
        info!(stanzas, complete, "waiting stanzas are over");
        core.tell(Event::CaughtUp { stanzas, complete });
    }
}
