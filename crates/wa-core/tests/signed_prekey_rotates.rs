#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, Event, KEPT_SIGNED_PREKEYS, RecordKind, Trouble};

const DAY: u64 = 24 * 3600;

fn rotations(rig: &Rig) -> usize {
    rig.service.requests("rotate").len()
}

fn current(rig: &Rig) -> Vec<u8> {
    rig.service.bundle.signed.as_ref().unwrap().0.clone()
}

#[test]
fn it_happens_after_27_days_on_a_connection_that_stays() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.advance(secs(27 * DAY - 3600));
    assert_eq!(rotations(&rig), 0);
    rig.advance(secs(2 * 3600));
    assert_eq!(rotations(&rig), 1);
    assert_eq!(current(&rig), [0, 0, 2]);
    assert_eq!(
        rig.store.count(RecordKind::SignedPrekey),
        2,
        "the old one stays"
    );
    rig.advance(secs(5 * DAY));
    assert_eq!(rotations(&rig), 1);
}

#[test]
fn it_happens_at_login_before_the_digest() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.command(Command::Stop);
    rig.advance(secs(30 * DAY));
    rig.restart();
    rig.service.seen.stanzas.clear();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
    assert_eq!(rotations(&rig), 1);
    assert_eq!(rig.service.requests("digest").len(), 1);
    assert_eq!(rig.service.bundle.uploads, 1, "the digest fits the new key");
}

#[test]
fn old_ones_are_dropped_in_time() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.advance(secs(6 * 28 * DAY));
    assert!(rotations(&rig) >= 5);
    assert_eq!(
        rig.store.count(RecordKind::SignedPrekey),
        KEPT_SIGNED_PREKEYS
    );
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.service.bundle.uploads, 1);
}

#[test]
fn a_key_that_is_not_taken_is_offered_again_the_next_day_and_a_malformed_one_replaced() {
    for (code, kept, next) in [
        (406, 1, [0, 0, 3]),
        (500, 2, [0, 0, 2]),
        (503, 2, [0, 0, 2]),
    ] {
        let mut rig = Rig::online_with(support::ping_hourly);
        rig.service.fail(Point::Rotate, Fault::Error(code), 1);
        rig.advance(secs(27 * DAY + 3600));
        assert_eq!(rotations(&rig), 1);
        assert_eq!(current(&rig), [0, 0, 1]);
        assert_eq!(rig.store.count(RecordKind::SignedPrekey), kept);
        let trouble = rig.heard(|event| match event {
            Event::Trouble(trouble) => Some(trouble.clone()),
            _ => None,
        });
        assert_eq!(trouble, Trouble::RotationRefused { code });
        rig.advance(secs(DAY - 2 * 3600));
        assert_eq!(rotations(&rig), 1);
        rig.advance(secs(4 * 3600));
        assert_eq!(rotations(&rig), 2);
        assert_eq!(current(&rig), next, "{code}: no id names two keys");
    }
}

#[test]
fn a_mismatch_is_answered_with_a_digest() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.service.fail(Point::Rotate, Fault::Error(409), 1);
    rig.service.seen.stanzas.clear();
    rig.advance(secs(27 * DAY + 3600));
    assert_eq!(rotations(&rig), 1);
    assert_eq!(rig.service.requests("digest").len(), 1);
}

#[test]
fn a_key_whose_answer_was_lost_is_offered_again() {
    let mut rig = Rig::online_with(support::ping_hourly);
    rig.service.fail(Point::Rotate, Fault::LoseAnswer, 1);
    rig.advance(secs(27 * DAY + 3600));
    assert_eq!(rig.state(), "online");
    let offered = rig.service.requests("rotate");
    assert_eq!(offered.len(), 2);
    assert_eq!(
        offered[0].get_child("rotate"),
        offered[1].get_child("rotate")
    );
    assert_eq!(rig.store.count(RecordKind::SignedPrekey), 2);
}
