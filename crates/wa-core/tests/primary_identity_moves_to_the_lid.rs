#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Fault, Point, Rig, secs};
use wa_core::{Changes, Command, Record, RecordKind};

const BY_NUMBER: &str = "12025550123@s.whatsapp.net";
const BY_LID: &str = "186303081611421@lid";

/// Linked without a LID; the first login has not come through.
fn linked_by_number() -> Rig {
    let mut rig = Rig::new();
    rig.service.lid = None;
    rig.service.fail(Point::Login, Fault::Close, 1);
    rig.pair();
    assert_eq!(rig.state(), "reconnecting");
    rig
}

fn commits(rig: &Rig) -> impl Iterator<Item = &Changes> {
    rig.log.iter().filter_map(|done| match done {
        Done::Persist(changes) => Some(changes),
        _ => None,
    })
}

/// Every identity that was ever put, in order, and every address that was deleted.
fn identities(rig: &Rig) -> (Vec<&Record>, Vec<&[u8]>) {
    let of_kind = |kind: RecordKind| kind == RecordKind::PeerIdentity;
    let puts = commits(rig)
        .flat_map(|changes| &changes.puts)
        .filter(|record| of_kind(record.kind))
        .collect();
    let deletes = commits(rig)
        .flat_map(|changes| &changes.deletes)
        .filter(|(kind, _)| of_kind(*kind))
        .map(|(_, key)| key.as_slice())
        .collect();
    (puts, deletes)
}

#[test]
fn a_lid_that_the_login_tells_takes_the_identity_over() {
    let mut rig = linked_by_number();
    assert_eq!(identities(&rig).0[0].key, BY_NUMBER.as_bytes());
    rig.service.lid = Some(BY_LID.parse().unwrap());
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    let (puts, deletes) = identities(&rig);
    let [by_number, by_lid] = puts[..] else {
        panic!("{} identities", puts.len())
    };
    assert_eq!(by_lid.key, BY_LID.as_bytes(), "device 0");
    assert_eq!(by_lid.value, by_number.value);
    assert_eq!(deletes, [BY_NUMBER.as_bytes()]);
    assert_eq!(rig.store.count(RecordKind::PeerIdentity), 1);
    let moved = commits(&rig).find(|changes| !changes.deletes.is_empty());
    assert!(
        moved.unwrap().puts.contains(by_lid) && moved.unwrap().identity.is_some(),
        "in one transaction with the LID itself"
    );
}

#[test]
fn the_same_lid_again_moves_nothing() {
    let mut rig = Rig::online();
    rig.restart();
    rig.command(Command::Start);
    let (puts, deletes) = identities(&rig);
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].key, BY_LID.as_bytes());
    assert_eq!(deletes.len(), 0);
}

#[test]
fn what_is_no_lid_is_not_taken_for_one() {
    let mut rig = linked_by_number();
    rig.service
        .success
        .push(("lid", "12025550199:3@s.whatsapp.net".to_owned()));
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.stored().unwrap().lid(), None);
    assert_eq!(identities(&rig).0.len(), 1);
}
