//! Stanzas a fault makes the server send (login chapter, sections 4, 6, 7 and 12; pairing chapter, F).

use rand_chacha::rand_core::Rng as _;
use wa_proto::{Jid, Node, Server};

use super::World;
use super::conn::Conn;
use super::notify::{device_list_notification, from_server};
use crate::account::Waiting;
use crate::fault::{BadDeviceList, Extra, MAX_ROUTING_LEN, StanzaClass};
use crate::names::PhoneNumber;

/// A stranger, in the range of numbers that are never given out.
const STRANGER: &str = "15550009999";
/// Length of a message nobody can decrypt.
const CIPHERTEXT_LEN: usize = 120;
/// Classes in the order of a mixed batch.
const CLASSES: [StanzaClass; 4] = [
    StanzaClass::Message,
    StanzaClass::Receipt,
    StanzaClass::Notification,
    StanzaClass::Call,
];

impl World {
    pub(super) fn push_extra(&mut self, conn: &mut Conn, extra: &Extra) {
        let now = self.now.unix_secs();
        let ib = match extra {
            Extra::EdgeRouting { bytes } => return self.push_routing(conn, *bytes),
            Extra::Dirty { dirty, parts } => Node::new("dirty")
                .attr("type", dirty.clone())
                .attr("timestamp", now.to_string())
                .children(parts.iter().cloned().map(Node::new)),
            Extra::ClientExpiration { after } => {
                Node::new("client_expiration").attr("t", now.saturating_add(*after).to_string())
            }
            Extra::DowngradeWebclient => Node::new("downgrade_webclient"),
            Extra::ThreadMetadata => Node::new("thread_metadata").child(
                Node::new("item")
                    .attr("from", stranger())
                    .attr("t", now.to_string()),
            ),
            Extra::PriorityOfflineComplete => Node::new("priority_offline_complete"),
            Extra::Tos => Node::new("tos").child(Node::new("notice").attr("id", "20230901")),
            Extra::RecoveryNonce => {
                let mut nonce = [0; 32];
                self.rng.fill_bytes(&mut nonce);
                Node::new("recovery_nonce").bytes(nonce)
            }
            Extra::UnknownRequest => {
                let id = Self::stanza_id(conn);
                let request = Node::new("iq")
                    .attr("from", Jid::server_jid())
                    .attr("id", id)
                    .attr("type", "get")
                    .attr("xmlns", "simulated")
                    .child(Node::new("question"));
                return self.send(conn, &request);
            }
            Extra::Devices { .. }
            | Extra::PrimaryIdentity
            | Extra::PrekeyCount { .. }
            | Extra::ValidateDigest
            | Extra::Stanza { .. } => return self.push_waiting(conn, extra),
        };
        self.send(conn, &from_server(ib));
    }

    fn push_routing(&mut self, conn: &mut Conn, bytes: u16) {
        let mut routing = vec![0; usize::from(bytes.clamp(1, MAX_ROUTING_LEN))];
        self.rng.fill_bytes(&mut routing);
        if let Some((number, device)) = conn.own() {
            self.touch();
            let device = self
                .accounts
                .get_mut(&number)
                .and_then(|account| account.devices.get_mut(&device));
            if let Some(device) = device {
                device.routing = Some(routing.clone());
            }
        }
        let info = Node::new("routing_info").bytes(routing);
        self.send(conn, &from_server(Node::new("edge_routing").child(info)));
    }

