#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig};
use wa_proto::{Jid, Node};

fn mark(kind: &'static str, parts: &[&'static str]) -> Node {
    let dirty = Node::new("dirty")
        .attr("type", kind)
        .attr("timestamp", "1755729499")
        .children(parts.iter().map(|part| Node::new(*part)));
    Node::new("ib").attr("from", Jid::server_jid()).child(dirty)
}

/// Whether the list was asked for, and what was cleaned.
fn after(rig: &mut Rig, mark: &Node) -> (usize, Vec<String>) {
    rig.service.seen.stanzas.clear();
    rig.serve(mark);
    let cleaned = rig.service.requests("clean");
    let kinds = cleaned.iter().map(|iq| {
        let clean = iq.get_child("clean").unwrap();
        clean.get_text("type").unwrap().into_owned()
    });
    (rig.service.requests("usync").len(), kinds.collect())
}

#[test]
fn what_is_not_kept_here_is_cleaned() {
    for (kind, parts) in [
        ("groups", &[][..]),
        ("syncd_app_state", &[]),
        ("newsletter_metadata", &[]),
        (
            "account_sync",
            &["picture", "privacy", "blocklist", "notice"],
        ),
    ] {
        let mut rig = Rig::online();
        assert_eq!(after(&mut rig, &mark(kind, parts)), (0, vec![kind.into()]));
    }
}

#[test]
fn the_device_list_is_fetched_first() {
    for parts in [&[][..], &["devices"], &["picture", "devices"]] {
        let mut rig = Rig::online();
        let seen = after(&mut rig, &mark("account_sync", parts));
        assert_eq!(seen, (1, vec!["account_sync".into()]));
    }
}

#[test]
fn what_could_not_be_fetched_stays_marked() {
    for fault in [Fault::Error(500), Fault::Silent] {
        let mut rig = Rig::online();
        rig.service.fail(Point::Devices, fault, 1);
        let seen = after(&mut rig, &mark("account_sync", &["devices"]));
        assert_eq!(seen, (1, vec![]));
        rig.advance(support::secs(80));
        assert!(rig.service.requests("clean").is_empty());
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_mark_on_something_unknown_stays() {
    let mut rig = Rig::online();
    assert_eq!(after(&mut rig, &mark("something_new", &[])), (0, vec![]));
}
