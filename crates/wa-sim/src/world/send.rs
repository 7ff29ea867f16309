//! What the server sends: frames, stanzas, the end of a stream, and pings.

use wa_proto::{Jid, Node};

use super::conn::{Conn, Phase};
use super::timers::Timer;
use super::{Misbehaviour, World, WorldOutput};
use crate::fault::{Fault, IqKind, StanzaKind, StreamError};

/// Most a delay holds back of one connection, in bytes; one that gets more is closed.
pub const MAX_BACKLOG_LEN: usize = 4 << 20;

/// What a fault does with a stanza.
enum Mischief {
    Drop,
    Hold,
    Duplicate,
}

impl World {
    /// Queues bytes for a connection, as one message or as the faults want them.
    pub(super) fn transmit(&mut self, conn: &mut Conn, bytes: Vec<u8>) {
        if !conn.is_live() {
            return;
        }
        if let Some(delay) = &mut conn.delay {
            delay.held_back += bytes.len();
            delay.backlog.push(bytes);
            if delay.held_back > MAX_BACKLOG_LEN {
                tracing::warn!(conn = conn.id.number(), "too much waits behind a delay");
                conn.delay = None;
                self.close(conn);
            }
            return;
        }
        if let Some(chunk) = conn.split {
            for part in bytes.chunks(chunk) {
                self.outputs
                    .push_back(WorldOutput::Transmit(conn.id, part.to_vec()));
            }
            return;
        }
        let id = conn.id;
        if conn.join
            && let Some(message) = self
                .outputs
                .iter_mut()
                .rev()
                .find_map(|output| match output {
                    WorldOutput::Transmit(to, message) if *to == id => Some(message),
                    _ => None,
                })
        {
            message.extend_from_slice(&bytes);
            return;
        }
        self.outputs.push_back(WorldOutput::Transmit(id, bytes));
    }

    /// Sends a stanza, unless a fault does something else with it.
    pub(super) fn send(&mut self, conn: &mut Conn, stanza: &Node) {
        if !conn.is_live() {
            return;
        }
        match self.mischief(conn, stanza) {
            Some(Mischief::Drop) => return,
            Some(Mischief::Hold) => {
                conn.held = Some(stanza.clone());
                return;
            }
            Some(Mischief::Duplicate) => self.send_now(conn, stanza),
            None => {}
        }
        self.send_now(conn, stanza);
        if let Some(held) = conn.held.take() {
            self.send_now(conn, &held);
        }
    }

    fn mischief(&mut self, conn: &Conn, sent: &Node) -> Option<Mischief> {
        let answering = conn.answering;
        // A stanza is overtaken by one, not by all that follow.
        let may_hold = conn.held.is_none();
        let kind = kind_of(sent);
        let is_it = |stanza: &StanzaKind, request: &IqKind| match stanza {
            StanzaKind::Any => true,
            StanzaKind::Answer => {
                kind == Some(StanzaKind::Answer)
                    && (*request == IqKind::Any || Some(*request) == answering)
            }
            other => Some(*other) == kind,
        };
        self.take_fault(conn, |fault| match fault {
            Fault::Drop { stanza, request } if is_it(stanza, request) => Some(Mischief::Drop),
            Fault::Hold { stanza, request } if may_hold && is_it(stanza, request) => {
                Some(Mischief::Hold)
            }
            Fault::Duplicate { stanza, request } if is_it(stanza, request) => {
                Some(Mischief::Duplicate)
            }
            _ => None,
        })
    }

    fn send_now(&mut self, conn: &mut Conn, stanza: &Node) {
        let Some(transport) = &mut conn.transport else {
            return;
        };
        let mut frame = Vec::new();
        if transport
            .seal_frame_with(&mut frame, |out| stanza.encode_into(out))
            .is_err()
        {
            tracing::error!(
                conn = conn.id.number(),
                "a stanza of our own does not encode"
            );
            return;
        }
        tracing::trace!(conn = conn.id.number(), ?stanza, "sent");
        self.transmit(conn, frame);
    }

