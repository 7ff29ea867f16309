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
use support::{
    Rig, code, names, pair_device, pair_success, passkey, refresh, sent, vector_container,
};
use wa_pair::{
    CodeRequest, Handled, Handoff, PairAnswer, PairConfig, PairJob, PairOutput, PairRequest,
    PairStep,
};
use wa_proto::{Decoder, Jid, Node};

/// More than this never comes of one call: blank, verify, persist, send, tell, restart.
const MAX_OUTPUTS: usize = 6;

/// Stretching is slow; more jobs of one case are lost, as those of a driver in trouble would be.
const MAX_JOBS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    Wild(Node),
    PairDevice(usize),
    PairSuccess(Option<usize>),
    Refresh(bool),
    Wait(u64),
    Approve(bool),
    RequestCode(bool),
    CancelCode,
    Computed,
    PrimaryHello { right: bool, wrapped: usize },
    RefreshCode(bool),
    Answer { which: usize, how: How },
    PrologueRequest(bool),
    Continuation(Option<Vec<u8>>),
    Respond,
    Confirm(bool),
    RestartAsked,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Code,
    PasskeyRef,
    Options,
    Empty,
    Error(u16),
    Nothing,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        4 => Just(How::Code),
        4 => Just(How::PasskeyRef),
        2 => Just(How::Options),
        4 => Just(How::Empty),
        1 => prop::sample::select(vec![400, 403, 429, 452, 500, 7]).prop_map(How::Error),
        1 => Just(How::Nothing),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "set",
            "result",
            "get",
            "companion_reg_refresh",
            "link_code_companion_reg",
            "passkey_prologue_request",
            "crsc_continuation",
            "primary_hello",
            "refresh_code",
            "true",
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
        "link_code_companion_reg",
        "link_code_pairing_ref",
        "link_code_pairing_wrapped_primary_ephemeral_pub",
        "primary_identity_pub",
        "passkey_request_options",
        "primary_ephemeral_identity",
        "error",
    ])
}

fn attributes() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let keys = vec![
        "type", "id", "from", "jid", "lid", "name", "t", "stage", "code", "text", "backoff",
    ];
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
        4 => any::<bool>().prop_map(Step::RequestCode),
        1 => Just(Step::CancelCode),
        4 => Just(Step::Computed),
        3 => (any::<bool>(), 79_usize..82)
            .prop_map(|(right, wrapped)| Step::PrimaryHello { right, wrapped }),
        1 => any::<bool>().prop_map(Step::RefreshCode),
        8 => (0_usize..8, how()).prop_map(|(which, how)| Step::Answer { which, how }),
        3 => any::<bool>().prop_map(Step::PrologueRequest),
        3 => prop::option::of(prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(Step::Continuation),
        4 => Just(Step::Respond),
        1 => any::<bool>().prop_map(Step::Confirm),
        1 => Just(Step::RestartAsked),
    ]
}

/// The machine, what it handed out, and what must hold of it.
struct World {
    rig: Rig,
    requests: Vec<PairRequest>,
    jobs: Vec<PairJob>,
    jobs_run: usize,
    paired_durable: u32,
    paired: u32,
    last_seq: u32,
    code_lives: bool,
}

impl World {
    fn new(config: PairConfig) -> Self {
        Self {
            rig: Rig::new(config),
            requests: Vec::new(),
            jobs: Vec::new(),
            jobs_run: 0,
            paired_durable: 0,
            paired: 0,
            last_seq: 0,
            code_lives: false,
        }
    }

    fn take(&mut self, step: Step) -> Handled {
        let rig = &mut self.rig;
        match step {
            Step::Wild(node) => return rig.feed(&node),
            Step::PairDevice(refs) => return rig.feed(&pair_device("1", refs, "ref")),
            Step::PairSuccess(flip) => {
                let mut container = vector_container();
                if let Some(at) = flip {
                    container[at] ^= 1;
                }
                return rig.feed(&pair_success("5", container));
            }
            Step::Refresh(asked) => {
                return rig.feed(&refresh("9", asked.then_some("companion_reg_refresh")));
            }
            Step::PrimaryHello { right, wrapped } => {
                let reference = if right { code::REF } else { b"another" };
                let stanza = code::primary_hello("8", reference, &vec![7; wrapped], &[9; 32]);
                return rig.feed(&stanza);
            }
            Step::RefreshCode(right) => {
                let reference = if right { code::REF } else { b"another" };
                let stanza = code::notification("8", "refresh_code", reference, vec![]);
                return rig.feed(&stanza);
            }
            Step::PrologueRequest(inline) => {
                let options = inline.then(passkey::options);
                return rig.feed(&passkey::prologue_request("7", options.as_deref()));
            }
            Step::Continuation(bytes) => {
                let bytes = bytes.unwrap_or_else(|| {
                    let vectors = support::vectors();
                    support::unhex(&vectors["passkey"][0]["primary_ephemeral_identity"])
                });
                return rig.feed(&passkey::continuation("6", bytes));
            }
            Step::Wait(seconds) => {
                rig.now += Duration::from_secs(seconds);
                rig.pairing.handle_timeout(rig.now, &mut rig.rng);
            }
            Step::Approve(accept) => {
                let _ = rig.pairing.approve(accept, &mut rig.rng);
            }
            Step::RequestCode(custom) => {
                let request = if custom {
                    code::request_of("ABCD1234")
                } else {
                    CodeRequest::new(code::number())
                };
                let _ = rig.pairing.request_code(rig.now, request, &mut rig.rng);
            }
            Step::CancelCode => {
                let _ = rig.pairing.cancel_code(rig.now, &mut rig.rng);
            }
            Step::Computed => {
                if let Some(job) = self.jobs.pop().filter(|_| self.jobs_run < MAX_JOBS) {
                    self.jobs_run += 1;
                    rig.pairing
                        .handle_computed(rig.now, job.run(), &mut rig.rng);
                }
            }
            Step::Answer { which, how } => self.answer(which, how),
            Step::Respond => {
                let assertion = passkey::assertion();
                let _ = rig
                    .pairing
                    .respond_passkey(rig.now, assertion, &mut rig.rng);
            }
            Step::Confirm(accept) => {
                let _ = rig.pairing.confirm_passkey(rig.now, accept, &mut rig.rng);
            }
            Step::RestartAsked => rig.pairing.restart_asked(rig.now),
        }
        Handled::Yes
    }

