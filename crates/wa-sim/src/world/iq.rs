//! Requests of logged-in companions (login chapter, sections 3 to 9 and 16).

use wa_proto::{Jid, Node, NodeRef};

use super::code::LINK_CODE;
use super::code_fields::number;
use super::conn::Conn;
use super::phones::ScanFailure;
use super::{Misbehaviour, World};
use crate::config::UnknownIq;
use crate::fault::{Fault, IqKind, Step};

/// How long clients are told to keep the server properties: the default of the login chapter, section 9.
const PROPS_REFRESH_SECS: u64 = 86_400;
/// Seconds a media connection is good for.
const MEDIA_TTL_SECS: u64 = 3_600;
/// What the owner of a fresh account has not touched.
const PRIVACY_DEFAULTS: [(&str, &str); 8] = [
    ("readreceipts", "all"),
    ("last", "all"),
    ("online", "all"),
    ("profile", "all"),
    ("status", "contacts"),
    ("groupadd", "all"),
    ("calladd", "all"),
    ("messages", "all"),
];

/// What becomes of a request.
pub(super) enum Answer {
    /// The result, with what it holds.
    Result(Vec<Node>),
    /// An error.
    Error(u16, &'static str),
    /// Everything was sent already.
    Done,
}

impl World {
    pub(super) fn read_iq(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) {
        match iq.attr_text("type").as_deref() {
            Some("get" | "set") => {}
            // Answers to the server's pings.
            Some("result" | "error") => return,
            _ => {
                self.unexpected(conn, iq);
                return;
            }
        }
        if self.refused_by_fault(conn, iq) {
            return;
        }
        let xmlns = iq.attr_text("xmlns").unwrap_or_default();
        let answer = match &*xmlns {
            "encrypt" => self.answer_encrypt(conn, iq),
            "md" => self.answer_md(conn, iq),
            "usync" => self.answer_usync(iq),
            "passive" => self.answer_passive(conn, iq),
            "w:p" => self.answer_ping(conn),
            _ => self.answer_plain(&xmlns, iq),
        };
        self.give(conn, iq, answer);
    }

    /// A request of an unregistered companion.
    pub(super) fn read_pairing_request(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) {
        if let Some(number) = iq
            .child(LINK_CODE)
            .and_then(|code| number(&code).ok())
            .filter(|number| self.accounts.contains_key(number))
        {
            conn.account = Some(number);
        }
        if self.refused_by_fault(conn, iq) {
            if let Some(scan) = conn.ceremony().map(|ceremony| ceremony.scan) {
                let rule = "the server refused a request".to_owned();
                self.end_ceremony(conn, scan, ScanFailure::Passkey { rule });
            }
            return;
        }
        let answer = match iq.child(LINK_CODE) {
            _ if iq.attr_text("xmlns").as_deref() != Some("md") => None,
            Some(code) => Some(self.answer_link_code(conn, iq, &code)),
            None => self.answer_passkey(conn, iq),
        };
        self.give(conn, iq, answer);
    }

    fn give(&mut self, conn: &mut Conn, iq: &NodeRef<'_>, answer: Option<Answer>) {
        match answer {
            Some(Answer::Result(children)) => self.send_result(conn, iq, children),
            Some(Answer::Error(code, text)) => self.send_error(conn, iq, code, text, None),
            Some(Answer::Done) => {}
            None => self.unknown_request(conn, iq),
        }
    }

