//! The server and its phones, without sockets and clocks.

mod ceremony;
mod code;
mod code_fields;
mod conn;
mod export;
mod extras;
mod fault_frames;
mod faults;
mod handshake;
mod iq;
mod iq_encrypt;
mod iq_md;
mod iq_usync;
mod linking;
mod login;
mod notify;
mod passkey;
mod passkey_iq;
mod phones;
mod registration;
mod remark;
mod send;
mod signed_reply;
mod stanza;
mod timers;
mod views;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_noise::{FrameDecoder, NoiseRoot};
use wa_proto::Decoder;

pub(crate) use self::code::CodeSession;
pub use self::code::MAX_CODES_PER_CONNECTION;
pub use self::conn::ConnInfo;
use self::conn::{Conn, Linking, Phase};
pub use self::export::{ImportError, STATE_VERSION, WorldState};
use self::handshake::ServerKeys;
pub use self::passkey::ConfirmError;
use self::phones::Scans;
pub use self::phones::{
    AddPhoneError, MAX_ACCOUNTS, ScanError, ScanFailure, ScanOutcome, UnlinkError,
};
pub use self::remark::{
    CeremonyError, MAX_QUOTE_LEN, MAX_REMARKS, Misbehaviour, Remark, SignedReplyError,
};
pub use self::send::MAX_BACKLOG_LEN;
use self::timers::{Timer, Timers};
pub use self::views::{AccountView, CodeWanted, CompanionView, DeviceView, PhoneView};
use crate::account::Account;
use crate::config::WorldConfig;
use crate::fault::{Fault, FaultBook, FaultRule, FaultScript, Step};
use crate::names::{ConnId, Now, PhoneNumber};

/// What the world wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldOutput {
    /// Send these bytes as one binary WebSocket message.
    Transmit(ConnId, Vec<u8>),
    /// Close the socket, after everything sent before. The world has forgotten the connection.
    Close(ConnId),
}

/// The simulated server and its phones.
///
/// It does no IO: open connections with [`World::open`], hand in what clients send with
/// [`World::handle_bytes`], tell when they go with [`World::handle_closed`], call
/// [`World::handle_timeout`] when [`World::poll_timeout`] is due, and after each of these, and after each
/// command, drain [`World::poll_output`] to `None`. Outputs are ordered.
pub struct World {
    config: WorldConfig,
    rng: ChaCha20Rng,
    now: Now,
    server: ServerKeys,
    conns: HashMap<ConnId, Conn>,
    last_conn: u64,
    accounts: BTreeMap<PhoneNumber, Account>,
    /// Every ref on offer, and who offers it.
    refs: HashMap<String, ConnId>,
    scans: Scans,
    faults: FaultBook,
    remarks: VecDeque<Remark>,
    timers: Timers,
    outputs: VecDeque<WorldOutput>,
    decoder: Decoder,
    /// What was said last on connections that are over, and is still to be sent.
    last_words: HashMap<ConnId, Vec<Vec<u8>>>,
    /// Counts the changes to what [`World::export`] holds.
    revision: u64,
}

