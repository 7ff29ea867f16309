//! Every refusal of a code has its kind, its back-off and a word for the user.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::time::Duration;

use support::code::{hello, live, request_of};
use support::{Rig, error, names};
use wa_pair::{CodeEnd, CodeRefusal, CodeRefusalKind, MAX_BACKOFF, PairOutput};
use wa_proto::Node;

fn refused_with(child: Node) -> CodeRefusal {
    let mut rig = Rig::offering(6);
    let (request, _) = hello(&mut rig, "ABCD1234");
    let outputs = rig.error(request, child);
    let [PairOutput::CodeRefused(refusal)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let again = rig
        .pairing
        .request_code(rig.now, request_of("ABCD1234"), &mut rig.rng);
    assert_eq!(again, Ok(()), "the code is gone");
    refusal.clone()
}

const KNOWN: [(u16, &str, CodeRefusalKind); 5] = [
    (400, "bad-request", CodeRefusalKind::BadRequest),
    (403, "forbidden", CodeRefusalKind::Forbidden),
    (429, "rate-overlimit", CodeRefusalKind::RateLimited),
    (452, "feature-not-available", CodeRefusalKind::NotAvailable),
    (500, "internal-server-error", CodeRefusalKind::Server),
];

#[test]
fn known_errors_are_told_apart_with_and_without_their_text() {
    for (code, text, kind) in KNOWN {
        for text in [Some(text), None] {
            let refusal = refused_with(error(code, text));
            assert_eq!(refusal.kind, kind);
            assert_eq!(refusal.backoff, None);
            assert!(refusal.to_string().len() > 20, "says what to do");
        }
    }
}

#[test]
fn the_pause_the_server_wants_is_in_the_words() {
    for (backoff, words) in [
        (Some(1), "in 1 s"),
        (Some(119), "in 119 s"),
        (Some(120), "in 2 min"),
        (Some(121), "in 3 min"),
        (Some(3600), "in 60 min"),
    ] {
        let refusal = CodeRefusal {
            kind: CodeRefusalKind::RateLimited,
            backoff: backoff.map(Duration::from_secs),
        };
        let text = refusal.to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.starts_with(&refusal.kind.to_string()), "{text}");
    }
    for backoff in [None, Some(Duration::ZERO)] {
        let kind = CodeRefusalKind::RateLimited;
        assert_eq!(CodeRefusal { kind, backoff }.to_string(), kind.to_string());
    }
}

#[test]
fn an_end_that_leaves_something_to_do_says_what() {
    for end in [
        CodeEnd::TooManyAttempts,
        CodeEnd::FinishRefused { code: Some(400) },
    ] {
        assert!(end.to_string().contains("ask for a new"), "{end}");
    }
}

#[test]
fn a_code_with_the_text_of_another_is_unclassified() {
    for (code, own, _) in KNOWN {
        for (_, other, _) in KNOWN {
            if own != other {
                let refusal = refused_with(error(code, Some(other)));
                let expected = CodeRefusalKind::Unclassified { code: Some(code) };
                assert_eq!(refusal.kind, expected);
            }
        }
    }
}

#[test]
fn unknown_errors_keep_their_code() {
    for (child, code) in [
        (error(418, Some("bad-request")), Some(418)),
        (error(404, None), Some(404)),
        (Node::new("error").attr("text", "bad-request"), None),
        (Node::new("error").attr("code", "70000"), None),
        (Node::new("something"), None),
    ] {
        let refusal = refused_with(child);
        assert_eq!(refusal.kind, CodeRefusalKind::Unclassified { code });
    }
}

#[test]
fn the_back_off_is_taken_within_its_limit() {
    let day = MAX_BACKOFF.as_secs();
    for (backoff, taken) in [
        (0, 0),
        (300, 300),
        (day, day),
        (day + 1, day),
        (u64::MAX, day),
    ] {
        let child = error(429, None).attr("backoff", backoff.to_string());
        assert_eq!(
            refused_with(child).backoff,
            Some(Duration::from_secs(taken))
        );
    }
    let child = error(429, None).attr("backoff", "soon");
    assert_eq!(refused_with(child).backoff, None);
}

#[test]
fn no_answer_is_a_refusal() {
    let mut rig = Rig::offering(6);
    let (request, _) = hello(&mut rig, "ABCD1234");
    let outputs = rig.no_answer(request);
    let [PairOutput::CodeRefused(refusal)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert_eq!(refusal.kind, CodeRefusalKind::NoAnswer);
    assert!(rig.no_answer(request).is_empty());
}

#[test]
fn a_driver_that_never_tells_is_waited_for_as_long_as_a_code_lives() {
    let mut rig = Rig::offering(32);
    hello(&mut rig, "ABCD1234");
    let early: Vec<_> = (60..180).flat_map(|second| rig.at(second)).collect();
    assert!(!names(&early).contains(&"code-refused"));
    let outputs = rig.at(180);
    assert!(names(&outputs).contains(&"code-refused"));
}

#[test]
fn a_result_without_a_usable_ref_is_a_refusal() {
    let reg = |children: Vec<Node>| Node::new("link_code_companion_reg").children(children);
    let reference = |len: usize| Node::new("link_code_pairing_ref").bytes(vec![b'r'; len]);
    for (children, usable) in [
        (vec![], false),
        (vec![reference(5)], false),
        (vec![reg(vec![])], false),
        (vec![reg(vec![Node::new("link_code_pairing_ref")])], false),
        (vec![reg(vec![reference(0)])], false),
        (vec![reg(vec![reference(1)])], true),
        (vec![reg(vec![reference(wa_pair::MAX_REF_LEN)])], true),
        (vec![reg(vec![reference(wa_pair::MAX_REF_LEN + 1)])], false),
    ] {
        let mut rig = Rig::offering(6);
        let (request, _) = hello(&mut rig, "ABCD1234");
        let outputs = rig.result(request, children);
        assert_eq!(live(&outputs).is_some(), usable);
        if !usable {
            let [PairOutput::CodeRefused(refusal)] = outputs.as_slice() else {
                panic!("{outputs:?}")
            };
            assert_eq!(refusal.kind, CodeRefusalKind::NoRef);
        }
    }
}

#[test]
fn a_refusal_after_the_last_ref_leaves_nothing_open() {
    let mut rig = Rig::offering(1);
    let (request, _) = hello(&mut rig, "ABCD1234");
    assert_eq!(names(&rig.at(60)), ["qr-expired"]);
    let outputs = rig.error(request, error(429, None));
    assert_eq!(names(&outputs), ["code-refused", "exhausted"]);
}
