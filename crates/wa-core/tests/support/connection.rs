use prost::Message;
use wa_crypto::{IdentityPublic, NoiseStaticPublic};
use wa_noise::{
    Accepted, AwaitClientFinish, FrameDecoder, PreambleDecoder, ServerStep, Transport, accept,
};
use wa_proto::pb::ClientPayload;
use wa_proto::{Jid, Node};

use super::NUMBER;
use super::desk::Desk;
use super::phone::Tamper;
use super::service::{Answer, Bundle, Fault, Linked, Point, Service};

/// The service's end of one connection.
pub struct Connection {
    state: State,
    frames: FrameDecoder,
    pub(super) answers: Vec<Answer>,
    client: Option<Companion>,
    pub(super) refs: Vec<String>,
    pub(super) desk: Desk,
    next_id: u32,
    /// What is being done is done without a word.
    is_mute: bool,
}

enum State {
    Preamble(PreambleDecoder),
    Hello { prologue: [u8; 4] },
    Finish(AwaitClientFinish),
    Open(Transport),
    Over,
}

/// Who is at the other end.
struct Companion {
    noise: NoiseStaticPublic,
    identity: Option<IdentityPublic>,
    device: Option<u16>,
}

impl Connection {
    pub fn new() -> Self {
        Self {
            state: State::Preamble(PreambleDecoder::new()),
            frames: FrameDecoder::new(),
            answers: Vec::new(),
            client: None,
            refs: Vec::new(),
            desk: Desk::default(),
            next_id: 1,
            is_mute: false,
        }
    }

    pub fn receive(&mut self, service: &mut Service, bytes: &[u8]) -> Vec<Answer> {
        let mut rest = bytes.to_vec();
        if let State::Preamble(decoder) = &mut self.state {
            let Some((preamble, after)) = decoder.read(bytes).expect("a client's preamble") else {
                return Vec::new();
            };
            service.seen.routing.push(preamble.routing);
            self.state = State::Hello {
                prologue: preamble.prologue,
            };
            rest = after.to_vec();
        }
        self.frames.push(&rest);
        while let Some(body) = self.frames.next_frame().expect("frames of a client") {
            let body = body.to_vec();
            self.frame(service, body);
        }
        std::mem::take(&mut self.answers)
    }

    /// Seals a stanza of the service.
    pub fn send(&mut self, stanza: &Node) -> Vec<u8> {
        let State::Open(transport) = &mut self.state else {
            panic!("the connection is not established");
        };
        let mut out = Vec::new();
        transport
            .seal_frame(&stanza.to_bytes().unwrap(), &mut out)
            .unwrap();
        out
    }

    /// Seals bytes that need not be a stanza.
    pub fn send_plaintext(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let State::Open(transport) = &mut self.state else {
            panic!("the connection is not established");
        };
        let mut out = Vec::new();
        transport.seal_frame(plaintext, &mut out).unwrap();
        out
    }

    /// The phone has read the code that this client shows.
    pub fn pair_success(&mut self, service: &mut Service, qr: &str, tamper: Tamper) -> Node {
        let scan = service.phone.scan(qr, tamper);
        assert!(
            self.refs.contains(&scan.reference),
            "the ref in the code is one of this connection"
        );
        self.linked(service, scan.container)
    }

    /// The phone has endorsed the companion.
    pub fn linked(&mut self, service: &mut Service, container: Vec<u8>) -> Node {
        let device = service.next_device;
        let id = self.id();
        Node::new("iq")
            .attr("type", "set")
            .attr("id", id)
            .attr("from", Jid::server_jid())
            .attr("xmlns", "md")
            .child(
                Node::new("pair-success")
                    .child(Node::new("device-identity").bytes(container))
                    .child(
                        Node::new("device")
                            .attr("jid", service.pn(device))
                            .attr_if("lid", service.lid(device)),
                    )
                    .child(Node::new("platform").attr("name", "android")),
            )
    }

    pub fn offers(&self, qr: &str) -> bool {
        wa_pair::parse_qr(qr).is_ok_and(|scanned| self.refs.contains(&scanned.reference))
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    fn frame(&mut self, service: &mut Service, mut body: Vec<u8>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Hello { prologue } => self.hello(service, prologue, &body),
            State::Finish(finish) => {
                let accepted = finish.read(&body).expect("a client's finish");
                self.accepted(service, accepted);
            }
            State::Open(mut transport) => {
                let plaintext = transport.open_frame(&mut body).expect("a client's frame");
                let stanza = Node::from_bytes(plaintext).expect("a client's stanza");
                self.state = State::Open(transport);
                service.seen.stanzas.push(stanza.clone());
                self.stanza(service, &stanza);
            }
            other => self.state = other,
        }
    }

