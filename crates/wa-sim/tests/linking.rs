//! A companion is linked by its QR code, restarts, logs in and is removed; all in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::device::{Keys, answer_pair_success, child, error_reply, request, result_of};
use common::lab::{Lab, number, refs_of};
use prost::Message as _;
use wa_noise::Pattern;
use wa_proto::{Jid, Node, pb};
use wa_sim::{
    AccountKeyInReply, ConnId, Fault, MAX_QUOTE_LEN, PhoneAnswer, PhoneConfig, QrForms,
    RefreshChild, ScanError, ScanFailure, ScanOutcome, WorldConfig,
};

#[test]
fn pair_device_carries_six_refs_as_bytes() {
    let mut lab = Lab::new();
    let keys = Keys::new(1);
    let id = lab.register(&keys);
    assert_eq!(lab.wire(id).pattern, Some(Pattern::Xx));
    let iq = lab.hear(id);
    assert_eq!(iq.get_jid("from"), Some(Jid::server_jid()));
    assert_eq!(iq.get_text("type").as_deref(), Some("set"));
    let refs = refs_of(&iq);
    assert_eq!(refs.len(), 6);
    assert!(
        lab.heard(id).is_empty(),
        "an unregistered connection gets no success"
    );
    lab.send(id, &result_of(&iq));
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn the_whole_way_from_the_code_to_online() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(2);
    lab.link(&mut keys);
    assert_eq!(
        keys.jid.as_ref().unwrap().to_string(),
        "15551230001:1@s.whatsapp.net"
    );
    assert_eq!(keys.key_index, Some(1));
    let phone = lab.world.phone(lab.phone).unwrap();
    assert_eq!(phone.companions.len(), 1);
    assert_eq!(phone.valid_indexes, [0, 1]);

    let id = lab.come_online(&mut keys);
    assert!(keys.routing.is_some());
    let stanzas = lab.activate(id);
    let tags: Vec<_> = stanzas
        .iter()
        .map(|node| node.get_children()[0].tag_str().to_owned())
        .collect();
    assert_eq!(tags, ["offline_preview", "devices", "offline"]);
    assert_eq!(stanzas[1].get_text("offline").as_deref(), Some("0"));
    assert_eq!(child(&stanzas[2], "offline").get_u64("count"), Some(1));
    assert!(lab.world.account(lab.phone).unwrap().devices[0].online);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn pair_success_holds_what_the_chapter_says() {
    let mut lab = Lab::new();
    let business = number(15_559_990_001);
    let config = PhoneConfig {
        platform: "smba".to_owned(),
        business_name: Some("Shop".to_owned()),
        ..PhoneConfig::default()
    };
    lab.world.add_phone(lab.now, business, config).unwrap();
    lab.phone = business;
    let (_, _, iq) = lab.scanned(&Keys::new(3));
    assert_eq!(iq.get_u64("t"), Some(lab.now.unix_secs()));
    let success = child(&iq, "pair-success");
    let device = child(success, "device");
    assert_eq!(
        device.get_text("jid").unwrap(),
        "15559990001:1@s.whatsapp.net"
    );
    assert!(device.get_text("lid").unwrap().ends_with(":1@lid"));
    assert_eq!(child(success, "platform").get_text("name").unwrap(), "smba");
    assert_eq!(child(success, "biz").get_text("name").unwrap(), "Shop");
    assert_eq!(
        child(success, "device-identity").get_bytes().unwrap().len(),
        152
    );
    assert_eq!(
        child(success, "client-props").get_bytes(),
        Some([8, 1, 16, 1, 24, 0].as_slice())
    );
}

#[test]
fn the_phone_does_not_believe_in_a_companion_that_did_not_sign() {
    let mut lab = Lab::new();
    let (id, scan, _) = lab.scanned(&Keys::new(4));
    assert!(lab.world.phone(lab.phone).unwrap().companions.is_empty());
    lab.drop_connection(id);
    assert_eq!(lab.outcome(scan), ScanOutcome::Failed(ScanFailure::Closed));
    let phone = lab.world.phone(lab.phone).unwrap();
    assert!(phone.companions.is_empty());
    assert_eq!(phone.current_key_index, 1, "the index is used up");
    // The device number is free again, the key index is not.
    let mut keys = Keys::new(5);
    lab.link(&mut keys);
    assert_eq!((keys.device(), keys.key_index), (1, Some(2)));
}

#[test]
fn a_phone_that_believes_at_once_forgets_a_companion_that_did_not_sign() {
    let mut config = WorldConfig::default();
    config.phone_answer = PhoneAnswer::AtUpload;
    let mut lab = Lab::with(config);
    let (id, _, _) = lab.scanned(&Keys::new(4));
    assert_eq!(lab.world.phone(lab.phone).unwrap().companions.len(), 1);
    lab.drop_connection(id);
    assert!(lab.world.phone(lab.phone).unwrap().companions.is_empty());
}

#[test]
fn a_reply_that_never_comes_fails_the_link() {
    let mut lab = Lab::new();
    let (id, scan, _) = lab.scanned(&Keys::new(6));
    lab.advance(Duration::from_secs(29));
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);
    lab.advance(Duration::from_secs(1));
    assert_eq!(lab.outcome(scan), ScanOutcome::Failed(ScanFailure::NoReply));
    assert!(lab.is_closed(id));
}

