//! What the phone gets after it has begun, and what becomes of the answer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{Phone, REF, blind_hello, compute, primary_hello, with_code};
use support::{asked, codes, content, error, facts, names, persisted, vector_keys};
use wa_crypto::PublicKey as _;
use wa_pair::{CodeEnd, PairOutput};
use wa_proto::{Jid, Node};

#[test]
fn the_derived_secret_is_persisted_before_the_bundle_leaves() {
    let (mut rig, iq) = with_code(6);
    let phone = Phone::types("ABCD1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    let outputs = compute(&mut rig, outputs);
    assert_eq!(names(&outputs), ["persist-adv", "ask-finish", "qr"]);
    assert_eq!(phone.finish(&asked(&outputs).1), persisted(&outputs));
}

#[test]
fn the_bundle_is_sent_as_written() {
    let (mut rig, iq) = with_code(6);
    let phone = Phone::types("ABCD1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    let (_, finish, timeout) = asked(&compute(&mut rig, outputs));
    assert_eq!(timeout, 30);
    let tag = "link_code_pairing_wrapped_key_bundle";
    let bundle = content(&finish, &["link_code_companion_reg", tag]);
    let body = Node::new("link_code_companion_reg")
        .attr("jid", "15551234567@s.whatsapp.net".parse::<Jid>().unwrap())
        .attr("stage", "companion_finish")
        .children([
            Node::new(tag).bytes(bundle),
            Node::new("companion_identity_public")
                .bytes(vector_keys().identity.public().as_bytes().to_vec()),
            Node::new("link_code_pairing_ref").bytes(REF),
        ]);
    let expected = Node::new("iq")
        .attr("type", "set")
        .attr("xmlns", "md")
        .attr("to", Jid::server_jid())
        .child(body);
    assert_eq!(finish, expected);
}

#[test]
fn the_qr_code_is_redrawn_with_the_secret_of_now() {
    let (mut rig, _) = with_code(6);
    rig.set(10);
    let outputs = rig.stanza(&blind_hello("1"));
    let outputs = compute(&mut rig, outputs);
    let (reference, _, ttl, shown) = facts(codes(&outputs)[0]);
    assert_eq!((reference.as_str(), ttl), ("2@ref0", 50));
    assert_eq!(Some(shown), persisted(&outputs));
}

#[test]
fn an_accepted_bundle_changes_nothing_more() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    let (request, ..) = asked(&compute(&mut rig, outputs));
    assert!(rig.result(request, vec![]).is_empty());
    assert_eq!(rig.next_timeout(), Some(60));
    assert!(
        rig.error(request, error(500, None)).is_empty(),
        "answered already"
    );
}

#[test]
fn no_answer_alone_does_not_end_the_code() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    let (request, ..) = asked(&compute(&mut rig, outputs));
    rig.set(30);
    assert!(rig.no_answer(request).is_empty());
    assert_eq!(rig.next_timeout(), Some(60));
}

#[test]
fn a_refused_bundle_ends_the_code() {
    for (child, code) in [
        (error(400, Some("bad-request")), Some(400)),
        (error(500, Some("internal-server-error")), Some(500)),
        (error(418, None), Some(418)),
        (Node::new("error"), None),
    ] {
        let (mut rig, _) = with_code(6);
        let outputs = rig.stanza(&blind_hello("1"));
        let (request, ..) = asked(&compute(&mut rig, outputs));
        let outputs = rig.error(request, child);
        assert_eq!(names(&outputs), ["code-ended", "persist-adv", "qr"]);
        let PairOutput::CodeEnded(CodeEnd::FinishRefused { code: got }) = outputs[0] else {
            panic!("{outputs:?}")
        };
        assert_eq!(got, code);
    }
}

#[test]
fn an_answer_to_the_try_before_is_nobodys() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    let (first, ..) = asked(&compute(&mut rig, outputs));
    let outputs = rig.stanza(&primary_hello("2", REF, &[8; 80], &[9; 32]));
    assert!(rig.error(first, error(500, None)).is_empty());
    let (second, ..) = asked(&compute(&mut rig, outputs));
    assert!(rig.error(first, error(500, None)).is_empty());
    assert_eq!(names(&rig.error(second, error(500, None)))[0], "code-ended");
}

#[test]
fn a_cancelled_code_that_was_typed_takes_its_secret_along() {
    let (mut rig, _) = with_code(6);
    let outputs = rig.stanza(&blind_hello("1"));
    let derived = persisted(&compute(&mut rig, outputs));
    assert!(rig.pairing.cancel_code(rig.now, &mut rig.rng));
    let outputs = rig.drain();
    assert_eq!(names(&outputs), ["code-ended", "persist-adv", "qr"]);
    assert_ne!(persisted(&outputs), derived);
}
