//! A code is shown only after the server took it, one at a time, and can be cancelled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::code::{REF, accepted, compute, hello, live, request_of, with_code};
use support::{Rig, asked, content, names, pair_device, vector_keys};
use wa_crypto::PublicKey as _;
use wa_pair::{
    ClientType, CodeEnd, CodeError, CodeRequest, CompanionPlatform, PairConfig, PairOutput,
};
use wa_proto::{Jid, Node};

#[test]
fn the_request_is_as_written() {
    for (push, text) in [(true, "true"), (false, "false")] {
        let mut rig = Rig::new(PairConfig {
            companion: CompanionPlatform::new(ClientType::Firefox, "Mac OS"),
            ..PairConfig::default()
        });
        rig.stanza(&pair_device("1", 6, "ref"));
        let request = CodeRequest {
            push,
            ..request_of("ABCD1234")
        };
        rig.pairing
            .request_code(rig.now, request, &mut rig.rng)
            .unwrap();
        let outputs = rig.drain();
        assert_eq!(names(&outputs), ["compute"]);
        let (_, iq, timeout) = asked(&compute(&mut rig, outputs));
        assert_eq!(timeout, 30);
        let get = |tag: &str| content(&iq, &["link_code_companion_reg", tag]);
        let wrapped = get("link_code_pairing_wrapped_companion_ephemeral_pub");
        let body = Node::new("link_code_companion_reg")
            .attr("jid", "15551234567@s.whatsapp.net".parse::<Jid>().unwrap())
            .attr("stage", "companion_hello")
            .attr("should_show_push_notification", text)
            .children([
                Node::new("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(wrapped),
                Node::new("companion_server_auth_key_pub")
                    .bytes(vector_keys().noise.as_bytes().to_vec()),
                Node::new("companion_platform_id").bytes(*b"3"),
                Node::new("companion_platform_display").bytes(*b"Firefox (Mac OS)"),
                Node::new("link_code_pairing_nonce").bytes([0]),
            ]);
        let expected = Node::new("iq")
            .attr("type", "set")
            .attr("xmlns", "md")
            .attr("to", Jid::server_jid())
            .child(body);
        assert_eq!(iq, expected);
    }
}

#[test]
fn a_code_appears_only_after_the_result() {
    let mut rig = Rig::offering(6);
    rig.set(5);
    let (request, _) = hello(&mut rig, "ABCD1234");
    rig.set(12);
    let outputs = rig.result(request, accepted(REF));
    assert_eq!(names(&outputs), ["code"]);
    let code = live(&outputs).unwrap();
    assert_eq!(code.code.expose(), "ABCD1234");
    assert_eq!(
        code.ttl,
        Duration::from_secs(173),
        "counted from the drawing"
    );
    assert_eq!(code.deadline, rig.start + Duration::from_secs(185));
}

#[test]
fn a_request_before_pair_device_waits_for_it() {
    let mut rig = Rig::new(PairConfig::default());
    let request = request_of("ABCD1234");
    rig.pairing
        .request_code(rig.now, request, &mut rig.rng)
        .unwrap();
    assert!(rig.drain().is_empty());
    assert_eq!(rig.next_timeout(), None);
    rig.set(9);
    let outputs = rig.stanza(&pair_device("1", 6, "ref"));
    assert_eq!(names(&outputs), ["send", "qr", "compute"]);
    let outputs = compute(&mut rig, outputs);
    let outputs = rig.result(asked(&outputs).0, accepted(REF));
    let deadline = live(&outputs).unwrap().deadline;
    assert_eq!(deadline, rig.start + Duration::from_secs(9 + 180));
}

#[test]
fn a_pair_device_without_refs_is_enough_for_a_code() {
    let mut rig = Rig::new(PairConfig::default());
    let request = request_of("ABCD1234");
    rig.pairing
        .request_code(rig.now, request, &mut rig.rng)
        .unwrap();
    let outputs = rig.stanza(&pair_device("1", 0, "ref"));
    assert_eq!(names(&outputs), ["send", "compute"]);
}

#[test]
fn a_second_request_is_refused_with_the_time_left() {
    let refused = |rig: &mut Rig| {
        rig.pairing
            .request_code(rig.now, request_of("ZZZZ9999"), &mut rig.rng)
    };
    let outstanding = |seconds| {
        Err(CodeError::Outstanding {
            remaining: Duration::from_secs(seconds),
        })
    };
    let mut rig = Rig::new(PairConfig::default());
    assert_eq!(refused(&mut rig), Ok(()));
    assert_eq!(refused(&mut rig), outstanding(180), "while it waits");

    let mut rig = Rig::offering(6);
    hello(&mut rig, "ABCD1234");
    rig.set(10);
    assert_eq!(refused(&mut rig), outstanding(170), "while it is asked for");

    let (mut rig, _) = with_code(6);
    rig.set(100);
    assert_eq!(refused(&mut rig), outstanding(80), "while it lives");
    assert!(rig.drain().is_empty());
}

#[test]
fn a_cancelled_code_makes_room_for_the_next() {
    let (mut rig, _) = with_code(6);
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    let outputs = rig.drain();
    assert!(matches!(
        outputs.as_slice(),
        [PairOutput::CodeEnded(CodeEnd::Cancelled)]
    ));
    assert!(!rig.pairing.cancel_code(rig.now, &mut rig.rng));
    let (request, _) = hello(&mut rig, "ZZZZ9999");
    let outputs = rig.result(request, accepted(b"another"));
    assert_eq!(live(&outputs).unwrap().code.expose(), "ZZZZ9999");
}

#[test]
fn a_request_that_waits_or_is_on_its_way_can_be_cancelled() {
    let mut rig = Rig::new(PairConfig::default());
    assert!(!rig.pairing.cancel_code(rig.now, &mut rig.rng));
    rig.pairing
        .request_code(rig.now, request_of("ABCD1234"), &mut rig.rng)
        .unwrap();
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["code-ended"]);
    assert_eq!(
        names(&rig.stanza(&pair_device("1", 6, "ref"))),
        ["send", "qr"]
    );

    let (request, _) = hello(&mut rig, "ABCD1234");
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["code-ended"]);
    assert!(
        rig.result(request, accepted(REF)).is_empty(),
        "nobody's answer"
    );
}

