use tracing::debug;
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::stage::Stage;
use crate::device::MAX_ROUTING_LEN;
use crate::error::PairingFailure;
use crate::time::Now;

impl Stage {
    /// Notes of the server about the connection (login chapter, section 6).
    pub(super) fn ib(
        self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        ib: &NodeRef<'_>,
    ) -> Result<Self, End> {
        if ib.child("downgrade_webclient").is_some() && core.registered().is_none() {
            return Err(End::PairingFailed(PairingFailure::NoMultiDevice));
        }
        if let Some(routing) = ib
            .child("edge_routing")
            .and_then(|edge| edge.child("routing_info"))
        {
            remember_routing(core, &routing);
        }
        match self {
            Self::Session(session) => session.ib(core, line, now, ib),
            other => Ok(other),
        }
    }
}

/// The latest wins; it is used as the preamble of the next connection.
fn remember_routing(core: &mut Core, routing: &NodeRef<'_>) {
    let Some(bytes) = routing.bytes() else {
        return;
    };
    let Some(device) = &mut core.device else {
        return;
    };
    if bytes.is_empty() || bytes.len() > MAX_ROUTING_LEN {
        debug!(
            len = bytes.len(),
            limit = MAX_ROUTING_LEN,
            "routing info of an odd length"
        );
        return;
    }
    if device.routing() == Some(&*bytes) {
        return;
    }
    let changes = device.set_routing(Some(bytes.into_owned()));
    core.persist(changes);
}
