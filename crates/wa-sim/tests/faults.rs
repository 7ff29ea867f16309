//! Every fault does what it says; all in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::Duration;

use common::device::{Heard, Keys, answer_pair_success, child, request, result_of};
use common::lab::{Lab, number, refs_of};
use wa_noise::{CertificateError, HandshakeFailure, Pattern};
use wa_proto::Node;
use wa_sim::{
    BadCertificate, BadFrame, BadIdentity, ConnId, FailureStanza, Fault, FaultRule, IqKind,
    RefreshChild, ScanFailure, ScanOutcome, Step, StreamError,
};

fn with_fault(fault: Fault) -> Lab {
    let mut lab = Lab::new();
    assert!(lab.world.inject(fault));
    lab
}

/// Does everything a companion does, as far as the server lets it; returns the connection it ended on.
fn whole_life(lab: &mut Lab, keys: &mut Keys) -> ConnId {
    let id = lab.register(keys);
    let Some(Heard::Stanza(iq)) = lab.heard(id).into_iter().next() else {
        return id;
    };
    if lab.is_closed(id) {
        return id;
    }
    lab.send(id, &result_of(&iq));
    let code = keys.qr(&refs_of(&iq)[0]);
    lab.scan(&code);
    let Some(Heard::Stanza(iq)) = lab.heard(id).into_iter().next() else {
        return id;
    };
    if lab.is_closed(id) {
        return id;
    }
    let reply = answer_pair_success(keys, &iq, 1).unwrap();
    lab.send(id, &reply);
    if lab.heard(id).is_empty() {
        return id;
    }
    let id = lab.login(keys);
    if lab.heard(id).is_empty() || lab.is_closed(id) {
        return id;
    }
    let requests = [
        request("count", "get", "encrypt", Some(Node::new("count"))),
        request("digest", "get", "encrypt", Some(Node::new("digest"))),
        upload(keys),
        request(
            "rotate",
            "set",
            "encrypt",
            Some(Node::new("rotate").child(skey(keys))),
        ),
        request("active", "set", "passive", Some(Node::new("active"))),
        request("ping", "get", "w:p", None),
        request(
            "out",
            "set",
            "md",
            Some(Node::new("remove-companion-device").attr("jid", keys.jid.clone().unwrap())),
        ),
    ];
    for stanza in requests {
        lab.send(id, &stanza);
        if lab.heard(id).is_empty() || lab.is_closed(id) {
            return id;
        }
    }
    id
}

fn skey(keys: &Keys) -> Node {
    use wa_crypto::PublicKey as _;
    Node::new("skey")
        .child(Node::new("id").bytes(keys.signed.id.to_be_bytes()))
        .child(Node::new("value").bytes(*keys.signed.secret.public().as_bytes()))
        .child(Node::new("signature").bytes(*keys.signed.signature.as_bytes()))
}

fn upload(keys: &Keys) -> Node {
    use wa_crypto::PublicKey as _;
    let key = Node::new("key")
        .child(Node::new("id").bytes([0, 0, 1]))
        .child(Node::new("value").bytes([9; 32]));
    request("upload", "set", "encrypt", None)
        .child(Node::new("registration").bytes(keys.registration.to_be_bytes()))
        .child(Node::new("type").bytes([5]))
        .child(Node::new("identity").bytes(*keys.identity.public().as_bytes()))
        .child(Node::new("list").child(key))
        .child(skey(keys))
}

const STEPS: [Step; 19] = [
    Step::Open,
    Step::ClientHello,
    Step::ServerHello,
    Step::ClientFinish,
    Step::PairDevice,
    Step::PairDeviceAck,
    Step::Scanned,
    Step::PairSuccess,
    Step::PairSign,
    Step::Login,
    Step::Success,
    Step::Count,
    Step::Upload,
    Step::Digest,
    Step::Rotate,
    Step::Active,
    Step::Online,
    Step::Ping,
    Step::Logout,
];

