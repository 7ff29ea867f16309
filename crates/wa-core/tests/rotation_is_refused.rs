#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CloseCause, Command, RecordKind};
use wa_proto::Node;

const DAY: u64 = 24 * 3600;

type SignedPrekey = (Vec<u8>, Vec<u8>, Vec<u8>);

fn rotations(rig: &Rig) -> usize {
    rig.service.requests("rotate").len()
}

fn current_id(rig: &Rig) -> Vec<u8> {
    rig.service.bundle.signed.as_ref().unwrap().0.clone()
}

/// The signed prekey of a rotation or an upload.
fn offered(request: &Node) -> SignedPrekey {
    let parent = request.get_child("rotate").unwrap_or(request);
    let skey = parent.get_child("skey").unwrap();
    let bytes = |tag: &str| skey.get_child(tag).unwrap().get_bytes().unwrap().to_vec();
    (bytes("id"), bytes("value"), bytes("signature"))
}

/// A rig whose server has answered the first rotation with an error.
fn refused_with(code: u16) -> Rig {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.service.fail(Point::Rotate, Fault::Error(code), 1);
    rig.advance(secs(27 * DAY + 3600));
    assert_eq!(rotations(&rig), 1);
    rig
}

/// The server has stored the key it answered with an error.
fn store_at_the_server(rig: &mut Rig) {
    let key = offered(rig.service.requests("rotate")[0]);
    assert_eq!(key.0, [0, 0, 2]);
    rig.service.bundle.signed = Some(key);
}

#[test]
fn the_pause_of_a_day_outlives_connections_and_restarts() {
    for code in [406, 500, 503, 429] {
        let mut rig = refused_with(code);
        rig.drop_connection(CloseCause::Peer { code: None });
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online");
        rig.restart();
        rig.command(Command::Start);
        assert_eq!(rig.state(), "online");
        assert_eq!(rotations(&rig), 1, "{code}: within the day");
        rig.advance(secs(DAY + 3600));
        assert_eq!(rotations(&rig), 2, "{code}: after it");
    }
}

#[test]
fn the_key_is_kept_and_offered_again_over_a_restart() {
    let mut rig = refused_with(503);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 2);
    rig.restart();
    rig.command(Command::Start);
    rig.advance(secs(DAY + 3600));
    let rotations = rig.service.requests("rotate");
    assert_eq!(offered(rotations[0]), offered(rotations[1]));
    assert_eq!(current_id(&rig), [0, 0, 2]);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 2);
}

#[test]
fn a_key_the_server_has_stored_in_spite_of_its_error_is_found_by_the_next_digest() {
    let mut rig = refused_with(500);
    store_at_the_server(&mut rig);
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.service.bundle.uploads, 1, "the bundle fits");
    rig.advance(secs(3 * DAY));
    assert_eq!(rotations(&rig), 1, "it is the current one");
    rig.advance(secs(28 * DAY));
    assert_eq!(rotations(&rig), 2);
    assert_eq!(current_id(&rig), [0, 0, 3]);
}

#[test]
fn a_mismatch_asks_for_the_digest_which_tells_that_the_key_is_there() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.advance(secs(27 * DAY - 3600));
    // The first offer is stored and its answer lost, and then the server says that it has one already.
    rig.service.fail(Point::Rotate, Fault::LoseAnswer, 1);
    rig.service.fail(Point::Rotate, Fault::Error(409), 1);
    rig.service.seen.stanzas.clear();
    rig.advance(secs(3 * 3600));
    assert_eq!(rotations(&rig), 2);
    assert_eq!(rig.service.requests("digest").len(), 1);
    assert_eq!(rig.service.bundle.uploads, 1, "nothing is uploaded again");
    rig.advance(secs(3 * DAY));
    assert_eq!(rotations(&rig), 2, "settled");
}

#[test]
fn a_mismatch_without_the_key_keeps_it_for_the_next_day() {
    let mut rig = refused_with(409);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 2);
    assert_eq!(current_id(&rig), [0, 0, 1]);
    rig.advance(secs(DAY + 3600));
    let rotations = rig.service.requests("rotate");
    assert_eq!(offered(rotations[0]), offered(rotations[1]));
    assert_eq!(current_id(&rig), [0, 0, 2]);
}

#[test]
fn the_id_of_a_malformed_key_is_never_used_again() {
    let mut rig = refused_with(406);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 1);
    rig.restart();
    rig.service.fail(Point::Rotate, Fault::Error(406), 1);
    rig.command(Command::Start);
    rig.advance(secs(DAY + 3600));
    rig.restart();
    rig.command(Command::Start);
    rig.advance(secs(DAY + 3600));
    let ids: Vec<_> = rig
        .service
        .requests("rotate")
        .into_iter()
        .map(|request| offered(request).0)
        .collect();
    assert_eq!(ids, [[0, 0, 2], [0, 0, 3], [0, 0, 4]]);
    assert_eq!(current_id(&rig), [0, 0, 4]);
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 2);
}

#[test]
fn a_clock_that_was_wrong_does_not_stop_rotations() {
    let mut rig = Rig::online_with(support::ping_hourly);
    let now = rig.now;
    let days_on = |days: u64| wa_core::Now::new(now.instant, now.unix_ms + days * DAY * 1000);
    // The refusal is noted down in a year that has not come yet.
    rig.now = days_on(400);
    rig.restart();
    rig.service.fail(Point::Rotate, Fault::Error(503), 1);
    rig.command(Command::Start);
    assert_eq!(rotations(&rig), 1);
    rig.now = days_on(60);
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
    assert_eq!(rotations(&rig), 2);
}