    /// An answer to one of the last requests, which may be answered already.
    fn answer(&mut self, which: usize, how: How) {
        let Some(at) = self.requests.len().checked_sub(which % 4 + 1) else {
            return;
        };
        let children = match how {
            How::Code => code::accepted(code::REF),
            How::PasskeyRef => passkey::reference(),
            How::Options => vec![passkey::options_node(&passkey::options())],
            How::Empty | How::Nothing => vec![],
            How::Error(code) => vec![support::error(code, None)],
        };
        let bytes = support::from_server("iq", "result", "r")
            .children(children)
            .to_bytes()
            .unwrap();
        let mut decoder = Decoder::new();
        let iq = decoder.decode(&bytes).unwrap();
        let answer = match how {
            How::Error(_) => PairAnswer::Error(&iq),
            How::Nothing => PairAnswer::TimedOut,
            _ => PairAnswer::Result(&iq),
        };
        let rig = &mut self.rig;
        rig.pairing
            .handle_answer(rig.now, self.requests[at], answer, &mut rig.rng);
    }

    fn check(&mut self, handled: Handled) -> Result<(), TestCaseError> {
        let outputs = self.rig.drain();
        prop_assert!(outputs.len() <= MAX_OUTPUTS, "{:?}", names(&outputs));
        prop_assert!(handled == Handled::Yes || outputs.is_empty());
        prop_assert!(sent(&outputs).len() <= 1);
        let mut durable = false;
        for output in outputs {
            match output {
                PairOutput::PersistAdvSecret(_) => durable = true,
                PairOutput::PersistPaired(_) => self.paired_durable += 1,
                PairOutput::Qr(code) => {
                    prop_assert_eq!(self.paired_durable, 0);
                    prop_assert!(code.seq > self.last_seq);
                    prop_assert!(code.deadline >= self.rig.now);
                    prop_assert!(code.ttl <= Duration::from_secs(60));
                    prop_assert!(!self.rig.pairing.is_awaiting_passkey());
                    self.last_seq = code.seq;
                }
                PairOutput::Paired(_) => self.paired += 1,
                PairOutput::Request { request, .. } => {
                    if matches!(
                        request.step(),
                        PairStep::CompanionFinish | PairStep::PasskeyPairingRequest
                    ) {
                        prop_assert!(durable, "the secret first");
                    }
                    self.requests.push(request);
                }
                PairOutput::Compute(job) => self.jobs.push(job),
                PairOutput::Code(code) => {
                    prop_assert!(!self.code_lives, "one code at a time");
                    prop_assert!(code.ttl <= Duration::from_secs(180));
                    self.code_lives = true;
                }
                PairOutput::CodeEnded(_) => self.code_lives = false,
                PairOutput::CodeRefused(_) => prop_assert!(!self.code_lives),
                PairOutput::Exhausted => {
                    prop_assert_eq!(self.rig.pairing.poll_timeout(), None);
                    prop_assert!(!self.code_lives && !self.rig.pairing.is_awaiting_passkey());
                }
                PairOutput::RestartNow => prop_assert!(!self.rig.pairing.holds_restart()),
                _ => {}
            }
        }
        prop_assert!(self.paired <= self.paired_durable && self.paired_durable <= 1);
        if self.rig.pairing.is_awaiting_passkey() {
            prop_assert!(
                self.rig.pairing.poll_timeout().is_some(),
                "it ends by itself"
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_stanzas_never_panic_and_outputs_stay_few(
        require_approval in any::<bool>(),
        handoff in prop::sample::select(vec![Handoff::Send, Handoff::Withhold]),
        offered in any::<bool>(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new(PairConfig {
            require_approval,
            handoff,
            ..PairConfig::default()
        });
        if offered {
            let handled = world.take(Step::PairDevice(6));
            world.check(handled)?;
        }
        for step in steps {
            let handled = world.take(step);
            world.check(handled)?;
        }
    }
}
