//! Refs on show in virtual time: 60 s, then 20 s each, until none is left.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::{Rig, codes, facts, from_server, names, pair_device, sent};
use wa_pair::{Handled, MAX_REF_LEN, MAX_REFS, PairConfig, PairTimings, QrForm};
use wa_proto::{Jid, Node};

fn shown(outputs: &[wa_pair::PairOutput]) -> Vec<(String, u32, u64)> {
    codes(outputs)
        .into_iter()
        .map(facts)
        .map(|(reference, seq, ttl, _)| (reference, seq, ttl))
        .collect()
}

#[test]
fn pair_device_is_acknowledged_before_the_first_code() {
    let mut rig = Rig::new(PairConfig::default());
    assert_eq!(rig.pairing.poll_timeout(), None);
    assert_eq!(rig.feed(&pair_device("77", 6, "ref")), Handled::Yes);
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["send", "qr"]);
    let result = Node::new("iq")
        .attr("type", "result")
        .attr("id", "77")
        .attr("to", Jid::server_jid());
    assert_eq!(sent(&outputs), [&result]);
    assert_eq!(shown(&outputs), [("2@ref0".into(), 1, 60)]);
    assert_eq!(
        codes(&outputs)[0].deadline,
        rig.start + Duration::from_secs(60)
    );
}

#[test]
fn six_refs_are_shown_for_160_seconds() {
    let mut rig = Rig::offering(6);
    for (index, second) in [60, 80, 100, 120, 140].into_iter().enumerate() {
        assert_eq!(rig.next_timeout(), Some(second));
        assert!(rig.at(second - 1).is_empty());
        let number = u32::try_from(index).unwrap();
        assert_eq!(
            shown(&rig.at(second)),
            [(format!("2@ref{}", index + 1), number + 2, 20)]
        );
    }
    assert!(rig.at(159).is_empty());
    assert_eq!(names(&rig.at(160)), ["qr-expired", "exhausted"]);
    assert_eq!(rig.next_timeout(), None);
    assert!(rig.at(1000).is_empty(), "exhaustion is told once");
}

#[test]
fn any_number_of_refs_is_taken() {
    for refs in [1, 2, 5, 7, MAX_REFS] {
        let mut rig = Rig::offering(refs);
        let total = 60 + 20 * (refs as u64 - 1);
        let outputs: Vec<_> = (60..total).flat_map(|second| rig.at(second)).collect();
        assert_eq!(codes(&outputs).len(), refs - 1);
        assert_eq!(
            names(&rig.at(total)),
            ["qr-expired", "exhausted"],
            "{refs} refs"
        );
    }
}

#[test]
fn refs_beyond_the_limit_are_left_out() {
    let mut rig = Rig::offering(MAX_REFS + 1);
    let outputs: Vec<_> = (0..1000).flat_map(|second| rig.at(second)).collect();
    assert_eq!(codes(&outputs).len(), MAX_REFS - 1);
}

#[test]
fn unusable_refs_are_skipped() {
    let refs = vec![
        Node::new("ref").bytes(vec![b'r'; MAX_REF_LEN + 1]),
        Node::new("ref").bytes(vec![0xFF, 0xFE]),
        Node::new("ref").bytes(b"2@line\nbreak".to_vec()),
        Node::new("ref").bytes(Vec::new()),
        Node::new("ref"),
        Node::new("other").bytes(b"2@other".to_vec()),
        Node::new("ref").bytes(vec![b'r'; MAX_REF_LEN]),
    ];
    let mut rig = Rig::new(PairConfig::default());
    let _ = rig.feed(&from_server("iq", "set", "1").child(Node::new("pair-device").children(refs)));
    assert_eq!(shown(&rig.drain()), [("r".repeat(MAX_REF_LEN), 1, 60)]);
    assert_eq!(names(&rig.at(60)), ["qr-expired", "exhausted"]);
}

#[test]
fn pair_device_without_a_usable_ref_leaves_nothing_open() {
    let mut rig = Rig::new(PairConfig::default());
    assert_eq!(rig.feed(&pair_device("1", 0, "ref")), Handled::Yes);
    assert_eq!(names(&rig.drain()), ["send", "exhausted"]);

    let mut rig = Rig::offering(6);
    assert_eq!(rig.feed(&pair_device("2", 0, "ref")), Handled::Yes);
    assert_eq!(names(&rig.drain()), ["send", "qr-expired", "exhausted"]);
}