    /// Seals bytes that need not be a node.
    pub(super) fn send_plaintext(&mut self, conn: &mut Conn, plaintext: &[u8]) {
        let Some(transport) = &mut conn.transport else {
            return;
        };
        let mut frame = Vec::new();
        if transport.seal_frame(plaintext, &mut frame).is_ok() {
            self.transmit(conn, frame);
        }
    }

    /// An id for a stanza of the server, different from those before on this connection.
    pub(super) fn stanza_id(conn: &mut Conn) -> String {
        conn.stanzas += 1;
        format!("s{}-{}", conn.id.number(), conn.stanzas)
    }

    /// Sends the error, or the end, and closes.
    pub(super) fn end_stream(&mut self, conn: &mut Conn, error: &StreamError) {
        self.send_stream_error(conn, error);
        self.close_after_word(conn);
    }

    pub(super) fn send_stream_error(&mut self, conn: &mut Conn, error: &StreamError) {
        self.send(conn, &stream_error(error));
    }

    /// Pings, or gives the connection up when it has said nothing for too long.
    pub(super) fn ping(&mut self, conn: &mut Conn) {
        if !conn.is_live() {
            return;
        }
        let quiet = self.now.instant.saturating_duration_since(conn.last_heard);
        if quiet >= self.config.idle_timeout {
            self.remark(conn, Misbehaviour::Late("sign of life"));
            self.close(conn);
            return;
        }
        if self.config.server_ping.is_some() {
            let id = Self::stanza_id(conn);
            let ping = Node::new("iq")
                .attr("from", Jid::server_jid())
                .attr("id", id)
                .attr("type", "get")
                .attr("xmlns", "urn:xmpp:ping");
            self.send(conn, &ping);
        }
        self.schedule_ping(conn);
    }

    pub(super) fn schedule_ping(&mut self, conn: &Conn) {
        let interval = self.config.server_ping.unwrap_or(self.config.idle_timeout);
        self.timers
            .set(self.now.instant + interval, Timer::Ping(conn.id));
    }

    /// Whether the transport phase has begun.
    pub(super) fn in_transport(conn: &Conn) -> bool {
        matches!(conn.phase, Phase::Registering(_) | Phase::Online(_))
    }
}

/// What a stanza of the server is to those who want it gone.
fn kind_of(stanza: &Node) -> Option<StanzaKind> {
    let has = |tag: &str| {
        stanza
            .get_children()
            .iter()
            .any(|child| child.tag_str() == tag)
    };
    Some(match stanza.tag_str() {
        "iq" => match stanza.get_text("type").as_deref() {
            Some("result" | "error") => StanzaKind::Answer,
            _ if has("pair-device") => StanzaKind::PairDevice,
            _ if has("pair-success") => StanzaKind::PairSuccess,
            _ if stanza.get_children().is_empty() => StanzaKind::Ping,
            _ => return None,
        },
        "success" => StanzaKind::Success,
        "stream:error" | "xmlstreamend" => StanzaKind::StreamError,
        "notification" => StanzaKind::Notification,
        "message" => StanzaKind::Message,
        "receipt" => StanzaKind::Receipt,
        "call" => StanzaKind::Call,
        "ib" if has("offline") => StanzaKind::OfflineEnd,
        "ib" => StanzaKind::Ib,
        _ => return None,
    })
}

fn stream_error(error: &StreamError) -> Node {
    let node = Node::new("stream:error");
    let conflict = |kind: &str| Node::new("conflict").attr("type", kind.to_owned());
    match error {
        StreamError::Replaced => node.child(conflict("replaced")),
        StreamError::DeviceRemoved => node.attr("code", "401").child(conflict("device_removed")),
        StreamError::Conflict {
            conflict: kind,
            code,
        } => node
            .attr_if("code", code.map(|code| code.to_string()))
            .child(conflict(kind)),
        StreamError::Code { code } => node.attr("code", code.to_string()),
        StreamError::Ack { id, class } => node.child(
            Node::new("ack")
                .attr("id", id.clone())
                .attr("class", class.clone()),
        ),
        StreamError::NotWellFormed => node.child(Node::new("xml-not-well-formed")),
        StreamError::Bare => node,
        StreamError::Other { child } => node.child(Node::new(child.clone())),
        StreamError::StreamEnd => Node::new("xmlstreamend"),
    }
}
