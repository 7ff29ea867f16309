use std::time::Instant;

use tracing::debug;
use wa_proto::NodeRef;

use crate::engine::connected::Line;
use crate::engine::core::Core;
use crate::engine::end::End;
use crate::engine::stage::{Stage, respond};
use crate::stanza;
use crate::time::Now;

/// The pairing reply is sent; the server restarts the connection.
pub(in crate::engine) struct AwaitRestart {
    pub(in crate::engine) deadline: Instant,
}

impl AwaitRestart {
    /// The server asks although the signed reply is out. An error in answer to a pair-success that is sent
    /// again would say that the pairing has failed.
    pub(in crate::engine) fn asked(
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
    pub(in crate::engine) fn timeout(self, now: Now) -> Result<Stage, End> {
        if now.instant < self.deadline {
            Ok(Stage::Restarting(self))
        } else {
            Err(End::Restart)
        }
    }
}
