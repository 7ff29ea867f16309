//! What the server tells companions by itself, and the acks it waits for (login chapter, sections 6 and
//! 12; pairing chapter, F.4).

use std::collections::VecDeque;

use wa_proto::{Jid, Node, NodeRef};

use super::World;
use super::conn::Conn;
use super::remark::Misbehaviour;
use super::timers::Timer;
use crate::account::{Account, Device, MAX_UNACKNOWLEDGED, Waiting};
use crate::dhash::device_list_hash;
use crate::fault::{Fault, Step, StreamError};
use crate::names::{Now, PhoneNumber};

impl World {
    /// Sends the account's device list to every companion, now or when it comes back.
    pub(super) fn announce_devices(&mut self, number: PhoneNumber) {
        let Some(account) = self.accounts.get(&number) else {
            return;
        };
        let devices: Vec<u16> = account.devices.keys().copied().collect();
        for device in devices {
            self.notify_device(number, device, "account_sync", |account, id, now| {
                device_list_notification(account, id, now)
            });
        }
    }

    /// Drops one-time prekeys of a device until `keep` are left, and tells it that it runs low.
    pub fn use_up_prekeys(&mut self, now: Now, number: PhoneNumber, device: u16, keep: usize) {
        self.now = now;
        if let Some(left) = self.truncate_prekeys(number, device, keep) {
            self.notify_device(number, device, "encrypt", |_, id, now| {
                low_prekeys(left, id, now)
            });
        }
    }

    /// The same for the companion of this connection.
    pub(super) fn drop_prekeys(
        &mut self,
        conn: &mut Conn,
        number: PhoneNumber,
        device: u16,
        keep: usize,
        told: bool,
    ) {
        let Some(left) = self.truncate_prekeys(number, device, keep).filter(|_| told) else {
            return;
        };
        let id = self.waiting_id();
        let waiting = Waiting {
            stanza: low_prekeys(left, &id, self.now),
            id,
            class: "notification",
            kind: "encrypt",
            sent: None,
        };
        self.wait_and_send(conn, number, device, waiting);
    }

    fn truncate_prekeys(&mut self, number: PhoneNumber, device: u16, keep: usize) -> Option<usize> {
        self.touch();
        let bundle = self
            .accounts
            .get_mut(&number)?
            .devices
            .get_mut(&device)?
            .bundle
            .as_mut()?;
        bundle.one_time.truncate(keep);
        Some(bundle.one_time.len())
    }

    fn notify_device(
        &mut self,
        number: PhoneNumber,
        device: u16,
        kind: &'static str,
        build: impl FnOnce(&Account, &str, Now) -> Node,
    ) {
        let id = self.waiting_id();
        let Some(account) = self.accounts.get_mut(&number) else {
            return;
        };
        let stanza = build(account, &id, self.now);
        let Some(device) = account.devices.get_mut(&device) else {
            return;
        };
        // An older one of the same kind that was not sent yet says nothing this one does not.
        device
            .waiting
            .retain(|waiting| waiting.sent.is_some() || waiting.kind != kind);
        device.wait_for_ack(Waiting {
            id,
            class: "notification",
            kind,
            stanza,
            sent: None,
        });
        if let Some(online) = device.online {
            self.with_conn(online, |world, conn| {
                if conn.session().is_some_and(|session| session.drained) {
                    world.send_waiting(conn);
                }
            });
        }
    }

    /// Everything that waited, between its announcement and its end: a part at a time, as it is acknowledged.
    pub(super) fn deliver_waiting(&mut self, conn: &mut Conn) {
        let Some((number, device)) = conn.own() else {
            return;
        };
        let Some(session) = conn.session().filter(|session| session.announced.is_none()) else {
            return;
        };
        let waiting = self
            .accounts
            .get(&number)
            .and_then(|account| account.devices.get(&device))
            .map(|device| &device.waiting);
        let count = waiting.map_or(0, VecDeque::len);
        session.announced = Some(count);
        if let Some(waiting) = waiting.filter(|waiting| !waiting.is_empty()) {
            let of = |class: &str| {
                let found = waiting.iter().filter(|waiting| waiting.class == class);
                found.count().to_string()
            };
            let preview = Node::new("offline_preview")
                .attr("count", count.to_string())
                .attr("message", of("message"))
                .attr("notification", of("notification"))
                .attr("receipt", of("receipt"))
                .attr("call", of("call"))
                .attr("appdata", "0");
            self.send(conn, &from_server(preview));
        }
        self.go_on_delivering(conn);
    }

