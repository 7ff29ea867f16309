#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{
    CloseCause, Command, CommandError, Desired, EngineError, Event, Input, LogoutOptions, MAX_OPS,
    OpId, OpOutcome,
};

#[test]
fn starts_share_one_attempt_and_each_has_its_answer() {
    let mut rig = Rig::new();
    let ops = [
        rig.command(Command::Start),
        rig.command(Command::Start),
        rig.command(Command::Start),
    ];
    assert_eq!(rig.opens.len(), 1);
    rig.scan();
    for op in ops {
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    }
}

#[test]
fn a_start_while_online_changes_nothing() {
    let mut rig = Rig::online();
    rig.opens.clear();
    let commits = rig.store.commits;
    let op = rig.command(Command::Start);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    assert_eq!((rig.opens.len(), rig.store.commits), (0, commits));
}

#[test]
fn a_stop_is_final_and_kept() {
    for wait in [0, 15, 90] {
        let mut rig = Rig::online();
        rig.advance(secs(wait));
        let op = rig.command(Command::Stop);
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Stopped)));
        assert_eq!(rig.state(), "stopped");
        assert!(!rig.is_connected());
        assert_eq!(rig.store.desired, Some(Desired::Stop));
        assert_eq!(rig.engine.poll_timeout(), None);
        rig.command(Command::Start);
        assert_eq!(rig.state(), "online");
        assert_eq!(rig.store.desired, Some(Desired::Run));
    }
}

#[test]
fn a_stop_answers_the_starts_that_wait() {
    for point in [
        Point::Open,
        Point::Hello,
        Point::Login,
        Point::Count,
        Point::Active,
    ] {
        let mut rig = Rig::online();
        rig.restart();
        rig.service.fail(point, Fault::Silent, 1);
        let start = rig.command(Command::Start);
        assert_eq!(rig.result(start), None);
        let stop = rig.command(Command::Stop);
        assert_eq!(rig.result(start), Some(Err(CommandError::Stopped)));
        assert_eq!(rig.result(stop), Some(Ok(OpOutcome::Stopped)));
        assert_eq!(rig.state(), "stopped", "{point:?}");
        rig.advance(secs(1000));
        assert_eq!(rig.state(), "stopped");
        let start = rig.command(Command::Start);
        assert_eq!(rig.result(start), Some(Ok(OpOutcome::Online)));
    }
}

#[test]
fn a_stop_while_a_code_is_on_show_blanks_it_and_keeps_the_keys() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    let identity = rig.engine_identity();
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "idle");
    assert_eq!(rig.qr(), None);
    rig.pair();
    assert_eq!(rig.engine_identity(), identity);
}

#[test]
fn a_stop_between_reply_and_restart_loses_nothing() {
    let mut rig = Rig::new();
    rig.service.fail(Point::PairSign, Fault::Silent, 1);
    rig.pair();
    assert_eq!(rig.state(), "linking");
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "stopped");
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}

#[test]
fn stops_at_rest_are_answered() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        let op = rig.command(Command::Stop);
        assert_eq!(rig.result(op), Some(Ok(OpOutcome::Stopped)));
        assert_eq!(rig.state(), "idle");
    }
}

#[test]
fn a_number_under_way_is_not_accepted_again() {
    let mut rig = Rig::new();
    let op = rig.command(Command::Start);
    let again = Input::Command(op, Command::Start);
    assert_eq!(
        rig.engine.handle_input(rig.now, again),
        Err(EngineError::OpInUse(op))
    );
    rig.scan();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)), "one answer");
}

#[test]
fn only_so_many_operations_are_accepted() {
    let mut rig = Rig::new();
    let start = |n| Input::Command(OpId(1000 + n), Command::Start);
    for n in 0..u64::try_from(MAX_OPS).unwrap() {
        rig.input(start(n));
    }
    assert_eq!(
        rig.engine.handle_input(rig.now, start(9999)),
        Err(EngineError::TooManyOps { limit: MAX_OPS })
    );
    rig.scan();
    let answers = rig
        .events
        .iter()
        .filter(|event| matches!(event, Event::OpDone { result: Ok(_), .. }));
    assert_eq!(answers.count(), MAX_OPS);
}

#[test]
fn starts_that_wait_keep_nobody_from_ending_it() {
    let start = |n| Input::Command(OpId(1000 + n), Command::Start);
    let full = || {
        let mut rig = Rig::online();
        rig.service.fail(Point::Open, Fault::Silent, u32::MAX);
        rig.drop_connection(CloseCause::Peer { code: None });
        for n in 0..u64::try_from(MAX_OPS).unwrap() {
            rig.input(start(n));
        }
        assert!(rig.engine.handle_input(rig.now, start(9999)).is_err());
        rig
    };
    let mut rig = full();
    let op = rig.command(Command::Stop);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Stopped)));
    assert_eq!(rig.state(), "stopped");

    let mut rig = full();
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    let server_unlinked = None;
    let outcome = OpOutcome::LoggedOut { server_unlinked };
    assert_eq!(rig.result(op), Some(Ok(outcome)));
    assert_eq!(rig.state(), "logged_out");
}

#[test]
fn logouts_that_wait_are_bounded_and_a_stop_is_accepted_all_the_same() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    let logout = |n| Input::Command(OpId(n), Command::Logout(LogoutOptions::default()));
    let limit = u64::try_from(MAX_OPS).unwrap() + 8;
    for n in 0..limit {
        rig.input(logout(1000 + n));
    }
    let limit = usize::try_from(limit).unwrap();
    assert_eq!(
        rig.engine.handle_input(rig.now, logout(9999)),
        Err(EngineError::TooManyOps { limit })
    );
    let op = rig.command(Command::Stop);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Stopped)));
    let answers = rig.events.iter().filter(|event| {
        let server_unlinked = Some(false);
        let outcome = OpOutcome::LoggedOut { server_unlinked };
        matches!(event, Event::OpDone { result: Ok(done), .. } if *done == outcome)
    });
    assert_eq!(answers.count(), limit);
}

#[test]
fn answers_come_after_the_state_they_are_about() {
    let mut rig = Rig::new();
    rig.pair();
    let state = rig
        .events
        .iter()
        .position(|event| matches!(event, Event::State(state) if state.name() == "online"));
    let online = rig
        .events
        .iter()
        .position(|event| matches!(event, Event::Online { .. }));
    let done = rig
        .events
        .iter()
        .position(|event| matches!(event, Event::OpDone { .. }));
    assert!(state < online && online < done && state.is_some());
}
