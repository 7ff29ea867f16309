//! Whatever the server sends, in whatever order and at whatever time: no panic, and few outputs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use proptest::prelude::*;
use support::{Rig, names, pair_device, pair_success, refresh, sent, vector_container};
use wa_pair::{Handled, PairConfig, PairOutput};
use wa_proto::{Jid, Node};

/// More than this never comes of one call: blank, verify, persist, send, tell.
const MAX_OUTPUTS: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Wild(Node),
    PairDevice(usize),
    PairSuccess(Option<usize>),
    Refresh(bool),
    Wait(u64),
    Approve(bool),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "set",
            "result",
            "get",
            "companion_reg_refresh",
            "1",
            "s.whatsapp.net",
            "android",
            "15551234567:7@s.whatsapp.net",
            "123456789:7@lid",
            "99999999999999999999999:99999@lid",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

fn tag() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "iq",
        "notification",
        "pair-device",
        "pair-success",
        "ref",
        "device-identity",
        "device",
        "platform",
        "biz",
        "client-props",
        "companion_reg_refresh",
        "pair-device-rotate-qr",
        "error",
    ])
}

fn attributes() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let keys = vec!["type", "id", "from", "jid", "lid", "name", "t"];
    prop::collection::vec((prop::sample::select(keys), text()), 0..5)
}

fn with_attributes(tag: &'static str, attributes: Vec<(&'static str, String)>) -> Node {
    attributes
        .into_iter()
        .fold(Node::new(tag), |node, (key, value)| node.attr(key, value))
}

fn node() -> impl Strategy<Value = Node> {
    let content = prop::option::of(prop::collection::vec(any::<u8>(), 0..600));
    let leaf = (tag(), attributes(), content).prop_map(|(tag, attributes, bytes)| {
        let node = with_attributes(tag, attributes);
        match bytes {
            Some(bytes) => node.bytes(bytes),
            None => node,
        }
    });
    leaf.prop_recursive(3, 24, 6, |inner| {
        let children = prop::collection::vec(inner, 0..6);
        (tag(), attributes(), any::<bool>(), children).prop_map(
            |(tag, attributes, server, children)| {
                let node = if server {
                    Node::new(tag)
                        .attr("type", "set")
                        .attr("id", "1")
                        .attr("from", Jid::server_jid())
                } else {
                    with_attributes(tag, attributes)
                };
                node.children(children)
            },
        )
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => node().prop_map(Step::Wild),
        2 => (0_usize..40).prop_map(Step::PairDevice),
        1 => prop::option::of(0_usize..152).prop_map(Step::PairSuccess),
        2 => any::<bool>().prop_map(Step::Refresh),
        3 => (0_u64..200).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Approve),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_stanzas_never_panic_and_outputs_stay_few(
        require_approval in any::<bool>(),
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let mut rig = Rig::new(PairConfig { require_approval, ..PairConfig::default() });
        let (mut secret_durable, mut paired_durable, mut paired) = (0, 0, 0);
        let mut last_seq = 0;
        for step in steps {
            let handled = match step {
                Step::Wild(node) => rig.feed(&node),
                Step::PairDevice(refs) => rig.feed(&pair_device("1", refs, "ref")),
                Step::PairSuccess(flip) => {
                    let mut container = vector_container();
                    if let Some(at) = flip {
                        container[at] ^= 1;
                    }
                    rig.feed(&pair_success("5", container))
                }
                Step::Refresh(asked) => rig.feed(&refresh("9", asked.then_some("companion_reg_refresh"))),
                Step::Wait(seconds) => {
                    rig.now += Duration::from_secs(seconds);
                    rig.pairing.handle_timeout(rig.now, &mut rig.rng);
                    Handled::Yes
                }
                Step::Approve(accept) => {
                    let _ = rig.pairing.approve(accept, &mut rig.rng);
                    Handled::Yes
                }
            };
            let outputs = rig.drain();
            prop_assert!(outputs.len() <= MAX_OUTPUTS, "{:?}", names(&outputs));
            prop_assert!(handled == Handled::Yes || outputs.is_empty());
            prop_assert!(sent(&outputs).len() <= 1);
            for output in &outputs {
                match output {
                    PairOutput::PersistAdvSecret(_) => secret_durable += 1,
                    PairOutput::PersistPaired(_) => paired_durable += 1,
                    PairOutput::Qr(code) => {
                        prop_assert_eq!(paired_durable, 0);
                        prop_assert!(code.seq > last_seq);
                        prop_assert!(code.deadline >= rig.now && code.ttl <= Duration::from_secs(60));
                        last_seq = code.seq;
                    }
                    PairOutput::Paired(_) => paired += 1,
                    _ => {}
                }
                prop_assert!(paired <= paired_durable && paired_durable <= 1);
            }
        }
        let _ = secret_durable;
    }
}