    fn hello(&mut self, service: &mut Service, prologue: [u8; 4], body: &[u8]) {
        if self.goes_wrong(service, Point::Hello, None) {
            return;
        }
        let mut out = Vec::new();
        let step = accept(
            service.provider,
            &service.identity,
            &prologue,
            body,
            service.allow_ik,
            &mut service.rng,
            &mut out,
        )
        .expect("a client's hello");
        self.answers.push(Answer::Send(out));
        match step {
            ServerStep::AwaitFinish(finish) => self.state = State::Finish(finish),
            ServerStep::Done(accepted) => self.accepted(service, accepted),
        }
    }

    fn accepted(&mut self, service: &mut Service, accepted: Accepted) {
        service.seen.patterns.push(accepted.pattern);
        let payload = ClientPayload::decode(accepted.payload.as_slice()).expect("a payload");
        service.seen.payloads.push(payload.clone());
        service.seen.raw_payloads.push(accepted.payload);
        self.state = State::Open(accepted.transport);
        let device = payload.device.and_then(|device| u16::try_from(device).ok());
        let registration = payload.device_pairing_data.as_ref();
        self.client = Some(Companion {
            noise: accepted.client_static,
            identity: registration
                .and_then(|data| data.e_ident.as_deref())
                .map(|key| IdentityPublic::try_from(key).unwrap()),
            device,
        });
        if self.goes_wrong(service, Point::Finish, None) {
            return;
        }
        match payload.username {
            Some(user) => {
                assert_eq!(user, NUMBER);
                self.login(service);
            }
            None => self.registration(service),
        }
    }

    fn registration(&mut self, service: &mut Service) {
        if self.goes_wrong(service, Point::PairDevice, None) {
            return;
        }
        let connection = service.seen.connections;
        self.refs = (0..service.refs)
            .map(|n| format!("2@ref-{connection}-{n}=="))
            .collect();
        let refs = self
            .refs
            .iter()
            .map(|text| Node::new("ref").bytes(text.clone().into_bytes()));
        let iq = Node::new("iq")
            .attr("type", "set")
            .attr("id", "pair-device-1")
            .attr("from", Jid::server_jid())
            .attr("xmlns", "md")
            .child(Node::new("pair-device").children(refs));
        self.push(&iq);
    }

    fn login(&mut self, service: &mut Service) {
        if self.goes_wrong(service, Point::Login, None) {
            return;
        }
        let client = self.client.as_ref().unwrap();
        let device = client.device.unwrap();
        let known = service.linked.get(&device);
        if known.is_none_or(|known| known.noise != client.noise) {
            self.push(
                &Node::new("failure")
                    .attr("reason", "401")
                    .attr("location", "frc"),
            );
            self.answers.push(Answer::Close);
            return;
        }
        let mut success = Node::new("success").attr_if("lid", service.lid(device));
        for (name, value) in &service.success {
            success = success.attr(*name, value.as_str());
        }
        self.push(&success);
    }

    fn stanza(&mut self, service: &mut Service, stanza: &Node) {
        if stanza.tag_str() != "iq" {
            return;
        }
        match stanza.get_text("type").as_deref() {
            Some("result") => {
                if let Some(sign) = stanza.get_child("pair-device-sign") {
                    self.signed(service, sign);
                }
            }
            Some("get" | "set") => self.request(service, stanza),
            _ => {}
        }
    }

    /// The companion has signed: the phone takes it in, and the server restarts the connection.
    fn signed(&mut self, service: &mut Service, sign: &Node) {
        let client = self.client.as_ref().unwrap();
        let identity = client.identity.unwrap();
        let reply = sign.get_child("device-identity").unwrap();
        assert!(
            service.phone.accepts(reply.get_bytes().unwrap(), &identity),
            "the companion proves its identity"
        );
        let linked = Linked {
            identity,
            noise: client.noise,
            key_index: service.phone.key_index(),
        };
        service.linked.insert(service.next_device, linked);
        // Keys belong to the device; a new one has none on the server.
        service.bundle = Bundle::default();
        service.next_device += 1;
        if self.goes_wrong(service, Point::PairSign, None) {
            return;
        }
        self.push(&Node::new("stream:error").attr("code", "515"));
        self.answers.push(Answer::Close);
    }

    fn request(&mut self, service: &mut Service, iq: &Node) {
        let result = Node::new("iq")
            .attr("from", Jid::server_jid())
            .attr("type", "result")
            .attr_if("id", iq.get_attr("id"));
        let xmlns = iq.get_text("xmlns").unwrap_or_default().into_owned();
        let child = iq.get_children().first().map_or("", Node::tag_str);
        let point = match (xmlns.as_str(), child) {
            ("encrypt", "count") => Point::Count,
            ("encrypt", "digest") => Point::Digest,
            ("encrypt", "rotate") => Point::Rotate,
            ("encrypt", _) => Point::Upload,
            ("passive", _) => Point::Active,
            ("w:p", _) => Point::Ping,
            ("md", "remove-companion-device") => Point::Unlink,
            ("md", "link_code_companion_reg") => {
                match iq.get_children()[0].get_text("stage").as_deref() {
                    Some("companion_hello") => Point::CompanionHello,
                    _ => Point::CompanionFinish,
                }
            }
            ("md", "passkey_request_options") => Point::PasskeyOptions,
            ("md", "ref") => Point::PasskeyRef,
            ("md", "passkey_prologue") => Point::PasskeyPrologue,
            ("md", "companion_nonce") => Point::PasskeyNonce,
            ("md", "encrypted_pairing_request") => Point::PasskeyRequest,
            ("usync", _) => Point::Devices,
            _ => return self.push(&result),
        };
        let lost = service.take(point, &Fault::LoseAnswer);
        let unsaid = service.take(point, &Fault::NoReceipt);
        if !lost && !unsaid && self.goes_wrong(service, point, Some(iq)) {
            return;
        }
        let before = self.answers.len();
        self.is_mute = unsaid;
        self.carry_out(service, iq, point, result);
        self.is_mute = false;
        if lost {
            self.answers.truncate(before);
            self.answers.push(Answer::Close);
        }
    }

