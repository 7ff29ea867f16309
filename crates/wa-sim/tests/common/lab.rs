//! The world and the clients' ends of its connections, without sockets, in a time of our own.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use wa_proto::{Node, pb};
use wa_sim::{
    ConnId, ConnInfo, Now, PhoneConfig, PhoneNumber, ScanId, ScanOutcome, World, WorldConfig,
    WorldOutput,
};

use super::device::{Heard, Keys, Wire, answer_pair_success, child, request, result_of};
use super::payload;

pub struct Lab {
    pub world: World,
    pub now: Now,
    pub phone: PhoneNumber,
    ends: BTreeMap<ConnId, End>,
    seed: u64,
}

struct End {
    wire: Wire,
    heard: VecDeque<Heard>,
    /// Messages as the socket would carry them.
    messages: Vec<usize>,
    closed: bool,
}

pub fn number(digits: u64) -> PhoneNumber {
    PhoneNumber::new(digits).unwrap()
}

impl Lab {
    pub fn new() -> Self {
        Self::with(WorldConfig::default())
    }

    pub fn with(config: WorldConfig) -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_ms: 1_789_000_000_000,
        };
        let mut world = World::new(config, [7; 32], now);
        let phone = world.add_next_phone(now, PhoneConfig::default()).unwrap();
        Self::around(world, now, phone)
    }

    pub fn around(world: World, now: Now, phone: PhoneNumber) -> Self {
        Self {
            world,
            now,
            phone,
            ends: BTreeMap::new(),
            seed: 1_000,
        }
    }

    pub fn seed(&mut self) -> u64 {
        self.seed += 1;
        self.seed
    }

    /// Opens a connection and lets the handshake run.
    pub fn connect(&mut self, keys: &Keys, payload: &pb::ClientPayload) -> ConnId {
        let id = self.world.open(self.now, ConnInfo::default());
        let root = self.world.noise_root();
        let seed = self.seed();
        let (wire, hello) = Wire::connect(keys, payload, root, seed, self.now.unix_secs());
        self.ends.insert(
            id,
            End {
                wire,
                heard: VecDeque::new(),
                messages: Vec::new(),
                closed: false,
            },
        );
        self.pump();
        self.push(id, &hello);
        id
    }

    pub fn register(&mut self, keys: &Keys) -> ConnId {
        self.connect(keys, &payload::registration(keys))
    }

    pub fn login(&mut self, keys: &Keys) -> ConnId {
        self.connect(keys, &payload::login(keys.user(), keys.device()))
    }

    /// Raw bytes from the client.
    pub fn push(&mut self, id: ConnId, bytes: &[u8]) {
        self.world.handle_bytes(self.now, id, bytes);
        self.pump();
    }

    pub fn send(&mut self, id: ConnId, stanza: &Node) {
        let frame = self.ends.get_mut(&id).unwrap().wire.seal(stanza);
        self.push(id, &frame);
    }

    /// Sends a request and returns its answer; what else comes stays heard.
    pub fn ask(&mut self, id: ConnId, stanza: &Node) -> Node {
        self.send(id, stanza);
        let wanted = stanza.get_text("id").unwrap().into_owned();
        let end = self.ends.get_mut(&id).unwrap();
        let position = end.heard.iter().position(|heard| {
            matches!(heard, Heard::Stanza(node) if node.get_text("id").as_deref() == Some(&*wanted))
        });
        match end.heard.remove(position.expect("an answer")) {
            Some(Heard::Stanza(node)) => node,
            _ => unreachable!(),
        }
    }

    /// The next stanza; panics when none came.
    pub fn hear(&mut self, id: ConnId) -> Node {
        match self.ends.get_mut(&id).unwrap().heard.pop_front() {
            Some(Heard::Stanza(node)) => node,
            other => panic!("no stanza: {other:?}"),
        }
    }

    pub fn heard(&mut self, id: ConnId) -> Vec<Heard> {
        self.ends.get_mut(&id).unwrap().heard.drain(..).collect()
    }

    pub fn wire(&mut self, id: ConnId) -> &mut Wire {
        &mut self.ends.get_mut(&id).unwrap().wire
    }

    /// The lengths of the messages sent to the client so far.
    pub fn messages(&self, id: ConnId) -> &[usize] {
        &self.ends[&id].messages
    }

    pub fn is_closed(&self, id: ConnId) -> bool {
        self.ends[&id].closed
    }

    pub fn drop_connection(&mut self, id: ConnId) {
        self.ends.get_mut(&id).unwrap().closed = true;
        self.world.handle_closed(self.now, id);
        self.pump();
    }

    /// Moves the clock, stopping at every deadline on the way.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.instant + by;
        while let Some(due) = self.world.poll_timeout().filter(|due| *due <= end) {
            self.set_clock(due);
            self.world.handle_timeout(self.now);
            self.pump();
        }
        self.set_clock(end);
        self.pump();
    }

    fn set_clock(&mut self, instant: Instant) {
        let passed = instant.saturating_duration_since(self.now.instant);
        self.now.unix_ms += passed.as_millis() as u64;
        self.now.instant = self.now.instant.max(instant);
    }

    fn pump(&mut self) {
        while let Some(output) = self.world.poll_output() {
            match output {
                WorldOutput::Transmit(id, bytes) => {
                    let end = self.ends.get_mut(&id).unwrap();
                    end.messages.push(bytes.len());
                    let (heard, answer) = end.wire.receive(&bytes);
                    end.heard.extend(heard);
                    if !answer.is_empty() {
                        self.world.handle_bytes(self.now, id, &answer);
                    }
                }
                WorldOutput::Close(id) => {
                    if let Some(end) = self.ends.get_mut(&id) {
                        end.closed = true;
                    }
                }
            }
        }
    }

    /// Reads pair-device, acknowledges it, and returns the refs.
    pub fn refs(&mut self, id: ConnId) -> Vec<String> {
        let iq = self.hear(id);
        let refs = refs_of(&iq);
        self.send(id, &result_of(&iq));
        refs
    }

    pub fn scan(&mut self, code: &str) -> ScanId {
        let scan = self.world.scan(self.now, self.phone, code).unwrap();
        self.advance(Duration::ZERO);
        scan
    }

    pub fn outcome(&self, scan: ScanId) -> ScanOutcome {
        self.world.scan_outcome(scan).unwrap().clone()
    }

    /// Up to pair-success, which is returned.
    pub fn scanned(&mut self, keys: &Keys) -> (ConnId, ScanId, Node) {
        let id = self.register(keys);
        let refs = self.refs(id);
        let scan = self.scan(&keys.qr(&refs[0]));
        let iq = self.hear(id);
        (id, scan, iq)
    }

    /// The whole link, up to and with the restart.
    pub fn link(&mut self, keys: &mut Keys) {
        let (id, scan, iq) = self.scanned(keys);
        let seed = self.seed();
        let reply = answer_pair_success(keys, &iq, seed).unwrap();
        self.send(id, &reply);
        assert!(
            matches!(self.outcome(scan), ScanOutcome::Linked { .. }),
            "{:?}",
            self.outcome(scan)
        );
        let restart = self.hear(id);
        assert_eq!(
            (restart.tag_str(), restart.get_u64("code")),
            ("stream:error", Some(515))
        );
        assert!(self.is_closed(id));
    }

    /// Logs in and reads `success` and the routing info.
    pub fn come_online(&mut self, keys: &mut Keys) -> ConnId {
        let id = self.login(keys);
        let success = self.hear(id);
        assert_eq!(success.tag_str(), "success", "{success:?}");
        if keys.routing.is_none() {
            let ib = self.hear(id);
            let info = child(child(&ib, "edge_routing"), "routing_info");
            keys.routing = info.get_bytes().map(<[u8]>::to_vec);
        }
        id
    }

    /// `active`; returns what came with it.
    pub fn activate(&mut self, id: ConnId) -> Vec<Node> {
        let active = request("active", "set", "passive", Some(Node::new("active")));
        let answer = self.ask(id, &active);
        assert_eq!(answer.get_text("type").as_deref(), Some("result"));
        self.heard(id)
            .into_iter()
            .map(|heard| match heard {
                Heard::Stanza(node) => node,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    pub fn remarks(&self) -> Vec<String> {
        self.world
            .remarks()
            .map(|remark| remark.what.to_string())
            .collect()
    }
}

pub fn refs_of(iq: &Node) -> Vec<String> {
    assert_eq!(iq.get_text("xmlns").as_deref(), Some("md"));
    child(iq, "pair-device")
        .get_children()
        .iter()
        .map(|node| {
            assert_eq!(node.tag_str(), "ref");
            String::from_utf8(node.get_bytes().unwrap().to_vec()).unwrap()
        })
        .collect()
}
