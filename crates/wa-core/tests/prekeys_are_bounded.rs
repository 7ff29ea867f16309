#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Changes, MAX_STORED_PREKEYS, Query, RecordKind};
use wa_proto::{Jid, Node};

const BATCH: usize = 812;

fn stored(rig: &Rig) -> Vec<u32> {
    let records = rig.store.load(Query::Prekeys);
    records
        .iter()
        .map(|record| u32::from_be_bytes(record.key[..].try_into().unwrap()))
        .collect()
}

/// The server says that it runs low.
fn run_low(rig: &mut Rig) {
    rig.serve(
        &Node::new("notification")
            .attr("from", Jid::server_jid())
            .attr("type", "encrypt")
            .attr("id", "77")
            .child(Node::new("count").attr("value", 1_u64)),
    );
}

/// All keys on the server but the first `left` are handed out, and it asks for more.
fn refill(rig: &mut Rig, left: usize) {
    rig.service.bundle.prekeys.truncate(left);
    run_low(rig);
}

/// A rig with five batches in the store, and all but `left` of them handed out.
fn full(left: usize) -> Rig {
    let mut rig = Rig::online();
    for _ in 1..5 {
        refill(&mut rig, left);
    }
    assert_eq!(stored(&rig).len(), 5 * BATCH);
    rig.service.bundle.prekeys.truncate(left);
    rig.service.seen.stanzas.clear();
    rig
}

fn delete(rig: &mut Rig, ids: impl Iterator<Item = u32>) {
    rig.store.commit(Changes {
        deletes: ids
            .map(|id| (RecordKind::Prekey, id.to_be_bytes().to_vec()))
            .collect(),
        ..Changes::default()
    });
}

#[test]
fn refills_without_end_stay_within_the_bound() {
    let mut rig = Rig::online();
    for _ in 0..20 {
        refill(&mut rig, 3);
        assert_eq!(rig.state(), "online");
        assert!(stored(&rig).len() <= MAX_STORED_PREKEYS);
    }
    assert_eq!(rig.service.bundle.uploads, 21, "every one was taken");
}

#[test]
fn the_oldest_handed_out_keys_go_and_those_on_the_server_stay() {
    let mut rig = full(4);
    run_low(&mut rig);
    assert_eq!(rig.service.requests("digest").len(), 1, "asked before");
    assert_eq!(rig.service.requests("list").len(), 1);
    let stored = stored(&rig);
    // Room for two batches was made, and one of them used.
    assert_eq!(stored.len(), MAX_STORED_PREKEYS - BATCH);
    assert_eq!(stored[..4], [1, 2, 3, 4], "still on the server");
    let dropped = 5 * BATCH - (MAX_STORED_PREKEYS - 2 * BATCH);
    assert_eq!(stored[4] as usize, 4 + dropped + 1);
    assert_eq!(*stored.last().unwrap() as usize, 6 * BATCH);
    let on_server = rig.service.bundle.prekeys.iter();
    for (id, _) in on_server {
        let id = u32::from_be_bytes([0, id[0], id[1], id[2]]);
        assert!(stored.contains(&id), "{id} can be asked for");
    }
}

#[test]
fn a_store_with_just_enough_room_drops_nothing() {
    let room = MAX_STORED_PREKEYS - BATCH;
    for (over, dropped) in [(0, false), (1, true)] {
        let mut rig = full(0);
        let surplus = u32::try_from(5 * BATCH - room - over).unwrap();
        delete(&mut rig, 1..=surplus);
        assert_eq!(stored(&rig).len(), room + over);
        run_low(&mut rig);
        assert_eq!(rig.service.requests("list").len(), 1);
        let count = stored(&rig).len();
        assert_eq!(count < MAX_STORED_PREKEYS, dropped, "{over}: {count}");
        assert!(count <= MAX_STORED_PREKEYS);
        assert_eq!(rig.service.requests("digest").len(), usize::from(dropped));
    }
}

#[test]
fn without_a_digest_nothing_is_dropped() {
    let mut rig = full(0);
    rig.service.fail(Point::Digest, Fault::Error(503), 1);
    run_low(&mut rig);
    assert_eq!(rig.service.requests("list").len(), 0);
    assert_eq!(stored(&rig).len(), 5 * BATCH);
    rig.advance(secs(1));
    assert_eq!(rig.service.requests("list").len(), 1, "asked again");
}

#[test]
fn keys_the_server_lists_are_never_dropped() {
    let mut rig = Rig::online();
    for _ in 1..5 {
        run_low(&mut rig);
    }
    rig.service.seen.stanzas.clear();
    run_low(&mut rig);
    assert_eq!(rig.service.requests("digest").len(), 1);
    assert_eq!(rig.service.requests("list").len(), 0, "it has plenty");
    assert_eq!(stored(&rig).len(), 5 * BATCH);
}

#[test]
fn a_bundle_that_differs_does_not_push_out_keys_that_were_handed_out() {
    let mut rig = full(4);
    rig.service.bundle.registration = vec![0, 0, 0, 99];
    rig.serve(&support::notification("encrypt", "digest"));
    assert_eq!(rig.service.requests("list").len(), 0);
    assert_eq!(stored(&rig).len(), 5 * BATCH);
}