#[test]
fn without_a_fault_the_whole_life_passes() {
    let mut lab = Lab::new();
    let id = whole_life(&mut lab, &mut Keys::new(1));
    assert!(lab.is_closed(id), "the last act is the removal");
    assert!(lab.world.account(lab.phone).unwrap().devices.is_empty());
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn the_server_closes_at_every_step() {
    for step in STEPS {
        let mut lab = with_fault(Fault::CloseAt { step });
        let id = whole_life(&mut lab, &mut Keys::new(1));
        assert!(lab.is_closed(id), "{step:?}");
        assert!(lab.world.faults().is_empty(), "{step:?} was never reached");
        let linked = lab.world.account(lab.phone).unwrap().devices.len();
        let believed = lab.world.phone(lab.phone).unwrap().companions.len();
        assert_eq!(linked, believed, "{step:?}: server and phone disagree");
        // The next attempt with the same keys meets no leftovers.
        if linked == 0 {
            let mut fresh = Keys::new(2);
            lab.link(&mut fresh);
            assert_eq!(fresh.device(), 1, "{step:?}");
        }
    }
}

#[test]
fn the_server_falls_silent_at_every_step() {
    for step in STEPS {
        let mut lab = with_fault(Fault::SilentAt { step });
        let id = whole_life(&mut lab, &mut Keys::new(1));
        assert!(!lab.is_closed(id), "{step:?}");
        assert!(lab.world.faults().is_empty(), "{step:?} was never reached");
        lab.heard(id);
        if lab.wire(id).is_open() {
            lab.send(id, &request("late", "get", "w:p", None));
        }
        lab.advance(Duration::from_secs(600));
        assert!(lab.heard(id).is_empty(), "{step:?}: it speaks");
        assert!(!lab.is_closed(id), "{step:?}: it closes");
    }
}

#[test]
fn bad_frames_are_what_they_are_called() {
    let heard_of = |frame: BadFrame| {
        let mut lab = Lab::new();
        let mut keys = Keys::new(1);
        lab.link(&mut keys);
        let id = lab.come_online(&mut keys);
        lab.world.inject(Fault::BadFrameAt {
            step: Step::Ping,
            frame,
        });
        lab.send(id, &request("ping", "get", "w:p", None));
        (lab.heard(id), lab.is_closed(id))
    };
    let (heard, closed) = heard_of(BadFrame::Garbage);
    assert!(
        matches!(heard[..], [Heard::NotAuthentic(_), _]),
        "{heard:?}"
    );
    assert!(!closed);
    let (heard, _) = heard_of(BadFrame::Empty);
    assert!(
        matches!(heard[..], [Heard::NotAuthentic(_), _]),
        "{heard:?}"
    );
    let (heard, _) = heard_of(BadFrame::Oversize);
    assert!(matches!(heard[..], [Heard::TooLong(_)]), "{heard:?}");
    for frame in [
        BadFrame::Truncated,
        BadFrame::Deep { depth: 20_000 },
        BadFrame::ZipBomb { inflated: 64 << 20 },
    ] {
        let (heard, closed) = heard_of(frame);
        assert!(
            matches!(heard[..], [Heard::NoNode(_), Heard::Stanza(_)]),
            "{frame:?}: {heard:?}"
        );
        assert!(!closed);
    }
}

#[test]
fn a_bad_frame_can_come_in_the_handshake() {
    for frame in [
        BadFrame::Garbage,
        BadFrame::Truncated,
        BadFrame::Oversize,
        BadFrame::Empty,
    ] {
        let mut lab = with_fault(Fault::BadFrameAt {
            step: Step::ClientHello,
            frame,
        });
        let id = lab.register(&Keys::new(1));
        match frame {
            BadFrame::Oversize => {
                assert!(matches!(lab.heard(id)[..], [Heard::TooLong(_)]));
            }
            _ => assert!(lab.wire(id).handshake_error.is_some(), "{frame:?}"),
        }
    }
}

#[test]
fn every_stream_error_has_its_form() {
    let of = |error: StreamError| {
        let mut lab = Lab::new();
        let mut keys = Keys::new(1);
        lab.link(&mut keys);
        let id = lab.come_online(&mut keys);
        lab.world.inject(Fault::stream_error(Step::Ping, error));
        lab.send(id, &request("ping", "get", "w:p", None));
        assert!(lab.is_closed(id));
        lab.hear(id)
    };
    let conflict = |node: &Node| {
        child(node, "conflict")
            .get_text("type")
            .unwrap()
            .into_owned()
    };
    let node = of(StreamError::Replaced);
    assert_eq!(
        (node.get_u64("code"), conflict(&node).as_str()),
        (None, "replaced")
    );
    let node = of(StreamError::DeviceRemoved);
    assert_eq!(
        (node.get_u64("code"), conflict(&node).as_str()),
        (Some(401), "device_removed")
    );
    let node = of(StreamError::Conflict {
        conflict: "other".to_owned(),
        code: None,
    });
    assert_eq!(conflict(&node), "other");
    for code in [401, 409, 429, 500, 503, 515, 516] {
        let node = of(StreamError::Code { code });
        assert_eq!(node.get_u64("code"), Some(u64::from(code)));
        assert!(node.get_children().is_empty());
    }
    let node = of(StreamError::Ack {
        id: "x".to_owned(),
        class: "receipt".to_owned(),
    });
    assert_eq!(child(&node, "ack").get_text("class").unwrap(), "receipt");
    assert_eq!(
        of(StreamError::NotWellFormed).get_children()[0].tag_str(),
        "xml-not-well-formed"
    );
    assert_eq!(of(StreamError::StreamEnd).tag_str(), "xmlstreamend");
}

#[test]
fn failures_carry_what_they_were_given() {
    for reason in [400, 401, 402, 403, 405, 406, 409, 500, 503] {
        let mut lab = with_fault(Fault::Failure(FailureStanza {
            reason,
            code: (reason == 402).then_some(101),
            expire: (reason == 402).then_some(3_600),
            location: Some("frc".to_owned()),
            ..FailureStanza::default()
        }));
        let id = lab.register(&Keys::new(1));
        let failure = lab.hear(id);
        assert_eq!(failure.tag_str(), "failure");
        assert_eq!(failure.get_u64("reason"), Some(u64::from(reason)));
        assert_eq!(failure.get_u64("expire"), (reason == 402).then_some(3_600));
        assert_eq!(failure.get_u64("code"), (reason == 402).then_some(101));
        assert_eq!(failure.get_text("location").unwrap(), "frc");
        assert!(lab.is_closed(id));
    }
}

#[test]
fn a_failure_can_be_meant_for_one_account() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(1);
    lab.link(&mut keys);
    let failure = Fault::failure(503);
    lab.world.inject(FaultRule {
        account: Some(number(15_551_239_999)),
        ..FaultRule::once(failure.clone())
    });
    let id = lab.come_online(&mut keys);
    assert!(!lab.is_closed(id));
    lab.world.inject(FaultRule {
        account: Some(lab.phone),
        ..FaultRule::once(failure)
    });
    let id = lab.login(&keys);
    assert_eq!(lab.hear(id).get_u64("reason"), Some(503));
}