#[test]
fn an_error_reply_is_recorded() {
    let mut lab = Lab::new();
    let (id, scan, iq) = lab.scanned(&Keys::new(7));
    lab.send(id, &error_reply(&iq, 401, "not-authorized"));
    let refused = ScanFailure::Refused {
        code: 401,
        text: "not-authorized".to_owned(),
    };
    assert_eq!(lab.outcome(scan), ScanOutcome::Failed(refused));
    assert!(lab.is_closed(id));
    assert!(lab.world.account(lab.phone).unwrap().devices.is_empty());
}

/// Spoils the right reply and returns what the link came to.
fn spoiled(lab: &mut Lab, spoil: impl FnOnce(&mut pb::AdvSignedDeviceIdentity)) -> ScanOutcome {
    let mut keys = Keys::new(8);
    let (id, scan, iq) = lab.scanned(&keys);
    let reply = answer_pair_success(&mut keys, &iq, 1).unwrap();
    let identity = child(child(&reply, "pair-device-sign"), "device-identity");
    let mut signed = pb::AdvSignedDeviceIdentity::decode(identity.get_bytes().unwrap()).unwrap();
    spoil(&mut signed);
    let reply = result_of(&iq).child(
        Node::new("pair-device-sign").child(
            Node::new("device-identity")
                .attr("key-index", "1")
                .bytes(signed.encode_to_vec()),
        ),
    );
    lab.send(id, &reply);
    lab.outcome(scan)
}

