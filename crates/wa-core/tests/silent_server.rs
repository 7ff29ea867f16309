#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Awaited, Command, DisconnectReason, Event};

/// The reason told, the seconds it took, and the state after them.
fn silence(rig: &mut Rig) -> (DisconnectReason, u64, &'static str) {
    let begin = rig.now;
    for _ in 0..200 {
        rig.advance(secs(1));
        let told = rig.events.iter().find_map(|event| match event {
            Event::Disconnected { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = told {
            assert!(!rig.is_connected(), "the engine has closed it");
            let took = (rig.now.unix_ms - begin.unix_ms) / 1000;
            return (reason, took, rig.state());
        }
    }
    panic!("no deadline on {}", rig.state());
}

#[test]
fn a_registration_times_out_at_every_step() {
    for (point, awaited) in [
        (Point::Open, Awaited::Socket),
        (Point::Hello, Awaited::ServerHello),
        (Point::Finish, Awaited::PairDevice),
        (Point::PairDevice, Awaited::PairDevice),
    ] {
        let mut rig = Rig::new();
        rig.service.fail(point, Fault::Silent, 1);
        rig.command(Command::Start);
        let (reason, took, state) = silence(&mut rig);
        assert_eq!(reason, DisconnectReason::TimedOut(awaited), "{point:?}");
        assert_eq!((took, state), (20, "reconnecting"), "{point:?}");
        rig.advance(secs(2));
        assert_eq!(rig.state(), "awaiting_pairing", "{point:?} is retried");
    }
}

#[test]
fn a_login_times_out_at_every_step() {
    for (point, awaited, limit) in [
        (Point::Open, Awaited::Socket, 20),
        (Point::Hello, Awaited::ServerHello, 20),
        (Point::Finish, Awaited::Login, 20),
        (Point::Login, Awaited::Login, 20),
    ] {
        let mut rig = login_with(point);
        let (reason, took, state) = silence(&mut rig);
        assert_eq!(reason, DisconnectReason::TimedOut(awaited), "{point:?}");
        assert_eq!((took, state), (limit, "reconnecting"), "{point:?}");
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online", "{point:?} is retried");
    }
}

#[test]
fn a_request_that_is_not_answered_ends_the_connection_although_pings_are() {
    for point in [Point::Count, Point::Active] {
        let mut rig = login_with(point);
        assert_eq!(rig.state(), "connecting", "not online yet");
        let (reason, took, state) = silence(&mut rig);
        let answer = DisconnectReason::TimedOut(Awaited::Answer);
        assert_eq!((reason, took, state), (answer, 75, "reconnecting"));
        rig.advance(secs(2));
        assert_eq!(rig.state(), "online", "{point:?} is retried");
    }
}

#[test]
fn an_upload_that_is_not_answered_is_made_again_with_the_same_keys() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::Silent, 1);
    rig.pair();
    assert_eq!(rig.state(), "linking");
    let first = rig.service.requests("list")[0].get_child("list").cloned();
    let (_, took, _) = silence(&mut rig);
    assert_eq!(took, 75);
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    let second = rig.service.requests("list")[1].get_child("list").cloned();
    assert!(first.is_some() && first == second);
    assert_eq!(rig.service.bundle.prekeys.len(), 812);
}

fn login_with(point: Point) -> Rig {
    let mut rig = Rig::online();
    rig.restart();
    rig.service.fail(point, Fault::Silent, 1);
    rig.command(Command::Start);
    rig
}
