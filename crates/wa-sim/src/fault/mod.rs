//! What can be made to go wrong: the faults, where they strike, and the book that hands them out.

mod book;
mod rule;
mod script;
mod shape;
mod step;

use serde::{Deserialize, Serialize};

pub use self::book::MAX_FAULTS;
pub(crate) use self::book::{FaultBook, Place};
pub(crate) use self::rule::pause;
pub use self::rule::{
    FaultRule, MAX_DEPTH, MAX_FAULT_MS, MAX_INFLATED, MAX_ROUTING_LEN, RuleError,
};
pub use self::script::{FaultScript, MAX_SCRIPT_LEN, SCRIPT_VERSION, ScriptError, ScriptFileError};
pub use self::shape::{
    BadCertificate, BadDeviceList, BadDigest, BadFrame, BadIdentity, Extra, FailureStanza,
    RefreshChild, RemovalNotice, StanzaClass, StreamError,
};
pub use self::step::{IqKind, StanzaKind, Step};

/// Most refs a fault can ask for.
pub const MAX_REFS: usize = 64;

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The server closes the socket.
    CloseAt {
        /// When.
        step: Step,
    },
    /// The server neither reads nor writes any more and keeps the socket open.
    SilentAt {
        /// When.
        step: Step,
    },
    /// All the server sends on this connection from then on waits, and comes at once and in order
    /// when the time is over; it reads and acts meanwhile.
    DelayAt {
        /// When.
        step: Step,
        /// Milliseconds.
        ms: u64,
    },
    /// The server sends a frame no honest server sends, then goes on. Before the transport phase it is
    /// sent as it is; [`BadFrame::Truncated`], [`BadFrame::Deep`] and [`BadFrame::ZipBomb`] need the
    /// transport phase and are garbage before it.
    BadFrameAt {
        /// When.
        step: Step,
        /// Which frame.
        frame: BadFrame,
    },
    /// The server ends the stream with an error and closes.
    StreamErrorAt {
        /// When, in the transport phase.
        step: Step,
        /// Which error.
        error: StreamError,
        /// The server goes on as if it had said nothing.
        #[serde(default)]
        keep_open: bool,
    },
    /// The server sends a stanza without being asked, then goes on.
    Push {
        /// When, in the transport phase.
        step: Step,
        /// Which stanza.
        stanza: Extra,
    },
    /// A stanza is not sent.
    Drop {
        /// Which.
        stanza: StanzaKind,
        /// Of answers: to which request.
        #[serde(default)]
        request: IqKind,
    },
    /// A stanza is sent after the next one of its connection instead of before it.
    Hold {
        /// Which.
        stanza: StanzaKind,
        /// Of answers: to which request.
        #[serde(default)]
        request: IqKind,
    },
    /// A stanza is sent twice.
    Duplicate {
        /// Which.
        stanza: StanzaKind,
        /// Of answers: to which request.
        #[serde(default)]
        request: IqKind,
    },
    /// The handshake ends well and the server then refuses with `failure`.
    Failure(FailureStanza),
    /// A wrong certificate chain. The client must not send its payload.
    Certificate {
        /// What is wrong with it.
        problem: BadCertificate,
    },
    /// An IK hello is answered by XXfallback although it could be opened.
    RefuseIk,
    /// Every frame is cut into messages of this many bytes.
    SplitFrames {
        /// Bytes per message, at least 1.
        chunk: usize,
    },
    /// All frames of one step come in one message.
    JoinFrames,
    /// pair-device carries this many refs.
    Refs {
        /// How many.
        count: usize,
    },
    /// The server gives up a registration connection after this time instead of the usual.
    RefWindow {
        /// Milliseconds.
        ms: u64,
    },
    /// The first scan is answered by a refresh notification instead of pair-success.
    RefreshOnScan {
        /// Which child it carries.
        #[serde(default)]
        child: RefreshChild,
    },
    /// The HMAC of pair-success is wrong.
    BadHmac,
    /// The account signature of pair-success is wrong; the HMAC over it is right.
    BadAccountSignature,
    /// The `device-identity` of pair-success is malformed.
    Identity {
        /// In which way.
        problem: BadIdentity,
    },
    /// The restart comes late.
    RestartDelay {
        /// Milliseconds.
        ms: u64,
    },
    /// The restart never comes and the socket stays open.
    RestartNever,
    /// A request is answered by an error; nothing is done about it.
    IqError {
        /// Which request.
        request: IqKind,
        /// The code (login chapter, section 3).
        code: u16,
        /// The text.
        #[serde(default)]
        text: Option<String>,
        /// Seconds to wait, as an attribute.
        #[serde(default)]
        backoff: Option<u64>,
    },
    /// The answer to a digest request is not what the companion has uploaded.
    Digest {
        /// In which way.
        problem: BadDigest,
    },
    /// The server has fewer one-time prekeys of the companion.
    UsePrekeys {
        /// When, of a login.
        step: Step,
        /// How many are left.
        keep: usize,
        /// The companion is told that it runs low.
        #[serde(default)]
        told: bool,
    },
    /// The owner removes the companion on the phone.
    RemoveDevice {
        /// When: `pair_sign`, or a step of a login.
        step: Step,
        /// How the companion learns of it.
        #[serde(default)]
        notice: RemovalNotice,
    },
    /// At a login, stanzas wait for the companion.
    OfflineBatch {
        /// Of which class.
        class: StanzaClass,
        /// How many.
        count: usize,
    },
    /// The server does not hear an ack, or a receipt that stands for one.
    LoseAck,
    /// From a login on, a stanza that is not acknowledged for this long ends the stream.
    AckLimit {
        /// Milliseconds.
        ms: u64,
    },
}

impl Fault {
    /// `failure` with this reason and nothing else.
    pub fn failure(reason: u16) -> Self {
        Self::Failure(FailureStanza {
            reason,
            ..FailureStanza::default()
        })
    }

    /// The stream ends with this error.
    pub fn stream_error(step: Step, error: StreamError) -> Self {
        Self::StreamErrorAt {
            step,
            error,
            keep_open: false,
        }
    }
}
