#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CloseCause, Command, DisconnectReason, Event, Query, Record, RecordKind};
use wa_noise::{Pattern, write_frame};
use wa_proto::Node;

fn linked() -> Rig {
    let mut rig = Rig::online();
    rig.service.seen.patterns.clear();
    rig.restart();
    rig
}

fn connection_record(rig: &Rig) -> Record {
    let records = rig.store.load(Query::Device);
    let mut found = records
        .into_iter()
        .filter(|record| record.kind == RecordKind::Connection);
    found.next().unwrap()
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
fn a_key_is_kept_over_closes_and_silence_but_rests_until_a_handshake_has_succeeded() {
    for (fault, wait) in [(Fault::Close, 5), (Fault::Silent, 25)] {
        let mut rig = linked();
        let cached = connection_record(&rig);
        rig.service.fail(Point::Hello, fault, 1);
        rig.service.fail(Point::Login, Fault::Silent, 1);
        rig.command(Command::Start);
        rig.advance(secs(wait));
        assert_eq!(rig.service.seen.patterns, [Pattern::Xx]);
        assert_eq!(connection_record(&rig), cached, "nothing has replaced it");
        rig.advance(secs(25));
        assert_eq!(rig.service.seen.patterns, [Pattern::Xx, Pattern::Ik]);
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn failures_in_a_row_do_not_bring_the_key_back() {
    let mut rig = linked();
    rig.service.fail(Point::Hello, Fault::Close, 4);
    rig.command(Command::Start);
    rig.advance(secs(30));
    assert_eq!(rig.service.seen.patterns, [Pattern::Xx]);
    rig.drop_connection(CloseCause::Peer { code: None });
    rig.advance(secs(2));
    assert_eq!(rig.service.seen.patterns, [Pattern::Xx, Pattern::Ik]);
}

#[test]
fn a_stop_during_the_handshake_says_nothing_about_the_key() {
    let mut rig = linked();
    rig.service.fail(Point::Hello, Fault::Silent, 1);
    rig.command(Command::Start);
    rig.command(Command::Stop);
    rig.command(Command::Start);
    assert_eq!(rig.service.seen.patterns, [Pattern::Ik]);
}

#[test]
fn a_first_frame_that_does_not_open_voids_what_the_handshake_relied_on() {
    let mut rig = linked();
    rig.command(Command::Start);
    rig.serve(
        &Node::new("ib").child(
            Node::new("edge_routing").child(Node::new("routing_info").bytes(vec![8, 2, 8, 5])),
        ),
    );
    rig.restart();
    rig.service.seen.patterns.clear();
    rig.service.seen.routing.clear();
    rig.events.clear();
    rig.opens.clear();
    let mut other = Vec::new();
    write_frame(&[0x5a; 40], &mut other).unwrap();
    rig.service.fail(Point::Finish, Fault::Bytes(other), 1);
    rig.command(Command::Start);
    let reason = rig.heard(|event| match event {
        Event::Disconnected { reason, .. } => Some((reason.clone(), reason.name())),
        _ => None,
    });
    assert_eq!(reason, (DisconnectReason::KeysDiffer, "handshake"));
    assert_eq!(rig.service.seen.patterns, [Pattern::Ik, Pattern::Xx]);
    assert_eq!(rig.service.seen.routing, [Some(vec![8, 2, 8, 5]), None]);
    assert_eq!(rig.opens[0], rig.opens[1], "at once");
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_later_frame_that_does_not_open_voids_nothing() {
    let mut rig = linked();
    rig.command(Command::Start);
    let cached = connection_record(&rig);
    let mut other = Vec::new();
    write_frame(&[0x5a; 40], &mut other).unwrap();
    rig.serve_bytes(&other);
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(connection_record(&rig), cached);
    rig.advance(secs(2));
    assert_eq!(rig.service.seen.patterns, [Pattern::Ik, Pattern::Ik]);
}

#[test]
fn keys_that_differ_every_time_are_tried_with_back_off() {
    let mut rig = linked();
    let mut other = Vec::new();
    write_frame(&[0x5a; 40], &mut other).unwrap();
    rig.service.fail(Point::Finish, Fault::Bytes(other), 9);
    rig.opens.clear();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(rig.opens.len(), 2, "with the cached key, and without");
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
