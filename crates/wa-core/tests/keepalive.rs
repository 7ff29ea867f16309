#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, CommandError, Event, OpOutcome};
use wa_proto::{Jid, Node};

fn pings(rig: &Rig) -> usize {
    rig.service
        .sent("iq")
        .iter()
        .filter(|iq| iq.get_text("xmlns").as_deref() == Some("w:p"))
        .count()
}

fn reason(rig: &Rig) -> Option<&'static str> {
    rig.events.iter().find_map(|event| match event {
        Event::Disconnected { reason, .. } => Some(reason.name()),
        _ => None,
    })
}

#[test]
fn pings_go_out_every_twenty_to_thirty_seconds() {
    let mut rig = Rig::online();
    let mut last = rig.now;
    let mut pauses = Vec::new();
    for _ in 0..20_000 {
        let before = pings(&rig);
        rig.advance(std::time::Duration::from_millis(100));
        if pings(&rig) > before {
            pauses.push(rig.now.unix_ms - last.unix_ms);
            last = rig.now;
        }
    }
    assert!(pauses.len() > 60);
    assert!(
        pauses.iter().all(|pause| (20_000..=30_100).contains(pause)),
        "{pauses:?}"
    );
    let (min, max) = (pauses.iter().min(), pauses.iter().max());
    assert!(max.unwrap() - min.unwrap() > 5_000, "random: {pauses:?}");
    assert_eq!(rig.state(), "online");
}

#[test]
fn the_last_answer_is_known() {
    let mut rig = Rig::online();
    assert_eq!(rig.engine.health().last_pong_unix_ms, None);
    rig.advance(secs(30));
    let pong = rig.engine.health().last_pong_unix_ms.unwrap();
    assert!(rig.now.unix_ms - pong <= 10_000);
    assert_eq!(rig.engine.health().last_round_trip_ms, Some(0));
    assert!(rig.engine.health().last_frame_unix_ms.unwrap() >= pong);
}

#[test]
fn a_dead_connection_is_found_twenty_seconds_after_a_ping_and_dialled_at_once() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, 1);
    let begin = rig.now;
    rig.opens.clear();
    while rig.opens.is_empty() {
        rig.advance(secs(1));
        assert!(rig.now.unix_ms - begin.unix_ms < 60_000, "found in time");
    }
    assert_eq!(reason(&rig), Some("keep_alive"));
    let took = rig.opens[0].unix_ms - begin.unix_ms;
    assert!((40_000..=50_000).contains(&took), "{took}");
    assert_eq!(rig.state(), "online", "at once, and successful");
}

#[test]
fn any_frame_proves_the_connection() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, 3);
    rig.opens.clear();
    for _ in 0..10 {
        rig.advance(secs(9));
        rig.serve(&Node::new("presence").attr("from", "1@s.whatsapp.net"));
    }
    assert_eq!(rig.opens.len(), 0);
    assert_eq!(rig.state(), "online");
}

#[test]
fn frames_without_any_answer_are_not_believed_for_ever() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, 100);
    rig.opens.clear();
    for _ in 0..17 {
        rig.advance(secs(10));
        rig.serve(&Node::new("presence").attr("from", "1@s.whatsapp.net"));
    }
    assert_eq!(rig.opens.len(), 0, "170 s");
    rig.advance(secs(10));
    assert_eq!(rig.opens.len(), 1, "180 s");
    assert_eq!(reason(&rig), Some("keep_alive"));
}

#[test]
fn message_silence_is_no_reason_to_reconnect() {
    let mut rig = Rig::online();
    rig.opens.clear();
    rig.advance(secs(24 * 3600));
    assert_eq!(rig.opens.len(), 0);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_registration_sends_no_pings_and_answers_the_servers() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.serve(
        &Node::new("iq")
            .attr("from", Jid::server_jid())
            .attr("type", "get")
            .attr("xmlns", "urn:xmpp:ping")
            .attr("id", "1755729499-7"),
    );
    rig.advance(secs(150));
    assert_eq!(pings(&rig), 0);
    let answered = rig
        .service
        .sent("iq")
        .iter()
        .any(|iq| iq.get_text("id").as_deref() == Some("1755729499-7"));
    assert!(answered);
}

#[test]
fn a_round_trip_can_be_measured() {
    let mut rig = Rig::online();
    let op = rig.command(Command::Ping);
    assert_eq!(
        rig.result(op),
        Some(Ok(OpOutcome::Pong {
            round_trip: secs(0)
        }))
    );
    rig.service.fail(Point::Ping, Fault::Error(429), 1);
    let op = rig.command(Command::Ping);
    assert_eq!(
        rig.result(op),
        Some(Err(CommandError::Refused { code: 429 }))
    );
    rig.service.fail(Point::Ping, Fault::Close, 1);
    let op = rig.command(Command::Ping);
    assert_eq!(rig.result(op), Some(Err(CommandError::NotConnected)));
    let op = rig.command(Command::Ping);
    assert_eq!(rig.result(op), Some(Err(CommandError::NotConnected)));
}

#[test]
fn a_measurement_without_an_answer_times_out() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, 1);
    let op = rig.command(Command::Ping);
    rig.advance(secs(19));
    assert_eq!(rig.result(op), None);
    rig.advance(secs(1));
    assert_eq!(rig.result(op), Some(Err(CommandError::TimedOut)));
}