#[test]
fn a_job_of_a_cancelled_request_is_dropped() {
    let mut rig = Rig::offering(6);
    let ask = |rig: &mut Rig| {
        rig.pairing
            .request_code(rig.now, request_of("ABCD1234"), &mut rig.rng)
            .unwrap();
        rig.drain()
    };
    let first = ask(&mut rig);
    rig.pairing.cancel_code(rig.now, &mut rig.rng);
    rig.drain();
    assert!(compute(&mut rig, first).is_empty());
    let first = ask(&mut rig);
    rig.pairing.cancel_code(rig.now, &mut rig.rng);
    rig.drain();
    let second = ask(&mut rig);
    assert!(compute(&mut rig, first).is_empty());
    assert_eq!(names(&compute(&mut rig, second)), ["ask-hello"]);
}

#[test]
fn no_code_is_asked_for_when_the_pairing_is_decided() {
    let mut rig = Rig::offering(6);
    rig.stanza(&support::pair_success("5", support::vector_container()));
    let request = request_of("ABCD1234");
    assert_eq!(
        rig.pairing.request_code(rig.now, request, &mut rig.rng),
        Err(CodeError::NotNow)
    );
}

#[test]
fn a_code_asked_for_after_everything_had_ended_opens_the_window_again() {
    let mut rig = Rig::offering(1);
    assert_eq!(names(&rig.at(60)), ["qr-expired", "exhausted"]);
    rig.pairing
        .request_code(rig.now, request_of("ABCD1234"), &mut rig.rng)
        .unwrap();
    assert_eq!(names(&rig.drain()), ["compute"]);
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    assert_eq!(names(&rig.drain()), ["code-ended", "exhausted"]);
}
