use wa_proto::{Jid, Node, NodeRef, Str, tok};

use crate::{PairError, SignedIdentity};

/// Longest error text kept, in characters.
const MAX_ERROR_TEXT_LEN: usize = 64;

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

/// The ack of a notification.
pub(crate) fn ack(id: &str, kind: &'static str) -> Node {
    Node::new(tok!("ack"))
        .attr(tok!("class"), tok!("notification"))
        .attr(tok!("type"), kind)
        .attr(tok!("id"), id.to_owned())
        .attr(tok!("to"), Jid::server_jid())
}

/// An iq of ours that asks for something, without its id.
pub(crate) fn request(kind: &'static str) -> Node {
    Node::new(tok!("iq"))
        .attr(tok!("type"), kind)
        .attr(tok!("xmlns"), "md")
        .attr(tok!("to"), Jid::server_jid())
}

/// The code of an iq of type `error`.
pub(crate) fn error_code(iq: &NodeRef<'_>) -> Option<u16> {
    u16::try_from(iq.child("error")?.attr_u64("code")?).ok()
}

/// Its text, fit for a screen: without control characters, and short.
pub(crate) fn error_text(iq: &NodeRef<'_>) -> Option<String> {
    let text: String = iq
        .child("error")?
        .attr_text("text")?
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_ERROR_TEXT_LEN)
        .collect();
    if text.is_empty() { None } else { Some(text) }
}

fn iq(id: &str, kind: Str) -> Node {
    Node::new(tok!("iq"))
        .attr(tok!("type"), kind)
        .attr(tok!("id"), id.to_owned())
        .attr(tok!("to"), Jid::server_jid())
}
