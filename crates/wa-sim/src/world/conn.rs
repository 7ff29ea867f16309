//! One connection as the server sees it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic, constant_time_eq};
use wa_noise::{AwaitClientFinish, FrameDecoder, PreambleDecoder, Transport};
use wa_proto::Node;
use wa_signal::PublicSignedPrekey;

use super::passkey::Ceremony;
use crate::fault::IqKind;
use crate::names::{ConnId, PhoneNumber, ScanId};
use crate::phone::Upload;

/// What is known of a connection before its first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnInfo {
    /// Where it comes from.
    pub remote: Option<SocketAddr>,
    /// Whether it came over TLS.
    pub tls: bool,
}

/// Most notifications whose acks are awaited; the oldest go first.
const MAX_NOTICES: usize = 32;
/// Most scanned secrets remembered of a registration; the oldest go first.
const MAX_SCANNED: usize = 32;

pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) info: ConnInfo,
    pub(super) phase: Phase,
    pub(super) frames: FrameDecoder,
    pub(super) transport: Option<Transport>,
    /// The routing preamble the client sent.
    pub(super) routing: Option<Vec<u8>>,
    /// The account the connection belongs to, once its payload named one or a phone scanned its code.
    pub(super) account: Option<PhoneNumber>,
    pub(super) last_heard: Instant,
    /// A fault made the server stop reading and writing here.
    pub(super) silent: bool,
    /// A fault cuts what is sent into messages of this size.
    pub(super) split: Option<usize>,
    /// A fault joins what is sent in one step into one message.
    pub(super) join: bool,
    /// A fault holds back what is sent.
    pub(super) delay: Option<Delay>,
    /// A stanza a fault holds back until the next one is sent.
    pub(super) held: Option<Node>,
    /// The request that is being answered.
    pub(super) answering: Option<IqKind>,
    /// How long a stanza may go unacknowledged here.
    pub(super) ack_limit: Option<Duration>,
    /// Stanzas sent here so far, for ids.
    pub(super) stanzas: u64,
}

/// What is sent waits until then.
pub(super) struct Delay {
    pub(super) until: Instant,
    pub(super) backlog: Vec<Vec<u8>>,
    /// Bytes in it.
    pub(super) held_back: usize,
}

pub(super) enum Phase {
    Preamble {
        decoder: PreambleDecoder,
        seen: usize,
    },
    Hello {
        prologue: [u8; 4],
    },
    Finish(Box<AwaitClientFinish>),
    Registering(Box<Registration>),
    Online(Session),
    /// The last words are sent and the socket is to be closed.
    Closed,
}

/// An unregistered companion that shows its code.
pub(super) struct Registration {
    pub(super) noise: NoiseStaticPublic,
    pub(super) identity: IdentityPublic,
    pub(super) registration: u32,
    pub(super) signed_prekey: PublicSignedPrekey,
    pub(super) props: Vec<u8>,
    pub(super) refs: Vec<String>,
    /// Id of the pair-device request that was not acknowledged yet.
    pub(super) unacknowledged: Option<String>,
    /// Notifications that were not acknowledged yet, oldest first.
    notices: VecDeque<Notice>,
    /// The secrets of the codes that were scanned here, oldest first.
    pub(super) scanned: VecDeque<Scanned>,
    /// When the companion was told last to renew its secret.
    pub(super) refreshed: Option<Instant>,
    /// The pairing code that was asked for here last.
    pub(super) code: Option<LiveCode>,
    /// How many codes were asked for here.
    pub(super) codes_asked: u32,
    pub(super) linking: Linking,
}

/// A secret a phone has read off a code.
pub(super) struct Scanned {
    pub(super) secret: AdvSecret,
    /// A refresh came after it.
    pub(super) void: bool,
}

/// A notification whose ack is awaited.
struct Notice {
    id: String,
    kind: &'static str,
}

/// A pairing code a companion shows, as its connection knows it.
pub(super) struct LiveCode {
    pub(super) number: PhoneNumber,
    pub(super) reference: String,
}

/// How far a registration has come.
pub(super) enum Linking {
    /// Codes are on show.
    Offered,
    /// pair-success was sent.
    Signing(Box<Signing>),
    /// The account's passkey was asked for.
    Passkey(Box<Ceremony>),
    /// The companion is linked; only the restart is missing.
    Linked,
    /// pair-success was answered wrongly or by an error; nothing more comes.
    Failed,
}

/// A pair-success whose signed reply is awaited.
pub(super) struct Signing {
    pub(super) scan: ScanId,
    pub(super) iq: String,
    pub(super) number: PhoneNumber,
    pub(super) device: u16,
    pub(super) upload: Upload,
}

