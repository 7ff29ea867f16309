//! What the phone was sent on one connection, it may answer on the next, and nothing in between forgets that.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{AfterCode, AfterPasskey, Fault, Point, Rig, notification, secs};
use wa_core::{
    CloseCause, CodeEnd, Command, CommandError, Event, OpOutcome, PasskeyEnd, PasskeyStage,
};
use wa_proto::Node;

fn restart() -> Node {
    Node::new("stream:error").attr("code", "515")
}

fn refresh(rig: &mut Rig) {
    rig.serve(&notification(
        "companion_reg_refresh",
        "companion_reg_refresh",
    ));
}

fn is_trouble(event: &Event) -> bool {
    matches!(
        event,
        Event::Disconnected { .. } | Event::PasskeyEnded(_) | Event::PairingCodeEnded(_)
    )
}

/// A ceremony whose keys are with the phone, which takes its time.
fn handed_over(fault: Option<Fault>) -> Rig {
    let mut rig = Rig::new();
    rig.service.ceremonies.after_passkey = AfterPasskey::Nothing;
    if let Some(fault) = fault {
        rig.service.fail(Point::PasskeyRequest, fault, 1);
    }
    rig.command(Command::Start);
    rig.scan_for_passkey();
    rig.respond();
    assert!(rig.service.ceremonies.endorsed.is_some());
    rig
}

/// A code that was typed right, on a phone that takes its time.
fn typed() -> Rig {
    let (mut rig, code) = Rig::showing_code();
    rig.service.ceremonies.after_code = AfterCode::Nothing;
    rig.type_in(&code);
    assert!(rig.service.ceremonies.endorsed.is_some());
    rig
}

fn code_end(rig: &Rig) -> CodeEnd {
    rig.heard(|event| match event {
        Event::PairingCodeEnded(end) => Some(end.clone()),
        _ => None,
    })
}

/// The secret the phone has learned is not the one in the store any more.
fn assert_the_secret_died(rig: &mut Rig) {
    let (_, adv) = rig.service.ceremonies.endorsed.take().unwrap();
    let pickles = support::Pickles::read(&rig.store.load(wa_core::Query::Device));
    assert_ne!(pickles.device.adv_secret, adv.expose_bytes());
}

#[test]
fn a_refresh_on_the_next_connection_leaves_the_secret_of_a_ceremony_alone() {
    let mut rig = handed_over(None);
    rig.serve(&restart());
    assert_eq!(rig.opens.len(), 2);
    assert_eq!((rig.state(), rig.qr()), ("awaiting_passkey", None));
    refresh(&mut rig);
    rig.serve(&restart());
    refresh(&mut rig);
    rig.endorse();
    assert_eq!(rig.state(), "online");
    assert!(!rig.events.iter().any(is_trouble));
}

