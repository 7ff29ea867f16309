//! A linked companion logs in, is replaced, is removed; the server asks and answers; all in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::device::{Heard, Keys, child, request};
use common::lab::Lab;
use common::payload;
use prost::Message as _;
use wa_noise::Pattern;
use wa_proto::pb::client_payload::DevicePairingRegistrationData;
use wa_proto::{Jid, Node, pb};
use wa_sim::{UnknownIq, UnlinkError, WorldConfig};

fn linked(seed: u64) -> (Lab, Keys) {
    let mut lab = Lab::new();
    let mut keys = Keys::new(seed);
    lab.link(&mut keys);
    (lab, keys)
}

fn failure_reason(lab: &mut Lab, id: wa_sim::ConnId) -> Option<u64> {
    let failure = lab.hear(id);
    assert_eq!(failure.tag_str(), "failure");
    assert!(lab.is_closed(id));
    failure.get_u64("reason")
}

#[test]
fn success_tells_time_and_lid() {
    let (mut lab, mut keys) = linked(1);
    let id = lab.login(&keys);
    let success = lab.hear(id);
    assert_eq!(success.get_u64("t"), Some(lab.now.unix_secs()));
    assert_eq!(success.get_jid("lid"), keys.lid.clone());
    keys.routing = Some(vec![]);
}

#[test]
fn a_stranger_and_another_static_key_get_401() {
    let (mut lab, keys) = linked(2);
    let mut other = keys.clone();
    other.noise = Keys::new(3).noise;
    let id = lab.login(&other);
    assert_eq!(failure_reason(&mut lab, id), Some(401));
    let id = lab.connect(&keys, &payload::login(keys.user(), 9));
    assert_eq!(failure_reason(&mut lab, id), Some(401));
    let id = lab.connect(&keys, &payload::login(15_550_000_000, 1));
    assert_eq!(failure_reason(&mut lab, id), Some(401));
    assert_eq!(
        lab.remarks(),
        [
            "login with another static key",
            "login of an unknown device",
            "login of an unknown device"
        ]
    );
}

#[test]
fn a_payload_that_is_neither_login_nor_registration_gets_400() {
    let (mut lab, keys) = linked(4);
    let id = lab.connect(&keys, &pb::ClientPayload::default());
    assert_eq!(failure_reason(&mut lab, id), Some(400));
}

