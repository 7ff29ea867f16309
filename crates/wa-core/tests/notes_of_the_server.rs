#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Fault, Point, Rig, secs};
use wa_core::{Command, MAX_PENDING_REQUESTS, MAX_ROUTING_LEN};
use wa_proto::{Jid, Node};

fn ib(child: Node) -> Node {
    Node::new("ib").attr("from", Jid::server_jid()).child(child)
}

fn routing(bytes: &[u8]) -> Node {
    ib(Node::new("edge_routing").child(Node::new("routing_info").bytes(bytes.to_vec())))
}

fn reconnect(rig: &mut Rig) -> Option<Vec<u8>> {
    rig.restart();
    rig.command(Command::Start);
    rig.advance(secs(5));
    rig.service.seen.routing.last().unwrap().clone()
}

#[test]
fn routing_info_is_kept_and_sent_in_front_of_the_next_connection() {
    let mut rig = Rig::online();
    assert!(rig.service.seen.routing.iter().all(Option::is_none));
    rig.serve(&routing(&[8, 2, 16, 5, 24, 11]));
    assert_eq!(
        reconnect(&mut rig).as_deref(),
        Some(&[8, 2, 16, 5, 24, 11][..])
    );
    rig.serve(&routing(&[1]));
    rig.serve(&routing(&[2]));
    assert_eq!(
        reconnect(&mut rig).as_deref(),
        Some(&[2][..]),
        "the latest wins"
    );
    let commits = rig.store.commits;
    rig.serve(&routing(&[2]));
    assert_eq!(rig.store.commits, commits, "no news, no commit");
}

#[test]
fn routing_info_that_leads_nowhere_is_dropped() {
    for fault in [
        Fault::Close,
        Fault::Silent,
        Fault::Bytes(vec![0, 0, 1, 0xff]),
    ] {
        let mut rig = Rig::online();
        rig.serve(&routing(&[8, 2]));
        rig.restart();
        rig.service.fail(Point::Hello, fault, 1);
        rig.command(Command::Start);
        rig.advance(secs(25));
        assert_eq!(rig.state(), "online");
        let [.., with, without] = &rig.service.seen.routing[..] else {
            panic!("two attempts")
        };
        assert_eq!((with.as_deref(), without), (Some(&[8, 2][..]), &None));
        assert_eq!(reconnect(&mut rig), None, "in the store as well");
    }
}

#[test]
fn routing_info_of_an_odd_length_is_not_kept() {
    for (len, kept) in [
        (0, false),
        (1, true),
        (MAX_ROUTING_LEN, true),
        (MAX_ROUTING_LEN + 1, false),
    ] {
        let mut rig = Rig::online();
        rig.serve(&routing(&vec![7; len]));
        assert_eq!(reconnect(&mut rig).is_some(), kept, "{len}");
    }
}

#[test]
fn waiting_stanzas_are_asked_for_once() {
    let mut rig = Rig::online();
    let preview = ib(Node::new("offline_preview").attr("count", "7"));
    rig.serve(&preview);
    rig.serve(&preview);
    rig.serve(&ib(Node::new("offline").attr("count", "7")));
    let asked: Vec<_> = rig
        .service
        .sent("ib")
        .into_iter()
        .filter_map(|ib| ib.get_child("offline_batch"))
        .collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].get_u64("count"), Some(200));
}

#[test]
fn dirty_marks_are_cleaned_with_their_own_values() {
    let mut rig = Rig::online();
    rig.serve(&ib(Node::new("dirty")
        .attr("type", "groups")
        .attr("timestamp", "1755729499")));
    rig.serve(&ib(Node::new("dirty").attr("type", "groups")));
    let cleaned = rig.service.requests("clean");
    assert_eq!(cleaned.len(), 1, "without a time there is nothing to clean");
    let clean = cleaned[0].get_child("clean").unwrap();
    assert_eq!(clean.get_text("type").as_deref(), Some("groups"));
    assert_eq!(clean.get_u64("timestamp"), Some(1_755_729_499));
}

#[test]
fn requests_that_wait_are_bounded() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, u32::MAX);
    let ops: Vec<_> = (0..MAX_PENDING_REQUESTS)
        .map(|_| rig.command(Command::Ping))
        .collect();
    // Operations have the same bound, so the next request is one of the engine itself.
    assert!(ops.iter().all(|op| rig.result(*op).is_none()));
    rig.service.seen.stanzas.clear();
    rig.serve(&ib(Node::new("dirty")
        .attr("type", "groups")
        .attr("timestamp", "1")));
    assert!(rig.service.requests("clean").is_empty(), "left out");
    assert_eq!(rig.state(), "online");
    rig.advance(secs(20));
    assert!(ops.iter().all(|op| rig.result(*op).is_some()));
}

#[test]
fn requests_that_wait_fail_with_the_connection() {
    let mut rig = Rig::online();
    rig.service.fail(Point::Ping, Fault::Silent, u32::MAX);
    let op = rig.command(Command::Ping);
    rig.drop_connection(wa_core::CloseCause::Peer { code: None });
    assert_eq!(
        rig.result(op),
        Some(Err(wa_core::CommandError::NotConnected))
    );
}

#[test]
fn ids_have_two_random_numbers_and_count_from_one() {
    let rig = Rig::online();
    let ids: Vec<String> = rig
        .service
        .sent("iq")
        .iter()
        .filter(|iq| iq.get_text("type").as_deref() != Some("result"))
        .map(|iq| iq.get_text("id").unwrap().into_owned())
        .collect();
    let (prefix, first) = ids[0].rsplit_once('-').unwrap();
    let (a, b) = prefix.split_once('.').unwrap();
    assert!(a.parse::<u16>().is_ok() && b.parse::<u16>().is_ok());
    assert_eq!(first, "1");
    assert_eq!(ids[1], format!("{prefix}-2"));
}
