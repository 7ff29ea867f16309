#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, NUMBER, Point, Rig};
use wa_core::{Event, Jid, LinkedDevice, MAX_OWN_DEVICES, RecordKind};
use wa_pair::device_list_hash;
use wa_proto::Node;

fn told(rig: &Rig) -> Vec<(Vec<LinkedDevice>, bool)> {
    let events = rig.events.iter();
    events
        .filter_map(|event| match event {
            Event::Devices { devices, signed } => Some((devices.clone(), *signed)),
            _ => None,
        })
        .collect()
}

fn numbers(devices: &[LinkedDevice]) -> Vec<u16> {
    devices.iter().map(|device| device.jid.device()).collect()
}

/// A notice with these devices, their key indexes, and a list that the phone has signed.
fn notice(rig: &mut Rig, devices: &[(u16, u32)], live: &[u32]) -> Node {
    let jids: Vec<Jid> = std::iter::once(0)
        .chain(devices.iter().map(|(device, _)| *device))
        .map(|device| rig.service.pn(device))
        .collect();
    let signed = rig.service.phone.key_index_list(live);
    let listed = devices.iter().map(|(device, key_index)| {
        Node::new("device")
            .attr("jid", rig.service.pn(*device))
            .attr("key-index", *key_index)
    });
    Node::new("notification")
        .attr("type", "account_sync")
        .attr("from", rig.service.pn(0))
        .attr("id", "1")
        .child(
            Node::new("devices")
                .attr("dhash", device_list_hash(&jids))
                .child(Node::new("device").attr("jid", rig.service.pn(0)))
                .children(listed.collect::<Vec<_>>())
                .child(Node::new("key-index-list").bytes(signed)),
        )
}

fn queries(rig: &Rig) -> usize {
    rig.service.requests("usync").len()
}

/// Online, with the first list told and forgotten by the test.
fn rig() -> Rig {
    let mut rig = Rig::online();
    rig.service.seen.stanzas.clear();
    rig.events.clear();
    rig
}

#[test]
fn the_list_is_asked_for_at_the_first_login_and_kept() {
    let mut rig = Rig::online_then(|rig| {
        let [(devices, signed)] = &told(rig)[..] else {
            panic!("one list")
        };
        assert!(signed);
        assert_eq!(numbers(devices), [0, 48]);
        assert!(devices[0].is_primary && !devices[0].is_self);
        assert!(devices[1].is_self && devices[1].key_index == Some(1));
        assert_eq!(rig.store.count(RecordKind::OwnDevices), 1);
        assert_eq!(queries(rig), 1);
    });
    let known = rig.engine.own_devices().expect("a list");
    assert!(known.signed);
    assert_eq!(numbers(&known.devices), [0, 48]);
    rig.restart();
    assert_eq!(rig.engine.own_devices(), Some(known), "before any start");
    rig.command(wa_core::Command::Start);
    assert_eq!(queries(&rig), 1, "once is enough");
    rig.command(wa_core::Command::Logout(wa_core::LogoutOptions::default()));
    assert_eq!(rig.engine.own_devices(), None, "it goes with the link");
}

#[test]
fn a_foreign_device_becomes_visible() {
    let mut rig = rig();
    let stanza = notice(&mut rig, &[(48, 1), (49, 2)], &[1, 2]);
    rig.serve(&stanza);
    let [(devices, true)] = &told(&rig)[..] else {
        panic!("one signed list")
    };
    assert_eq!(numbers(devices), [0, 48, 49]);
    assert!(!devices[2].is_self);
    assert_eq!(queries(&rig), 0, "nothing had to be asked");
    assert_eq!(rig.service.sent("ack").len(), 1);
    rig.serve(&stanza);
    assert_eq!(told(&rig).len(), 1, "no news, no event");
}

#[test]
fn a_list_that_does_not_hold_leads_to_one_question() {
    let wrong_hash = |rig: &mut Rig| {
        let mut stanza = notice(rig, &[(48, 1), (49, 2)], &[1, 2]);
        let devices = stanza.get_child("devices").unwrap().clone();
        stanza = Node::new("notification")
            .attr("type", "account_sync")
            .attr("from", rig.service.pn(0))
            .attr("id", "2")
            .child(
                Node::new("devices")
                    .attr("dhash", "2:AAAAAAAA")
                    .children(devices.get_children().to_vec()),
            );
        stanza
    };
    let not_live = |rig: &mut Rig| notice(rig, &[(48, 1), (49, 1)], &[2]);
    let forged = |rig: &mut Rig| {
        let stanza = notice(rig, &[(48, 1)], &[1]);
        let mut other = support::Phone::new(99);
        let forged = other.key_index_list(&[1]);
        let devices = stanza.get_child("devices").unwrap();
        let hash = devices.get_text("dhash").unwrap().into_owned();
        let listed = devices.get_children().iter();
        let listed = listed.filter(|child| child.tag_str() == "device").cloned();
        Node::new("notification")
            .attr("type", "account_sync")
            .attr("from", rig.service.pn(0))
            .attr("id", "3")
            .child(
                Node::new("devices")
                    .attr("dhash", hash)
                    .children(listed.collect::<Vec<_>>())
                    .child(Node::new("key-index-list").bytes(forged)),
            )
    };
    let somebody_elses = |rig: &mut Rig| {
        Node::new("notification")
            .attr("type", "account_sync")
            .attr("from", rig.service.pn(0))
            .attr("id", "4")
            .child(Node::new("devices").child(Node::new("device").attr(
                "jid",
                "15551234567:3@s.whatsapp.net".parse::<Jid>().unwrap(),
            )))
    };
    let cases: [fn(&mut Rig) -> Node; 4] = [wrong_hash, not_live, forged, somebody_elses];
    for (number, case) in cases.into_iter().enumerate() {
        let mut rig = rig();
        let stanza = case(&mut rig);
        rig.service.fail(Point::Devices, Fault::Error(500), 1);
        rig.serve(&stanza);
        assert_eq!(queries(&rig), 1, "{number}");
        assert_eq!(told(&rig), [], "{number}: nothing believed");
        assert_eq!(rig.store.count(RecordKind::OwnDevices), 0, "{number}");
        assert_eq!(rig.state(), "online");
        rig.serve(&stanza);
        assert_eq!(queries(&rig), 2, "{number}: once per notice");
        assert_eq!(told(&rig).len(), 1, "{number}: the answer is believed");
    }
}

