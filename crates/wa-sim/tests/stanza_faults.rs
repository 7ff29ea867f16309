//! Stanzas that are held back, lost, doubled, unasked, or never acknowledged.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::device::{Heard, Keys, child, request};
use common::lab::Lab;
use wa_proto::Node;
use wa_sim::{
    BadFrame, ConnId, Extra, Fault, FaultRule, IqKind, MAX_BACKLOG_LEN, RemovalNotice, StanzaClass,
    StanzaKind, Step, StreamError, WorldConfig,
};

fn online(lab: &mut Lab, keys: &mut Keys) -> ConnId {
    lab.link(keys);
    let id = lab.come_online(keys);
    for stanza in lab.activate(id) {
        acknowledge(lab, id, &stanza);
    }
    id
}

fn acknowledge(lab: &mut Lab, id: ConnId, stanza: &Node) {
    let text = |name: &str| stanza.get_text(name).map(std::borrow::Cow::into_owned);
    let Some((stanza_id, from)) = text("id").zip(text("from")) else {
        return;
    };
    if stanza.tag_str() == "iq" {
        return;
    }
    let mut ack = Node::new("ack")
        .attr("class", stanza.tag_str().to_owned())
        .attr("id", stanza_id)
        .attr("to", from);
    if let Some(kind) = text("type") {
        ack = ack.attr("type", kind);
    }
    lab.send(id, &ack);
}

fn ping(id: &str) -> Node {
    request(id, "get", "w:p", None)
}

fn ids(heard: &[Heard]) -> Vec<String> {
    heard
        .iter()
        .map(|heard| match heard {
            Heard::Stanza(node) => node.get_text("id").unwrap_or_default().into_owned(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn answer_of(request: IqKind) -> (StanzaKind, IqKind) {
    (StanzaKind::Answer, request)
}

#[test]
fn a_delay_keeps_the_order_and_ends() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.world.inject(Fault::DelayAt {
        step: Step::Ping,
        ms: 3_000,
    });
    lab.send(id, &ping("a"));
    lab.send(id, &ping("b"));
    lab.advance(Duration::from_millis(2_999));
    assert!(lab.heard(id).is_empty());
    lab.advance(Duration::from_millis(1));
    let heard = lab.heard(id);
    assert_eq!(ids(&heard), ["a", "b"]);
    lab.send(id, &ping("c"));
    let heard = lab.heard(id);
    assert_eq!(ids(&heard), ["c"]);
}

#[test]
fn what_a_delay_holds_back_is_said_before_the_close() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.world.inject(Fault::DelayAt {
        step: Step::Ping,
        ms: 3_000,
    });
    lab.world.inject(Fault::stream_error(
        Step::Ping,
        StreamError::Code { code: 503 },
    ));
    lab.send(id, &ping("a"));
    assert!(lab.heard(id).is_empty() && !lab.is_closed(id));
    lab.advance(Duration::from_secs(3));
    assert_eq!(lab.hear(id).get_u64("code"), Some(503));
    assert!(lab.is_closed(id));
}

#[test]
fn an_answer_can_be_lost_held_and_doubled() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    let (stanza, request) = answer_of(IqKind::Ping);
    lab.world.inject(Fault::Drop { stanza, request });
    lab.send(id, &ping("lost"));
    assert!(lab.heard(id).is_empty());
    lab.world.inject(Fault::Hold { stanza, request });
    lab.send(id, &ping("held"));
    assert!(lab.heard(id).is_empty());
    lab.send(id, &ping("next"));
    let heard = lab.heard(id);
    assert_eq!(ids(&heard), ["next", "held"]);
    lab.world.inject(Fault::Duplicate { stanza, request });
    lab.send(id, &ping("twice"));
    let heard = lab.heard(id);
    assert_eq!(ids(&heard), ["twice", "twice"]);
    assert!(lab.world.faults().is_empty());
}

#[test]
fn a_fault_of_one_request_spares_the_others() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    let (stanza, request) = answer_of(IqKind::Count);
    lab.world.inject(Fault::Drop { stanza, request });
    lab.send(id, &ping("a"));
    let heard = lab.heard(id);
    assert_eq!(ids(&heard), ["a"]);
    assert_eq!(lab.world.faults().len(), 1);
}

