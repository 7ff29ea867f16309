#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CloseCause, Command, CommandError, LogoutOptions, OpId, OpOutcome};
use wa_proto::{Jid, Node};

/// A ping is out, and its answer has not come.
fn pinging() -> (Rig, OpId, Node) {
    let mut rig = Rig::online();
    rig.service.seen.stanzas.clear();
    rig.service.fail(Point::Ping, Fault::Silent, 1);
    let op = rig.command(Command::Ping);
    assert_eq!(rig.result(op), None);
    let answer = Node::new("iq")
        .attr("from", Jid::server_jid())
        .attr_if("id", rig.service.sent("iq")[0].get_attr("id"));
    (rig, op, answer)
}

#[test]
fn by_a_pong_that_comes_after_the_end_of_the_stream() {
    let (mut rig, op, answer) = pinging();
    rig.serve(&Node::new("xmlstreamend"));
    rig.now = rig.now.after(secs(1));
    rig.serve(&answer.attr("type", "result"));
    let round_trip = secs(1);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Pong { round_trip })));
}

#[test]
fn by_a_refusal_that_comes_after_it() {
    let (mut rig, op, answer) = pinging();
    rig.serve(&Node::new("xmlstreamend"));
    let error = Node::new("error").attr("code", "503");
    rig.serve(&answer.attr("type", "error").child(error));
    let refused = CommandError::Refused { code: 503 };
    assert_eq!(rig.result(op), Some(Err(refused)));
}

#[test]
fn by_a_pong_that_comes_during_a_logout() {
    let (mut rig, op, answer) = pinging();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let logout = rig.command(Command::Logout(LogoutOptions::default()));
    rig.serve(&answer.attr("type", "result"));
    assert!(matches!(rig.result(op), Some(Ok(OpOutcome::Pong { .. }))));
    assert_eq!(rig.result(logout), None);
}

#[test]
fn by_the_close_that_follows_the_end_of_the_stream() {
    let (mut rig, op, _) = pinging();
    rig.serve(&Node::new("xmlstreamend"));
    rig.drop_connection(CloseCause::Peer { code: Some(1000) });
    assert_eq!(rig.result(op), Some(Err(CommandError::NotConnected)));
}
