//! What can be made to go wrong: the faults, where they strike, and the book that hands them out.

use serde::{Deserialize, Serialize};

use crate::names::PhoneNumber;

/// A moment in a connection's life at which a fault can strike. Each is named for what has just happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The WebSocket is open, nothing was read.
    Open,
    /// The ClientHello was read, nothing was answered.
    ClientHello,
    /// The ServerHello was sent.
    ServerHello,
    /// The client's payload was read, nothing was sent in the transport phase.
    ClientFinish,
    /// The refs were sent.
    PairDevice,
    /// The client acknowledged the refs.
    PairDeviceAck,
    /// A phone scanned the code, pair-success was not sent.
    Scanned,
    /// pair-success was sent, the signed reply was not read.
    PairSuccess,
    /// The signed reply was read and accepted, 515 was not sent.
    PairSign,
    /// A login was accepted, `success` was not sent.
    Login,
    /// `success` was sent.
    Success,
    /// The prekey count was asked for, nothing was answered.
    Count,
    /// Prekeys were uploaded and stored, nothing was answered.
    Upload,
    /// The bundle digest was asked for, nothing was answered.
    Digest,
    /// The signed prekey was rotated, nothing was answered.
    Rotate,
    /// `active` was read, nothing was answered.
    Active,
    /// The end of the waiting stanzas was announced: the client is online.
    Online,
    /// A `w:p` ping was read, nothing was answered.
    Ping,
    /// The companion asked to be removed, nothing was answered.
    Logout,
}

/// A frame no honest server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadFrame {
    /// A frame of random bytes: it does not open.
    Garbage,
    /// A header that announces the longest frame there is, and then only a few bytes of it.
    Oversize,
    /// A frame that opens to a node which ends in the middle.
    Truncated,
    /// A node in a node in a node.
    Deep {
        /// How many levels.
        depth: u32,
    },
    /// A compressed node that grows far beyond what was sent.
    ZipBomb {
        /// Length of the content after inflation, in bytes.
        inflated: u32,
    },
    /// A frame with no body at all.
    Empty,
}

/// Every form of `stream:error` (login chapter, section 11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamError {
    /// `<conflict type="replaced"/>`: another connection of the same device.
    Replaced,
    /// Code 401 with `<conflict type="device_removed"/>`: unlinked.
    DeviceRemoved,
    /// A conflict of any other type.
    Conflict {
        /// The type.
        conflict: String,
    },
    /// A bare code: 401, 409, 429, 500, 503, 515, 516.
    Code {
        /// The code.
        code: u16,
    },
    /// `<ack id class/>`: a stanza was not acknowledged.
    Ack {
        /// Id of the stanza.
        id: String,
        /// Its class.
        class: String,
    },
    /// `<xml-not-well-formed/>`.
    NotWellFormed,
    /// `<xmlstreamend/>` instead of an error.
    StreamEnd,
}

/// What kind of request an [`Fault::IqError`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IqKind {
    /// The prekey count.
    Count,
    /// A prekey upload; nothing is stored.
    Upload,
    /// The bundle digest.
    Digest,
    /// A rotation of the signed prekey; nothing is stored.
    Rotate,
    /// `active` or `passive`.
    Passive,
    /// The keep-alive ping.
    Ping,
    /// The companion's own removal; it stays linked.
    Logout,
    /// Any request of a logged-in companion.
    Any,
}

/// Which child the refresh notification carries; both mean the same (pairing chapter, A.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefreshChild {
    /// `<companion_reg_refresh/>`.
    #[default]
    CompanionRegRefresh,
    /// `<pair-device-rotate-qr/>`.
    PairDeviceRotateQr,
}

/// What is wrong with the `device-identity` of pair-success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadIdentity {
    /// The container is not a message at all.
    Undecodable,
    /// The container's inner bytes are not a message; their HMAC is right.
    InnerUndecodable,
    /// The details are not a message; signature and HMAC over them are right.
    DetailsUndecodable,
    /// No `device-identity` child.
    Missing,
    /// A child of length zero.
    Empty,
    /// More than the 500 bytes the official client takes.
    TooLong,
    /// The HMAC is missing.
    NoHmac,
    /// The account key has 31 bytes.
    ShortAccountKey,
    /// The details hold no key index.
    NoKeyIndex,
}

/// What is wrong with the certificate chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadCertificate {
    /// Signed under a root the client does not know.
    WrongRoot,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The leaf names another key than the server's.
    OtherKey,
    /// Not a chain at all.
    Undecodable,
}

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
    },
    /// The handshake ends well and the server then refuses with `failure`.
    Failure {
        /// The reason (login chapter, section 10).
        reason: u16,
        /// Code of a temporary ban.
        #[serde(default)]
        code: Option<u16>,
        /// Seconds a temporary ban lasts.
        #[serde(default)]
        expire: Option<u64>,
        /// Where it was decided, such as `frc`.
        #[serde(default)]
        location: Option<String>,
    },
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
    /// A request is answered by an error.
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
}

/// A fault with the rule when it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often; without it for ever.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How many chances are let pass first.
    #[serde(default)]
    pub skip: u32,
    /// Only on connections of this account. A connection belongs to none before its payload names one or
    /// a phone scanned its code, so handshake faults need this empty.
    #[serde(default)]
    pub account: Option<PhoneNumber>,
}

impl FaultRule {
    /// The fault at its next chance, once.
    pub fn once(fault: Fault) -> Self {
        Self {
            fault,
            times: Some(1),
            skip: 0,
            account: None,
        }
    }

    /// The fault at every chance.
    pub fn always(fault: Fault) -> Self {
        Self {
            times: None,
            ..Self::once(fault)
        }
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::once(fault)
    }
}

fn once() -> Option<u32> {
    Some(1)
}
