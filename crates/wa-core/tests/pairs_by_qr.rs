#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Rig, states};
use wa_core::{
    Command, ConnectionState, Desired, Event, LinkState, OpOutcome, Query, RecordKind, Step,
};
use wa_noise::Pattern;

#[test]
fn a_device_goes_from_start_to_online() {
    let mut rig = Rig::new();
    assert_eq!(*rig.engine.state(), ConnectionState::Idle);
    let op = rig.command(Command::Start);
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(rig.result(op), None);
    rig.scan();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    let mut names = states(&rig.events);
    names.dedup();
    assert_eq!(names, ["starting", "awaiting_pairing", "linking", "online"]);
    let steps: Vec<Step> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Progress(step) => Some(*step),
            _ => None,
        })
        .collect();
    assert_eq!(
        steps,
        [
            Step::Connecting,
            Step::WaitingForScan,
            Step::Verifying,
            Step::Restarting,
            Step::Connecting,
            Step::LoggingIn,
            Step::UploadingKeys,
        ]
    );
}

#[test]
fn the_application_hears_who_it_is_linked_to() {
    let rig = Rig::online_then(|rig| assert!(rig.qr().is_none(), "the code is blanked"));
    let jid = rig.service.pn(48);
    let lid = rig.service.lid(48);
    let paired = rig.heard(|event| match event {
        Event::Paired {
            jid,
            lid,
            platform,
            business_name,
            key_index,
        } => Some((
            jid.clone(),
            lid.clone(),
            platform.clone(),
            business_name.clone(),
            *key_index,
        )),
        _ => None,
    });
    assert_eq!(
        paired,
        (
            jid.clone(),
            lid.clone(),
            Some("android".to_owned()),
            None,
            1
        )
    );
    let online = rig.heard(|event| match event {
        Event::Online { jid, lid, .. } => Some((jid.clone(), lid.clone())),
        _ => None,
    });
    assert_eq!(online, (jid.clone(), lid.clone()));
    let link = rig.engine.credentials().unwrap();
    assert_eq!((&link.jid, &link.lid, link.key_index), (&jid, &lid, 1));
    assert_eq!(link.primary_identity, rig.service.phone.identity());
}

#[test]
fn keys_are_durable_before_the_first_connection() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    let first_persist = position(&rig, |done| matches!(done, Done::Persist(_)));
    let first_open = position(&rig, |done| matches!(done, Done::Open));
    assert!(first_persist < first_open);
    assert_eq!(rig.store.link, Some(LinkState::Unlinked));
    assert_eq!(rig.store.desired, Some(Desired::Run));
    assert_eq!(rig.store.commits, 1, "all of it in one transaction");
    assert_eq!(rig.store.count(RecordKind::Device), 1);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 1);
}

#[test]
fn the_link_is_durable_before_the_reply_and_the_event_comes_after_it() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.log.clear();
    rig.scan();
    let persist = position(
        &rig,
        |done| matches!(done, Done::Persist(changes) if changes.link == Some(LinkState::Linked)),
    );
    let reply = position(&rig, |done| matches!(done, Done::Transmit));
    let paired = position(&rig, |done| {
        matches!(done, Done::Event(Event::Paired { .. }))
    });
    assert!(persist < reply && reply < paired);
    let Done::Persist(changes) = &rig.log[persist] else {
        unreachable!()
    };
    let kinds: Vec<_> = changes.puts.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [RecordKind::Device, RecordKind::PeerIdentity]);
    assert_eq!(changes.identity.as_ref().unwrap().jid, rig.service.pn(48));
}

#[test]
fn the_store_holds_the_link_and_the_keys_the_server_has() {
    let rig = Rig::online_then(|_| {});
    assert_eq!(rig.store.link, Some(LinkState::Linked));
    assert_eq!(rig.store.desired, Some(Desired::Run));
    assert_eq!(
        rig.store.identity.as_ref().unwrap().platform.as_deref(),
        Some("android")
    );
    assert_eq!(rig.store.count(RecordKind::Prekey), 812);
    assert_eq!(rig.store.load(Query::Prekeys).len(), 812);
    assert_eq!(rig.service.bundle.prekeys.len(), 812);
    assert_eq!(
        rig.service.linked[&48].identity,
        rig.engine_identity(),
        "the phone and the store agree on the key"
    );
}

#[test]
fn the_first_connection_registers_and_the_second_logs_in() {
    let rig = Rig::online_then(|_| {});
    assert_eq!(rig.service.seen.patterns, [Pattern::Xx, Pattern::Xx]);
    let [registration, login] = &rig.service.seen.payloads[..] else {
        panic!("two connections")
    };
    assert!(registration.username.is_none() && registration.device_pairing_data.is_some());
    assert_eq!(login.username, Some(support::NUMBER));
    assert_eq!(login.device, Some(48));
    assert_eq!(login.lc, Some(0));
    assert!(login.device_pairing_data.is_none());
}

fn position(rig: &Rig, wanted: impl Fn(&Done) -> bool) -> usize {
    rig.log.iter().position(wanted).unwrap()
}