/// A logged-in companion.
pub(super) struct Session {
    pub(super) number: PhoneNumber,
    pub(super) device: u16,
    /// Whether waiting stanzas may be sent.
    pub(super) active: bool,
    /// How many waiting stanzas were announced, once they were.
    pub(super) announced: Option<usize>,
    /// Whether the end of the waiting stanzas was announced.
    pub(super) drained: bool,
}

impl Conn {
    pub(super) fn new(id: ConnId, info: ConnInfo, now: Instant) -> Self {
        Self {
            id,
            info,
            phase: Phase::Preamble {
                decoder: PreambleDecoder::new(),
                seen: 0,
            },
            frames: FrameDecoder::with_limit(wa_noise::MAX_HANDSHAKE_FRAME_LEN),
            transport: None,
            routing: None,
            account: None,
            last_heard: now,
            silent: false,
            split: None,
            join: false,
            delay: None,
            held: None,
            answering: None,
            ack_limit: None,
            stanzas: 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether the server still reads and writes here.
    pub(super) fn is_live(&self) -> bool {
        !self.silent && !self.is_closed()
    }

    pub(super) fn in_handshake(&self) -> bool {
        matches!(
            self.phase,
            Phase::Preamble { .. } | Phase::Hello { .. } | Phase::Finish(_)
        )
    }

    pub(super) fn registration(&mut self) -> Option<&mut Registration> {
        match &mut self.phase {
            Phase::Registering(registration) => Some(registration),
            _ => None,
        }
    }

    pub(super) fn ceremony(&self) -> Option<&Ceremony> {
        match &self.phase {
            Phase::Registering(registration) => match &registration.linking {
                Linking::Passkey(ceremony) => Some(ceremony),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn ceremony_mut(&mut self) -> Option<&mut Ceremony> {
        match &mut self.registration()?.linking {
            Linking::Passkey(ceremony) => Some(ceremony),
            _ => None,
        }
    }

    /// Whether a code is on show here.
    pub(super) fn shows_code(&self) -> bool {
        self.is_live()
            && matches!(
                &self.phase,
                Phase::Registering(registration) if matches!(registration.linking, Linking::Offered)
            )
    }

    /// The companion that is logged in here.
    pub(super) fn own(&self) -> Option<(PhoneNumber, u16)> {
        match &self.phase {
            Phase::Online(session) => Some((session.number, session.device)),
            _ => None,
        }
    }

    pub(super) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.phase {
            Phase::Online(session) => Some(session),
            _ => None,
        }
    }
}

impl Registration {
    /// A registration of these keys that shows nothing yet.
    pub(super) fn new(
        noise: NoiseStaticPublic,
        identity: IdentityPublic,
        registration: u32,
        signed_prekey: PublicSignedPrekey,
        props: Vec<u8>,
    ) -> Self {
        Self {
            noise,
            identity,
            registration,
            signed_prekey,
            props,
            refs: Vec::new(),
            unacknowledged: None,
            notices: VecDeque::new(),
            scanned: VecDeque::new(),
            refreshed: None,
            code: None,
            codes_asked: 0,
            linking: Linking::Offered,
        }
    }

    /// A refresh voids every secret a phone has read here. Those it has not read are unknown to the simulator.
    pub(super) fn void_secrets(&mut self, now: Instant) {
        for scanned in &mut self.scanned {
            scanned.void = true;
        }
        self.refreshed = Some(now);
    }

    /// Notes the secret of a scanned code. `false` when a refresh has voided it.
    pub(super) fn note_secret(&mut self, secret: &AdvSecret) -> bool {
        let same =
            |known: &&Scanned| constant_time_eq(known.secret.expose_bytes(), secret.expose_bytes());
        if let Some(known) = self.scanned.iter().find(same) {
            return !known.void;
        }
        if self.scanned.len() >= MAX_SCANNED {
            self.scanned.pop_front();
        }
        self.scanned.push_back(Scanned {
            secret: secret.clone(),
            void: false,
        });
        true
    }

    pub(super) fn await_ack(&mut self, id: String, kind: &'static str) {
        if self.notices.len() >= MAX_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(Notice { id, kind });
    }

    /// The type of the notification an ack names, whose ack is awaited no longer.
    pub(super) fn acknowledged(&mut self, id: &str) -> Option<&'static str> {
        let index = self.notices.iter().position(|notice| notice.id == id)?;
        self.notices.remove(index).map(|notice| notice.kind)
    }

    pub(super) fn awaits_ack(&self, kind: &str) -> bool {
        self.notices.iter().any(|notice| notice.kind == kind)
    }
}
