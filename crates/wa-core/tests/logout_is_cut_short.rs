#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, ConnectionState, LinkState, LogoutOptions, LogoutReason, OpOutcome};
use wa_proto::Node;

/// A logout has been asked for, the server has not answered, and then this happens.
fn assert_wiped_after(what: &str, happen: impl FnOnce(&mut Rig)) {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.result(op), None);
    happen(&mut rig);
    let server_unlinked = Some(false);
    assert_eq!(
        rig.result(op),
        Some(Ok(OpOutcome::LoggedOut { server_unlinked })),
        "{what}"
    );
    let reason = LogoutReason::Requested;
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::LoggedOut { reason },
        "{what}"
    );
    assert!(rig.store.has_a_tombstone_only(), "{what}");
    assert_eq!(rig.store.link, Some(LinkState::Revoked), "{what}");
    assert!(!rig.is_connected(), "{what}");
}

#[test]
fn a_frame_that_does_not_open_does_not_save_the_credentials() {
    assert_wiped_after("forged", |rig| {
        let mut frame = vec![0, 0, 32];
        frame.extend([7; 32]);
        rig.serve_bytes(&frame);
    });
}

#[test]
fn nor_does_a_frame_that_is_too_short_to_be_one() {
    assert_wiped_after("short", |rig| rig.serve_bytes(&[0, 0, 1, 9]));
}

#[test]
fn a_stop_carries_it_out_and_stops() {
    assert_wiped_after("stop", |rig| {
        rig.opens.clear();
        let op = rig.command(Command::Stop);
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Stopped)));
        rig.advance(secs(100_000));
        assert_eq!(rig.opens.len(), 0);
    });
}

#[test]
fn a_stream_that_is_ended_for_another_reason_is_no_confirmation() {
    for error in [
        Node::new("stream:error").attr("code", "516"),
        Node::new("stream:error").child(Node::new("conflict").attr("type", "whatever")),
    ] {
        assert_wiped_after("forced", |rig| rig.serve(&error));
    }
}

#[test]
fn nor_does_a_failure() {
    for reason in ["503", "429", "405", "402", "500", "409"] {
        assert_wiped_after(reason, |rig| {
            rig.serve(&Node::new("failure").attr("reason", reason));
        });
    }
}