impl World {
    /// A world with no account and no connection. All its randomness comes from `seed`.
    pub fn new(config: WorldConfig, seed: [u8; 32], now: Now) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let server = ServerKeys::generate(&config, now, &mut rng);
        Self {
            config,
            rng,
            now,
            server,
            conns: HashMap::new(),
            last_conn: 0,
            accounts: BTreeMap::new(),
            refs: HashMap::new(),
            scans: Scans::default(),
            faults: FaultBook::default(),
            remarks: VecDeque::new(),
            timers: Timers::default(),
            outputs: VecDeque::new(),
            decoder: Decoder::new(),
            last_words: HashMap::new(),
            revision: 0,
        }
    }

    /// A connection was accepted.
    pub fn open(&mut self, now: Now, info: ConnInfo) -> ConnId {
        self.now = now;
        self.last_conn += 1;
        let id = ConnId(self.last_conn);
        if self.conns.len() >= self.config.max_connections {
            self.outputs.push_back(WorldOutput::Close(id));
            return id;
        }
        self.conns.insert(id, Conn::new(id, info, now.instant));
        self.timers.set(
            now.instant + self.config.handshake_timeout,
            Timer::Handshake(id),
        );
        self.with_conn(id, |world, conn| {
            conn.split = world.take_fault(conn, |fault| match fault {
                Fault::SplitFrames { chunk } => Some((*chunk).max(1)),
                _ => None,
            });
            conn.join = world.has_fault(conn, &Fault::JoinFrames);
            world.at(conn, Step::Open);
        });
        id
    }

    /// A client sent bytes, in a WebSocket message or a part of one.
    pub fn handle_bytes(&mut self, now: Now, id: ConnId, bytes: &[u8]) {
        self.now = now;
        self.with_conn(id, |world, conn| {
            if conn.is_live() {
                conn.last_heard = now.instant;
                world.read(conn, bytes);
            }
        });
    }

    /// A connection is gone.
    pub fn handle_closed(&mut self, now: Now, id: ConnId) {
        self.now = now;
        self.last_words.remove(&id);
        if let Some(conn) = self.conns.remove(&id) {
            self.forget_conn(conn);
        }
    }

    /// The moment of [`World::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.now = now;
        while let Some(timer) = self.timers.due(now.instant) {
            match timer {
                Timer::Handshake(id) => self.with_conn(id, |world, conn| {
                    if conn.is_live() && conn.in_handshake() {
                        world.remark(conn, Misbehaviour::Late("handshake"));
                        world.close(conn);
                    }
                }),
                Timer::RefWindow(id) => self.with_conn(id, Self::ref_window_over),
                Timer::SignReply(id, scan) => {
                    self.with_conn(id, |world, conn| world.sign_reply_late(conn, scan));
                }
                Timer::Restart(id) => self.with_conn(id, Self::restart_now),
                Timer::Ping(id) => self.with_conn(id, Self::ping),
                // The connection is forgotten already; only its socket is still there.
                Timer::Close(id) => self.outputs.push_back(WorldOutput::Close(id)),
                Timer::LastWords(id) => self.say_last_words(id),
                Timer::Release(id) => self.with_conn(id, Self::release),
                Timer::Ack(id) => self.with_conn(id, Self::ack_due),
                Timer::Scan(scan) => self.scan_now(scan),
                Timer::CodeFinish(number, scan) => self.finish_late(number, scan),
                Timer::Passkey(id, scan) => self.with_conn(id, |world, conn| {
                    world.end_ceremony(conn, scan, ScanFailure::PasskeyTimeout);
                }),
                Timer::Confirm(id, scan) => {
                    self.with_conn(id, |world, conn| world.phone_confirms(conn, scan));
                }
                Timer::PhoneAnswer(id, scan) => {
                    self.with_conn(id, |world, conn| world.phone_answers(conn, scan));
                }
            }
        }
    }

    /// When [`World::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<WorldOutput> {
        self.outputs.pop_front()
    }

    /// Adds a fault. `false` when [`MAX_FAULTS`](crate::MAX_FAULTS) wait already.
    pub fn inject(&mut self, rule: impl Into<FaultRule>) -> bool {
        self.faults.add(rule.into())
    }

    /// Adds the faults of a script, all or none. `false` when there is no room for all of them.
    pub fn inject_script(&mut self, script: &FaultScript) -> bool {
        self.faults.add_all(script.rules())
    }

    /// Forgets all faults that wait. Connections already silenced stay silent.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The faults that wait.
    pub fn faults(&self) -> &[FaultRule] {
        self.faults.rules()
    }

    /// Those of them that have not struck yet. One that strikes for ever waits all the same when it has.
    pub fn untouched_faults(&self) -> impl Iterator<Item = &FaultRule> {
        self.faults.untouched()
    }

    /// What clients did wrong, oldest first; at most [`MAX_REMARKS`].
    pub fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter()
    }

    /// The root under which the server's certificates verify. Clients must be given it instead of the real
    /// one.
    pub fn noise_root(&self) -> NoiseRoot {
        self.server.root()
    }

    /// [`World::noise_root`] as 64 hexadecimal digits.
    pub fn noise_root_hex(&self) -> String {
        self.server.root_hex()
    }

    /// How the world was configured.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// Counts up whenever something changes that [`World::export`] holds.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn touch(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// Runs `step` on a connection taken out of the table, so that it can reach the rest of the world.
    fn with_conn(&mut self, id: ConnId, step: impl FnOnce(&mut Self, &mut Conn)) {
        let Some(mut conn) = self.conns.remove(&id) else {
            return;
        };
        step(self, &mut conn);
        if conn.is_closed() {
            self.forget_conn(conn);
        } else {
            self.conns.insert(id, conn);
        }
    }

    fn read(&mut self, conn: &mut Conn, bytes: &[u8]) {
        let Some(rest) = self.read_preamble(conn, bytes) else {
            return;
        };
        let mut frames = std::mem::take(&mut conn.frames);
        frames.push(rest);
        while conn.is_live() {
            frames.set_limit(self.frame_limit(conn));
            match frames.next_frame() {
                Ok(Some(body)) => self.read_frame(conn, body),
                Ok(None) => break,
                Err(error) => {
                    self.remark(conn, Misbehaviour::Frame(error.to_string()));
                    self.close(conn);
                }
            }
        }
        conn.frames = if conn.is_live() {
            frames
        } else {
            FrameDecoder::new()
        };
    }

    fn frame_limit(&self, conn: &Conn) -> usize {
        if conn.in_handshake() {
            wa_noise::MAX_HANDSHAKE_FRAME_LEN
        } else {
            self.config.max_client_frame
        }
    }

    fn read_frame(&mut self, conn: &mut Conn, body: &mut [u8]) {
        if conn.in_handshake() {
            self.read_handshake(conn, body);
            return;
        }
        let opened = match conn
            .transport
            .as_mut()
            .map(|transport| transport.open_frame(body))
        {
            Some(Ok(plaintext)) => plaintext,
            _ => {
                self.remark(conn, Misbehaviour::FrameAuthentication);
                self.close(conn);
                return;
            }
        };
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new());
        match decoder.decode(opened) {
            Ok(stanza) => self.read_stanza(conn, &stanza),
            Err(error) => {
                self.remark(conn, Misbehaviour::Node(error.to_string()));
                self.end_stream(conn, &crate::fault::StreamError::NotWellFormed);
            }
        }
        self.decoder = decoder;
    }

    fn remark(&mut self, conn: &Conn, what: Misbehaviour) {
        tracing::debug!(conn = conn.id.number(), %what, "remark");
        if self.remarks.len() >= MAX_REMARKS {
            self.remarks.pop_front();
        }
        self.remarks.push_back(Remark {
            conn: conn.id,
            at_unix_ms: self.now.unix_ms,
            account: conn.account,
            what: what.shortened(),
        });
    }

    /// Closes the connection after what was sent.
    fn close(&mut self, conn: &mut Conn) {
        if conn.is_closed() {
            return;
        }
        if !self.keeps_last_words(conn) {
            self.outputs.push_back(WorldOutput::Close(conn.id));
        }
        self.leave(conn);
    }

    /// What a delay holds back goes out when the delay is over, and the socket closes then.
    fn keeps_last_words(&mut self, conn: &mut Conn) -> bool {
        let Some(delay) = conn.delay.take() else {
            return false;
        };
        self.last_words.insert(conn.id, delay.backlog);
        self.timers.set(delay.until, Timer::LastWords(conn.id));
        true
    }

    fn say_last_words(&mut self, id: ConnId) {
        let Some(backlog) = self.last_words.remove(&id) else {
            return;
        };
        for bytes in backlog {
            self.outputs.push_back(WorldOutput::Transmit(id, bytes));
        }
        let at = self.now.instant + self.config.close_linger;
        self.timers.set(at, Timer::Close(id));
    }

    /// Ends the connection after a last word, which the client has time to act upon: the socket stays open a little.
    fn close_after_word(&mut self, conn: &mut Conn) {
        if self.config.close_linger.is_zero() || conn.is_closed() {
            return self.close(conn);
        }
        if !self.keeps_last_words(conn) {
            let at = self.now.instant + self.config.close_linger;
            self.timers.set(at, Timer::Close(conn.id));
        }
        self.leave(conn);
    }

    /// Everything that ends with a connection, from whichever side it ended.
    fn leave(&mut self, conn: &mut Conn) {
        match std::mem::replace(&mut conn.phase, Phase::Closed) {
            Phase::Registering(registration) => {
                for reference in &registration.refs {
                    self.refs.remove(reference);
                }
                if let Some(code) = registration.code {
                    self.forget_code(conn.id, code.number, ScanFailure::Closed);
                }
                match registration.linking {
                    Linking::Signing(signing) => self.link_failed(&signing, ScanFailure::Closed),
                    Linking::Passkey(ceremony) => {
                        let failure = ScanOutcome::Failed(ScanFailure::Closed);
                        self.scans.end(ceremony.scan, failure);
                    }
                    _ => {}
                }
            }
            Phase::Online(session) => {
                let now = self.now.unix_secs();
                let device = self
                    .accounts
                    .get_mut(&session.number)
                    .and_then(|account| account.devices.get_mut(&session.device));
                if let Some(device) = device
                    && device.online == Some(conn.id)
                {
                    device.online = None;
                    device.last_seen = now;
                    for waiting in &mut device.waiting {
                        waiting.sent = None;
                    }
                }
            }
            _ => {}
        }
    }

    fn forget_conn(&mut self, mut conn: Conn) {
        self.leave(&mut conn);
        tracing::debug!(
            conn = conn.id.number(),
            tls = conn.info.tls,
            "connection over"
        );
    }
}
