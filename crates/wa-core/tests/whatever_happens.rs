#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use proptest::prelude::*;
use support::{Fault, Point, Rig, secs, unreachable};
use wa_core::{CloseCause, Command, Event, LogoutOptions, OpId};
use wa_proto::{Jid, Node};

/// Something that happens.
#[derive(Clone, Debug)]
enum Happening {
    Command(Command),
    Wait(u64),
    Break,
    PeerCloses,
    Stanza(usize, usize, usize),
    Bytes(Vec<u8>),
    Fault(Point, usize),
    Restart,
    RefuseCommits(bool),
    Scan,
    TypeIn(bool),
    ScanForPasskey,
    HoldJobs(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let point = prop::sample::select(vec![
        Point::Open,
        Point::Hello,
        Point::Finish,
        Point::PairDevice,
        Point::PairSign,
        Point::Login,
        Point::Count,
        Point::Upload,
        Point::Digest,
        Point::Active,
        Point::Ping,
        Point::Unlink,
        Point::CompanionHello,
        Point::CompanionFinish,
        Point::PasskeyRef,
        Point::PasskeyNonce,
        Point::PasskeyRequest,
    ]);
    let command = prop::sample::select(vec![
        Command::Start,
        Command::Start,
        Command::Stop,
        Command::Logout(LogoutOptions::default()),
        Command::Ping,
        Command::ApprovePairing(true),
        Command::RequestPairingCode(Rig::code_request()),
        Command::RequestPairingCode(Rig::code_request()),
        Command::CancelPairingCode,
        Command::RespondPasskey(Rig::assertion()),
        Command::RespondPasskey(Rig::assertion()),
        Command::ConfirmPasskey(true),
        Command::ConfirmPasskey(false),
    ]);
    prop_oneof![
        4 => command.prop_map(Happening::Command),
        4 => (0_u64..200).prop_map(Happening::Wait),
        1 => Just(Happening::Break),
        1 => Just(Happening::PeerCloses),
        4 => (0..TAGS.len(), 0..TYPES.len(), 0..CHILDREN.len())
            .prop_map(|(tag, kind, child)| Happening::Stanza(tag, kind, child)),
        4 => (5..TYPES.len(), 10..CHILDREN.len())
            .prop_map(|(kind, child)| Happening::Stanza(NOTIFICATION, kind, child)),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Happening::Bytes),
        3 => (point, 0_usize..5).prop_map(|(point, fault)| Happening::Fault(point, fault)),
        1 => Just(Happening::Restart),
        1 => any::<bool>().prop_map(Happening::RefuseCommits),
        4 => Just(Happening::Scan),
        4 => any::<bool>().prop_map(Happening::TypeIn),
        4 => Just(Happening::ScanForPasskey),
        1 => any::<bool>().prop_map(Happening::HoldJobs),
    ]
}

const TAGS: [&str; 12] = [
    "iq",
    "ib",
    "message",
    "receipt",
    "notification",
    "call",
    "success",
    "failure",
    "stream:error",
    "xmlstreamend",
    "ack",
    "presence",
];
/// Where that is in the list.
const NOTIFICATION: usize = 4;
const TYPES: [&str; 9] = [
    "get",
    "set",
    "result",
    "error",
    "encrypt",
    "companion_reg_refresh",
    "link_code_companion_reg",
    "passkey_prologue_request",
    "crsc_continuation",
];
const CHILDREN: [&str; 16] = [
    "ping",
    "pair-device",
    "pair-success",
    "conflict",
    "count",
    "digest",
    "identity",
    "edge_routing",
    "dirty",
    "offline_preview",
    "companion_reg_refresh",
    "error",
    "link_code_companion_reg",
    "passkey_request_options",
    "primary_ephemeral_identity",
    "pair-device-rotate-qr",
];
const STAGES: [&str; 3] = ["primary_hello", "refresh_code", "companion_finish"];

fn stanza(tag: usize, kind: usize, child: usize) -> Node {
    Node::new(TAGS[tag])
        .attr("from", Jid::server_jid())
        .attr("id", "7")
        .attr("type", TYPES[kind])
        .attr("t", "1787184005")
        .attr_if("code", (kind == 0).then_some("515"))
        .attr_if("reason", (kind < 3).then_some("503"))
        .child(
            Node::new(CHILDREN[child])
                .attr("type", "replaced")
                .attr("timestamp", "5")
                .attr("value", "3")
                .attr("stage", STAGES[(tag + child) % STAGES.len()])
                .child(Node::new("ref").bytes(b"2@x".to_vec()))
                // That of the first code asked for.
                .child(Node::new("link_code_pairing_ref").bytes(b"2@code-ref-1".to_vec()))
                .child(
                    Node::new("link_code_pairing_wrapped_primary_ephemeral_pub")
                        .bytes(vec![u8::try_from(tag).unwrap(); 80]),
                )
                .child(Node::new("primary_identity_pub").bytes(vec![9; 32])),
        )
}

