#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, states};
use wa_core::{Command, Event, OpOutcome};
use wa_noise::Pattern;

#[test]
fn a_restarted_process_logs_in_without_a_code() {
    let mut rig = Rig::online();
    rig.restart();
    assert_eq!(rig.state(), "stopped");
    let op = rig.command(Command::Start);
    assert_eq!(rig.result(op), Some(Ok(OpOutcome::Online)));
    let mut names = states(&rig.events);
    names.dedup();
    assert_eq!(names, ["connecting", "online"]);
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Qr { .. }))
    );
}

#[test]
fn it_counts_its_logins_and_resumes_with_the_cached_server_key() {
    let mut rig = Rig::online();
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(
        rig.service.seen.patterns,
        [Pattern::Xx, Pattern::Xx, Pattern::Ik]
    );
    let login = &rig.service.seen.payloads[2];
    assert_eq!(login.lc, Some(1));
    assert_eq!(login.connect_attempt_count, Some(0), "a new process");
    assert_eq!(rig.engine.credentials().unwrap().logins, 2);
}

#[test]
fn keys_that_are_on_the_server_are_not_uploaded_again() {
    let mut rig = Rig::online();
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.service.bundle.uploads, 1);
    assert_eq!(rig.service.requests("digest").len(), 1, "but compared");
}

#[test]
fn a_lid_and_a_name_told_at_login_are_kept() {
    let mut rig = Rig::online();
    rig.service.lid = Some("186303081611999@lid".parse().unwrap());
    rig.service.success.push(("display_name", "Ada".to_owned()));
    rig.restart();
    rig.command(Command::Start);
    rig.restart();
    let link = rig.engine.credentials().unwrap();
    assert_eq!(link.lid, rig.service.lid(48));
    assert_eq!(link.push_name.as_deref(), Some("Ada"));
    assert_eq!(rig.store.identity.as_ref().unwrap().lid, link.lid);
}
