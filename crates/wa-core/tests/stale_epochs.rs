#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{CloseCause, Command, EngineError, Input, Query};

#[test]
fn inputs_of_a_connection_that_is_over_change_nothing() {
    let mut rig = Rig::online();
    let old = rig.epoch().unwrap();
    rig.drop_connection(CloseCause::Peer { code: None });
    rig.advance(secs(2));
    assert_eq!(rig.state(), "online");
    assert!(rig.epoch().unwrap() > old);
    let deadline = rig.engine.poll_timeout();
    let (events, commits) = (rig.events.len(), rig.store.commits);
    rig.input(Input::Bytes(old, b"late bytes"));
    rig.input(Input::Opened(old));
    rig.input(Input::Closed(old, CloseCause::Peer { code: None }));
    rig.input(Input::Loaded(Query::Prekeys, Vec::new()));
    rig.input(Input::Loaded(Query::Device, Vec::new()));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.engine.poll_timeout(), deadline);
    assert_eq!((rig.events.len(), rig.store.commits), (events, commits));
}

#[test]
fn nothing_of_a_stopped_connection_is_heard() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    let epoch = rig.epoch().unwrap();
    rig.command(Command::Stop);
    rig.input(Input::Bytes(epoch, b"late bytes"));
    rig.input(Input::Closed(epoch, CloseCause::Peer { code: None }));
    assert_eq!(rig.state(), "idle");
    rig.advance(secs(1000));
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn an_input_out_of_order_is_the_drivers_mistake_and_changes_nothing() {
    let mut rig = Rig::online();
    let epoch = rig.epoch().unwrap();
    let error = rig
        .engine
        .handle_input(rig.now, Input::Opened(epoch))
        .unwrap_err();
    assert_eq!(
        error,
        EngineError::OutOfOrder {
            input: "Opened",
            phase: "established"
        }
    );
    assert_eq!(rig.state(), "online");
    assert!(rig.engine.poll_output().is_none());

    rig.service
        .fail(support::Point::Open, support::Fault::Silent, 1);
    rig.restart();
    rig.command(Command::Start);
    let epoch = rig.epoch().unwrap();
    let error = rig
        .engine
        .handle_input(rig.now, Input::Bytes(epoch, b"early"))
        .unwrap_err();
    assert_eq!(
        error,
        EngineError::OutOfOrder {
            input: "Bytes",
            phase: "being dialled"
        }
    );
}

#[test]
fn a_timeout_that_is_not_due_changes_nothing() {
    let mut rig = Rig::online();
    let (deadline, events) = (rig.engine.poll_timeout(), rig.events.len());
    for _ in 0..5 {
        rig.input(Input::Timeout);
    }
    assert_eq!(rig.engine.poll_timeout(), deadline);
    assert_eq!(rig.events.len(), events);
}
