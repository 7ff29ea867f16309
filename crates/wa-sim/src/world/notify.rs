//! What the server tells companions by itself, and the acks it waits for (login chapter, sections 6 and
//! 12; pairing chapter, F.4).

use wa_proto::{Jid, Node, NodeRef};

use super::World;
use super::conn::Conn;
use super::remark::Misbehaviour;
use crate::account::{Account, Waiting};
use crate::dhash::device_list_hash;
use crate::fault::Step;
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
        self.touch();
        self.now = now;
        if let Some(bundle) = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device))
            .and_then(|device| device.bundle.as_mut())
        {
            bundle.one_time.truncate(keep);
            let left = bundle.one_time.len();
            self.notify_device(number, device, "encrypt", |_, id, now| {
                Node::new("notification")
                    .attr("type", "encrypt")
                    .attr("from", Jid::server_jid())
                    .attr("id", id.to_owned())
                    .attr("t", now.unix_secs().to_string())
                    .child(Node::new("count").attr("value", left.to_string()))
            });
        }
    }

    fn notify_device(
        &mut self,
        number: PhoneNumber,
        device: u16,
        kind: &'static str,
        build: impl FnOnce(&Account, &str, Now) -> Node,
    ) {
        let id = format!(
            "n{:x}",
            rand_chacha::rand_core::Rng::next_u64(&mut self.rng)
        );
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
            .retain(|waiting| waiting.sent || waiting.kind != kind);
        device.wait_for_ack(Waiting {
            id,
            class: "notification",
            kind,
            stanza,
            sent: false,
        });
        if let Some(online) = device.online {
            self.with_conn(online, |world, conn| {
                if conn.session().is_some_and(|session| session.drained) {
                    world.send_waiting(conn, false);
                }
            });
        }
    }

    /// Everything that waited, between its announcement and its end.
    pub(super) fn deliver_waiting(&mut self, conn: &mut Conn) {
        let Some(session) = conn.session() else {
            return;
        };
        if session.drained {
            return;
        }
        let (number, device) = (session.number, session.device);
        let count = self
            .accounts
            .get(&number)
            .and_then(|account| account.devices.get(&device))
            .map_or(0, |device| device.waiting.len());
        if count > 0 {
            let preview = Node::new("offline_preview")
                .attr("count", count.to_string())
                .attr("message", "0")
                .attr("notification", count.to_string())
                .attr("receipt", "0")
                .attr("appdata", "0");
            self.send(conn, &from_server(preview));
            self.send_waiting(conn, true);
        }
        let end = Node::new("offline").attr("count", count.to_string());
        self.send(conn, &from_server(end));
        if let Some(session) = conn.session() {
            session.drained = true;
        }
        self.at(conn, Step::Online);
    }

    fn send_waiting(&mut self, conn: &mut Conn, offline: bool) {
        let Some(session) = conn.session() else {
            return;
        };
        let (number, device) = (session.number, session.device);
        let Some(device) = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device))
        else {
            return;
        };
        let stanzas: Vec<Node> = device
            .waiting
            .iter_mut()
            .filter(|waiting| !waiting.sent)
            .map(|waiting| {
                waiting.sent = true;
                let stanza = waiting.stanza.clone();
                if offline {
                    stanza.attr("offline", "0")
                } else {
                    stanza
                }
            })
            .collect();
        for stanza in stanzas {
            self.send(conn, &stanza);
        }
    }

    /// An ack: the stanza it names need not be sent again.
    pub(super) fn read_ack(&mut self, conn: &mut Conn, ack: &NodeRef<'_>) {
        let id = ack.attr_text("id").unwrap_or_default();
        let Some(session) = conn.session() else {
            return;
        };
        let (number, device) = (session.number, session.device);
        let waiting = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.devices.get_mut(&device))
            .and_then(|device| {
                let index = device
                    .waiting
                    .iter()
                    .position(|waiting| waiting.sent && waiting.id == *id)?;
                device.waiting.remove(index)
            });
        let Some(waiting) = waiting else {
            self.remark(conn, Misbehaviour::AckOfNothing);
            return;
        };
        for attribute in wrong_ack_attributes(ack, &waiting) {
            let class = waiting.class.to_owned();
            self.remark(conn, Misbehaviour::AckShape { class, attribute });
        }
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
    let may_omit = matches!(waiting.kind, "encrypt" | "devices");
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

fn device_list_notification(account: &Account, id: &str, now: Now) -> Node {
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

pub(super) fn key_index_list(list: &crate::phone::KeyList) -> Node {
    Node::new("key-index-list")
        .attr("ts", list.timestamp.to_string())
        .bytes(list.signed.clone())
}
