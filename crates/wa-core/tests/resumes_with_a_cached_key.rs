#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CloseCause, Command, Event};
use wa_noise::{Pattern, write_frame};

fn linked() -> Rig {
    let mut rig = Rig::online();
    rig.service.seen.patterns.clear();
    rig.restart();
    rig
}

#[test]
fn a_login_resumes() {
    let mut rig = linked();
    rig.command(Command::Start);
    assert_eq!(rig.service.seen.patterns, [Pattern::Ik]);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_new_server_key_is_learned_from_the_fallback() {
    let mut rig = linked();
    rig.service.change_key();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online", "without another connection");
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(
        rig.service.seen.patterns,
        [Pattern::XxFallback, Pattern::Ik],
        "and used the next time"
    );
}

#[test]
fn a_server_that_refuses_to_resume_is_no_trouble() {
    let mut rig = linked();
    rig.service.allow_ik = false;
    rig.command(Command::Start);
    assert_eq!(rig.service.seen.patterns, [Pattern::XxFallback]);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_key_that_leads_to_garbage_is_forgotten_and_the_next_attempt_starts_at_once() {
    let mut rig = linked();
    let mut frame = Vec::new();
    write_frame(b"garbage", &mut frame).unwrap();
    rig.service.fail(Point::Hello, Fault::Bytes(frame), 1);
    rig.events.clear();
    rig.opens.clear();
    rig.command(Command::Start);
    assert_eq!(rig.service.seen.patterns, [Pattern::Xx]);
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.opens[0], rig.opens[1]);
    let reason = rig.heard(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason.name()),
        _ => None,
    });
    assert_eq!(reason, "handshake");
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_key_is_kept_over_closes_and_silence() {
    for fault in [Fault::Close, Fault::Silent] {
        let mut rig = linked();
        rig.service.fail(Point::Hello, fault, 1);
        rig.command(Command::Start);
        rig.advance(secs(25));
        assert_eq!(rig.service.seen.patterns, [Pattern::Ik]);
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_key_whose_certificate_has_ended_is_not_offered() {
    let mut rig = linked();
    rig.now = wa_core::Now::new(rig.now.instant, rig.now.unix_ms + 347_000_000_000);
    rig.command(Command::Start);
    let reason = rig.heard(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    let wa_core::DisconnectReason::Handshake(error) = reason else {
        panic!("the server's chain has ended too")
    };
    assert_eq!(error.pattern, Pattern::Xx);
}

#[test]
fn a_registration_neither_offers_nor_keeps_a_key() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.drop_connection(CloseCause::Peer { code: None });
    rig.advance(secs(2));
    assert_eq!(rig.service.seen.patterns, [Pattern::Xx, Pattern::Xx]);
}
