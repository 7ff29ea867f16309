#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{CloseCause, Command, FLAPPING_LOSSES, Health};
use wa_proto::{Jid, Node};

fn restart() -> Node {
    Node::new("stream:error").attr("code", "515")
}

#[test]
fn a_server_that_says_yes_and_restarts_at_once_is_not_dialled_without_pause() {
    let mut rig = Rig::online();
    let success = Node::new("success").attr("t", "1787184000");
    let yes_and_no = Fault::Stanzas(vec![success, restart()]);
    rig.service.fail(Point::Login, yes_and_no, u32::MAX);
    rig.opens.clear();
    rig.serve(&restart());
    assert_eq!(rig.opens.len(), 3, "three at once");
    assert_eq!(rig.state(), "reconnecting");
    rig.advance(secs(60));
    assert!(rig.opens.len() < 15, "{} in a minute", rig.opens.len());
    rig.service.heal();
    rig.advance(secs(100));
    assert_eq!(rig.state(), "online");
}

#[test]
fn nor_is_one_that_closes_after_every_login() {
    let mut rig = Rig::online();
    rig.opens.clear();
    for _ in 0..20 {
        while !rig.is_connected() {
            rig.advance(secs(1));
        }
        rig.drop_connection(CloseCause::Peer { code: None });
    }
    let took = rig.now.instant - rig.opens[0].instant;
    assert!(took > secs(600), "twenty logins in {took:?}");
}

#[test]
fn an_answered_ping_clears_the_count() {
    let mut rig = Rig::online();
    for _ in 0..10 {
        rig.advance(secs(31));
        rig.opens.clear();
        rig.serve(&restart());
        assert_eq!(rig.state(), "online");
        assert_eq!(rig.opens.len(), 1, "at once");
    }
}

#[test]
fn a_connection_that_comes_and_goes_is_known_as_such() {
    let mut rig = Rig::online();
    let flapping = |rig: &Rig| -> bool {
        let health: Health = rig.engine.health();
        health.is_flapping(rig.now.unix_ms)
    };
    for lost in 1..=FLAPPING_LOSSES {
        assert!(!flapping(&rig), "{lost}");
        rig.advance(secs(31));
        rig.drop_connection(CloseCause::Peer { code: None });
        rig.advance(secs(3));
        assert_eq!(rig.state(), "online");
    }
    assert!(flapping(&rig));
    rig.advance(secs(601));
    assert!(!flapping(&rig), "it is calm again");
    rig.command(Command::Stop);
    rig.command(Command::Start);
    assert!(!flapping(&rig), "what was wanted is no loss");
}

#[test]
fn a_login_takes_two_round_trips_and_one_with_a_cached_key() {
    let mut rig = Rig::online();
    assert_eq!(rig.engine.health().login_round_trips, Some(2));
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.engine.health().login_round_trips, Some(1));
    rig.service.change_key();
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.engine.health().login_round_trips, Some(2), "fallback");
}

#[test]
fn a_dead_socket_is_noticed_in_time_although_requests_wait() {
    let mut rig = Rig::online();
    let everything = [Point::Ping, Point::Digest, Point::Devices, Point::Count];
    for point in everything {
        rig.service.fail(point, Fault::Silent, u32::MAX);
    }
    for _ in 0..20 {
        rig.command(Command::Ping);
    }
    rig.serve(
        &Node::new("notification")
            .attr("from", Jid::server_jid())
            .attr("type", "encrypt")
            .attr("id", "1")
            .child(Node::new("digest")),
    );
    rig.opens.clear();
    rig.advance(secs(50));
    assert_eq!(
        rig.opens.len(),
        1,
        "thirty to the ping, twenty to its answer"
    );
}