#[test]
fn lists_are_bounded() {
    for (count, asked) in [(MAX_OWN_DEVICES, 0), (MAX_OWN_DEVICES + 1, 1)] {
        let mut rig = rig();
        // The phone counts as well.
        let devices: Vec<(u16, u32)> = (1..u16::try_from(count).unwrap())
            .map(|device| (device, 1))
            .collect();
        let stanza = notice(&mut rig, &devices, &[1]);
        rig.serve(&stanza);
        assert_eq!(queries(&rig), asked, "{count}");
    }
}

#[test]
fn notices_about_others_are_only_acked() {
    let mut rig = rig();
    let other: Jid = "15551234567@s.whatsapp.net".parse().unwrap();
    for kind in ["account_sync", "devices"] {
        let stanza = Node::new("notification")
            .attr("type", kind)
            .attr("from", other.clone())
            .attr("id", "9")
            .child(Node::new("devices").child(Node::new("device").attr("jid", other.clone())));
        rig.serve(&stanza);
    }
    assert_eq!((queries(&rig), told(&rig).len()), (0, 0));
    assert_eq!(rig.service.sent("ack").len(), 2);
}

#[test]
fn the_own_device_missing_is_told_and_nothing_else() {
    let mut rig = rig();
    let stanza = notice(&mut rig, &[(49, 2)], &[2]);
    rig.serve(&stanza);
    assert_eq!(rig.state(), "online");
    let [(devices, true)] = &told(&rig)[..] else {
        panic!("one list")
    };
    assert!(devices.iter().all(|device| !device.is_self));
    assert!(rig.engine.credentials().is_some());
    assert_eq!(NUMBER.to_string(), devices[0].jid.user().to_string());
}

#[test]
fn a_note_about_one_own_device_asks_for_all() {
    let mut rig = rig();
    let stanza = Node::new("notification")
        .attr("type", "devices")
        .attr("from", rig.service.lid(0).unwrap())
        .attr("id", "5")
        .child(Node::new("add").attr("device_hash", "2:AAAAAAAA"));
    rig.serve(&stanza);
    assert_eq!(queries(&rig), 1);
}

#[test]
fn a_signed_list_gives_way_to_a_newer_signed_one_only() {
    for (seconds, devices) in [
        (-1, vec![0, 48]),
        (0, vec![0, 48, 49]),
        (1, vec![0, 48, 49]),
    ] {
        let mut rig = rig();
        let made = rig.service.phone.lists_made;
        rig.service.phone.lists_made = made.checked_add_signed(seconds).unwrap();
        rig.restart();
        rig.command(wa_core::Command::Start);
        let stanza = notice(&mut rig, &[(48, 1), (49, 2)], &[1, 2]);
        rig.serve(&stanza);
        let known = rig.engine.own_devices().expect("a list");
        assert_eq!(numbers(&known.devices), devices, "{seconds}");
        assert!(known.signed);
    }
}

#[test]
fn nobody_but_the_phone_replaces_what_it_has_signed() {
    let mut rig = rig();
    let known = rig.engine.own_devices();
    rig.service.unsigned_list = Some(vec![48, 49]);
    let note = Node::new("notification")
        .attr("type", "devices")
        .attr("from", rig.service.pn(0))
        .attr("id", "6");
    rig.serve(&note);
    assert_eq!(queries(&rig), 1);
    assert_eq!((told(&rig).len(), rig.engine.own_devices()), (0, known));

    rig.store.remove(RecordKind::OwnDevices);
    rig.restart();
    rig.command(wa_core::Command::Start);
    rig.serve(&note);
    let known = rig.engine.own_devices().expect("better than none");
    assert_eq!(numbers(&known.devices), [0, 48, 49]);
    assert!(!known.signed);
}

#[test]
fn a_list_of_another_epoch_voids_the_kept_one_and_is_asked_for() {
    let mut rig = rig();
    rig.service.phone.raw_id += 1;
    rig.service.fail(Point::Devices, Fault::Error(500), 1);
    let stanza = notice(&mut rig, &[(48, 1), (49, 2)], &[1, 2]);
    rig.serve(&stanza);
    assert_eq!((queries(&rig), rig.engine.own_devices()), (1, None));
    assert_eq!(rig.store.count(RecordKind::OwnDevices), 0);
    rig.serve(&stanza);
    let known = rig.engine.own_devices().expect("a list");
    assert_eq!(numbers(&known.devices), [0, 48, 49]);
}
