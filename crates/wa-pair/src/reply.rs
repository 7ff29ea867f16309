use wa_proto::{Jid, Node, Str, tok};

use crate::{PairError, SignedIdentity};

/// The notification type that asks for a new ADV secret.
pub(crate) const REFRESH_NOTIFICATION: &str = "companion_reg_refresh";

/// `<iq type="result"/>` that acknowledges a pair-device.
pub(crate) fn result(id: &str) -> Node {
    iq(id, tok!("result"))
}

/// The signed reply to a pair-success (pairing chapter, A.8).
pub(crate) fn pair_device_sign(id: &str, account: &SignedIdentity, key_index: u32) -> Node {
    let identity = Node::new(tok!("device-identity"))
        .attr(tok!("key-index"), key_index.to_string())
        .bytes(account.encode_for_reply());
    iq(id, tok!("result")).child(Node::new(tok!("pair-device-sign")).child(identity))
}

/// The reply that refuses a pair-success (pairing chapter, A.8).
pub(crate) fn refusal(id: &str, error: &PairError) -> Node {
    let reply = error.reply();
    let error = Node::new(tok!("error"))
        .attr(tok!("code"), reply.code.to_string())
        .attr(tok!("text"), reply.text);
    iq(id, tok!("error")).child(error)
}

/// The ack of a refresh notification (pairing chapter, A.4).
pub(crate) fn refresh_ack(id: &str) -> Node {
    Node::new(tok!("ack"))
        .attr(tok!("class"), tok!("notification"))
        .attr(tok!("type"), REFRESH_NOTIFICATION)
        .attr(tok!("id"), id.to_owned())
        .attr(tok!("to"), Jid::server_jid())
}

fn iq(id: &str, kind: Str) -> Node {
    Node::new(tok!("iq"))
        .attr(tok!("type"), kind)
        .attr(tok!("id"), id.to_owned())
        .attr(tok!("to"), Jid::server_jid())
}