fn rule_of(outcome: ScanOutcome) -> String {
    match outcome {
        ScanOutcome::Failed(ScanFailure::BadReply { rule }) => rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_signed_reply_does_not_link() {
    let rule = rule_of(spoiled(&mut Lab::new(), |signed| {
        signed.device_signature.as_mut().unwrap()[0] ^= 1;
    }));
    assert_eq!(rule, "the device signature does not verify");
    let rule = rule_of(spoiled(&mut Lab::new(), |signed| {
        signed.device_signature = None
    }));
    assert_eq!(rule, "no device signature of 64 bytes");
    let rule = rule_of(spoiled(&mut Lab::new(), |signed| {
        signed.details.as_mut().unwrap().push(0)
    }));
    assert_eq!(rule, "details or account signature were changed");
    let rule = rule_of(spoiled(&mut Lab::new(), |signed| {
        signed.account_signature.as_mut().unwrap()[3] ^= 1;
    }));
    assert_eq!(rule, "details or account signature were changed");
    let rule = rule_of(spoiled(&mut Lab::new(), |signed| {
        signed.account_signature_key = Some(vec![1; 32]);
    }));
    assert_eq!(rule, "the account key was changed");
}

#[test]
fn the_account_key_in_the_reply_is_tolerated_or_refused() {
    let with_key = |lab: &mut Lab| {
        let mut keys = Keys::new(9);
        let (id, scan, iq) = lab.scanned(&keys);
        let container = child(child(&iq, "pair-success"), "device-identity")
            .get_bytes()
            .unwrap()
            .to_vec();
        let container = pb::AdvSignedDeviceIdentityHmac::decode(container.as_slice()).unwrap();
        let sent = pb::AdvSignedDeviceIdentity::decode(container.details()).unwrap();
        let reply = answer_pair_success(&mut keys, &iq, 1).unwrap();
        let identity = child(child(&reply, "pair-device-sign"), "device-identity");
        let mut signed =
            pb::AdvSignedDeviceIdentity::decode(identity.get_bytes().unwrap()).unwrap();
        signed.account_signature_key = sent.account_signature_key;
        let reply = result_of(&iq).child(
            Node::new("pair-device-sign").child(
                Node::new("device-identity")
                    .attr("key-index", "1")
                    .bytes(signed.encode_to_vec()),
            ),
        );
        lab.send(id, &reply);
        lab.outcome(scan)
    };
    let mut lab = Lab::new();
    assert!(matches!(with_key(&mut lab), ScanOutcome::Linked { .. }));
    assert_eq!(lab.remarks(), ["the signed reply carries the account key"]);
    let mut config = WorldConfig::default();
    config.account_key_in_reply = AccountKeyInReply::Refused;
    assert_eq!(
        rule_of(with_key(&mut Lab::with(config))),
        "the account key is there"
    );
}

#[test]
fn id_address_and_key_index_of_the_reply_are_checked() {
    let try_with = |change: fn(Node) -> Node| {
        let mut lab = Lab::new();
        let mut keys = Keys::new(10);
        let (id, scan, iq) = lab.scanned(&keys);
        let reply = change(answer_pair_success(&mut keys, &iq, 1).unwrap());
        lab.send(id, &reply);
        rule_of(lab.outcome(scan))
    };
    let mut changed = try_with(|mut reply| {
        reply.set_attr("id", "other");
        reply
    });
    assert_eq!(changed, "another id than that of the pair-success");
    changed = try_with(|mut reply| {
        reply.set_attr("to", "1@s.whatsapp.net");
        reply
    });
    assert_eq!(changed, "not addressed to the server");
    changed = try_with(|reply| {
        let bytes = child(child(&reply, "pair-device-sign"), "device-identity")
            .get_bytes()
            .unwrap()
            .to_vec();
        Node::new("iq")
            .attr("id", reply.get_text("id").unwrap().into_owned())
            .attr("to", "s.whatsapp.net")
            .attr("type", "result")
            .child(
                Node::new("pair-device-sign").child(
                    Node::new("device-identity")
                        .attr("key-index", "7")
                        .bytes(bytes),
                ),
            )
    });
    assert_eq!(changed, "another key-index than in the details");
}

#[test]
fn the_noise_key_of_the_code_must_be_that_of_the_connection() {
    let mut lab = Lab::new();
    let keys = Keys::new(11);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let mut other = keys.clone();
    other.noise = Keys::new(12).noise;
    let scan = lab.scan(&other.qr(&refs[0]));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::OtherNoiseKey)
    );
    assert!(lab.heard(id).is_empty());
}

#[test]
fn refs_end_with_their_connection_and_with_the_link() {
    let mut lab = Lab::new();
    let keys = Keys::new(13);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    lab.drop_connection(id);
    let scan = lab.scan(&keys.qr(&refs[0]));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::UnknownRef)
    );

    let (_, _, _) = lab.scanned(&keys);
    let scan = lab.scan(&keys.qr("2@unknown"));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::UnknownRef)
    );
}

#[test]
fn every_ref_of_a_connection_links() {
    let mut lab = Lab::new();
    for index in 0..6 {
        lab.phone = lab
            .world
            .add_next_phone(lab.now, PhoneConfig::default())
            .unwrap();
        let keys = Keys::new(100 + index as u64);
        let id = lab.register(&keys);
        let refs = lab.refs(id);
        lab.scan(&keys.qr(&refs[index]));
        assert_eq!(lab.hear(id).get_children()[0].tag_str(), "pair-success");
    }
}

#[test]
fn fresh_refs_void_the_old_ones() {
    let mut lab = Lab::new();
    let keys = Keys::new(14);
    let id = lab.register(&keys);
    let old = lab.refs(id);
    assert_eq!(lab.world.renew_refs(lab.now), 1);
    lab.advance(Duration::ZERO);
    lab.push(id, &[]);
    let new = lab.refs(id);
    assert!(old.iter().all(|reference| !new.contains(reference)));
    let scan = lab.scan(&keys.qr(&old[0]));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::UnknownRef)
    );
    let scan = lab.scan(&keys.qr(&new[5]));
    assert_eq!(lab.outcome(scan), ScanOutcome::Pending);
}