    /// Sends what may be sent of the waiting stanzas, and their end when none is left.
    fn go_on_delivering(&mut self, conn: &mut Conn) {
        let all_sent = self.send_waiting(conn);
        let Some(session) = conn.session() else {
            return;
        };
        let Some(count) = session.announced.filter(|_| all_sent && !session.drained) else {
            return;
        };
        session.drained = true;
        let end = Node::new("offline").attr("count", count.to_string());
        self.send(conn, &from_server(end));
        self.at(conn, Step::Online);
    }

    /// Sends what has not been sent, as far as acks allow; whether nothing is left.
    pub(super) fn send_waiting(&mut self, conn: &mut Conn) -> bool {
        let Some((number, device)) = conn.own() else {
            return false;
        };
        let offline = conn.session().is_some_and(|session| !session.drained);
        let now = self.now.instant;
        let Some(device) = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device))
        else {
            return false;
        };
        let sent = device.waiting.iter().filter(|stanza| stanza.sent.is_some());
        let room = MAX_UNACKNOWLEDGED.saturating_sub(sent.count());
        let mut unsent = device
            .waiting
            .iter_mut()
            .filter(|waiting| waiting.sent.is_none());
        let stanzas: Vec<Node> = unsent
            .by_ref()
            .take(room)
            .map(|waiting| {
                waiting.sent = Some(now);
                let stanza = waiting.stanza.clone();
                if offline {
                    stanza.attr("offline", "0")
                } else {
                    stanza
                }
            })
            .collect();
        let all_sent = unsent.next().is_none();
        if let Some(limit) = conn.ack_limit.filter(|_| !stanzas.is_empty()) {
            self.timers.set(now + limit, Timer::Ack(conn.id));
        }
        for stanza in stanzas {
            self.send(conn, &stanza);
        }
        all_sent
    }

    /// A stanza may have waited too long for its ack: the stream ends with its id (login chapter, section 11).
    pub(super) fn ack_due(&mut self, conn: &mut Conn) {
        let Some(((number, device), limit)) = conn.own().zip(conn.ack_limit) else {
            return;
        };
        let now = self.now.instant;
        let late = self
            .accounts
            .get(&number)
            .and_then(|account| account.devices.get(&device))
            .and_then(|device| {
                device.waiting.iter().find(|waiting| {
                    waiting
                        .sent
                        .is_some_and(|sent| now.saturating_duration_since(sent) >= limit)
                })
            })
            .map(|waiting| StreamError::Ack {
                id: waiting.id.clone(),
                class: waiting.class.to_owned(),
            });
        if let Some(error) = late.filter(|_| conn.is_live()) {
            self.remark(conn, Misbehaviour::Late("ack"));
            self.end_stream(conn, &error);
        }
    }

    /// A receipt stands for the ack of a message, unless it asks for the message again (login chapter, 12.3).
    pub(super) fn settle_by_receipt(&mut self, conn: &mut Conn, receipt: &NodeRef<'_>) {
        if receipt.attr_text("type").as_deref() == Some("retry") {
            return;
        }
        let id = receipt.attr_text("id").unwrap_or_default();
        if self.take_waiting(conn, &id, "message").is_some() {
            self.go_on_delivering(conn);
        }
    }

    /// Takes a stanza that was sent out of those that are not acknowledged. `None`: there is no such one, or a
    /// fault keeps the server from hearing.
    fn take_waiting(&mut self, conn: &mut Conn, id: &str, class: &str) -> Option<Waiting> {
        let (number, device) = conn.own()?;
        let find = |device: &Device| {
            device.waiting.iter().position(|waiting| {
                waiting.sent.is_some()
                    && waiting.id == id
                    && (class.is_empty() || waiting.class == class)
            })
        };
        let index = find(self.accounts.get(&number)?.devices.get(&device)?)?;
        if self.has_fault(conn, &Fault::LoseAck) {
            return None;
        }
        let account = self.accounts.get_mut(&number)?;
        account.devices.get_mut(&device)?.waiting.remove(index)
    }

    /// An ack: the stanza it names need not be sent again.
    pub(super) fn read_ack(&mut self, conn: &mut Conn, ack: &NodeRef<'_>) {
        let id = ack.attr_text("id").unwrap_or_default();
        let known = conn.own().is_some_and(|(number, device)| {
            let device = self
                .accounts
                .get(&number)
                .and_then(|account| account.devices.get(&device));
            device.is_some_and(|device| {
                let mut waiting = device.waiting.iter();
                waiting.any(|waiting| waiting.sent.is_some() && waiting.id == *id)
            })
        });
        if !known {
            self.remark(conn, Misbehaviour::AckOfNothing);
            return;
        }
        let Some(waiting) = self.take_waiting(conn, &id, "") else {
            return;
        };
        for attribute in wrong_ack_attributes(ack, &waiting) {
            let class = waiting.class.to_owned();
            self.remark(conn, Misbehaviour::AckShape { class, attribute });
        }
        self.go_on_delivering(conn);
    }
}

