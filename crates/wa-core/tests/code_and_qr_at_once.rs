#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{Command, CommandError, Event};

#[test]
fn both_are_on_offer_on_one_socket() {
    let (mut rig, code) = Rig::showing_code();
    let first = rig.qr().expect("a QR code too");
    rig.advance(secs(61));
    assert_ne!(
        rig.qr().expect("the next one"),
        first,
        "refs go on rotating"
    );
    assert_eq!(rig.code(), Some(code));
    assert_eq!(rig.opens.len(), 1);
}

#[test]
fn the_scan_wins() {
    let (mut rig, _) = Rig::showing_code();
    rig.scan();
    assert_eq!(rig.state(), "online");
    rig.advance(secs(300));
    let told = |event: &Event| matches!(event, Event::PairingCodeEnded(_));
    assert!(!rig.events.iter().any(told), "being linked says it all");
}

#[test]
fn the_code_wins() {
    let (mut rig, code) = Rig::showing_code();
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.qr(), None, "the QR code is blanked");
}

#[test]
fn a_scan_answers_whoever_still_waits_for_a_code() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.hold_jobs = true;
    let op = rig.ask_for_code();
    rig.scan();
    assert_eq!(rig.result(op), Some(Err(CommandError::AlreadyLinked)));
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_qr_code_refreshed_behind_a_code_still_links() {
    let (mut rig, _) = Rig::showing_code();
    rig.serve(&support::notification(
        "companion_reg_refresh",
        "companion_reg_refresh",
    ));
    rig.scan();
    assert_eq!(rig.state(), "online");
}