    /// Requests whose answer is the same for everybody.
    fn answer_plain(&self, xmlns: &str, iq: &NodeRef<'_>) -> Option<Answer> {
        let get = iq.attr_text("type").as_deref() == Some("get");
        let children = match (xmlns, get) {
            ("abt", true) => vec![
                Node::new("props")
                    .attr("protocol", "1")
                    .attr("ab_key", "0")
                    .attr("hash", "0")
                    .attr("refresh", PROPS_REFRESH_SECS.to_string())
                    .attr("refresh_id", "0")
                    .attr("delta_update", "false"),
            ],
            ("w", true) if iq.child("props").is_some() => vec![Node::new("props")],
            ("blocklist", true) => vec![Node::new("list")],
            ("privacy", true) if iq.child("privacy").is_some() => vec![privacy()],
            ("disappearing_mode", true) => vec![
                Node::new("disappearing_mode")
                    .attr("duration", "0")
                    .attr("t", "0"),
            ],
            ("w:m", true | false) if iq.child("media_conn").is_some() => vec![media_connection()],
            ("w:g2", true) if iq.child("participating").is_some() => vec![Node::new("groups")],
            ("w:sync:app:state", _) => vec![unchanged_collections(iq)],
            // Told, and nothing to say about it.
            (
                "urn:xmpp:whatsapp:dirty"
                | "urn:xmpp:whatsapp:push"
                | "w:stats"
                | "tos"
                | "status"
                | "privacy"
                | "w:web",
                _,
            ) => Vec::new(),
            _ => return None,
        };
        Some(Answer::Result(children))
    }

    fn answer_ping(&mut self, conn: &mut Conn) -> Option<Answer> {
        // The answer carries the server's time, so it is built here and not as a bare result.
        Some(if self.at(conn, Step::Ping) {
            Answer::Result(Vec::new())
        } else {
            Answer::Done
        })
    }

