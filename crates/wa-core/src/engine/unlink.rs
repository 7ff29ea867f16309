use std::time::Instant;

use super::core::Core;
use super::end::End;
use super::stage::{Answer, Stage};
use crate::error::LogoutReason;
use crate::iq::Purpose;
use crate::time::Now;

/// The server is asked to unlink this device. Whatever it says, the credentials go.
pub(super) struct AwaitUnlink {
    pub(super) deadline: Instant,
}

impl AwaitUnlink {
    pub(super) fn new(core: &Core, now: Now) -> Self {
        Self {
            deadline: now.instant + core.config.timings.logout,
        }
    }

    pub(super) fn answer(self, purpose: Purpose, answer: Answer<'_>) -> Result<Stage, End> {
        match (purpose, answer) {
            (Purpose::Unlink, Answer::Result(_)) => Err(self.confirmed()),
            (Purpose::Unlink, Answer::Error(_)) => Err(self.unanswered()),
            _ => Ok(Stage::Unlinking(self)),
        }
    }

    pub(super) fn timeout(self, now: Now) -> Result<Stage, End> {
        if now.instant < self.deadline {
            Ok(Stage::Unlinking(self))
        } else {
            Err(self.unanswered())
        }
    }

    /// The server has unlinked us.
    pub(super) fn confirmed(&self) -> End {
        logged_out(true)
    }

    /// It was asked and has not said so.
    pub(super) fn unanswered(&self) -> End {
        logged_out(false)
    }
}

/// Whatever ends the connection after the server was asked, the logout is carried out.
pub(super) fn cut_short(end: End) -> End {
    match end {
        logout @ End::LogOut { .. } => logout,
        _ => logged_out(false),
    }
}

const fn logged_out(server_unlinked: bool) -> End {
    End::LogOut {
        reason: LogoutReason::Requested,
        server_unlinked: Some(server_unlinked),
    }
}
