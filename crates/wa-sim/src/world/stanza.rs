//! Where a decoded stanza goes.

use wa_proto::{Jid, Node, NodeRef};

use super::World;
use super::conn::{Conn, Phase};
use super::iq::kind_of;
use crate::fault::StreamError;

impl World {
    pub(super) fn read_stanza(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        tracing::trace!(conn = conn.id.number(), tag = %stanza.tag(), "received");
        if stanza.tag() == "xmlstreamend" {
            self.end_stream(conn, &StreamError::StreamEnd);
            return;
        }
        conn.answering = kind_of(stanza);
        match conn.phase {
            Phase::Registering(_) => self.read_registering(conn, stanza),
            Phase::Online(_) => self.read_online(conn, stanza),
            _ => {}
        }
        conn.answering = None;
    }

    /// A stanza of a logged-in companion.
    fn read_online(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        let tag = stanza.tag();
        if tag == "iq" {
            self.read_iq(conn, stanza);
        } else if tag == "ack" {
            self.read_ack(conn, stanza);
        } else if tag == "receipt" {
            self.settle_by_receipt(conn, stanza);
            self.acknowledge(conn, stanza);
        } else if tag == "message" || tag == "call" {
            self.acknowledge(conn, stanza);
        } else if tag == "ib" || tag == "presence" || tag == "chatstate" {
            // Heard and needing no answer.
        } else {
            self.unexpected(conn, stanza);
        }
    }

    /// The server's ack of what a client sent. Nothing is delivered to anybody.
    fn acknowledge(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        let Some(id) = stanza.attr_text("id") else {
            return;
        };
        let from = stanza.attr_jid("to").unwrap_or_else(Jid::server_jid);
        let mut ack = Node::new("ack")
            .attr("class", stanza.tag().to_string())
            .attr("id", id.into_owned())
            .attr("from", from);
        if stanza.tag() == "message" {
            ack = ack.attr("t", self.now.unix_secs().to_string());
        }
        if stanza.tag() == "receipt"
            && let Some(kind) = stanza.attr_text("type")
        {
            ack = ack.attr("type", kind.into_owned());
        }
        self.send(conn, &ack);
    }
}
