#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{Command, CommandError, ConnectionState, Event, FailReason};

/// Milliseconds to the next attempt.
fn pause(rig: &Rig) -> u64 {
    match rig.engine.state() {
        ConnectionState::Reconnecting {
            retry_at_unix_ms, ..
        } => retry_at_unix_ms - rig.now.unix_ms,
        other => panic!("reconnecting, not {}", other.name()),
    }
}

fn lost() -> Rig {
    let mut rig = Rig::online();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    rig.drop_connection(wa_core::CloseCause::Network("reset".to_owned()));
    rig
}

#[test]
fn pauses_grow_as_fibonacci_within_ten_percent_up_to_a_quarter_of_an_hour() {
    let mut rig = lost();
    let plain = [
        1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 900, 900, 900,
    ];
    let mut exact = 0;
    for seconds in plain {
        let pause = pause(&rig);
        let (low, high) = (seconds * 900, seconds * 1100);
        assert!((low..=high).contains(&pause), "{seconds} s: {pause} ms");
        exact += usize::from(pause == seconds * 1000);
        let opens = rig.opens.len();
        rig.advance(std::time::Duration::from_millis(pause - 1));
        assert_eq!(rig.opens.len(), opens, "not before its time");
        rig.advance(std::time::Duration::from_millis(2));
        assert_eq!(rig.opens.len(), opens + 1);
    }
    assert!(exact < 6, "jitter is there");
}

#[test]
fn only_a_login_resets_the_pauses() {
    let mut rig = lost();
    for _ in 0..6 {
        rig.advance(std::time::Duration::from_millis(pause(&rig) + 1));
    }
    assert!(pause(&rig) > 10_000);
    // The socket opens and the handshake works, but the login does not.
    rig.service.heal();
    rig.service.fail(Point::Login, Fault::Close, 1);
    rig.advance(std::time::Duration::from_millis(pause(&rig) + 1));
    assert!(pause(&rig) > 15_000, "still growing");
    rig.advance(std::time::Duration::from_millis(pause(&rig) + 1));
    assert_eq!(rig.state(), "online");
    rig.drop_connection(wa_core::CloseCause::Peer { code: None });
    assert!(pause(&rig) <= 1_100, "back at the start");
}

#[test]
fn every_disconnect_says_when_the_next_attempt_is() {
    let mut rig = lost();
    for attempt in 1..5 {
        let told = rig
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Disconnected {
                    retry_at_unix_ms, ..
                } => Some(*retry_at_unix_ms),
                _ => None,
            })
            .unwrap();
        let ConnectionState::Reconnecting {
            retry_at_unix_ms,
            attempt: counted,
        } = rig.engine.state()
        else {
            panic!("reconnecting")
        };
        assert_eq!(told, Some(*retry_at_unix_ms));
        assert_eq!(*counted, attempt);
        rig.advance(std::time::Duration::from_millis(pause(&rig) + 1));
    }
}

#[test]
fn a_start_does_not_wait_for_the_pause() {
    let mut rig = lost();
    for _ in 0..8 {
        rig.advance(std::time::Duration::from_millis(pause(&rig) + 1));
    }
    rig.service.heal();
    let opens = rig.opens.len();
    rig.command(Command::Start);
    assert_eq!(rig.opens.len(), opens + 1);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_stop_ends_the_pause() {
    let mut rig = lost();
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "stopped");
    let opens = rig.opens.len();
    rig.advance(secs(10_000));
    assert_eq!(rig.opens.len(), opens);
}

#[test]
fn a_budget_ends_the_attempts_with_the_last_error() {
    for budget in [1, 3] {
        let mut rig = Rig::online_with(|config| config.reconnect.budget = Some(budget));
        rig.opens.clear();
        rig.service
            .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
        rig.restart();
        let op = rig.command(Command::Start);
        rig.advance(secs(1000));
        let Some(Err(CommandError::Failed(FailReason::Budget { attempts, last }))) = rig.result(op)
        else {
            panic!("given up")
        };
        assert_eq!((attempts, last.name()), (budget, "connect_failed"));
        assert_eq!(rig.opens.len(), usize::try_from(budget).unwrap());
        assert_eq!(rig.state(), "failed");
        rig.service.heal();
        rig.command(Command::Start);
        assert_eq!(rig.state(), "online", "an explicit start begins anew");
    }
}

#[test]
fn a_device_that_is_not_linked_gives_up_after_eight_attempts() {
    let mut rig = Rig::new();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), u32::MAX);
    rig.command(Command::Start);
    rig.advance(secs(10_000));
    assert_eq!(rig.opens.len(), 8);
    assert_eq!(rig.state(), "failed");
}