    /// Stanzas that are kept until they are acknowledged.
    fn push_waiting(&mut self, conn: &mut Conn, extra: &Extra) {
        let Some((number, device)) = conn.own() else {
            return;
        };
        let id = self.waiting_id();
        let now = self.now;
        let notification = |kind: &'static str, from: Jid, child: Node| {
            Node::new("notification")
                .attr("type", kind)
                .attr("from", from)
                .attr("id", id.clone())
                .attr("t", now.unix_secs().to_string())
                .child(child)
        };
        let own = self.accounts.get(&number).map(|account| account.jid(0));
        let (kind, stanza) = match extra {
            Extra::Devices { problem } => {
                let Some(list) = self.bad_device_list(number, device, &id, *problem) else {
                    return;
                };
                ("account_sync", list)
            }
            Extra::PrimaryIdentity => {
                let from = own.unwrap_or_else(Jid::server_jid);
                (
                    "encrypt",
                    notification("encrypt", from, Node::new("identity")),
                )
            }
            Extra::PrekeyCount { value } => {
                let count = Node::new("count").attr("value", value.to_string());
                ("encrypt", notification("encrypt", Jid::server_jid(), count))
            }
            Extra::ValidateDigest => {
                let digest = Node::new("digest");
                (
                    "encrypt",
                    notification("encrypt", Jid::server_jid(), digest),
                )
            }
            Extra::Stanza { class } => {
                let waiting = self.stanza_of(*class, 0);
                return self.wait_and_send(conn, number, device, waiting);
            }
            _ => return,
        };
        let waiting = Waiting {
            id,
            class: "notification",
            kind,
            stanza,
            sent: None,
        };
        self.wait_and_send(conn, number, device, waiting);
    }

    /// Keeps a stanza for the companion of this connection, and sends it if it may be sent already.
    pub(super) fn wait_and_send(
        &mut self,
        conn: &mut Conn,
        number: PhoneNumber,
        device: u16,
        waiting: Waiting,
    ) {
        let device = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device));
        if let Some(device) = device {
            device.wait_for_ack(waiting);
        }
        if conn.session().is_some_and(|session| session.drained) {
            self.send_waiting(conn);
        }
    }

    /// Stanzas that have come while the companion was away.
    pub(super) fn fill_batch(
        &mut self,
        number: PhoneNumber,
        device: u16,
        class: StanzaClass,
        count: usize,
    ) {
        for index in 0..count.min(crate::account::MAX_WAITING_STANZAS) {
            let waiting = self.stanza_of(class, index);
            let device = self
                .accounts
                .get_mut(&number)
                .and_then(|account| account.devices.get_mut(&device));
            if let Some(device) = device {
                device.wait_for_ack(waiting);
            }
        }
    }

    fn stanza_of(&mut self, class: StanzaClass, index: usize) -> Waiting {
        let id = self.waiting_id();
        let head = |tag: &'static str, time: u64| {
            Node::new(tag)
                .attr("from", stranger())
                .attr("id", id.clone())
                .attr("t", time.to_string())
        };
        let now = self.now.unix_secs();
        let class = match class {
            StanzaClass::Mixed => CLASSES
                .get(index % CLASSES.len())
                .copied()
                .unwrap_or(StanzaClass::Message),
            other => other,
        };
        let (class, kind, stanza) = match class {
            StanzaClass::Receipt => ("receipt", "read", head("receipt", now).attr("type", "read")),
            StanzaClass::Notification => (
                "notification",
                "picture",
                head("notification", now)
                    .attr("type", "picture")
                    .child(Node::new("delete").attr("jid", stranger())),
            ),
            StanzaClass::Call => {
                let offer = Node::new("offer")
                    .attr("call-id", id.clone())
                    .attr("call-creator", stranger());
                ("call", "", head("call", now).child(offer))
            }
            StanzaClass::Message | StanzaClass::Mixed => {
                let mut ciphertext = [0; CIPHERTEXT_LEN];
                self.rng.fill_bytes(&mut ciphertext);
                let content = Node::new("enc")
                    .attr("v", "2")
                    .attr("type", "msg")
                    .bytes(ciphertext);
                let message = head("message", now).attr("type", "text").child(content);
                ("message", "text", message)
            }
        };
        Waiting {
            id,
            class,
            kind,
            stanza,
            sent: None,
        }
    }

    fn bad_device_list(
        &mut self,
        number: PhoneNumber,
        device: u16,
        id: &str,
        problem: BadDeviceList,
    ) -> Option<Node> {
        let now = self.now;
        let account = self.accounts.get_mut(&number)?;
        Some(match problem {
            BadDeviceList::WithoutSelf => {
                let own = account.devices.remove(&device)?;
                let list = device_list_notification(account, id, now);
                account.devices.insert(device, own);
                list
            }
            BadDeviceList::BadSignature => {
                let sound = account.key_list.clone();
                if let Some(last) = account
                    .key_list
                    .as_mut()
                    .and_then(|list| list.signed.last_mut())
                {
                    *last ^= 1;
                }
                let list = device_list_notification(account, id, now);
                account.key_list = sound;
                list
            }
            other => {
                let list = device_list_notification(account, id, now);
                let wrong = match other {
                    BadDeviceList::WrongHash => Some("2:AAAAAAAA"),
                    _ => None,
                };
                let from = if other == BadDeviceList::OtherAccount {
                    stranger()
                } else {
                    account.jid(0)
                };
                rebuilt(&list, from, wrong, other == BadDeviceList::NoHash)
            }
        })
    }

    pub(super) fn waiting_id(&mut self) -> String {
        format!("n{:x}", self.rng.next_u64())
    }
}

/// The same list from somebody, with this hash instead, or with none.
fn rebuilt(list: &Node, from: Jid, hash: Option<&str>, no_hash: bool) -> Node {
    let text = |node: &Node, name: &str| node.get_text(name).unwrap_or_default().into_owned();
    let mut notification = Node::new("notification")
        .attr("type", text(list, "type"))
        .attr("from", from)
        .attr("id", text(list, "id"))
        .attr("t", text(list, "t"));
    for devices in list.get_children() {
        let mut copy = Node::new("devices");
        if !no_hash {
            let hash = hash.map_or_else(|| text(devices, "dhash"), str::to_owned);
            copy = copy.attr("dhash", hash);
        }
        notification = notification.child(copy.children(devices.get_children().iter().cloned()));
    }
    notification
}

fn stranger() -> Jid {
    Jid::new(STRANGER, Server::Pn)
}
