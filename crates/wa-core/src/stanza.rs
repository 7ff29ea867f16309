//! The stanzas we send that no other crate builds.

use wa_proto::{Jid, Node, NodeRef, Value};

use crate::iq::request;

/// Waiting stanzas asked for at a time (login chapter, section 6).
const OFFLINE_BATCH: u64 = 200;

pub(crate) fn ping(id: &str) -> Node {
    request("get", "w:p", id)
}

pub(crate) fn active(id: &str) -> Node {
    request("set", "passive", id).child(Node::new("active"))
}

pub(crate) fn unlink(id: &str, own: &Jid) -> Node {
    request("set", "md", id).child(
        Node::new("remove-companion-device")
            .attr("jid", own)
            .attr("reason", "user_initiated"),
    )
}

pub(crate) fn clean(id: &str, kind: &str, timestamp: &str) -> Node {
    request("set", "urn:xmpp:whatsapp:dirty", id).child(
        Node::new("clean")
            .attr("type", kind)
            .attr("timestamp", timestamp),
    )
}

/// Asks which devices a user has (pairing chapter, F.3). The `sid` is one more id of ours.
pub(crate) fn devices(id: &str, user: &Jid) -> Node {
    request("get", "usync", id).child(
        Node::new("usync")
            .attr("sid", id)
            .attr("mode", "query")
            .attr("last", "true")
            .attr("index", "0")
            .attr("context", "message")
            .child(Node::new("query").child(Node::new("devices").attr("version", "2")))
            .child(Node::new("list").child(Node::new("user").attr("jid", user))),
    )
}

pub(crate) fn offline_batch() -> Node {
    Node::new("ib").child(Node::new("offline_batch").attr("count", OFFLINE_BATCH))
}

pub(crate) fn unified_session(id: u64) -> Node {
    Node::new("ib").child(Node::new("unified_session").attr("id", id))
}

/// The answer to a request of the server: a result for a ping, error 501 for anything else. `None` when
/// the request has no id to answer to.
pub(crate) fn answer(iq: &NodeRef<'_>) -> Option<Node> {
    if is_ping(iq) {
        return result(iq);
    }
    Some(
        reply(iq)?.attr("type", "error").child(
            Node::new("error")
                .attr("code", "501")
                .attr("text", "feature-not-implemented"),
        ),
    )
}

/// The plain result of a request of the server. `None` when the request has no id to answer to.
pub(crate) fn result(iq: &NodeRef<'_>) -> Option<Node> {
    Some(reply(iq)?.attr("type", "result"))
}

fn reply(iq: &NodeRef<'_>) -> Option<Node> {
    let id = Value::from(iq.attr("id")?);
    let to = iq
        .attr("from")
        .map_or_else(|| Jid::server_jid().into(), Value::from);
    Some(Node::new("iq").attr("to", to).attr("id", id))
}

/// In one of three forms; the last is that of our own pings.
fn is_ping(iq: &NodeRef<'_>) -> bool {
    let xmlns = iq.attr_text("xmlns");
    let bare_get =
        || iq.attr_text("type").as_deref() == Some("get") && iq.children().next().is_none();
    match xmlns.as_deref() {
        Some("urn:xmpp:ping") => true,
        Some("w:p") if bare_get() => true,
        _ => iq.child("ping").is_some(),
    }
}

/// Whether a stanza must be acked (login chapter, section 12.1).
pub(crate) fn wants_ack(stanza: &NodeRef<'_>) -> bool {
    ["message", "receipt", "notification", "call", "status"]
        .iter()
        .any(|tag| stanza.tag() == *tag)
}

/// The plain ack of a stanza: attributes copied, `type` for all but messages, and none where there was none
/// (login chapter, section 12.2). `None` when `id` or `from` is missing.
pub(crate) fn ack(stanza: &NodeRef<'_>) -> Option<Node> {
    let copy = |name| stanza.attr(name).map(Value::from);
    let ack = Node::new("ack")
        .attr("class", stanza.tag())
        .attr("id", copy("id")?)
        .attr("to", copy("from")?)
        .attr_if("participant", copy("participant"))
        .attr_if("recipient", copy("recipient"));
    Some(if stanza.tag() == "message" {
        ack
    } else {
        ack.attr_if("type", copy("type"))
    })
}
