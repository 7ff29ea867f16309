#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, ping_hourly, secs};
use wa_core::{Command, Event, OpOutcome, Trouble};

/// The requests since the last login, by their child.
fn requests(rig: &Rig) -> Vec<&str> {
    let children = rig.service.sent("iq").into_iter();
    children
        .filter_map(|iq| iq.get_children().first())
        .map(wa_proto::Node::tag_str)
        .collect()
}

/// Logs in again, `silent` never being answered, and says what was asked for.
fn login_without(rig: &mut Rig, silent: &[Point]) -> wa_core::OpId {
    for point in silent {
        rig.service.fail(*point, Fault::Silent, u32::MAX);
    }
    rig.restart();
    rig.opens.clear();
    rig.events.clear();
    rig.service.seen.stanzas.clear();
    rig.command(Command::Start)
}

#[test]
fn a_digest_without_an_answer_does_not_keep_the_device_offline() {
    let mut rig = Rig::online();
    let op = login_without(&mut rig, &[Point::Digest]);
    rig.advance(secs(74));
    assert_eq!(rig.result(op), None);
    rig.advance(secs(1));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!(rig.state(), "online");
    assert_eq!(requests(&rig), ["count", "digest", "active"]);
    rig.advance(secs(600));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.opens.len(), 1, "one connection");
}

#[test]
fn nor_does_a_rotation_without_one_and_the_key_is_offered_again_later() {
    let mut rig = Rig::online_with(ping_hourly);
    rig.command(Command::Stop);
    rig.now = rig.now.after(secs(40 * 24 * 3600));
    let before = rig.stored().unwrap();
    let op = login_without(&mut rig, &[Point::Rotate]);
    rig.advance(secs(75));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!(requests(&rig), ["count", "rotate", "digest", "active"]);
    let trouble = rig.heard(|event| match event {
        Event::Trouble(trouble) => Some(trouble.clone()),
        _ => None,
    });
    assert_eq!(trouble, Trouble::RotationRefused { code: 504 });
    assert_eq!(rig.opens.len(), 1, "one connection");
    assert_eq!(
        rig.stored().unwrap().identity_public(),
        before.identity_public()
    );
    rig.service.heal();
    rig.advance(secs(8 * 24 * 3600));
    let offered = rig.service.requests("rotate");
    assert_eq!(offered.len(), 2);
    assert_eq!(
        offered[0].get_child("rotate"),
        offered[1].get_child("rotate"),
        "the same key"
    );
}

#[test]
fn both_together_do_not_either() {
    let mut rig = Rig::online_with(ping_hourly);
    rig.command(Command::Stop);
    rig.now = rig.now.after(secs(40 * 24 * 3600));
    let op = login_without(&mut rig, &[Point::Rotate, Point::Digest]);
    rig.advance(secs(150));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!(rig.opens.len(), 1, "one connection");
}

#[test]
fn a_digest_without_an_answer_does_not_end_a_session_that_is_online() {
    let mut rig = Rig::online();
    rig.opens.clear();
    rig.service.fail(Point::Digest, Fault::Silent, 1);
    rig.serve(&support::notification("encrypt", "digest"));
    rig.advance(secs(600));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.opens.len(), 0);
}