#[test]
fn a_refresh_is_sent_in_either_form_and_its_ack_is_checked() {
    for (form, tag) in [
        (RefreshChild::CompanionRegRefresh, "companion_reg_refresh"),
        (RefreshChild::PairDeviceRotateQr, "pair-device-rotate-qr"),
    ] {
        let mut lab = Lab::new();
        let keys = Keys::new(15);
        let id = lab.register(&keys);
        lab.refs(id);
        lab.world.refresh_codes(lab.now, form);
        lab.push(id, &[]);
        let notification = lab.hear(id);
        assert_eq!(notification.tag_str(), "notification");
        assert_eq!(
            notification.get_text("type").unwrap(),
            "companion_reg_refresh"
        );
        assert_eq!(notification.get_children()[0].tag_str(), tag);
        let ack = Node::new("ack")
            .attr("class", "notification")
            .attr("type", "companion_reg_refresh")
            .attr("id", notification.get_text("id").unwrap().into_owned())
            .attr("to", Jid::server_jid());
        lab.send(id, &ack);
        assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
        lab.world.refresh_codes(lab.now, form);
        lab.push(id, &[]);
        let again = lab.hear(id);
        let untyped = Node::new("ack")
            .attr("class", "notification")
            .attr("id", again.get_text("id").unwrap().into_owned())
            .attr("to", Jid::server_jid());
        lab.send(id, &untyped);
        lab.send(id, &untyped);
        assert_eq!(
            lab.remarks(),
            [
                "the ack of a notification has a wrong type",
                "an ack of nothing that waits for one"
            ]
        );
    }
}

#[test]
fn a_code_nobody_scans_ends_the_connection() {
    let mut lab = Lab::new();
    let keys = Keys::new(16);
    let id = lab.register(&keys);
    // The client answers the server's pings meanwhile.
    for _ in 0..8 {
        lab.advance(Duration::from_secs(22));
        lab.send(id, &Node::new("ib"));
    }
    assert!(!lab.is_closed(id));
    lab.advance(Duration::from_secs(4));
    assert!(lab.is_closed(id));
}

#[test]
fn a_fifth_companion_is_one_too_many() {
    let mut lab = Lab::new();
    for seed in 0..4 {
        lab.link(&mut Keys::new(200 + seed));
    }
    let keys = Keys::new(204);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let scan = lab.scan(&keys.qr(&refs[0]));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::DeviceLimit { limit: 4 })
    );
    lab.world.unlink(lab.now, lab.phone, 2).unwrap();
    let mut keys = Keys::new(205);
    lab.link(&mut keys);
    assert_eq!(keys.device(), 2, "the lowest free number");
    assert_eq!(keys.key_index, Some(6), "five were given before");
}

#[test]
fn the_owner_takes_time_to_scan() {
    let mut config = WorldConfig::default();
    config.scan_delay = Duration::from_millis(1_500);
    let mut lab = Lab::with(config);
    let keys = Keys::new(17);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    lab.scan(&keys.qr(&refs[0]));
    lab.advance(Duration::from_millis(1_499));
    assert!(lab.heard(id).is_empty());
    lab.advance(Duration::from_millis(1));
    assert_eq!(lab.heard(id).len(), 1);
}

#[test]
fn a_code_of_four_fields_is_scanned_only_when_allowed() {
    let mut lab = Lab::new();
    let keys = Keys::new(18);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let code = keys.four_field_qr(&refs[0]);
    let refused = lab.world.scan(lab.now, lab.phone, &code).unwrap_err();
    assert!(matches!(refused, ScanError::Code(_)));
    lab.world
        .scan_in_form(lab.now, lab.phone, &code, QrForms::FourOrFiveFields)
        .unwrap();
    lab.advance(Duration::ZERO);
    assert_eq!(lab.hear(id).get_children()[0].tag_str(), "pair-success");
}

#[test]
fn requests_of_an_unregistered_companion_are_refused() {
    let mut lab = Lab::new();
    let keys = Keys::new(19);
    let id = lab.register(&keys);
    lab.refs(id);
    let answer = lab.ask(
        id,
        &request("1", "get", "encrypt", Some(Node::new("count"))),
    );
    assert_eq!(child(&answer, "error").get_u64("code"), Some(501));
}

