#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Done, Fault, Point, Rig, secs};
use wa_core::{Command, LogoutOptions};
use wa_proto::{Jid, Node};

fn identity_change(from: &str) -> Node {
    let from: Jid = from.parse().unwrap();
    Node::new("notification")
        .attr("from", from)
        .attr("type", "encrypt")
        .attr("id", "1")
        .child(Node::new("identity"))
}

#[test]
fn nothing_is_sent_before_the_wipe_that_a_changed_identity_of_the_own_phone_causes() {
    let mut rig = Rig::online();
    rig.log.clear();
    rig.service.seen.stanzas.clear();
    rig.serve(&identity_change("12025550123@s.whatsapp.net"));
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.store.is_empty());
    assert!(!rig.log.contains(&Done::Transmit), "no ack");
    assert!(rig.service.sent("ack").is_empty());
}

#[test]
fn a_wipe_that_could_not_be_stored_leaves_the_note_with_the_server() {
    let mut rig = Rig::online();
    rig.log.clear();
    rig.refuse_commits = true;
    rig.serve(&identity_change("186303081611421@lid"));
    assert_eq!(rig.state(), "failed");
    assert!(!rig.store.is_empty());
    assert!(!rig.log.contains(&Done::Transmit), "it will come again");
}

#[test]
fn that_of_somebody_else_is_acked_as_ever() {
    let mut rig = Rig::online();
    rig.service.seen.stanzas.clear();
    rig.serve(&identity_change("12025550199@s.whatsapp.net"));
    assert_eq!(rig.state(), "online");
    assert_eq!(rig.service.sent("ack").len(), 1);
}

#[test]
fn it_voids_the_link_in_every_phase_of_a_connection() {
    let note = || identity_change("12025550123@s.whatsapp.net");
    // Before the login is answered.
    let mut rig = Rig::online();
    rig.restart();
    rig.service
        .fail(Point::Login, Fault::Stanzas(vec![note()]), 1);
    rig.command(Command::Start);
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.store.is_empty());

    // Between the pairing reply and the restart.
    let mut rig = Rig::new();
    rig.service
        .fail(Point::PairSign, Fault::Stanzas(vec![note()]), 1);
    rig.pair();
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.store.is_empty());

    // While the stream ends.
    let mut rig = Rig::online();
    rig.serve(&Node::new("xmlstreamend"));
    rig.serve(&note());
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.store.is_empty());

    // While a logout waits for its answer.
    let mut rig = Rig::online();
    rig.service.fail(Point::Unlink, Fault::Silent, 1);
    rig.service.seen.stanzas.clear();
    rig.command(Command::Logout(LogoutOptions::default()));
    rig.serve(&note());
    rig.advance(secs(3));
    assert_eq!(rig.state(), "logged_out");
    assert!(rig.service.sent("ack").is_empty());
}
