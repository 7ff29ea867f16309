//! The server can withdraw a code, and says who has to ask for the next.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{REF, blind_hello, compute, notification, with_code};
use support::{ack_of, from_server, names, sent};
use wa_pair::{CodeEnd, PairOutput};
use wa_proto::Node;

fn refresh(reference: &[u8], force: Option<&str>) -> Node {
    let body = Node::new("link_code_companion_reg")
        .attr("stage", "refresh_code")
        .attr_if("force_manual_refresh", force.map(str::to_owned))
        .child(Node::new("link_code_pairing_ref").bytes(reference));
    from_server("notification", "link_code_companion_reg", "9").child(body)
}

#[test]
fn the_code_ends_and_the_application_hears_who_has_to_act() {
    for (force, expected) in [
        (None, false),
        (Some("true"), true),
        (Some("false"), false),
        (Some("yes"), false),
    ] {
        let (mut rig, _) = with_code(6);
        let outputs = rig.stanza(&refresh(REF, force));
        assert_eq!(names(&outputs), ["send", "code-ended", "code-refresh"]);
        assert_eq!(sent(&outputs), [&ack_of("9", "link_code_companion_reg")]);
        assert!(matches!(
            outputs[1],
            PairOutput::CodeEnded(CodeEnd::ReplacedByServer)
        ));
        let PairOutput::CodeRefresh { force_manual } = outputs[2] else {
            panic!("{outputs:?}")
        };
        assert_eq!(force_manual, expected);
        assert_eq!(
            names(&rig.stanza(&blind_hello("1"))),
            ["send"],
            "it is gone"
        );
    }
}

#[test]
fn another_ref_and_no_ref_are_only_acked() {
    let (mut rig, _) = with_code(6);
    for stanza in [
        refresh(b"another", Some("true")),
        refresh(b"", None),
        notification("9", "refresh_code", b"link-ref-11", vec![]),
    ] {
        assert_eq!(names(&rig.stanza(&stanza)), ["send"]);
    }
    assert_eq!(names(&rig.stanza(&blind_hello("1"))), ["send", "compute"]);
}

#[test]
fn a_secret_that_was_derived_dies_with_the_code() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    compute(&mut rig, outputs);
    assert_eq!(
        names(&rig.stanza(&refresh(REF, None))),
        ["send", "code-ended", "persist-adv", "qr", "code-refresh"]
    );
}

#[test]
fn with_no_ref_left_the_connection_has_no_further_use() {
    let (mut rig, _) = with_code(1);
    rig.at(60);
    assert_eq!(
        names(&rig.stanza(&refresh(REF, None))),
        ["send", "code-ended", "code-refresh", "exhausted"]
    );
}