#[test]
fn a_batch_comes_as_it_is_acknowledged_and_then_ends() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.drop_connection(id);
    lab.world.inject(Fault::OfflineBatch {
        class: StanzaClass::Mixed,
        count: 450,
    });
    let id = lab.come_online(&mut keys);
    let mut heard = lab.activate(id);
    let preview = child(&heard.remove(0), "offline_preview").clone();
    assert_eq!(
        ["count", "message", "receipt", "notification", "call"]
            .map(|name| preview.get_u64(name).unwrap()),
        [450, 113, 113, 112, 112]
    );
    assert_eq!(heard.len(), 200, "no more than a batch without acks");
    let mut seen = 0;
    while let Some(stanza) = (!heard.is_empty()).then(|| heard.remove(0)) {
        if stanza.tag_str() == "ib" {
            assert_eq!(child(&stanza, "offline").get_u64("count"), Some(450));
            assert_eq!(seen + heard.len(), 450, "the end comes after the last");
            continue;
        }
        seen += 1;
        assert_eq!(stanza.get_text("offline").unwrap(), "0");
        acknowledge(&mut lab, id, &stanza);
        heard.extend(lab.heard(id).into_iter().map(|heard| match heard {
            Heard::Stanza(node) => node,
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(seen, 450);
    let account = lab.world.account(lab.phone).unwrap();
    assert_eq!(account.devices[0].waiting, 0);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn a_delivery_receipt_stands_for_the_ack_of_a_message_and_a_retry_does_not() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.world.inject(Fault::Push {
        step: Step::Ping,
        stanza: wa_sim::Extra::Stanza {
            class: StanzaClass::Message,
        },
    });
    lab.send(id, &ping("a"));
    let message = lab.hear(id);
    let receipt = |kind: Option<&'static str>| {
        let receipt = Node::new("receipt")
            .attr("id", message.get_text("id").unwrap().into_owned())
            .attr("to", message.get_text("from").unwrap().into_owned());
        kind.map_or(receipt.clone(), |kind| receipt.attr("type", kind))
    };
    let waiting = |lab: &Lab| lab.world.account(lab.phone).unwrap().devices[0].waiting;
    lab.send(id, &receipt(Some("retry")));
    assert_eq!(waiting(&lab), 1);
    lab.send(id, &receipt(None));
    assert_eq!(waiting(&lab), 0);
}

#[test]
fn a_stanza_nobody_acknowledges_ends_the_stream_after_fifty_minutes() {
    let mut config = WorldConfig::default();
    config.server_ping = None;
    config.idle_timeout = Duration::from_secs(24 * 3_600);
    let (mut lab, mut keys) = (Lab::with(config), Keys::new(1));
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    let stanzas = lab.activate(id);
    let notification = stanzas
        .iter()
        .find(|stanza| stanza.tag_str() == "notification")
        .unwrap();
    lab.advance(Duration::from_secs(50 * 60 - 1));
    assert!(lab.heard(id).is_empty() && !lab.is_closed(id));
    lab.advance(Duration::from_secs(1));
    let error = lab.hear(id);
    let ack = child(&error, "ack");
    assert_eq!(ack.get_text("class").unwrap(), "notification");
    assert_eq!(ack.get_text("id"), notification.get_text("id"));
    assert!(lab.is_closed(id));
}

#[test]
fn a_removal_is_told_in_the_way_asked_for() {
    for notice in [
        RemovalNotice::Told,
        RemovalNotice::Closed,
        RemovalNotice::Untold,
    ] {
        let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
        let id = online(&mut lab, &mut keys);
        lab.world.inject(Fault::RemoveDevice {
            step: Step::Ping,
            notice,
        });
        lab.send(id, &ping("a"));
        let heard = lab.heard(id);
        let first = heard.first().map(|heard| match heard {
            Heard::Stanza(node) => node.tag_str().to_owned(),
            other => panic!("{other:?}"),
        });
        let (said, closed) = match notice {
            RemovalNotice::Told => (Some("stream:error"), true),
            RemovalNotice::Closed => (None, true),
            _ => (Some("iq"), false),
        };
        assert_eq!(first.as_deref(), said, "{notice:?}");
        assert_eq!(lab.is_closed(id), closed, "{notice:?}");
        assert!(lab.world.account(lab.phone).unwrap().devices.is_empty());
        assert!(lab.world.phone(lab.phone).unwrap().companions.is_empty());
        let id = lab.login(&keys);
        let failure = lab.hear(id);
        assert_eq!(failure.get_u64("reason"), Some(401), "{notice:?}");
    }
}

#[test]
fn prekeys_are_lost_silently_or_with_a_word() {
    for told in [false, true] {
        let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
        let id = online(&mut lab, &mut keys);
        lab.world.inject(Fault::UsePrekeys {
            step: Step::Ping,
            keep: 0,
            told,
        });
        lab.send(id, &ping("a"));
        let heard = lab.heard(id);
        assert_eq!(heard.len(), if told { 2 } else { 1 });
        let digest = request("d", "get", "encrypt", Some(Node::new("digest")));
        let answer = lab.ask(id, &digest);
        assert_eq!(child(&answer, "error").get_u64("code"), Some(404));
    }
}

fn tos_at_ping() -> Fault {
    Fault::Push {
        step: Step::Ping,
        stanza: Extra::Tos,
    }
}

fn tags(heard: &[Heard]) -> Vec<String> {
    heard
        .iter()
        .map(|heard| match heard {
            Heard::Stanza(node) => node.tag_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_fault_for_ever_strikes_once_at_every_moment() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.world.inject(FaultRule::always(tos_at_ping()));
    assert_eq!(lab.world.untouched_faults().count(), 1);
    for _ in 0..2 {
        lab.send(id, &ping("a"));
        assert_eq!(tags(&lab.heard(id)), ["ib", "iq"]);
    }
    assert_eq!(lab.world.faults().len(), 1);
    assert_eq!(lab.world.untouched_faults().count(), 0);
}

#[test]
fn a_moment_is_one_chance_to_strike_or_to_be_skipped() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    lab.world.inject(FaultRule {
        times: Some(2),
        skip: 2,
        ..FaultRule::once(tos_at_ping())
    });
    let mut counts = Vec::new();
    for _ in 0..5 {
        lab.send(id, &ping("a"));
        counts.push(lab.heard(id).len());
    }
    assert_eq!(counts, [1, 1, 2, 2, 1]);
}

#[test]
fn a_batch_for_ever_waits_once_at_every_login() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    lab.link(&mut keys);
    let waiting = |lab: &Lab| lab.world.account(lab.phone).unwrap().devices[0].waiting;
    let before = waiting(&lab);
    lab.world.inject(FaultRule::always(Fault::OfflineBatch {
        class: StanzaClass::Receipt,
        count: 3,
    }));
    lab.come_online(&mut keys);
    assert_eq!(waiting(&lab), before + 3);
}

#[test]
fn holding_for_ever_swaps_two_and_two() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    let (stanza, request) = answer_of(IqKind::Ping);
    lab.world
        .inject(FaultRule::always(Fault::Hold { stanza, request }));
    for name in ["a", "b", "c", "d"] {
        lab.send(id, &ping(name));
    }
    assert_eq!(ids(&lab.heard(id)), ["b", "a", "d", "c"]);
}

#[test]
fn a_delay_does_not_hold_back_without_end() {
    let (mut lab, mut keys) = (Lab::new(), Keys::new(1));
    let id = online(&mut lab, &mut keys);
    let step = Step::Ping;
    lab.world.inject(Fault::DelayAt {
        step,
        ms: 3_600_000,
    });
    let depth = 100_000;
    lab.world.inject(FaultRule::always(Fault::BadFrameAt {
        step,
        frame: BadFrame::Deep { depth },
    }));
    // Each frame has seven bytes a level.
    let fits = MAX_BACKLOG_LEN / (7 * depth as usize);
    for _ in 0..fits {
        lab.send(id, &ping("a"));
    }
    assert!(!lab.is_closed(id));
    lab.send(id, &ping("a"));
    assert!(lab.is_closed(id));
}
