#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{Command, Event};

#[test]
fn codes_live_sixty_and_then_twenty_seconds() {
    let mut rig = Rig::new();
    let begin = rig.now;
    rig.command(Command::Start);
    let mut shown = Vec::new();
    for _ in 0..170 {
        let since = (rig.now.unix_ms - begin.unix_ms) / 1000;
        for event in rig.events.drain(..) {
            if let Event::Qr {
                seq,
                ttl,
                expires_at_unix_ms,
                ..
            } = event
            {
                shown.push((since, seq, ttl, (expires_at_unix_ms - begin.unix_ms) / 1000));
            }
        }
        rig.advance(secs(1));
    }
    assert_eq!(
        shown,
        [
            (0, 1, secs(60), 60),
            (60, 2, secs(20), 80),
            (80, 3, secs(20), 100),
            (100, 4, secs(20), 120),
            (120, 5, secs(20), 140),
            (140, 6, secs(20), 160),
        ]
    );
}

#[test]
fn every_code_has_another_text_and_the_last_can_be_scanned() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    let first = rig.qr().unwrap();
    rig.advance(secs(150));
    let last = rig.qr().unwrap();
    assert_ne!(first, last);
    rig.scan();
    assert_eq!(rig.state(), "online");
}

#[test]
fn a_refresh_replaces_the_secret_behind_the_code_and_is_durable_before_its_ack() {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    let before = rig.qr().unwrap();
    let commits = rig.store.commits;
    rig.log.clear();
    rig.serve(&support::notification(
        "companion_reg_refresh",
        "companion_reg_refresh",
    ));
    let after = rig.qr().unwrap();
    assert_ne!(before, after);
    assert_eq!(rig.store.commits, commits + 1);
    assert!(matches!(rig.log[0], support::Done::Persist(_)));
    assert!(matches!(rig.log[1], support::Done::Transmit));
    let ack = rig.service.sent("ack")[0];
    assert_eq!(
        ack.get_text("type").as_deref(),
        Some("companion_reg_refresh")
    );
    rig.scan();
    assert_eq!(rig.state(), "online");
}
