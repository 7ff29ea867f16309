#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::{AfterCode, Rig, secs};
use wa_core::{CloseCause, CodeEnd, CommandError, Event};

fn end(rig: &Rig) -> CodeEnd {
    rig.heard(|event| match event {
        Event::PairingCodeEnded(end) => Some(end.clone()),
        _ => None,
    })
}

#[test]
fn refs_that_run_out_leave_a_live_code_its_time() {
    let (mut rig, code) = Rig::showing_code();
    rig.advance(secs(160));
    assert_eq!((rig.qr(), rig.code()), (None, Some(code.clone())));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.advance(secs(19));
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn an_offer_without_a_ref_that_can_be_used_leaves_a_code_its_time() {
    let mut rig = Rig::new();
    rig.service.refs = 0;
    let op = rig.ask_for_code();
    rig.advance(secs(100));
    assert!(rig.result(op).is_some_and(|result| result.is_ok()));
    assert_eq!((rig.state(), rig.qr()), ("awaiting_pairing", None));
    let code = rig.code().expect("still on show");
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_code_that_nobody_types_dies_after_three_minutes() {
    let (mut rig, _) = Rig::showing_code();
    rig.advance(secs(180) - Duration::from_millis(1));
    assert!(rig.code().is_some());
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.advance(Duration::from_millis(1));
    assert_eq!(end(&rig), CodeEnd::Expired);
    assert_eq!(rig.state(), "pairing_expired", "nothing else was live");
    assert!(!rig.is_connected());
}

#[test]
fn a_code_asked_for_late_keeps_the_socket_open_after_the_refs() {
    let mut rig = Rig::new();
    rig.command(wa_core::Command::Start);
    rig.advance(secs(150));
    rig.ask_for_code();
    rig.advance(secs(170));
    assert_eq!(rig.state(), "awaiting_pairing");
    let code = rig.code().unwrap();
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_phone_that_falls_silent_after_the_code_is_given_a_minute() {
    let (mut rig, _) = Rig::showing_code();
    rig.type_in("1111-1111");
    assert_eq!(
        rig.state(),
        "awaiting_pairing",
        "a wrong code looks like silence"
    );
    rig.advance(secs(60) - Duration::from_millis(1));
    assert!(rig.code().is_some());
    rig.advance(Duration::from_millis(1));
    assert_eq!(end(&rig), CodeEnd::NoPairSuccess);
    rig.scan();
    assert_eq!(
        rig.state(),
        "online",
        "the QR code on show has the new secret"
    );
}

#[test]
fn the_minute_may_outlast_the_code_and_the_refs() {
    let (mut rig, code) = Rig::showing_code();
    rig.service.ceremonies.after_code = AfterCode::Nothing;
    rig.advance(secs(170));
    rig.type_in(&code);
    rig.advance(secs(59));
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.advance(secs(1));
    assert_eq!(end(&rig), CodeEnd::NoPairSuccess);
    assert_eq!(rig.state(), "pairing_expired");
}

#[test]
fn a_close_by_the_server_is_no_expiry_while_a_code_is_live() {
    let (mut rig, _) = Rig::showing_code();
    rig.advance(secs(170));
    rig.drop_connection(CloseCause::Peer { code: Some(1000) });
    assert_eq!(rig.state(), "reconnecting");
    assert_eq!(end(&rig), CodeEnd::ConnectionEnded);
    rig.advance(secs(5));
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_eq!(rig.code(), None, "not asked for again by itself");
    assert_eq!(rig.service.requests("link_code_companion_reg").len(), 1);
    assert!(rig.qr().is_some());
}

#[test]
fn a_start_fails_when_nothing_is_live_any_more() {
    let mut rig = Rig::new();
    let start = rig.command(wa_core::Command::Start);
    rig.ask_for_code();
    rig.advance(secs(179));
    assert_eq!(rig.result(start), None);
    rig.advance(secs(1));
    assert_eq!(rig.result(start), Some(Err(CommandError::PairingExpired)));
}

#[test]
fn whatever_takes_the_connection_away_takes_the_code_off_the_screen() {
    let stories: [fn(&mut Rig); 4] = [
        |rig| {
            rig.command(wa_core::Command::Stop);
        },
        |rig| rig.serve(&wa_proto::Node::new("failure").attr("reason", "405")),
        |rig| rig.serve_bytes(&[0, 0, 3, 1, 2, 3]),
        |rig| {
            rig.refuse_commits = true;
            rig.serve(&support::notification(
                "companion_reg_refresh",
                "companion_reg_refresh",
            ));
        },
    ];
    for story in stories {
        let (mut rig, _) = Rig::showing_code();
        story(&mut rig);
        assert_ne!(rig.state(), "awaiting_pairing");
        assert_eq!(end(&rig), CodeEnd::ConnectionEnded);
        assert_eq!((rig.code(), rig.qr()), (None, None));
    }
}
