//! What stands around the device identity: required, optional, and what comes of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{
    JID, LID, Rig, error_reply, from_server, names, pair_device, pair_success, pair_success_of,
    sent, unhex, vector_container, vectors,
};
use wa_pair::{Handled, PairConfig, PairError, PairOutput, Paired};
use wa_proto::{Jid, Node};

fn identity() -> Node {
    Node::new("device-identity").bytes(vector_container())
}

fn device(jid: &str) -> Node {
    Node::new("device").attr("jid", jid.to_owned())
}

fn feed(stanza: &Node) -> Vec<PairOutput> {
    let mut rig = Rig::new(PairConfig::default());
    assert_eq!(rig.feed(stanza), Handled::Yes);
    rig.drain()
}

fn paired(children: Vec<Node>) -> Paired {
    let outputs = feed(&pair_success_of("5", children));
    match outputs.into_iter().nth(1) {
        Some(PairOutput::PersistPaired(paired)) => *paired,
        other => panic!("{other:?}"),
    }
}

fn refused(children: Vec<Node>) -> PairError {
    let outputs = feed(&pair_success_of("5", children));
    assert_eq!(names(&outputs), ["verifying", "send", "failed"]);
    assert_eq!(sent(&outputs), [&error_reply("5", 500, "internal-error")]);
    match outputs.into_iter().nth(2) {
        Some(PairOutput::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stanza_without_its_parts_is_answered_with_500() {
    assert_eq!(refused(vec![]), PairError::DeviceIdentityMissing);
    assert_eq!(
        refused(vec![Node::new("device-identity"), device(JID)]),
        PairError::DeviceIdentityMissing
    );
    assert_eq!(refused(vec![identity()]), PairError::DeviceMissing);
    assert_eq!(
        refused(vec![identity(), Node::new("device")]),
        PairError::DeviceMissing
    );
    let long = Node::new("device-identity").bytes(vec![0; 501]);
    assert_eq!(
        refused(vec![long, device(JID)]),
        PairError::DeviceIdentityLength {
            got: 501,
            limit: 500
        }
    );
}

#[test]
fn a_jid_that_is_no_companion_device_is_answered_with_500() {
    let jids = [
        "",
        "not a jid:x@s.whatsapp.net",
        "s.whatsapp.net",
        "15551234567@s.whatsapp.net",
        "15551234567:0@s.whatsapp.net",
        "123456789:7@lid",
        "123-456@g.us",
    ];
    for jid in jids {
        assert_eq!(
            refused(vec![identity(), device(jid)]),
            PairError::DeviceJid,
            "{jid}"
        );
    }
}

#[test]
fn device_identity_and_jid_are_enough() {
    let paired = paired(vec![identity(), device(JID)]);
    assert_eq!(paired.jid, JID.parse::<Jid>().unwrap());
    assert_eq!(
        (paired.lid, paired.platform, paired.business_name),
        (None, None, None)
    );
    assert_eq!((paired.lid_migrated, paired.server_time), (None, None));
}

#[test]
fn everything_the_server_says_is_kept() {
    let children = vec![
        Node::new("platform").attr("name", "smba"),
        identity(),
        Node::new("biz").attr("name", "Bakery"),
        Node::new("device")
            .attr("jid", JID.parse::<Jid>().unwrap())
            .attr("lid", LID.parse::<Jid>().unwrap()),
        Node::new("client-props").bytes(unhex(&vectors()["client_pairing_props"][0]["bytes"])),
        Node::new("jurisdiction").attr("iso", "BR").attr("cc", "55"),
        Node::new("encryption-metadata").attr("version", "1"),
    ];
    let stanza = pair_success_of("5", children).attr("t", "1789000123");
    let outputs = feed(&stanza);
    let PairOutput::PersistPaired(paired) = &outputs[1] else {
        panic!("{:?}", names(&outputs))
    };
    assert_eq!(paired.lid, Some(LID.parse().unwrap()));
    assert_eq!(paired.platform.as_deref(), Some("smba"));
    assert_eq!(paired.business_name.as_deref(), Some("Bakery"));
    assert_eq!(paired.lid_migrated, Some(true));
    assert_eq!(paired.server_time, Some(1_789_000_123));
    let PairOutput::Paired(summary) = &outputs[3] else {
        panic!("{:?}", names(&outputs))
    };
    assert_eq!(summary.jid, paired.jid);
    assert_eq!(summary.lid, paired.lid);
    assert_eq!(summary.platform, paired.platform);
    assert_eq!(summary.business_name, paired.business_name);
    assert_eq!(summary.key_index, 3);
}

#[test]
fn client_props_of_the_vectors_are_read() {
    for case in vectors()["client_pairing_props"].as_array().unwrap() {
        let props = Node::new("client-props").bytes(unhex(&case["bytes"]));
        let flag = case["fields"]["isChatDbLidMigrated"].as_bool();
        assert_eq!(
            paired(vec![identity(), device(JID), props]).lid_migrated,
            flag
        );
    }
    for bytes in [vec![0xFF, 0xFF], vec![], vec![0; 5000]] {
        let props = Node::new("client-props").bytes(bytes);
        assert_eq!(
            paired(vec![identity(), device(JID), props]).lid_migrated,
            None
        );
    }
}

#[test]
fn a_lid_that_is_none_is_left_out() {
    for lid in ["15551234567:7@s.whatsapp.net", "nonsense", "123456789@lid"] {
        let device = device(JID).attr("lid", lid.to_owned());
        assert_eq!(paired(vec![identity(), device]).lid, None, "{lid}");
    }
}

#[test]
fn names_are_cut_and_cleaned() {
    let name = |child: &'static str, name: String| {
        paired(vec![
            identity(),
            device(JID),
            Node::new(child).attr("name", name),
        ])
    };
    assert_eq!(
        name("biz", "n".repeat(256)).business_name,
        Some("n".repeat(256))
    );
    assert_eq!(
        name("biz", "n".repeat(257)).business_name,
        Some("n".repeat(256))
    );
    assert_eq!(
        name("platform", "p".repeat(64)).platform,
        Some("p".repeat(64))
    );
    assert_eq!(
        name("platform", "p".repeat(65)).platform,
        Some("p".repeat(64))
    );
    assert_eq!(
        name("biz", "Caf\u{e9}\u{1b}[2J".into())
            .business_name
            .as_deref(),
        Some("Caf\u{e9}[2J")
    );
    assert_eq!(name("biz", String::new()).business_name, None);
}

#[test]
fn a_second_pair_success_is_ignored_silently() {
    let mut rig = Rig::offering(6);
    let _ = rig.feed(&pair_success("5", vector_container()));
    assert!(matches!(rig.drain().last(), Some(PairOutput::Paired(_))));
    assert_eq!(
        rig.feed(&pair_success("6", vector_container())),
        Handled::Yes
    );
    assert!(rig.drain().is_empty());
}

#[test]
fn after_a_refusal_the_machine_is_done() {
    let mut rig = Rig::offering(6);
    let _ = rig.feed(&pair_success("5", vec![1, 2, 3]));
    assert_eq!(
        names(&rig.drain()),
        ["qr-expired", "verifying", "send", "failed"]
    );
    assert_eq!(
        rig.feed(&pair_success("6", vector_container())),
        Handled::Yes
    );
    assert!(rig.drain().is_empty());
    assert_eq!(rig.feed(&pair_device("7", 6, "new")), Handled::Yes);
    assert_eq!(names(&rig.drain()), ["send"], "acknowledged, not shown");
    assert_eq!(rig.next_timeout(), None);
}

#[test]
fn pair_success_of_another_sender_is_left_alone() {
    let mut rig = Rig::offering(6);
    let stanza = Node::new("iq")
        .attr("type", "set")
        .attr("id", "5")
        .attr("from", "15551234567@s.whatsapp.net".parse::<Jid>().unwrap())
        .child(Node::new("pair-success").children([identity(), device(JID)]));
    assert_eq!(rig.feed(&stanza), Handled::No);
    let result = from_server("iq", "result", "5").child(Node::new("pair-success"));
    assert_eq!(rig.feed(&result), Handled::No);
    assert!(rig.drain().is_empty());
}