    fn carry_out(&mut self, service: &mut Service, iq: &Node, point: Point, result: Node) {
        match point {
            Point::Count => {
                let count = service.bundle.prekeys.len();
                self.push(&result.child(Node::new("count").attr("value", count)));
            }
            Point::Digest => match service.bundle.digest() {
                Some(digest) => self.push(&result.child(digest)),
                None => self.push(&error(iq, 404)),
            },
            Point::Rotate => {
                let rotate = iq.get_child("rotate").unwrap();
                service.bundle.sign(rotate.get_child("skey").unwrap());
                self.push(&result);
            }
            Point::Upload => {
                service.bundle.upload(iq);
                self.push(&result);
            }
            Point::Devices => self.push(&result.child(device_list(service))),
            Point::Unlink => {
                let device = self.client.as_ref().unwrap().device.unwrap();
                service.linked.remove(&device);
                self.push(&result);
                self.answers.push(Answer::Close);
            }
            Point::CompanionHello
            | Point::CompanionFinish
            | Point::PasskeyOptions
            | Point::PasskeyRef
            | Point::PasskeyPrologue
            | Point::PasskeyNonce
            | Point::PasskeyRequest => self.ceremony(service, iq, point, result),
            _ => self.push(&result),
        }
    }

    /// Does what the script says instead of the right thing. Says whether it did.
    fn goes_wrong(&mut self, service: &mut Service, point: Point, iq: Option<&Node>) -> bool {
        match service.fault(point) {
            None => return false,
            Some(Fault::Silent | Fault::Refuse(_) | Fault::LoseAnswer | Fault::NoReceipt) => {}
            Some(Fault::Close) => self.answers.push(Answer::Close),
            Some(Fault::Bytes(bytes)) => self.answers.push(Answer::Send(bytes)),
            Some(Fault::Stanzas(stanzas)) => {
                for stanza in stanzas {
                    self.push(&stanza);
                }
            }
            Some(Fault::Error(code)) => self.push(&error(iq.expect("a request"), code)),
            Some(Fault::Refusal(code, text, backoff)) => {
                self.push(&refusal(iq.expect("a request"), code, text, backoff));
            }
        }
        true
    }

    pub(super) fn push(&mut self, stanza: &Node) {
        if !self.is_mute {
            let frame = self.send(stanza);
            self.answers.push(Answer::Send(frame));
        }
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("server-{}", self.next_id)
    }
}

/// The answer to a question about the account's devices.
fn device_list(service: &mut Service) -> Node {
    let account = service.pn(0);
    let answer = |devices| {
        let user = Node::new("user").attr("jid", account).child(devices);
        Node::new("usync").child(Node::new("list").child(user))
    };
    if let Some(companions) = &service.unsigned_list {
        let numbers = std::iter::once(&0).chain(companions);
        let listed = numbers.map(|id| Node::new("device").attr("id", u64::from(*id)));
        let list = Node::new("device-list").children(listed.collect::<Vec<_>>());
        return answer(Node::new("devices").child(list));
    }
    let listed = service.linked.iter().map(|(id, linked)| {
        Node::new("device")
            .attr("id", *id)
            .attr("key-index", linked.key_index)
    });
    let list = Node::new("device-list")
        .child(Node::new("device").attr("id", 0_u64))
        .children(listed.collect::<Vec<_>>());
    let signed = service.key_index_list();
    let devices = Node::new("devices")
        .child(list)
        .child(Node::new("key-index-list").bytes(signed));
    answer(devices)
}

fn error(iq: &Node, code: u16) -> Node {
    refusal(iq, code, "scripted", None)
}

fn refusal(iq: &Node, code: u16, text: &'static str, backoff: Option<u32>) -> Node {
    Node::new("iq")
        .attr("from", Jid::server_jid())
        .attr("type", "error")
        .attr_if("id", iq.get_attr("id"))
        .child(
            Node::new("error")
                .attr("code", code)
                .attr("text", text)
                .attr_if("backoff", backoff.map(|seconds| seconds.to_string())),
        )
}
