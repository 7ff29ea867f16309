#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{Command, CommandError, FailReason, LinkState, LogoutOptions, OpOutcome};

#[test]
fn after_a_failed_commit_a_logout_does_not_claim_that_there_is_no_link() {
    let mut rig = Rig::online();
    rig.refuse_commits = true;
    rig.command(Command::Stop);
    assert_eq!(rig.state(), "failed");
    rig.refuse_commits = false;
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    let Some(Err(CommandError::Failed(FailReason::Store(why)))) = rig.result(op) else {
        panic!("{:?}", rig.result(op))
    };
    assert!(why.contains("start again"), "{why}");
    assert_eq!(rig.store.link, Some(LinkState::Linked), "and it is there");
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
    let op = rig.command(Command::Logout(LogoutOptions::default()));
    let server_unlinked = Some(true);
    assert_eq!(
        rig.result(op),
        Some(Ok(OpOutcome::LoggedOut { server_unlinked }))
    );
}