/// The attributes of an ack that are not as the stanza asks for (login chapter, 12.2).
fn wrong_ack_attributes(ack: &NodeRef<'_>, waiting: &Waiting) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if ack.attr_text("class").as_deref() != Some(waiting.class) {
        wrong.push("class");
    }
    if ack.attr_text("to") != waiting.stanza.get_text("from") {
        wrong.push("to");
    }
    // Clients differ in whether these copy the type; both are taken.
    let may_omit = matches!(waiting.kind, "encrypt" | "devices" | "") || waiting.class == "message";
    match ack.attr_text("type") {
        Some(kind) if kind == waiting.kind => {}
        None if may_omit => {}
        _ => wrong.push("type"),
    }
    wrong
}

pub(super) fn from_server(child: Node) -> Node {
    Node::new("ib").attr("from", Jid::server_jid()).child(child)
}

pub(super) fn device_list_notification(account: &Account, id: &str, now: Now) -> Node {
    let jids: Vec<Jid> = std::iter::once(0)
        .chain(account.devices.keys().copied())
        .map(|device| account.jid(device))
        .collect();
    let mut devices = Node::new("devices")
        .attr("dhash", device_list_hash(&jids))
        .child(Node::new("device").attr("jid", account.jid(0)));
    for (device, linked) in &account.devices {
        devices = devices.child(
            Node::new("device")
                .attr("jid", account.jid(*device))
                .attr("key-index", linked.key_index.to_string()),
        );
    }
    if let Some(list) = &account.key_list {
        devices = devices.child(key_index_list(list));
    }
    Node::new("notification")
        .attr("type", "account_sync")
        .attr("from", account.jid(0))
        .attr("id", id.to_owned())
        .attr("t", now.unix_secs().to_string())
        .child(devices)
}

fn low_prekeys(left: usize, id: &str, now: Now) -> Node {
    Node::new("notification")
        .attr("type", "encrypt")
        .attr("from", Jid::server_jid())
        .attr("id", id.to_owned())
        .attr("t", now.unix_secs().to_string())
        .child(Node::new("count").attr("value", left.to_string()))
}

pub(super) fn key_index_list(list: &crate::phone::KeyList) -> Node {
    Node::new("key-index-list")
        .attr("ts", list.timestamp.to_string())
        .bytes(list.signed.clone())
}
