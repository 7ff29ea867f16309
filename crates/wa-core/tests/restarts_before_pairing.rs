//! A server that asks an unlinked device to come back is followed, and nothing is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{Command, Event};
use wa_proto::Node;

fn restart() -> Node {
    Node::new("stream:error").attr("code", "515")
}

#[test]
fn nobody_is_told_of_a_lost_connection() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.serve(&restart());
    assert_eq!(rig.opens.len(), 2);
    assert_eq!(rig.opens[1], rig.now);
    let lost = |event: &Event| matches!(event, Event::Disconnected { .. });
    assert!(!rig.events.iter().any(lost));
    assert_eq!(rig.state(), "awaiting_pairing");
}

#[test]
fn they_do_not_use_up_the_one_that_follows_the_pairing() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    for _ in 0..3 {
        rig.serve(&restart());
    }
    assert_eq!(rig.opens.len(), 4, "each at once");
    rig.scan();
    assert_eq!(rig.opens.len(), 5, "and so is this one");
    assert_eq!(rig.opens[4], rig.opens[0]);
    assert_eq!(rig.state(), "online");
}
