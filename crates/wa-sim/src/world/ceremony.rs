//! What codes and passkeys have in common: notifications whose acks are awaited, and refusals.

use wa_proto::{Jid, Node};

use super::conn::Conn;
use super::iq::Answer;
use super::remark::CeremonyError;
use super::{Misbehaviour, World};

impl World {
    /// Sends a notification of this type, whose ack is awaited.
    pub(super) fn notify(&mut self, conn: &mut Conn, kind: &'static str, child: Node) {
        self.notify_with(conn, kind, Some(child));
    }

    /// The same with a child that may be missing.
    pub(super) fn notify_with(&mut self, conn: &mut Conn, kind: &'static str, child: Option<Node>) {
        let id = Self::stanza_id(conn);
        if let Some(registration) = conn.registration() {
            registration.await_ack(id.clone(), kind);
        }
        let notification = Node::new("notification")
            .attr("type", kind)
            .attr("id", id)
            .attr("from", Jid::server_jid())
            .attr("t", self.now.unix_secs().to_string())
            .children(child);
        self.send(conn, &notification);
    }

    /// Remarks on a companion that goes on before it has acknowledged a notification of this type.
    pub(super) fn unacknowledged(&mut self, conn: &mut Conn, kind: &'static str) {
        let waits = conn
            .registration()
            .is_some_and(|registration| registration.awaits_ack(kind));
        if waits {
            self.remark(conn, Misbehaviour::Unacknowledged { kind });
        }
    }

    /// Remarks on a request and refuses it.
    pub(super) fn ceremony_refused(
        &mut self,
        conn: &Conn,
        request: &'static str,
        rule: CeremonyError,
    ) -> Answer {
        self.ceremony_remark(conn, request, rule);
        Answer::Error(400, "bad-request")
    }

    pub(super) fn ceremony_remark(
        &mut self,
        conn: &Conn,
        request: &'static str,
        rule: CeremonyError,
    ) {
        self.remark(conn, Misbehaviour::Ceremony { request, rule });
    }
}