#[test]
fn a_second_reply_is_noticed() {
    let mut lab = Lab::new();
    lab.world.inject(wa_sim::Fault::RestartDelay { ms: 500 });
    let mut keys = Keys::new(20);
    let (id, scan, iq) = lab.scanned(&keys);
    let reply = answer_pair_success(&mut keys, &iq, 1).unwrap();
    lab.send(id, &reply);
    assert!(matches!(lab.outcome(scan), ScanOutcome::Linked { .. }));
    lab.send(id, &reply);
    assert_eq!(lab.remarks(), ["a second reply to pair-success"]);
    assert_eq!(lab.world.account(lab.phone).unwrap().devices.len(), 1);
}

/// A companion that was told to renew its secret when its code was scanned; its refs, and the notification.
fn refreshed(lab: &mut Lab, keys: &Keys) -> (ConnId, Vec<String>, Node) {
    lab.world.inject(Fault::RefreshOnScan {
        child: RefreshChild::CompanionRegRefresh,
    });
    let id = lab.register(keys);
    let refs = lab.refs(id);
    lab.scan(&keys.qr(&refs[0]));
    let notification = lab.hear(id);
    (id, refs, notification)
}

fn acknowledge_refresh(lab: &mut Lab, id: ConnId, notification: &Node) {
    let ack = Node::new("ack")
        .attr("class", "notification")
        .attr("type", "companion_reg_refresh")
        .attr("to", Jid::server_jid())
        .attr("id", notification.get_text("id").unwrap().into_owned());
    lab.send(id, &ack);
}

#[test]
fn a_secret_that_was_voided_links_nothing() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let (id, refs, notification) = refreshed(&mut lab, &keys);
    let failed = ScanOutcome::Failed(ScanFailure::CodeRefreshed);
    // The companion may not have heard of it yet.
    let scan = lab.scan(&keys.qr(&refs[1]));
    assert_eq!(lab.outcome(scan), failed);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());

    acknowledge_refresh(&mut lab, id, &notification);
    let scan = lab.scan(&keys.qr(&refs[1]));
    assert_eq!(lab.outcome(scan), failed);
    assert_eq!(
        lab.remarks(),
        ["a code with a secret that a refresh has voided"]
    );

    keys.adv = [5; 32];
    lab.scan(&keys.qr(&refs[1]));
    let iq = lab.hear(id);
    assert!(answer_pair_success(&mut keys, &iq, 1).is_ok());
    assert_eq!(lab.remarks().len(), 1);
}

#[test]
fn a_refresh_that_is_never_acknowledged_is_remarked() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let (_, refs, _) = refreshed(&mut lab, &keys);
    lab.advance(Duration::from_secs(5));
    let old = lab.scan(&keys.qr(&refs[1]));
    assert_eq!(
        lab.outcome(old),
        ScanOutcome::Failed(ScanFailure::CodeRefreshed)
    );
    let unacknowledged =
        "no ack of a notification of type companion_reg_refresh before what follows from it";
    assert_eq!(
        lab.remarks(),
        [
            unacknowledged,
            "a code with a secret that a refresh has voided"
        ]
    );
    keys.adv = [5; 32];
    lab.scan(&keys.qr(&refs[1]));
    assert_eq!(lab.remarks()[2..], [unacknowledged]);
}

#[test]
fn what_a_client_says_is_quoted_up_to_a_length() {
    for (length, kept) in [(MAX_QUOTE_LEN, MAX_QUOTE_LEN), (50_000, MAX_QUOTE_LEN + 1)] {
        let mut lab = Lab::new();
        let (id, scan, iq) = lab.scanned(&Keys::new(7));
        lab.send(id, &Node::new("x".repeat(length)));
        lab.send(id, &error_reply(&iq, 401, "y".repeat(length).leak()));
        let [tag, refusal] = &lab.remarks()[..] else {
            panic!("{:?}", lab.remarks());
        };
        assert_eq!(tag.chars().filter(|c| "x…".contains(*c)).count(), kept + 1);
        assert_eq!(refusal.chars().filter(|c| "y…".contains(*c)).count(), kept);
        let ScanOutcome::Failed(ScanFailure::Refused { text, .. }) = lab.outcome(scan) else {
            panic!("{:?}", lab.outcome(scan));
        };
        assert_eq!(text.chars().count(), kept);
    }
}
