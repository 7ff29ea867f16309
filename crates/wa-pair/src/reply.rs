use wa_proto::{Jid, Node};

use crate::{PairError, SignedIdentity};

/// The notification type that asks for a new ADV secret.
pub(crate) const REFRESH_NOTIFICATION: &str = "companion_reg_refresh";

/// `<iq type="result"/>` that acknowledges a pair-device.
pub(crate) fn result(id: &str) -> Node {
    iq(id, "result")
}

/// The signed reply to a pair-success (pairing chapter, A.8).
pub(crate) fn pair_device_sign(id: &str, account: &SignedIdentity, key_index: u32) -> Node {
    let identity = Node::new("device-identity")
        .attr("key-index", key_index.to_string())
        .bytes(account.encode_for_reply());
    iq(id, "result").child(Node::new("pair-device-sign").child(identity))
}

/// The reply that refuses a pair-success (pairing chapter, A.8).
pub(crate) fn refusal(id: &str, error: &PairError) -> Node {
    let reply = error.reply();
    let error = Node::new("error")
        .attr("code", reply.code.to_string())
        .attr("text", reply.text);
    iq(id, "error").child(error)
}

/// The ack of a refresh notification (pairing chapter, A.4).
pub(crate) fn refresh_ack(id: &str) -> Node {
    Node::new("ack")
        .attr("class", "notification")
        .attr("type", REFRESH_NOTIFICATION)
        .attr("id", id.to_owned())
        .attr("to", Jid::server_jid())
}

fn iq(id: &str, kind: &'static str) -> Node {
    Node::new("iq")
        .attr("type", kind)
        .attr("id", id.to_owned())
        .attr("to", Jid::server_jid())
}
