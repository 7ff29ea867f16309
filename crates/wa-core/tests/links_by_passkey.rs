#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{AfterCode, OPTIONS, Rig, code_notification, secs, states};
use wa_core::{CodeEnd, Command, Event, Handoff, OpOutcome};
use wa_proto::Node;

#[test]
fn a_scan_leads_to_a_passkey_and_the_passkey_to_the_link() {
    let mut rig = Rig::new();
    rig.service.ceremonies.inline_options = true;
    rig.command(Command::Start);
    rig.scan_for_passkey();
    assert_eq!(rig.state(), "awaiting_passkey");
    assert_eq!(rig.options().as_deref(), Some(OPTIONS), "letter for letter");
    assert_eq!(rig.qr(), None, "the scanned code is taken off the screen");
    let op = rig.respond();
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::PasskeyResponseSent)));
    assert_eq!(rig.state(), "online");
    let mut names = states(&rig.events);
    names.dedup();
    assert_eq!(
        names,
        [
            "starting",
            "awaiting_pairing",
            "awaiting_passkey",
            "linking",
            "online"
        ]
    );
    assert_eq!(rig.service.linked[&48].identity, rig.engine_identity());
}

#[test]
fn a_code_leads_to_a_passkey_and_the_passkey_to_the_link() {
    let (mut rig, code) = Rig::showing_code();
    rig.service.ceremonies.after_code = AfterCode::Passkey;
    rig.type_in(&code);
    assert_eq!(rig.state(), "awaiting_passkey");
    let ended = rig.heard(|event| match event {
        Event::PairingCodeEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!(ended, CodeEnd::PasskeyBegan);
    rig.respond();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_note_without_keys_announces_the_passkey_and_keeps_the_code() {
    let (mut rig, code) = Rig::showing_code();
    rig.service.ceremonies.after_code = AfterCode::Passkey;
    rig.service.seen.stanzas.clear();
    let reference = rig.code_ref();
    rig.serve(&code_notification(
        Node::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .child(Node::new("link_code_pairing_ref").bytes(reference.into_bytes())),
    ));
    assert_eq!(rig.service.sent("ack").len(), 1);
    assert_eq!(rig.code(), Some(code.clone()));
    rig.type_in(&code);
    rig.respond();
    assert_eq!(rig.state(), "online");
}

#[test]
fn options_that_do_not_come_along_are_fetched() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.scan_for_passkey();
    assert_eq!(rig.service.requests("passkey_request_options").len(), 1);
    assert_eq!(rig.options().as_deref(), Some(OPTIONS));
}

#[test]
fn the_refs_may_run_out_in_the_middle() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(150));
    rig.scan_for_passkey();
    rig.advance(secs(590));
    assert_eq!(
        rig.state(),
        "awaiting_passkey",
        "the owner looks for the key"
    );
    rig.respond();
    rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.state(), "online");
}

#[test]
fn the_challenge_says_how_long_it_is_good() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.scan_for_passkey();
    let expires = rig.heard(|event| match event {
        Event::PasskeyRequested {
            expires_at_unix_ms, ..
        } => Some(*expires_at_unix_ms),
        _ => None,
    });
    assert_eq!(expires, rig.now.unix_ms + 600_000);
}

#[test]
fn a_proof_of_the_scan_stands_for_the_comparison() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.respond();
    assert!(rig.service.ceremonies.proven);
    assert_eq!(
        rig.confirmation(),
        Some(None),
        "told, and confirmed already"
    );
    assert_eq!(rig.state(), "online");
}

#[test]
fn without_a_proof_the_codes_are_compared() {
    let mut rig = Rig::with(|config| config.handoff = Handoff::Withhold);
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.respond();
    assert!(!rig.service.ceremonies.proven);
    assert_eq!(rig.state(), "awaiting_passkey");
    let code = rig.confirmation().flatten().expect("a code to compare");
    assert_eq!(Some(&code), rig.service.ceremonies.phone_code.as_ref());
    let op = rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::PasskeyConfirmationSent)));
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_proof_that_is_too_old_is_not_sent() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.advance(secs(300));
    rig.respond();
    assert!(!rig.service.ceremonies.proven);
    assert!(
        rig.confirmation().flatten().is_some(),
        "so the codes are compared"
    );
}

#[test]
fn the_new_secret_is_durable_before_the_phone_can_learn_it() {
    use support::Done;
    let mut rig = Rig::with(|config| config.handoff = Handoff::Withhold);
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.respond();
    rig.service.ceremonies.after_passkey = support::AfterPasskey::Nothing;
    rig.log.clear();
    rig.command(Command::ConfirmPasskey(true));
    let place = |wanted: fn(&Done) -> bool| rig.log.iter().position(wanted);
    let persist = place(|done| matches!(done, Done::Persist(_))).unwrap();
    let request = place(|done| matches!(done, Done::Transmit)).unwrap();
    assert!(persist < request);
    assert_eq!(rig.service.requests("encrypted_pairing_request").len(), 1);
}