fn make_happen(rig: &mut Rig, happening: Happening, ops: &mut Vec<OpId>) {
    match happening {
        Happening::Command(command) => ops.push(rig.command(command)),
        Happening::Wait(seconds) => rig.advance(secs(seconds)),
        Happening::Break if rig.is_connected() => {
            rig.drop_connection(CloseCause::Network("reset".to_owned()));
        }
        Happening::PeerCloses if rig.is_connected() => {
            rig.drop_connection(CloseCause::Peer { code: Some(1000) });
        }
        Happening::Stanza(tag, kind, child) if rig.is_established() => {
            rig.serve(&stanza(tag, kind, child));
        }
        Happening::Bytes(bytes) if rig.is_established() => rig.serve_bytes(&bytes),
        Happening::Fault(point, fault) => {
            let fault = match (point, fault) {
                (Point::Open, 0) => Fault::Silent,
                (Point::Open, _) => Fault::Refuse(unreachable()),
                (_, 0) => Fault::Close,
                (Point::Hello, 1) => Fault::Bytes(vec![0, 0, 2, 1, 2]),
                (
                    Point::Hello
                    | Point::Finish
                    | Point::PairDevice
                    | Point::PairSign
                    | Point::Login,
                    _,
                ) => Fault::Silent,
                (_, 1) => Fault::Error(503),
                (_, 2) => Fault::LoseAnswer,
                _ => Fault::Silent,
            };
            rig.service.fail(point, fault, 1);
        }
        Happening::Restart => {
            rig.restart();
            rig.events.clear();
            ops.clear();
        }
        Happening::RefuseCommits(refuse) => rig.refuse_commits = refuse,
        Happening::Scan if rig.qr().is_some() && rig.is_established() => {
            if let Some(qr) = rig.qr().filter(|qr| rig.offers(qr)) {
                rig.scan_this(&qr, support::Tamper::Nothing);
            }
        }
        Happening::ScanForPasskey
            if rig.is_established() && rig.qr().is_some_and(|qr| rig.offers(&qr)) =>
        {
            rig.scan_for_passkey();
        }
        Happening::TypeIn(right) if rig.is_established() => {
            if let Some(code) = rig.code().filter(|_| rig.is_asked_for_code()) {
                rig.type_in(if right { &code } else { "1111-1111" });
            }
        }
        Happening::HoldJobs(hold) => {
            rig.hold_jobs = hold;
            rig.run_jobs();
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// No panic, no state without a way out, one answer per command, and nothing left running by a stop.
    #[test]
    fn the_engine_keeps_its_promises(
        linked in any::<bool>(),
        story in prop::collection::vec(happening(), 1..25),
    ) {
        let mut rig = if linked { Rig::online() } else { Rig::new() };
        let mut ops = Vec::new();
        for happening in story {
            make_happen(&mut rig, happening, &mut ops);
            let state = rig.engine.state();
            // Beside this state, an unlink that the server has not confirmed is finished.
            let settles = state.name() == "logged_out";
            prop_assert!(
                settles || state.is_at_rest() == rig.engine.poll_timeout().is_none(),
                "{} has a deadline unless it is at rest", state.name()
            );
            if rig.engine.credentials().is_none() && !rig.refuse_commits {
                prop_assert_ne!(state.name(), "online");
            }
        }
        rig.refuse_commits = false;
        ops.push(rig.command(Command::Stop));
        prop_assert!(!rig.is_connected());
        prop_assert!(rig.engine.state().is_at_rest());
        for op in ops {
            prop_assert!(rig.result(op).is_some(), "{op:?} has its answer");
        }
        let done = rig.events.iter().filter(|event| matches!(event, Event::OpDone { .. })).count();
        rig.advance(secs(10_000));
        prop_assert_eq!(
            rig.events.iter().filter(|event| matches!(event, Event::OpDone { .. })).count(),
            done
        );
        prop_assert!(!rig.is_connected(), "nothing starts by itself");
    }
}
