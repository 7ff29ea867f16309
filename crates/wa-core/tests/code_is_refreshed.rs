#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, code_notification};
use wa_core::{CodeEnd, Event, OpOutcome};
use wa_proto::Node;

fn refresh(reference: &str, force: Option<&'static str>) -> Node {
    code_notification(
        Node::new("link_code_companion_reg")
            .attr("stage", "refresh_code")
            .attr_if("force_manual_refresh", force)
            .child(Node::new("link_code_pairing_ref").bytes(reference.as_bytes().to_vec())),
    )
}

#[test]
fn the_application_hears_that_another_code_is_wanted_and_who_has_to_ask() {
    for (force, force_manual) in [(None, false), (Some("false"), false), (Some("true"), true)] {
        let (mut rig, _) = Rig::showing_code();
        let reference = rig.code_ref();
        rig.service.seen.stanzas.clear();
        rig.serve(&refresh(&reference, force));
        let ended = rig
            .events
            .iter()
            .position(|event| matches!(event, Event::PairingCodeEnded(CodeEnd::ReplacedByServer)));
        let asked = rig.events.iter().position(
            |event| matches!(event, Event::PairingCodeRefresh { force_manual: manual } if *manual == force_manual),
        );
        assert!(ended.unwrap() < asked.unwrap());
        assert_eq!(rig.service.sent("ack").len(), 1);
        let op = rig.ask_for_code();
        assert!(matches!(
            rig.result(op),
            Some(Ok(OpOutcome::PairingCode { .. }))
        ));
        let code = rig.code().unwrap();
        rig.type_in(&code);
        assert_eq!(rig.state(), "online");
    }
}

#[test]
fn a_refresh_of_another_ref_is_acked_and_means_nothing() {
    let (mut rig, code) = Rig::showing_code();
    rig.service.seen.stanzas.clear();
    rig.serve(&refresh("2@somebody-else", Some("true")));
    assert_eq!(rig.service.sent("ack").len(), 1);
    assert_eq!(rig.code(), Some(code.clone()));
    rig.type_in(&code);
    assert_eq!(rig.state(), "online");
}