#[test]
fn every_bad_certificate_is_refused_for_its_reason() {
    let error_of = |problem: BadCertificate| {
        let mut lab = with_fault(Fault::Certificate { problem });
        let id = lab.register(&Keys::new(1));
        assert!(lab.heard(id).is_empty());
        match lab.wire(id).handshake_error.take().unwrap().failure {
            HandshakeFailure::Certificate(error) => error,
            other => panic!("{problem:?}: {other:?}"),
        }
    };
    assert!(matches!(
        error_of(BadCertificate::WrongRoot),
        CertificateError::Signature { .. }
    ));
    assert!(error_of(BadCertificate::Expired).is_clock());
    assert!(error_of(BadCertificate::NotYetValid).is_clock());
    assert!(!error_of(BadCertificate::OtherKey).is_clock());
    assert_eq!(
        error_of(BadCertificate::Undecodable),
        CertificateError::Undecodable
    );
}

#[test]
fn ik_is_refused_once() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(1);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    keys.server = lab.wire(id).server;
    lab.world.inject(Fault::RefuseIk);
    let id = lab.login(&keys);
    assert_eq!(lab.wire(id).pattern, Some(Pattern::XxFallback));
    let id = lab.login(&keys);
    assert_eq!(lab.wire(id).pattern, Some(Pattern::Ik));
}

