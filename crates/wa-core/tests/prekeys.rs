#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, Event, RecordKind, Trouble};
use wa_proto::{Jid, Node};

fn login(rig: &mut Rig) {
    rig.restart();
    rig.service.seen.stanzas.clear();
    rig.command(Command::Start);
}

fn ids(upload: &Node) -> Vec<u32> {
    let list = upload.get_child("list").unwrap();
    let id = |key: &Node| {
        let bytes = key.get_child("id").unwrap().get_bytes().unwrap().to_vec();
        u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
    };
    list.get_children().iter().map(id).collect()
}

/// Tags and xmlns of the requests, in order.
fn requests(rig: &Rig) -> Vec<String> {
    let iqs = rig.service.sent("iq");
    let child = |iq: &&Node| {
        let child = iq.get_children().first()?.tag_str().to_owned();
        Some(if child == "registration" {
            "upload".to_owned()
        } else {
            child
        })
    };
    iqs.iter().filter_map(child).collect()
}

#[test]
fn the_first_upload_has_812_keys_and_comes_before_active() {
    let rig = Rig::online();
    let upload = rig.service.requests("list")[0];
    assert_eq!(ids(upload), (1..=812).collect::<Vec<u32>>());
    assert_eq!(
        requests(&rig),
        ["pair-device-sign", "count", "upload", "active", "usync"]
    );
}

#[test]
fn five_keys_on_the_server_are_enough_and_four_are_not() {
    for (left, uploads) in [(5, 0), (4, 1)] {
        let mut rig = Rig::online();
        rig.service.bundle.prekeys.truncate(left);
        login(&mut rig);
        assert_eq!(rig.state(), "online");
        let made: Vec<_> = rig
            .service
            .requests("list")
            .iter()
            .map(|u| ids(u))
            .collect();
        assert_eq!(made.len(), uploads, "{left} left");
        if uploads == 1 {
            assert_eq!(made[0], (813..=1624).collect::<Vec<u32>>(), "new ids");
            assert_eq!(requests(&rig), ["count", "upload", "active"]);
        } else {
            assert_eq!(requests(&rig), ["count", "digest", "active"]);
        }
    }
}

#[test]
fn a_server_without_a_bundle_gets_one() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Digest, Fault::Error(404), 1);
    login(&mut rig);
    assert_eq!(requests(&rig), ["count", "digest", "upload", "active"]);
    assert_eq!(rig.state(), "online");
}

#[test]
fn other_errors_of_the_digest_mean_nothing() {
    for code in [406, 503, 500] {
        let mut rig = Rig::online();
        rig.service.fail(Point::Digest, Fault::Error(code), 1);
        login(&mut rig);
        assert_eq!(requests(&rig), ["count", "digest", "active"]);
    }
}

#[test]
fn a_bundle_that_differs_is_uploaded_again() {
    let tamper: [fn(&mut support::Bundle); 4] = [
        |bundle| bundle.registration = vec![0, 0, 0, 99],
        |bundle| bundle.prekeys[7].1[3] ^= 1,
        |bundle| bundle.prekeys[7].0 = vec![0x70, 0, 0],
        |bundle| bundle.signed.as_mut().unwrap().0 = vec![0, 0, 9],
    ];
    for tamper in tamper {
        let mut rig = Rig::online();
        tamper(&mut rig.service.bundle);
        login(&mut rig);
        assert_eq!(requests(&rig), ["count", "digest", "upload", "active"]);
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn an_upload_whose_answer_was_lost_is_settled_by_the_digest() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::LoseAnswer, 1);
    rig.pair();
    assert_eq!(rig.state(), "reconnecting");
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.service.requests("list").len(), 1, "not offered again");
    rig.service.bundle.prekeys.truncate(1);
    login(&mut rig);
    let next = ids(rig.service.requests("list")[0]);
    assert_eq!(
        next[0], 813,
        "the counters know that the first batch is out"
    );
}

#[test]
fn a_refused_upload_does_not_hold_the_login_up_and_is_tried_again() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::Error(503), 4);
    rig.pair();
    assert_eq!(rig.state(), "online");
    let trouble = rig.heard(|event| match event {
        Event::Trouble(trouble) => Some(trouble.clone()),
        _ => None,
    });
    assert_eq!(trouble, Trouble::PrekeysRefused { code: 503 });
    // 1, 2, 3, 5 s
    for (wait, uploads) in [(1, 2), (2, 3), (3, 4), (4, 4), (1, 5)] {
        rig.advance(secs(wait));
        assert_eq!(rig.service.requests("list").len(), uploads);
    }
    assert_eq!(rig.service.bundle.prekeys.len(), 812);
    let offered = rig.service.requests("list");
    assert_eq!(offered[0].get_child("list"), offered[4].get_child("list"));
    assert_eq!(rig.store.count(RecordKind::Prekey), 812);
}

#[test]
fn a_low_count_is_answered_with_an_upload() {
    for (count, uploads) in [(5, 0), (4, 1), (0, 1)] {
        let mut rig = Rig::online();
        rig.service.seen.stanzas.clear();
        rig.serve(
            &Node::new("notification")
                .attr("from", Jid::server_jid())
                .attr("type", "encrypt")
                .attr("id", "77")
                .child(Node::new("count").attr("value", count as u64)),
        );
        assert_eq!(rig.service.sent("ack").len(), 1);
        assert_eq!(rig.service.requests("list").len(), uploads, "{count} left");
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_digest_is_made_when_the_server_asks() {
    let mut rig = Rig::online();
    rig.service.seen.stanzas.clear();
    rig.serve(&support::notification("encrypt", "digest"));
    assert_eq!(requests(&rig), ["digest"]);
}

#[test]
fn a_changed_identity_of_the_own_phone_voids_the_link_and_that_of_others_does_not() {
    for (from, state) in [
        ("12025550123@s.whatsapp.net", "logged_out"),
        ("186303081611421@lid", "logged_out"),
        ("12025550199@s.whatsapp.net", "online"),
        ("12025550123:3@s.whatsapp.net", "online"),
    ] {
        let mut rig = Rig::online();
        rig.serve(&support::notification("encrypt", "identity").attr("participant", "x@lid"));
        assert_eq!(rig.state(), "online", "from the server itself");
        let from: Jid = from.parse().unwrap();
        rig.serve(
            &Node::new("notification")
                .attr("from", from.clone())
                .attr("type", "encrypt")
                .attr("id", "1")
                .child(Node::new("identity")),
        );
        assert_eq!(rig.state(), state, "{from}");
    }
}