#[test]
fn the_minute_for_the_link_goes_on_there() {
    let mut rig = handed_over(None);
    rig.advance(secs(20));
    rig.serve(&restart());
    rig.advance(secs(39));
    assert_eq!(rig.state(), "awaiting_passkey");
    rig.advance(secs(1));
    let end = rig.heard(|event| match event {
        Event::PasskeyEnded(end) => Some(end.clone()),
        _ => None,
    });
    let stage = PasskeyStage::PairSuccess;
    assert_eq!(end, PasskeyEnd::TimedOut { stage });
    assert_eq!(rig.state(), "awaiting_pairing");
    assert_the_secret_died(&mut rig);
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn any_end_of_the_connection_is_the_restart_once_the_phone_has_our_keys() {
    let ends: [fn(&mut Rig); 5] = [
        |rig| rig.drop_connection(CloseCause::Network("reset".to_owned())),
        |rig| rig.drop_connection(CloseCause::Peer { code: Some(1006) }),
        |rig| rig.serve(&Node::new("stream:error").attr("code", "503")),
        |rig| rig.serve(&Node::new("xmlstreamend")),
        |rig| rig.serve_bytes(&[0, 0, 3, 1, 2, 3]),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        for fault in [None, Some(Fault::NoReceipt)] {
            let mut rig = handed_over(fault);
            end(&mut rig);
            assert_eq!(rig.opens.len(), 2, "{number}");
            assert_eq!(rig.opens[1], rig.now, "{number}: at once");
            refresh(&mut rig);
            rig.endorse();
            assert_eq!(rig.state(), "online", "{number}");
            assert!(!rig.events.iter().any(is_trouble), "{number}");
        }
    }
}

#[test]
fn a_connection_lost_with_the_receipt_is_the_restart_too() {
    let mut rig = handed_over(Some(Fault::LoseAnswer));
    assert_eq!(rig.opens.len(), 2);
    rig.endorse();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_receipt_that_does_not_come_ends_nothing() {
    let mut rig = handed_over(Some(Fault::NoReceipt));
    rig.advance(secs(80));
    assert_eq!(rig.state(), "awaiting_passkey");
    rig.endorse();
    assert_eq!(rig.state(), "online");
    assert!(!rig.events.iter().any(is_trouble));
}

#[test]
fn a_restart_waits_for_that_receipt_for_a_moment_only() {
    let mut rig = handed_over(Some(Fault::NoReceipt));
    rig.serve(&restart());
    assert_eq!(rig.opens.len(), 1);
    rig.advance(secs(3));
    assert_eq!(rig.opens.len(), 2);
    refresh(&mut rig);
    rig.endorse();
    assert_eq!(rig.state(), "online");
}

#[test]
fn attempts_that_fail_in_between_change_nothing() {
    let mut rig = handed_over(None);
    let refused = Fault::Refuse(support::unreachable());
    rig.service.fail(Point::Open, refused, 2);
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    rig.advance(secs(10));
    assert_eq!(rig.opens.len(), 4);
    refresh(&mut rig);
    rig.endorse();
    assert_eq!(rig.state(), "online");
    let ended = |event: &Event| matches!(event, Event::PasskeyEnded(_));
    assert!(!rig.events.iter().any(ended));
}

#[test]
fn a_stop_ends_it() {
    let mut rig = handed_over(None);
    rig.serve(&restart());
    rig.command(Command::Stop);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "awaiting_pairing");
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_typed_code_stays_on_show_and_is_answered_on_the_next_connection() {
    let ends: [fn(&mut Rig); 2] = [
        |rig| rig.serve(&restart()),
        |rig| {
            rig.drop_connection(CloseCause::Network("reset".to_owned()));
            rig.advance(secs(10));
        },
    ];
    for end in ends {
        let mut rig = typed();
        let code = rig.code();
        end(&mut rig);
        assert_eq!(rig.opens.len(), 2);
        assert_eq!(rig.code(), code);
        refresh(&mut rig);
        rig.endorse();
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_typed_code_that_is_not_answered_there_ends_as_it_would_have_here() {
    let mut rig = typed();
    rig.serve(&restart());
    let another = rig.ask_for_code();
    assert!(matches!(
        rig.result(another),
        Some(Err(CommandError::CodeOutstanding { .. }))
    ));
    rig.advance(secs(59));
    assert!(rig.code().is_some());
    rig.advance(secs(1));
    assert_eq!(code_end(&rig), CodeEnd::NoPairSuccess);
    assert_the_secret_died(&mut rig);
    rig.scan();
    assert_eq!(rig.state(), "online", "the QR code has the new one");
}

#[test]
fn a_typed_code_ends_with_a_stop() {
    let mut rig = typed();
    rig.command(Command::Stop);
    assert_eq!(code_end(&rig), CodeEnd::ConnectionEnded);
}

#[test]
fn a_typed_code_can_be_cancelled_between_two_connections() {
    let mut rig = typed();
    let refused = Fault::Refuse(support::unreachable());
    rig.service.fail(Point::Open, refused, 3);
    rig.drop_connection(CloseCause::Network("reset".to_owned()));
    assert_eq!(rig.state(), "reconnecting");
    let op = rig.command(Command::CancelPairingCode);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::PairingCodeCancelled)));
    assert_eq!(code_end(&rig), CodeEnd::Cancelled);
    assert_the_secret_died(&mut rig);
}
