//! Asking about users: which devices they have, whether a number is there, its LID (pairing chapter, F.3).

use wa_proto::{Jid, Node, NodeRef, Server};

use super::World;
use super::iq::Answer;
use super::notify::key_index_list;
use crate::account::Account;
use crate::dhash::device_list_hash;

/// Most users answered for at once.
const MAX_USERS: usize = 1_024;

impl World {
    pub(super) fn answer_usync(&self, iq: &NodeRef<'_>) -> Option<Answer> {
        let usync = iq.child("usync")?;
        let wanted: Vec<String> = usync
            .child("query")
            .map(|query| {
                query
                    .children()
                    .map(|child| child.tag().to_string())
                    .collect()
            })
            .unwrap_or_default();
        let users: Vec<Node> = usync
            .child("list")
            .map(|list| {
                list.children()
                    .filter(|child| child.tag() == "user")
                    .take(MAX_USERS)
                    .map(|user| self.usync_user(&user, &wanted))
                    .collect()
            })
            .unwrap_or_default();
        let mut answer = Node::new("usync");
        for attribute in ["sid", "mode", "context", "index", "last"] {
            if let Some(value) = usync.attr_text(attribute) {
                answer = answer.attr(attribute, value.into_owned());
            }
        }
        let results = wanted.iter().map(|tag| Node::new(tag.clone()));
        Some(Answer::Result(vec![
            answer
                .child(Node::new("result").children(results))
                .child(Node::new("list").children(users)),
        ]))
    }

    fn usync_user(&self, user: &NodeRef<'_>, wanted: &[String]) -> Node {
        let number = user.child("contact").and_then(|contact| {
            contact
                .text()
                .map(|text| text.trim_start_matches('+').to_owned())
        });
        let named = user.attr_jid("jid");
        let account = self.accounts.values().find(|account| {
            named.as_ref().is_some_and(|jid| account.is_named(jid))
                || number.as_deref() == Some(account.number.digits().to_string().as_str())
        });
        let mut answer = Node::new("user");
        match (&named, account) {
            (Some(jid), _) => answer = answer.attr("jid", jid.to_non_device()),
            (None, Some(account)) => answer = answer.attr("jid", account.jid(0)),
            (None, None) => {}
        }
        for tag in wanted {
            if let Some(child) = answer_protocol(tag, account, named.as_ref()) {
                answer = answer.child(child);
            }
        }
        answer
    }
}

fn answer_protocol(tag: &str, account: Option<&Account>, named: Option<&Jid>) -> Option<Node> {
    match tag {
        "contact" => {
            let kind = if account.is_some() { "in" } else { "out" };
            Some(Node::new("contact").attr("type", kind))
        }
        "lid" => account.map(|account| Node::new("lid").attr("val", account.lid_jid(0))),
        "devices" => account.map(|account| devices(account, named)),
        "business" | "status" | "picture" | "disappearing_mode" => {
            account.map(|_| Node::new(tag.to_owned()))
        }
        _ => None,
    }
}

fn devices(account: &Account, named: Option<&Jid>) -> Node {
    let by_lid = named.is_some_and(|jid| jid.server() == Server::Lid);
    let address = |device| {
        if by_lid {
            account.lid_jid(device)
        } else {
            account.jid(device)
        }
    };
    let jids: Vec<Jid> = std::iter::once(0)
        .chain(account.devices.keys().copied())
        .map(address)
        .collect();
    let listed = std::iter::once(Node::new("device").attr("id", "0")).chain(
        account.devices.iter().map(|(device, linked)| {
            Node::new("device")
                .attr("id", device.to_string())
                .attr("key-index", linked.key_index.to_string())
        }),
    );
    let list = Node::new("device-list")
        .attr("hash", device_list_hash(&jids))
        .children(listed);
    let mut devices = Node::new("devices").child(list);
    if let Some(list) = &account.key_list {
        devices = devices.child(key_index_list(list));
    }
    devices
}