#[test]
fn a_new_pair_device_replaces_the_refs_and_starts_over() {
    let mut rig = Rig::offering(6);
    rig.at(70);
    assert_eq!(rig.feed(&pair_device("2", 2, "new")), Handled::Yes);
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["send", "qr"]);
    assert_eq!(shown(&outputs), [("2@new0".into(), 3, 60)]);
    assert!(rig.at(80).is_empty(), "the old clock is gone");
    assert_eq!(shown(&rig.at(130)), [("2@new1".into(), 4, 20)]);
    assert_eq!(names(&rig.at(150)), ["qr-expired", "exhausted"]);
}

#[test]
fn a_new_pair_device_after_exhaustion_starts_over() {
    let mut rig = Rig::offering(1);
    rig.at(60);
    let _ = rig.feed(&pair_device("2", 1, "new"));
    assert_eq!(shown(&rig.drain()), [("2@new0".into(), 2, 60)]);
    assert_eq!(names(&rig.at(120)), ["qr-expired", "exhausted"]);
}

#[test]
fn a_driver_that_slept_skips_the_refs_whose_time_is_over() {
    let mut rig = Rig::offering(6);
    assert_eq!(shown(&rig.at(105)), [("2@ref3".into(), 2, 15)]);
    assert_eq!(rig.next_timeout(), Some(120));
    assert_eq!(names(&rig.at(500)), ["qr-expired", "exhausted"]);
}

#[test]
fn the_form_and_the_clocks_are_the_callers_choice() {
    let timings = PairTimings {
        first_ref: Duration::from_secs(3),
        next_ref: Duration::from_secs(2),
        ..PairTimings::default()
    };
    let mut rig = Rig::new(PairConfig {
        qr_form: QrForm::Bare,
        timings,
        ..PairConfig::default()
    });
    let _ = rig.feed(&pair_device("1", 2, "ref"));
    let outputs = rig.drain();
    assert!(codes(&outputs)[0].text.expose().starts_with("2@ref0,"));
    assert_eq!(shown(&outputs), [("2@ref0".into(), 1, 3)]);
    assert_eq!(shown(&rig.at(3)), [("2@ref1".into(), 2, 2)]);
}

#[test]
fn the_server_may_be_named_as_text() {
    let mut rig = Rig::new(PairConfig::default());
    let stanza = Node::new("iq")
        .attr("type", "set")
        .attr("id", "1")
        .attr("from", "s.whatsapp.net")
        .child(Node::new("pair-device").child(Node::new("ref").bytes(b"2@x".to_vec())));
    assert_eq!(rig.feed(&stanza), Handled::Yes);
    assert_eq!(shown(&rig.drain()), [("2@x".into(), 1, 60)]);
}

#[test]
fn stanzas_of_others_are_left_alone() {
    let mut rig = Rig::new(PairConfig::default());
    let from = |jid: &str| {
        Node::new("iq")
            .attr("type", "set")
            .attr("id", "1")
            .attr("from", jid.parse::<Jid>().unwrap())
            .child(Node::new("pair-device").child(Node::new("ref").bytes(b"2@x".to_vec())))
    };
    assert_eq!(rig.feed(&from("15551234567@s.whatsapp.net")), Handled::No);
    assert_eq!(rig.feed(&from("g.us")), Handled::No);
    let no_sender = Node::new("iq")
        .attr("type", "set")
        .attr("id", "1")
        .child(Node::new("pair-device"));
    assert_eq!(rig.feed(&no_sender), Handled::No);
    assert_eq!(
        rig.feed(&from_server("iq", "get", "1").child(Node::new("pair-device"))),
        Handled::No
    );
    assert_eq!(
        rig.feed(&from_server("iq", "set", "1").child(Node::new("ping"))),
        Handled::No
    );
    assert_eq!(
        rig.feed(&from_server("notification", "encrypt", "1")),
        Handled::No
    );
    assert!(rig.drain().is_empty());
}
