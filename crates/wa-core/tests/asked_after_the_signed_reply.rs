#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_proto::{Jid, Node};

fn request(kind: &'static str, xmlns: &'static str) -> Node {
    Node::new("iq")
        .attr("from", Jid::server_jid())
        .attr("type", kind)
        .attr("xmlns", xmlns)
        .attr("id", "late-1")
}

/// The signed reply is out, and the server has not restarted the connection.
fn restarting() -> Rig {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairSign, Fault::Silent, 1);
    rig.pair();
    assert_eq!(rig.state(), "linking");
    rig.service.seen.stanzas.clear();
    rig
}

fn assert_goes_online(mut rig: Rig) {
    assert_eq!(rig.state(), "linking");
    rig.serve(&Node::new("stream:error").attr("code", "515"));
    rig.advance(secs(1));
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_pair_success_that_is_sent_again_is_ignored() {
    let mut rig = restarting();
    rig.serve(&request("set", "md").child(Node::new("pair-success")));
    assert!(rig.service.seen.stanzas.is_empty());
    assert_goes_online(rig);
}

#[test]
fn a_late_pair_device_gets_a_plain_result() {
    let mut rig = restarting();
    let child = Node::new("pair-device").child(Node::new("ref").bytes(b"2@late==".to_vec()));
    rig.serve(&request("set", "md").child(child));
    let [answer] = &rig.service.seen.stanzas[..] else {
        panic!("one answer")
    };
    assert_eq!(answer.get_text("type").as_deref(), Some("result"));
    assert_eq!(answer.get_text("id").as_deref(), Some("late-1"));
    assert!(answer.get_children().is_empty());
    assert_eq!(rig.qr(), None, "no code is shown any more");
    assert_goes_online(rig);
}

#[test]
fn other_requests_are_answered_as_ever() {
    for (xmlns, kind) in [("urn:xmpp:ping", "result"), ("w:something", "error")] {
        let mut rig = restarting();
        rig.serve(&request("get", xmlns));
        let [answer] = &rig.service.seen.stanzas[..] else {
            panic!("one answer")
        };
        assert_eq!(answer.get_text("type").as_deref(), Some(kind));
        assert_goes_online(rig);
    }
}

#[test]
fn a_get_of_w_p_without_a_child_is_a_ping_and_only_that() {
    for (received, kind) in [
        (request("get", "w:p"), "result"),
        (request("set", "w:p"), "error"),
        (request("get", "w:p").child(Node::new("other")), "error"),
    ] {
        let mut rig = Rig::online();
        rig.service.seen.stanzas.clear();
        rig.serve(&received);
        let [answer] = &rig.service.seen.stanzas[..] else {
            panic!("one answer")
        };
        assert_eq!(answer.get_text("type").as_deref(), Some(kind));
    }
}
