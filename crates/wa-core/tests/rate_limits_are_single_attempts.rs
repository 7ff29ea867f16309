#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, CommandError, ConnectionState, FailReason, OpId};
use wa_proto::Node;

/// Logs in again, and the server is too busy for it every time.
fn rate_limited(budget: Option<u32>) -> (Rig, OpId) {
    let mut rig = Rig::online_with(|config| config.reconnect.budget = budget);
    let busy = Node::new("stream:error").attr("code", "429");
    rig.service
        .fail(Point::Login, Fault::Stanzas(vec![busy]), u32::MAX);
    rig.restart();
    rig.opens.clear();
    let op = rig.command(Command::Start);
    (rig, op)
}

/// Number of the attempt that failed, and milliseconds to the next one.
fn waiting(rig: &Rig) -> (u32, u64) {
    match *rig.engine.state() {
        ConnectionState::Reconnecting {
            retry_at_unix_ms,
            attempt,
        } => (attempt, retry_at_unix_ms - rig.now.unix_ms),
        ref other => panic!("reconnecting, not {}", other.name()),
    }
}

#[test]
fn the_pause_is_longer_and_the_attempt_is_one() {
    let (mut rig, _) = rate_limited(None);
    // Places 6, 12 and 18 in the sequence.
    for (number, seconds) in [(1, 8), (2, 144), (3, 900)] {
        let (attempt, pause) = waiting(&rig);
        assert_eq!(attempt, number);
        let (low, high) = (seconds * 900, seconds * 1100);
        assert!((low..=high).contains(&pause), "{seconds} s: {pause} ms");
        rig.advance(std::time::Duration::from_millis(pause + 1));
    }
}

#[test]
fn a_budget_of_three_allows_three_attempts() {
    let (mut rig, op) = rate_limited(Some(3));
    rig.advance(secs(10_000));
    assert_eq!(rig.opens.len(), 3);
    let Some(Err(CommandError::Failed(FailReason::Budget { attempts, .. }))) = rig.result(op)
    else {
        panic!("given up")
    };
    assert_eq!(attempts, 3);
}