#[test]
fn frames_are_split_and_joined() {
    let mut lab = with_fault(Fault::SplitFrames { chunk: 1 });
    let id = lab.register(&Keys::new(1));
    assert!(lab.messages(id).iter().all(|length| *length == 1));
    assert_eq!(lab.refs(id).len(), 6);

    let mut lab = Lab::new();
    let mut keys = Keys::new(2);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    keys.server = lab.wire(id).server;
    lab.world.inject(Fault::JoinFrames);
    let id = lab.login(&keys);
    assert_eq!(
        lab.messages(id).len(),
        1,
        "ServerHello and success in one message"
    );
    assert_eq!(lab.hear(id).tag_str(), "success");
}

#[test]
fn the_number_of_refs_can_be_another() {
    for count in [0, 1, 5, 7] {
        let mut lab = with_fault(Fault::Refs { count });
        let id = lab.register(&Keys::new(1));
        let iq = lab.hear(id);
        assert_eq!(child(&iq, "pair-device").get_children().len(), count);
    }
}

#[test]
fn a_short_window_ends_the_connection_early() {
    let mut lab = with_fault(Fault::RefWindow { ms: 900 });
    let id = lab.register(&Keys::new(1));
    lab.advance(Duration::from_millis(899));
    assert!(!lab.is_closed(id));
    lab.advance(Duration::from_millis(1));
    assert!(lab.is_closed(id));
}

#[test]
fn a_scan_can_be_answered_by_a_refresh() {
    let mut lab = with_fault(Fault::RefreshOnScan {
        child: RefreshChild::CompanionRegRefresh,
    });
    let mut keys = Keys::new(1);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let scan = lab.scan(&keys.qr(&refs[0]));
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::CodeRefreshed)
    );
    assert_eq!(
        lab.hear(id).get_text("type").unwrap(),
        "companion_reg_refresh"
    );
    keys.adv = [5; 32];
    lab.scan(&keys.qr(&refs[0]));
    let iq = lab.hear(id);
    assert!(answer_pair_success(&mut keys, &iq, 1).is_ok());
}

#[test]
fn every_bad_identity_is_refused_as_the_chapter_says() {
    let refusal = |fault: Fault| {
        let mut lab = with_fault(fault);
        let mut keys = Keys::new(1);
        let (_, _, iq) = lab.scanned(&keys);
        answer_pair_success(&mut keys, &iq, 1).unwrap_err()
    };
    const NOT_AUTHORIZED: (u16, &str) = (401, "not-authorized");
    const INTERNAL: (u16, &str) = (500, "internal-error");
    assert_eq!(refusal(Fault::BadHmac), NOT_AUTHORIZED);
    assert_eq!(refusal(Fault::BadAccountSignature), NOT_AUTHORIZED);
    for (problem, expected) in [
        (BadIdentity::Undecodable, INTERNAL),
        (BadIdentity::InnerUndecodable, INTERNAL),
        (BadIdentity::DetailsUndecodable, INTERNAL),
        (BadIdentity::Missing, INTERNAL),
        (BadIdentity::Empty, INTERNAL),
        (BadIdentity::TooLong, INTERNAL),
        (BadIdentity::NoHmac, NOT_AUTHORIZED),
        (BadIdentity::ShortAccountKey, NOT_AUTHORIZED),
        (BadIdentity::NoKeyIndex, INTERNAL),
    ] {
        assert_eq!(
            refusal(Fault::Identity { problem }),
            expected,
            "{problem:?}"
        );
    }
}

