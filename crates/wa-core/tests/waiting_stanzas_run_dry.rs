#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, secs};
use wa_core::{Event, Trouble};
use wa_proto::{Jid, Node};

fn ib(child: Node) -> Node {
    Node::new("ib").attr("from", Jid::server_jid()).child(child)
}

fn waiting(id: &'static str) -> Node {
    Node::new("message")
        .attr("from", "15551234567@s.whatsapp.net".parse::<Jid>().unwrap())
        .attr("id", id)
        .attr("offline", "0")
}

fn caught_up(rig: &Rig) -> Vec<(u64, bool)> {
    let events = rig.events.iter();
    events
        .filter_map(|event| match event {
            Event::CaughtUp { stanzas, complete } => Some((*stanzas, *complete)),
            _ => None,
        })
        .collect()
}

#[test]
fn the_server_says_that_it_was_all() {
    let mut rig = Rig::online();
    for id in ["A", "B"] {
        rig.serve(&waiting(id));
    }
    assert_eq!(caught_up(&rig), []);
    rig.serve(&ib(Node::new("offline").attr("count", "2")));
    rig.serve(&ib(Node::new("offline").attr("count", "2")));
    assert_eq!(caught_up(&rig), [(2, true)], "once per connection");
    assert_eq!(rig.service.sent("ack").len(), 2);
    rig.advance(secs(300));
    assert_eq!(caught_up(&rig).len(), 1);
}

#[test]
fn a_minute_without_progress_ends_it_too() {
    let mut rig = Rig::online();
    rig.advance(secs(59));
    rig.serve(&waiting("A"));
    rig.advance(secs(59));
    assert_eq!(caught_up(&rig), [], "every stanza starts the minute anew");
    rig.advance(secs(1));
    assert_eq!(caught_up(&rig), [(1, false)]);
    assert_eq!(rig.state(), "online");
}

#[test]
fn the_end_of_the_client_version_is_told_once() {
    let mut rig = Rig::online();
    let note = ib(Node::new("client_expiration").attr("t", "1790000000"));
    rig.serve(&note);
    rig.serve(&note);
    let at_unix_secs = 1_790_000_000;
    let told = Event::Trouble(Trouble::VersionExpires { at_unix_secs });
    assert_eq!(rig.events, [told]);
}
