//! The iqs of the code flow (pairing chapter, B.4 and B.5).

use wa_crypto::{IdentityPublic, NoiseStaticPublic, PublicKey as _};
use wa_proto::{Jid, Node, NodeRef};

use super::{Finish, WrappedEphemeral};
use crate::CompanionPlatform;
use crate::refs::MAX_REF_LEN;
use crate::reply;

/// Type of the server's notifications, and tag of everything in this flow.
pub(crate) const LINK_CODE: &str = "link_code_companion_reg";

const REF: &str = "link_code_pairing_ref";

pub(crate) fn companion_hello(
    jid: &Jid,
    push: bool,
    wrapped: &WrappedEphemeral,
    noise: &NoiseStaticPublic,
    companion: &CompanionPlatform,
) -> Node {
    let child = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes);
    let mut id = [0; 4];
    let id = companion.id.code().encode_utf8(&mut id);
    let body = stage(jid, "companion_hello")
        .attr(
            "should_show_push_notification",
            if push { "true" } else { "false" },
        )
        .children([
            child(
                "link_code_pairing_wrapped_companion_ephemeral_pub",
                &wrapped.to_bytes(),
            ),
            child("companion_server_auth_key_pub", noise.as_bytes()),
            child("companion_platform_id", id.as_bytes()),
            child("companion_platform_display", companion.display.as_bytes()),
            child("link_code_pairing_nonce", &[0]),
        ]);
    reply::request("set").child(body)
}

pub(crate) fn companion_finish(
    jid: &Jid,
    finish: &Finish,
    identity: &IdentityPublic,
    reference: &[u8],
) -> Node {
    let body = stage(jid, "companion_finish").children([
        Node::new("link_code_pairing_wrapped_key_bundle").bytes(finish.wrapped_bundle.as_slice()),
        Node::new("companion_identity_public").bytes(identity.as_bytes().as_slice()),
        Node::new(REF).bytes(reference),
    ]);
    reply::request("set").child(body)
}

/// The ref in a node of this flow; `None` when it is missing, empty or too long.
pub(crate) fn reference(body: &NodeRef<'_>) -> Option<Vec<u8>> {
    let bytes = body.child(REF)?.bytes()?;
    (1..=MAX_REF_LEN)
        .contains(&bytes.len())
        .then(|| bytes.into_owned())
}

fn stage(jid: &Jid, name: &'static str) -> Node {
    Node::new(LINK_CODE).attr("jid", jid).attr("stage", name)
}
