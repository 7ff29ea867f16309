#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{Command, CommandError, ConnectionState, Event, FailReason, OpOutcome, OpenFailure};

#[test]
fn a_close_at_every_step_of_a_registration_is_retried() {
    for point in [Point::Open, Point::Hello, Point::Finish, Point::PairDevice] {
        let mut rig = Rig::new();
        rig.service.fail(point, Fault::Close, 1);
        let op = rig.command(Command::Start);
        assert_eq!(rig.state(), "reconnecting", "{point:?}");
        assert_eq!(rig.result(op), None, "still under way");
        rig.advance(secs(2));
        rig.scan();
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)), "{point:?}");
    }
}

#[test]
fn a_close_at_every_step_of_a_login_is_retried_and_wipes_nothing() {
    for point in [
        Point::Open,
        Point::Hello,
        Point::Finish,
        Point::Login,
        Point::Count,
        Point::Digest,
        Point::Active,
    ] {
        let mut rig = Rig::online();
        rig.restart();
        rig.service.fail(point, Fault::Close, 1);
        let op = rig.command(Command::Start);
        assert_eq!(rig.state(), "reconnecting", "{point:?}");
        rig.advance(secs(2));
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)), "{point:?}");
    }
}

#[test]
fn a_close_during_the_first_upload_is_retried() {
    let mut rig = Rig::new();
    rig.service.fail(Point::Upload, Fault::Close, 1);
    rig.pair();
    assert_eq!(rig.state(), "reconnecting");
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.service.bundle.prekeys.len(), 812);
}

#[test]
fn a_failure_to_connect_says_what_failed_and_when_it_is_tried_again() {
    let mut rig = Rig::new();
    rig.service
        .fail(Point::Open, Fault::Refuse(unreachable()), 1);
    rig.command(Command::Start);
    let (text, retry_at) = rig.heard(|event| match event {
        Event::Disconnected {
            reason,
            retry_at_unix_ms,
            ..
        } => Some((reason.to_string(), retry_at_unix_ms.unwrap())),
        _ => None,
    });
    assert!(
        text.contains("connection refused") && text.contains("check"),
        "{text}"
    );
    assert!((900..=1100).contains(&(retry_at - rig.now.unix_ms)));
    assert_eq!(
        *rig.engine.state(),
        ConnectionState::Reconnecting {
            retry_at_unix_ms: retry_at,
            attempt: 1
        }
    );
}

#[test]
fn a_failure_that_cannot_heal_is_not_retried() {
    for failure in [
        OpenFailure::Upgrade { status: 403 },
        OpenFailure::Upgrade { status: 400 },
        OpenFailure::Misconfigured("no such scheme".to_owned()),
    ] {
        let mut rig = Rig::new();
        rig.service
            .fail(Point::Open, Fault::Refuse(failure.clone()), 9);
        let op = rig.command(Command::Start);
        let error = FailReason::Open(failure);
        assert_eq!(
            rig.result(op),
            Some(Err(CommandError::Failed(error.clone())))
        );
        assert_eq!(*rig.engine.state(), ConnectionState::Failed { error });
    }
    for status in [408, 500, 501, 502, 503, 504] {
        assert!(OpenFailure::Upgrade { status }.is_retryable());
    }
}
