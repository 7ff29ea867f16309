use std::time::{Duration, Instant};

use tracing::info;
use wa_noise::ServerStatic;
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::session::Session;
use super::stage::Stage;
use crate::error::{Awaited, DisconnectReason};
use crate::stanza;
use crate::time::Now;

/// The handshake carried a login; the server says yes or no.
pub(super) struct AwaitSuccess {
    pub(super) deadline: Instant,
    /// Key of the server, if this handshake has taught it; kept once the login has worked.
    server: Option<ServerStatic>,
}

impl AwaitSuccess {
    pub(super) fn new(core: &Core, now: Now, server: Option<ServerStatic>) -> Self {
        Self {
            deadline: now.instant + core.config.timings.login,
            server,
        }
    }

    /// Takes over what the server tells with its yes (login chapter, section 2).
    pub(super) fn success(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        success: &NodeRef<'_>,
    ) -> Result<Stage, End> {
        if let Some(secs) = success.attr_u64("t") {
            core.clock.set(now, secs, Duration::ZERO);
        }
        core.backoff.reset();
        core.refusals.new_round();
        core.unproved = core.unproved.saturating_add(1);
        core.logged_in = true;
        core.health.login_round_trips = Some(core.round_trips);
        core.connects = core.connects.saturating_add(1);
        let name = success.attr_text("display_name").map(Into::into);
        if let Some(device) = &mut core.device {
            let mut changes = device.logged_in(core.config.root, success.attr_jid("lid"), name);
            if self.server.is_some() {
                changes = changes.and(device.set_server(self.server));
            }
            core.persist(changes);
        }
        info!(offset_ms = core.clock.offset_ms(), "logged in");
        if core.config.login.unified_session {
            let id = core.clock.session_id(now);
            line.send(core, &stanza::unified_session(id))?;
        }
        Session::begin(core, line, now)
    }

    pub(super) fn timeout(self, now: Now) -> Result<Stage, End> {
        if now.instant < self.deadline {
            Ok(Stage::LoggingIn(self))
        } else {
            Err(End::lost(DisconnectReason::TimedOut(Awaited::Login)))
        }
    }
}