    fn answer_passive(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Option<Answer> {
        let active = iq.child("active").is_some();
        if !active && iq.child("passive").is_none() {
            return Some(Answer::Error(400, "bad-request"));
        }
        if active && !self.at(conn, Step::Active) {
            return Some(Answer::Done);
        }
        if let Some(session) = conn.session() {
            session.active = active;
        }
        self.send_result(conn, iq, Vec::new());
        if active {
            self.deliver_waiting(conn);
        }
        Some(Answer::Done)
    }

    pub(super) fn send_result(&mut self, conn: &mut Conn, iq: &NodeRef<'_>, children: Vec<Node>) {
        let mut result = answer_to(iq, "result");
        if iq.attr_text("xmlns").as_deref() == Some("w:p") {
            result = result.attr("t", self.now.unix_secs().to_string());
        }
        if !children.is_empty() {
            result = result.children(children);
        }
        self.send(conn, &result);
    }

    fn send_error(
        &mut self,
        conn: &mut Conn,
        iq: &NodeRef<'_>,
        code: u16,
        text: &str,
        backoff: Option<u64>,
    ) {
        let mut error = Node::new("error")
            .attr("code", code.to_string())
            .attr("text", text.to_owned());
        if let Some(backoff) = backoff {
            error = error.attr("backoff", backoff.to_string());
        }
        let answer = answer_to(iq, "error").child(error);
        self.send(conn, &answer);
    }

    pub(super) fn unknown_request(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) {
        let child = iq.first_child().map(|child| child.tag().to_string());
        let xmlns = iq.attr_text("xmlns").unwrap_or_default().into_owned();
        let child = child.unwrap_or_default();
        self.remark(conn, Misbehaviour::UnknownRequest { xmlns, child });
        match self.config.unknown_iq {
            UnknownIq::NotImplemented => {
                self.send_error(conn, iq, 501, "feature-not-implemented", None);
            }
            UnknownIq::EmptyResult => self.send_result(conn, iq, Vec::new()),
        }
    }

    /// A fault answers the request by an error.
    pub(super) fn refused_by_fault(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> bool {
        let Some((code, text, backoff)) = self.injected_error(conn) else {
            return false;
        };
        self.send_error(conn, iq, code, &text, backoff);
        true
    }

    fn injected_error(&mut self, conn: &Conn) -> Option<(u16, String, Option<u64>)> {
        let kind = conn.answering;
        self.take_fault(conn, |fault| match fault {
            Fault::IqError {
                request,
                code,
                text,
                backoff,
            } if *request == IqKind::Any || Some(*request) == kind => {
                let text = text.clone().unwrap_or_else(|| error_text(*code).to_owned());
                Some((*code, text, *backoff))
            }
            _ => None,
        })
    }
}

/// What a request asks for; `None` when it is no request, or one no fault can name.
pub(super) fn kind_of(iq: &NodeRef<'_>) -> Option<IqKind> {
    if iq.tag() != "iq" {
        return None;
    }
    let xmlns = iq.attr_text("xmlns")?;
    let set = match iq.attr_text("type").as_deref() {
        Some("set") => true,
        Some("get") => false,
        _ => return None,
    };
    let has = |tag: &str| iq.child(tag).is_some();
    match &*xmlns {
        "w:p" => Some(IqKind::Ping),
        "passive" => Some(IqKind::Passive),
        "md" if has("remove-companion-device") => Some(IqKind::Logout),
        "urn:xmpp:whatsapp:dirty" => Some(IqKind::Clean),
        "md" if has("link_code_companion_reg") => link_code_kind(iq),
        "md" if has("passkey_request_options") => Some(IqKind::PasskeyOptions),
        "md" if has("ref") => Some(IqKind::PasskeyRef),
        "md" if has("passkey_prologue") => Some(IqKind::PasskeyPrologue),
        "md" if has("companion_nonce") => Some(IqKind::PasskeyNonce),
        "md" if has("encrypted_pairing_request") => Some(IqKind::PasskeyRequest),
        "encrypt" if has("count") => Some(IqKind::Count),
        "encrypt" if has("digest") => Some(IqKind::Digest),
        "encrypt" if has("rotate") => Some(IqKind::Rotate),
        "encrypt" if set && has("list") => Some(IqKind::Upload),
        _ => None,
    }
}

fn link_code_kind(iq: &NodeRef<'_>) -> Option<IqKind> {
    let request = iq.child("link_code_companion_reg")?;
    match request.attr_text("stage").as_deref() {
        Some("companion_hello") => Some(IqKind::CompanionHello),
        Some("companion_finish") => Some(IqKind::CompanionFinish),
        _ => None,
    }
}

/// The texts of the login chapter, section 3, and of the pairing chapter, B.4.
fn error_text(code: u16) -> &'static str {
    match code {
        400 => "bad-request",
        401 => "not-authorized",
        403 => "forbidden",
        404 => "item-not-found",
        405 => "not-allowed",
        406 => "not-acceptable",
        409 => "conflict",
        410 => "gone",
        419 => "resource-limit",
        423 => "locked",
        429 => "rate-overlimit",
        452 => "feature-not-available",
        501 => "feature-not-implemented",
        503 => "service-unavailable",
        530 => "partial-server-error",
        _ => "internal-server-error",
    }
}

/// The head of an answer: from where the request went, under its id.
fn answer_to(iq: &NodeRef<'_>, kind: &'static str) -> Node {
    let from = iq.attr_jid("to").unwrap_or_else(Jid::server_jid);
    let id = iq.attr_text("id").unwrap_or_default().into_owned();
    Node::new("iq")
        .attr("from", from)
        .attr("id", id)
        .attr("type", kind)
}

fn privacy() -> Node {
    let categories = PRIVACY_DEFAULTS.map(|(name, value)| {
        Node::new("category")
            .attr("name", name)
            .attr("value", value)
    });
    Node::new("privacy").children(categories)
}

fn media_connection() -> Node {
    Node::new("media_conn")
        .attr("auth", "simulated")
        .attr("auth_ttl", MEDIA_TTL_SECS.to_string())
        .attr("ttl", MEDIA_TTL_SECS.to_string())
        .attr("max_buckets", "12")
        .child(Node::new("host").attr("hostname", "media.invalid"))
}

/// Every collection as the client knows it: nothing is new.
fn unchanged_collections(iq: &NodeRef<'_>) -> Node {
    let collections = iq
        .child("sync")
        .map(|sync| {
            sync.children()
                .filter(|child| child.tag() == "collection")
                .map(|collection| {
                    let name = collection
                        .attr_text("name")
                        .unwrap_or_default()
                        .into_owned();
                    let version = collection.attr_u64("version").unwrap_or_default();
                    Node::new("collection")
                        .attr("name", name)
                        .attr("version", version.to_string())
                })
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    Node::new("sync").children(collections)
}
