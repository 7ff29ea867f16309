//! Owners type late, wrong, or when the server wants another code; the device is linked all the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod world;

use wa_core::{CodeEnd, Event};
use wa_sim::{ScanId, ScanOutcome};
use world::{Universe, secs};

/// A device that shows a code nobody has typed.
fn showing_code() -> Universe {
    let mut all = Universe::new();
    all.scans_codes = false;
    all.types_codes = false;
    all.ask_for_code();
    all
}

fn assert_linked(all: &Universe, typed: ScanId) {
    let outcome = all.world.scan_outcome(typed);
    assert!(
        matches!(outcome, Some(ScanOutcome::Linked { .. })),
        "{outcome:?}"
    );
    assert_eq!(all.state(), "online");
    assert!(all.remarks().is_empty(), "{:?}", all.remarks());
}

#[test]
fn at_once() {
    let mut all = showing_code();
    let typed = all.type_in(&all.code());
    assert_linked(&all, typed);
}

#[test]
fn late() {
    let mut all = showing_code();
    all.advance(secs(155));
    let typed = all.type_in(&all.code());
    assert_linked(&all, typed);
}

#[test]
fn wrong_at_first() {
    let mut all = showing_code();
    let wrong = all.type_in("1111-1111");
    let outcome = all.world.scan_outcome(wrong);
    assert!(
        matches!(outcome, Some(ScanOutcome::Failed(_))),
        "{outcome:?}"
    );
    let typed = all.type_in(&all.code());
    assert_linked(&all, typed);
}

#[test]
fn when_the_server_wanted_another() {
    let mut all = showing_code();
    all.renew_code(true);
    let ended = |event: &Event| matches!(event, Event::PairingCodeEnded(CodeEnd::ReplacedByServer));
    assert!(all.events.iter().any(ended));
    all.ask_for_code();
    let typed = all.type_in(&all.code());
    assert_linked(&all, typed);
}