/// What the server says of a registration spoiled like this.
struct Case(&'static str, fn(&mut DevicePairingRegistrationData));

#[test]
fn every_field_of_a_registration_is_checked() {
    let cases = [
        Case("eRegid has 3 bytes instead of 4", |data| {
            data.e_regid = Some(vec![0; 3])
        }),
        Case("eKeytype of the registration is wrong", |data| {
            data.e_keytype = Some(vec![6])
        }),
        Case("eIdent has 33 bytes instead of 32", |data| {
            data.e_ident = Some(vec![5; 33])
        }),
        Case("eSkeyId of the registration is wrong", |data| {
            data.e_skey_id = Some(vec![0; 3])
        }),
        Case("eSkeyVal has 0 bytes instead of 32", |data| {
            data.e_skey_val = None
        }),
        Case("eSkeySig has 63 bytes instead of 64", |data| {
            data.e_skey_sig = Some(vec![0; 63])
        }),
        Case("buildHash has 15 bytes instead of 16", |data| {
            data.build_hash = Some(vec![0; 15])
        }),
        Case(
            "the signature of the signed prekey does not verify",
            |data| {
                data.e_skey_sig.as_mut().unwrap()[5] ^= 1;
            },
        ),
        Case("deviceProps of the registration is wrong", |data| {
            data.device_props = Some(vec![0x0a, 9])
        }),
    ];
    for Case(expected, spoil) in cases {
        let mut lab = Lab::new();
        let keys = Keys::new(5);
        let mut payload = payload::registration(&keys);
        spoil(payload.device_pairing_data.as_mut().unwrap());
        let id = lab.connect(&keys, &payload);
        assert_eq!(failure_reason(&mut lab, id), Some(400));
        assert_eq!(lab.remarks(), [expected]);
    }
}

#[test]
fn an_old_version_gets_405() {
    let mut config = WorldConfig::default();
    config.min_version = Some([2, 3000, 1_045_649_368]);
    let mut lab = Lab::with(config);
    let keys = Keys::new(6);
    let id = lab.register(&keys);
    assert_eq!(failure_reason(&mut lab, id), Some(405));
}

#[test]
fn a_cached_server_key_makes_one_round_trip() {
    let (mut lab, mut keys) = linked(7);
    let id = lab.come_online(&mut keys);
    keys.server = lab.wire(id).server;
    assert!(keys.server.is_some());
    let id = lab.login(&keys);
    assert_eq!(lab.wire(id).pattern, Some(Pattern::Ik));
    assert_eq!(lab.hear(id).tag_str(), "success");
}

#[test]
fn a_server_with_another_key_falls_back() {
    let (mut lab, mut keys) = linked(8);
    let id = lab.come_online(&mut keys);
    keys.server = lab.wire(id).server;
    // Another world with the same account: only the accounts come along, not the server's key.
    let state = serde_json::to_value(lab.world.export()).unwrap();
    let fresh = Lab::new();
    let mut other = serde_json::to_value(fresh.world.export()).unwrap();
    let strange = Keys::new(90).noise;
    other["server_static"] = serde_json::json!(base64_of(strange.expose_bytes()));
    other["accounts"] = state["accounts"].clone();
    other["root"] = state["root"].clone();
    other["intermediate"] = state["intermediate"].clone();
    let state = serde_json::from_value(other).unwrap();
    let world = wa_sim::World::import(WorldConfig::default(), [9; 32], lab.now, &state).unwrap();
    let mut lab = Lab::around(world, lab.now, lab.phone);
    let id = lab.login(&keys);
    assert_eq!(lab.wire(id).pattern, Some(Pattern::XxFallback));
    assert_eq!(lab.hear(id).tag_str(), "success");
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn routing_info_comes_once_and_is_missed_when_it_does_not_come_back() {
    let (mut lab, mut keys) = linked(9);
    let id = lab.come_online(&mut keys);
    assert!(keys.routing.is_some());
    lab.drop_connection(id);
    let id = lab.login(&keys);
    assert_eq!(lab.hear(id).tag_str(), "success");
    assert!(lab.heard(id).is_empty(), "no second routing info");
    assert!(lab.remarks().is_empty());
    lab.drop_connection(id);
    keys.routing = None;
    let id = lab.login(&keys);
    assert_eq!(lab.hear(id).tag_str(), "success");
    assert_eq!(
        lab.remarks(),
        ["the routing preamble is missing or another one than was given"]
    );
}

#[test]
fn the_older_of_two_connections_is_replaced() {
    let (mut lab, mut keys) = linked(10);
    let older = lab.come_online(&mut keys);
    let newer = lab.login(&keys);
    let error = lab.hear(older);
    assert_eq!(error.tag_str(), "stream:error");
    assert_eq!(error.get_attr("code"), None);
    assert_eq!(
        child(&error, "conflict").get_text("type").unwrap(),
        "replaced"
    );
    assert!(lab.is_closed(older));
    assert_eq!(lab.hear(newer).tag_str(), "success");
    assert!(!lab.is_closed(newer));
}

#[test]
fn a_companion_can_remove_itself() {
    let (mut lab, mut keys) = linked(11);
    let id = lab.come_online(&mut keys);
    let remove = Node::new("remove-companion-device")
        .attr("jid", keys.jid.clone().unwrap())
        .attr("reason", "user_initiated");
    let answer = lab.ask(id, &request("bye", "set", "md", Some(remove)));
    assert_eq!(answer.get_text("type").unwrap(), "result");
    let error = lab.hear(id);
    assert_eq!(error.get_u64("code"), Some(401));
    assert_eq!(
        child(&error, "conflict").get_text("type").unwrap(),
        "device_removed"
    );
    assert!(lab.is_closed(id));
    let phone = lab.world.phone(lab.phone).unwrap();
    assert!(phone.companions.is_empty());
    assert_eq!(phone.valid_indexes, [0]);
    let id = lab.login(&keys);
    assert_eq!(failure_reason(&mut lab, id), Some(401));
}

#[test]
fn a_companion_cannot_remove_another() {
    let (mut lab, mut keys) = linked(12);
    let mut other = Keys::new(13);
    lab.link(&mut other);
    let id = lab.come_online(&mut keys);
    let remove = Node::new("remove-companion-device").attr("jid", other.jid.clone().unwrap());
    let answer = lab.ask(id, &request("no", "set", "md", Some(remove)));
    assert_eq!(child(&answer, "error").get_u64("code"), Some(403));
    assert_eq!(lab.world.account(lab.phone).unwrap().devices.len(), 2);
}

#[test]
fn the_phone_removes_a_companion_that_is_online_or_away() {
    let (mut lab, mut keys) = linked(14);
    let id = lab.come_online(&mut keys);
    lab.world.unlink(lab.now, lab.phone, 1).unwrap();
    lab.push(id, &[]);
    let error = lab.hear(id);
    assert_eq!(error.get_u64("code"), Some(401));
    assert!(lab.is_closed(id));

    let mut away = Keys::new(15);
    lab.link(&mut away);
    lab.world.unlink(lab.now, lab.phone, away.device()).unwrap();
    let id = lab.login(&away);
    assert_eq!(failure_reason(&mut lab, id), Some(401));
    assert_eq!(
        lab.world.unlink(lab.now, lab.phone, 1),
        Err(UnlinkError::NoDevice {
            number: lab.phone,
            device: 1
        })
    );
}

#[test]
fn others_hear_of_a_new_companion_and_ack_it() {
    let (mut lab, mut keys) = linked(16);
    let id = lab.come_online(&mut keys);
    lab.activate(id);
    let mut second = Keys::new(17);
    lab.link(&mut second);
    let notification = lab.hear(id);
    assert_eq!(notification.get_text("type").unwrap(), "account_sync");
    assert_eq!(
        notification.get_text("from").unwrap(),
        "15551230001@s.whatsapp.net"
    );
    assert_eq!(notification.get_attr("offline"), None);
    let devices = child(&notification, "devices");
    assert!(devices.get_text("dhash").unwrap().starts_with("2:"));
    let listed: Vec<_> = devices
        .get_children()
        .iter()
        .filter(|node| node.tag_str() == "device")
        .map(|node| {
            (
                node.get_text("jid").unwrap().into_owned(),
                node.get_u64("key-index"),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("15551230001@s.whatsapp.net".to_owned(), None),
            ("15551230001:1@s.whatsapp.net".to_owned(), Some(1)),
            ("15551230001:2@s.whatsapp.net".to_owned(), Some(2)),
        ]
    );
    let list = child(devices, "key-index-list").get_bytes().unwrap();
    let list = pb::AdvSignedKeyIndexList::decode(list).unwrap();
    let list = pb::AdvKeyIndexList::decode(list.details()).unwrap();
    assert_eq!(list.valid_indexes, [0, 1, 2]);

    let waiting = |lab: &Lab| lab.world.account(lab.phone).unwrap().devices[0].waiting;
    assert_eq!(waiting(&lab), 2, "the own link and this one");
    let ack = Node::new("ack")
        .attr("class", "notification")
        .attr("type", "account_sync")
        .attr("id", notification.get_text("id").unwrap().into_owned())
        .attr("to", notification.get_jid("from").unwrap());
    lab.send(id, &ack);
    assert_eq!(waiting(&lab), 1);
    assert!(lab.remarks().is_empty());
    lab.send(id, &ack);
    assert_eq!(lab.remarks(), ["an ack of nothing that waits for one"]);
}

#[test]
fn what_is_not_acknowledged_comes_again() {
    let (mut lab, mut keys) = linked(18);
    let id = lab.come_online(&mut keys);
    assert_eq!(lab.activate(id).len(), 3);
    lab.drop_connection(id);
    let id = lab.come_online(&mut keys);
    let again = lab.activate(id);
    assert_eq!(again.len(), 3);
    let ack = Node::new("ack")
        .attr("class", "notification")
        .attr("id", again[1].get_text("id").unwrap().into_owned())
        .attr("to", again[1].get_jid("from").unwrap());
    lab.send(id, &ack);
    assert_eq!(
        lab.remarks(),
        ["the ack of a notification has a wrong type"]
    );
    lab.drop_connection(id);
    let id = lab.come_online(&mut keys);
    let stanzas = lab.activate(id);
    assert_eq!(stanzas.len(), 1);
    assert_eq!(child(&stanzas[0], "offline").get_u64("count"), Some(0));
}

#[test]
fn a_client_that_is_not_passive_gets_everything_at_once() {
    let (mut lab, keys) = linked(19);
    let mut payload = payload::login(keys.user(), keys.device());
    payload.passive = Some(false);
    let id = lab.connect(&keys, &payload);
    assert_eq!(lab.hear(id).tag_str(), "success");
    let count = lab.heard(id).len();
    assert_eq!(count, 4, "routing, preview, the notification, the end");
}

#[test]
fn the_ordinary_questions_after_a_login_are_answered() {
    let (mut lab, mut keys) = linked(20);
    let id = lab.come_online(&mut keys);
    let own = keys.jid.as_ref().unwrap().to_non_device();
    let usync = Node::new("usync")
        .attr("sid", "x")
        .attr("mode", "query")
        .attr("context", "message")
        .child(Node::new("query").child(Node::new("devices").attr("version", "2")))
        .child(Node::new("list").child(Node::new("user").attr("jid", own)));
    let ask = |lab: &mut Lab, kind, xmlns, child| lab.ask(id, &request("q", kind, xmlns, child));
    let answer = ask(&mut lab, "get", "usync", Some(usync));
    let user = child(child(child(&answer, "usync"), "list"), "user");
    let devices = child(user, "devices");
    assert_eq!(child(devices, "device-list").get_children().len(), 2);
    assert!(child(devices, "key-index-list").get_bytes().is_some());

    let answer = ask(
        &mut lab,
        "get",
        "abt",
        Some(Node::new("props").attr("protocol", "1")),
    );
    assert_eq!(child(&answer, "props").get_u64("refresh"), Some(86_400));
    let answer = ask(&mut lab, "get", "privacy", Some(Node::new("privacy")));
    assert!(!child(&answer, "privacy").get_children().is_empty());
    let answer = ask(&mut lab, "get", "blocklist", None);
    assert!(child(&answer, "list").get_children().is_empty());
    for (xmlns, node) in [
        (
            "urn:xmpp:whatsapp:dirty",
            Node::new("clean").attr("type", "account_sync"),
        ),
        ("urn:xmpp:whatsapp:push", Node::new("config")),
        ("w:stats", Node::new("add")),
        ("passive", Node::new("passive")),
    ] {
        let answer = ask(&mut lab, "set", xmlns, Some(node));
        assert_eq!(answer.get_text("type").unwrap(), "result", "{xmlns}");
        assert_eq!(answer.get_jid("from"), Some(Jid::server_jid()));
    }
    let answer = ask(&mut lab, "get", "w:p", None);
    assert_eq!(answer.get_u64("t"), Some(lab.now.unix_secs()));
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn an_unknown_question_gets_501_or_an_empty_result() {
    let (mut lab, mut keys) = linked(21);
    let id = lab.come_online(&mut keys);
    let question = request("q", "get", "w:nothing", Some(Node::new("what")));
    let answer = lab.ask(id, &question);
    assert_eq!(child(&answer, "error").get_u64("code"), Some(501));
    assert_eq!(lab.remarks(), ["unknown request w:nothing what"]);

    let mut config = WorldConfig::default();
    config.unknown_iq = UnknownIq::EmptyResult;
    let mut lab = Lab::with(config);
    let mut keys = Keys::new(22);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    assert_eq!(lab.ask(id, &question).get_text("type").unwrap(), "result");
}

#[test]
fn messages_receipts_and_calls_are_acknowledged_and_the_rest_is_only_heard() {
    let (mut lab, mut keys) = linked(23);
    let id = lab.come_online(&mut keys);
    let to: Jid = "15559999999@s.whatsapp.net".parse().unwrap();
    for class in ["message", "receipt", "call"] {
        let ack = lab.ask(id, &Node::new(class).attr("id", class).attr("to", &to));
        assert_eq!(
            (ack.tag_str(), ack.get_text("class").as_deref()),
            ("ack", Some(class))
        );
        assert_eq!(ack.get_jid("from").as_ref(), Some(&to));
    }
    lab.send(id, &Node::new("presence").attr("type", "available"));
    lab.send(
        id,
        &Node::new("ib").child(Node::new("unified_session").attr("id", "1")),
    );
    lab.send(id, &Node::new("chatstate"));
    assert!(lab.heard(id).is_empty());
    lab.send(id, &Node::new("nonsense"));
    assert_eq!(lab.remarks(), ["unexpected stanza nonsense"]);
}

#[test]
fn the_server_pings_and_gives_up_whoever_is_silent() {
    let (mut lab, mut keys) = linked(24);
    let id = lab.come_online(&mut keys);
    lab.advance(Duration::from_secs(25));
    let ping = lab.hear(id);
    assert_eq!(ping.get_text("type").unwrap(), "get");
    assert_eq!(ping.get_text("xmlns").unwrap(), "urn:xmpp:ping");
    lab.advance(Duration::from_secs(94));
    assert!(!lab.is_closed(id));
    lab.advance(Duration::from_secs(31));
    assert!(lab.is_closed(id));
    assert_eq!(lab.remarks(), ["no sign of life in time"]);
    assert!(!lab.world.account(lab.phone).unwrap().devices[0].online);
}

#[test]
fn a_client_that_does_not_finish_the_handshake_is_given_up() {
    let mut lab = Lab::new();
    let id = lab.world.open(lab.now, wa_sim::ConnInfo::default());
    lab.advance(Duration::from_secs(20));
    assert_eq!(lab.world.connections(), 0, "{id:?}");
    assert_eq!(lab.remarks(), ["no handshake in time"]);
}

#[test]
fn a_stream_that_is_no_clients_is_closed() {
    let mut lab = Lab::new();
    for bytes in [b"GET / HTTP/1.1".as_slice(), b"ED\0\x01\0\x20\0"] {
        let id = lab.world.open(lab.now, wa_sim::ConnInfo::default());
        lab.world.handle_bytes(lab.now, id, bytes);
        lab.world.handle_bytes(lab.now, id, &vec![0; 8_192]);
    }
    assert_eq!(lab.world.connections(), 0);
    assert_eq!(lab.remarks().len(), 2);
}

#[test]
fn what_does_not_open_or_decode_ends_the_connection() {
    let (mut lab, mut keys) = linked(25);
    let id = lab.come_online(&mut keys);
    lab.push(
        id,
        &[
            0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        ],
    );
    assert!(lab.is_closed(id));
    let id = lab.come_online(&mut keys);
    let frame = lab.wire(id).seal_bytes(&[0, 0xf8, 0x03]);
    lab.push(id, &frame);
    let error = lab.hear(id);
    assert_eq!(error.get_children()[0].tag_str(), "xml-not-well-formed");
    assert!(lab.is_closed(id));
    let id = lab.come_online(&mut keys);
    lab.push(id, &[0xff, 0xff, 0xff]);
    assert!(lab.is_closed(id));
}

#[test]
fn connections_are_bounded() {
    let mut config = WorldConfig::default();
    config.max_connections = 2;
    let mut lab = Lab::with(config);
    let first = lab.register(&Keys::new(26));
    let second = lab.register(&Keys::new(27));
    let _third = lab.world.open(lab.now, wa_sim::ConnInfo::default());
    assert_eq!(lab.world.connections(), 2);
    assert!(matches!(
        lab.world.poll_output(),
        Some(wa_sim::WorldOutput::Close(_))
    ));
    lab.drop_connection(first);
    assert!(!lab.is_closed(second));
    let fourth = lab.register(&Keys::new(28));
    assert!(matches!(lab.heard(fourth)[0], Heard::Stanza(_)));
}
