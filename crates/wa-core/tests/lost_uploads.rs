#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::RecordKind;
use wa_proto::Node;

fn first_id(upload: &Node) -> u32 {
    let key = &upload.get_child("list").unwrap().get_children()[0];
    let bytes = key.get_child("id").unwrap().get_bytes().unwrap().to_vec();
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

fn uploads(rig: &Rig) -> Vec<u32> {
    let uploads = rig.service.requests("list");
    uploads.into_iter().map(first_id).collect()
}

/// Children of the requests about prekeys, in order.
fn asked(rig: &Rig) -> Vec<&'static str> {
    let known = ["count", "digest", "list"];
    let iqs = rig.service.sent("iq");
    let child = |iq: &&Node| known.into_iter().find(|tag| iq.get_child(tag).is_some());
    iqs.iter().filter_map(child).collect()
}

/// The server has taken the first batch, its answer was lost, and all but `left` keys were handed out.
fn lost_and_handed_out(left: usize) -> Rig {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::LoseAnswer, 1);
    rig.pair();
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(rig.service.bundle.prekeys.len(), 812);
    rig.service.bundle.prekeys.truncate(left);
    rig.service.seen.stanzas.clear();
    rig
}

#[test]
fn the_digest_comes_before_anything_is_offered_again() {
    let mut rig = lost_and_handed_out(4);
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert_eq!(asked(&rig), ["count", "digest", "list"]);
    assert_eq!(uploads(&rig), [813], "the first batch is out");
    assert_eq!(rig.store.count(RecordKind::Prekey), 2 * 812);
}

#[test]
fn enough_keys_on_the_server_need_no_upload() {
    let mut rig = lost_and_handed_out(5);
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert_eq!(asked(&rig), ["count", "digest"]);
}

#[test]
fn a_batch_that_never_arrived_is_offered_under_the_same_ids() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::Close, 1);
    rig.pair();
    rig.advance(secs(2));
    assert_eq!(asked(&rig), ["count", "list", "count", "digest", "list"]);
    let offered = rig.service.requests("list");
    assert_eq!(offered[0].get_child("list"), offered[1].get_child("list"));
    assert_eq!(rig.store.count(RecordKind::Prekey), 812);
}

#[test]
fn without_a_digest_nothing_is_offered_again_and_the_login_goes_on() {
    for code in [406, 503] {
        let mut rig = lost_and_handed_out(4);
        rig.service.fail(Point::Digest, Fault::Error(code), 3);
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online");
        // After 1, 2 and 3 s.
        rig.advance(secs(30));
        assert_eq!(uploads(&rig), [813]);
        let asked = asked(&rig);
        assert_eq!(asked.last(), Some(&"list"));
        assert_eq!(asked.len(), 6, "{asked:?}");
    }
}

#[test]
fn an_unreadable_digest_tells_nothing_either() {
    let mut rig = lost_and_handed_out(4);
    let nonsense = Node::new("ib");
    rig.service
        .fail(Point::Digest, Fault::Stanzas(vec![nonsense]), 1);
    rig.advance(secs(2));
    assert!(uploads(&rig).is_empty(), "no answer at all");
    // The request is given up, and the next connection asks again.
    rig.advance(secs(80));
    assert_eq!(rig.state(), "online");
    assert_eq!(uploads(&rig), [813]);
}

#[test]
fn a_batch_the_server_has_taken_in_spite_of_its_error_is_not_offered_again() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::Error(500), 1);
    rig.pair();
    assert_eq!(rig.state(), "online");
    let upload = rig.service.requests("list")[0].clone();
    rig.service.take_upload(&upload);
    rig.advance(secs(10));
    assert_eq!(uploads(&rig), [1], "the server has enough");
    rig.service.bundle.prekeys.truncate(4);
    rig.restart();
    rig.command(wa_core::Command::Start);
    assert_eq!(uploads(&rig), [1, 813]);
}