#[test]
fn the_too_long_identity_is_right_but_for_its_length() {
    let mut lab = with_fault(Fault::Identity {
        problem: BadIdentity::TooLong,
    });
    let keys = Keys::new(1);
    let (_, _, iq) = lab.scanned(&keys);
    let content = child(child(&iq, "pair-success"), "device-identity")
        .get_bytes()
        .unwrap();
    assert_eq!(content.len(), 501);
    let container = <wa_proto::pb::AdvSignedDeviceIdentityHmac as prost::Message>::decode(content);
    let container = container.unwrap();
    wa_crypto::AdvSecret::from_bytes(keys.adv)
        .verify_mac(&[container.details()], container.hmac())
        .unwrap();
}

#[test]
fn the_restart_comes_late_or_never() {
    let link = |fault: Fault| {
        let mut lab = with_fault(fault);
        let mut keys = Keys::new(1);
        let (id, scan, iq) = lab.scanned(&keys);
        let reply = answer_pair_success(&mut keys, &iq, 1).unwrap();
        lab.send(id, &reply);
        assert!(matches!(lab.outcome(scan), ScanOutcome::Linked { .. }));
        assert!(lab.heard(id).is_empty());
        (lab, id)
    };
    let (mut lab, id) = link(Fault::RestartDelay { ms: 4_000 });
    lab.advance(Duration::from_millis(3_999));
    assert!(lab.heard(id).is_empty());
    lab.advance(Duration::from_millis(1));
    assert_eq!(lab.hear(id).get_u64("code"), Some(515));
    assert!(lab.is_closed(id));

    let (mut lab, id) = link(Fault::RestartNever);
    lab.advance(Duration::from_secs(24));
    assert!(lab.heard(id).is_empty());
    assert!(!lab.is_closed(id));
}

#[test]
fn requests_are_answered_by_errors() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(1);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    let remove = Node::new("remove-companion-device").attr("jid", keys.jid.clone().unwrap());
    let cases = [
        (
            IqKind::Count,
            request("q", "get", "encrypt", Some(Node::new("count"))),
        ),
        (IqKind::Upload, upload(&keys)),
        (
            IqKind::Digest,
            request("q", "get", "encrypt", Some(Node::new("digest"))),
        ),
        (
            IqKind::Rotate,
            request(
                "q",
                "set",
                "encrypt",
                Some(Node::new("rotate").child(skey(&keys))),
            ),
        ),
        (
            IqKind::Passive,
            request("q", "set", "passive", Some(Node::new("active"))),
        ),
        (IqKind::Ping, request("q", "get", "w:p", None)),
        (IqKind::Logout, request("q", "set", "md", Some(remove))),
        (
            IqKind::Any,
            request("q", "get", "abt", Some(Node::new("props"))),
        ),
    ];
    for (kind, stanza) in cases {
        lab.world.inject(Fault::IqError {
            request: kind,
            code: 503,
            text: None,
            backoff: Some(7),
        });
        let answer = lab.ask(id, &stanza);
        assert_eq!(answer.get_text("type").unwrap(), "error", "{kind:?}");
        let error = child(&answer, "error");
        assert_eq!(error.get_u64("code"), Some(503));
        assert_eq!(error.get_text("text").unwrap(), "service-unavailable");
        assert_eq!(error.get_u64("backoff"), Some(7));
        assert!(lab.world.faults().is_empty(), "{kind:?}");
    }
    let device = &lab.world.account(lab.phone).unwrap().devices[0];
    assert_eq!(device.prekeys, 0, "a refused upload stores nothing");
    assert!(device.online, "a refused removal removes nothing");
}
