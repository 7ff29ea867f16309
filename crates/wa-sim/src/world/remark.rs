//! What clients did that the protocol does not allow, or that their author may want to know.

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::assertion::AssertionError;
use crate::names::{ConnId, PhoneNumber};

/// Most remarks kept; the oldest go first.
pub const MAX_REMARKS: usize = 1_024;

/// Most characters quoted of what a client says.
pub const MAX_QUOTE_LEN: usize = 200;

/// Something a client did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// On which connection.
    pub conn: ConnId,
    /// When, Unix milliseconds.
    pub at_unix_ms: u64,
    /// The account, if one is known.
    pub account: Option<PhoneNumber>,
    /// What.
    pub what: Misbehaviour,
}

/// What a client did. Serialized as its message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// The stream does not start as a client's does.
    #[error("no client's stream: {0}")]
    Preamble(String),
    /// The handshake failed.
    #[error("handshake: {0}")]
    Handshake(String),
    /// The handshake, or a step of it, did not come in time.
    #[error("no {0} in time")]
    Late(&'static str),
    /// A frame is longer than the server takes.
    #[error("frame: {0}")]
    Frame(String),
    /// A frame of the transport phase does not open.
    #[error("a frame does not open")]
    FrameAuthentication,
    /// A frame opens and holds no node.
    #[error("a frame holds no node: {0}")]
    Node(String),
    /// The client's payload is not a message.
    #[error("the client's payload does not decode")]
    Payload,
    /// The payload names no user and registers no device.
    #[error("the payload is neither a login nor a registration")]
    NeitherLoginNorRegistration,
    /// A field of the registration has the wrong size.
    #[error("{field} has {got} bytes instead of {expected}")]
    RegistrationLength {
        /// The field.
        field: &'static str,
        /// The size it must have.
        expected: usize,
        /// Its size; 0 when it is missing.
        got: usize,
    },
    /// A field of the registration has a value it may not have.
    #[error("{field} of the registration is wrong")]
    RegistrationValue {
        /// The field.
        field: &'static str,
    },
    /// The signature of the registration's signed prekey is wrong.
    #[error("the signature of the signed prekey does not verify")]
    SignedPrekeySignature,
    /// The client's version is lower than the server lets in.
    #[error("the client's version is too old")]
    OldVersion,
    /// A login of a device that is not linked.
    #[error("login of an unknown device")]
    UnknownDevice,
    /// A login with another static key than the one linked.
    #[error("login with another static key")]
    OtherStaticKey,
    /// The device was given routing info and did not send it.
    #[error("the routing preamble is missing or another one than was given")]
    RoutingPreamble,
    /// The pair-success was answered by an error.
    #[error("the companion refused the link: {code} {text}")]
    LinkRefused {
        /// The code.
        code: u16,
        /// The text.
        text: String,
    },
    /// The signed reply breaks a rule.
    #[error("signed reply: {0}")]
    SignedReply(#[from] SignedReplyError),
    /// The signed reply carries the account key, which is omitted by most.
    #[error("the signed reply carries the account key")]
    AccountKeyInReply,
    /// A second reply to pair-success.
    #[error("a second reply to pair-success")]
    SecondReply,
    /// An acknowledgement of another shape than the stanza asks for.
    #[error("the ack of a {class} has a wrong {attribute}")]
    AckShape {
        /// Class of the stanza.
        class: String,
        /// The attribute that is wrong.
        attribute: &'static str,
    },
    /// An acknowledgement of something that was not sent.
    #[error("an ack of nothing that waits for one")]
    AckOfNothing,
    /// An upload of keys that cannot be stored.
    #[error("keys: {0}")]
    Keys(String),
    /// The id of an uploaded one-time prekey was another key's before.
    #[error("the one-time prekey id {id} was another key's before")]
    PrekeyReused {
        /// The first such id of the upload.
        id: u32,
    },
    /// A code was scanned whose secret a refresh had voided, long enough after the refresh.
    #[error("a code with a secret that a refresh has voided")]
    VoidSecret,
    /// A request for or in a pairing ceremony breaks a rule.
    #[error("{request}: {rule}")]
    Ceremony {
        /// The request.
        request: &'static str,
        /// The rule.
        rule: CeremonyError,
    },
    /// The companion went on before it acknowledged a notification.
    #[error("no ack of a notification of type {kind} before what follows from it")]
    Unacknowledged {
        /// Its type.
        kind: &'static str,
    },
    /// A request the server does not know.
    #[error("unknown request {xmlns} {child}")]
    UnknownRequest {
        /// Its namespace.
        xmlns: String,
        /// The tag of its first child.
        child: String,
    },
    /// A stanza that has no place here.
    #[error("unexpected stanza {tag}")]
    UnexpectedStanza {
        /// Its tag.
        tag: String,
    },
}

/// A rule a companion breaks when it is linked by code or passkey (pairing chapter, B and C).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The companion is linked already.
    #[error("on a connection that is logged in")]
    Registered,
    /// The request has no place at this point.
    #[error("out of turn")]
    OutOfTurn,
    /// A field is missing.
    #[error("no {0}")]
    Missing(&'static str),
    /// A field has another size than the protocol writes.
    #[error("{field} has {got} bytes instead of {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// The size it must have.
        expected: usize,
        /// Its size.
        got: usize,
    },
    /// A field is longer than the server reads.
    #[error("{field} has {got} bytes, at most {limit} are read")]
    TooLong {
        /// The field.
        field: &'static str,
        /// The bound.
        limit: usize,
        /// Its size.
        got: usize,
    },
    /// A field has a value it may not have.
    #[error("{0} has a value it may not have")]
    Value(&'static str),
    /// The display is not `Browser (OS)`, of a browser and a real operating system.
    #[error("the display {0:?} is not `Browser (OS)` with a real operating system")]
    Display(String),
    /// The Noise key is not that of the connection.
    #[error("another Noise key than that of the connection")]
    OtherNoiseKey,
    /// The identity key is not that of the registration.
    #[error("another identity key than that of the registration")]
    OtherIdentity,
    /// The ref is not the one that was given.
    #[error("another ref than the one that was given")]
    UnknownRef,
    /// The bundle opens and does not say what it must.
    #[error("{0}")]
    Bundle(String),
    /// There is no challenge to answer: the options were not asked for, or the challenge is used up.
    #[error("no challenge waits for an answer")]
    NoChallenge,
    /// The assertion does not hold.
    #[error("the assertion does not hold: {0}")]
    Assertion(AssertionError),
    /// The prologue payload does not read.
    #[error("{0}")]
    Prologue(String),
    /// The device type is not the registration's.
    #[error("another device type than in the registration")]
    DeviceType,
    /// The handoff proof does not verify under the secret of the scanned or entered code.
    #[error("the handoff proof does not verify")]
    HandoffProof,
    /// The nonce is not the one that was committed to.
    #[error("the nonce is not the one committed to")]
    Commitment,
    /// The encrypted pairing request names the secret of the scanned or entered code.
    #[error("the secret is not a new one")]
    OldSecret,
    /// The encrypted pairing request cannot be used.
    #[error("{0}")]
    Request(String),
}

/// A rule the signed reply to pair-success breaks (pairing chapter, A.8 and D.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignedReplyError {
    /// Its id is not that of the pair-success.
    #[error("another id than that of the pair-success")]
    Id,
    /// It is not addressed to the server.
    #[error("not addressed to the server")]
    To,
    /// It has no `pair-device-sign` with a `device-identity`.
    #[error("no device-identity")]
    Missing,
    /// `key-index` is not the index of the details.
    #[error("another key-index than in the details")]
    KeyIndex,
    /// The identity is not a message.
    #[error("the identity does not decode")]
    Decode,
    /// Details or account signature are not the bytes that were sent.
    #[error("details or account signature were changed")]
    Changed,
    /// The account key is there, and is refused here.
    #[error("the account key is there")]
    AccountKey,
    /// The account key is there and is another one.
    #[error("the account key was changed")]
    OtherAccountKey,
    /// The device signature is missing or not 64 bytes long.
    #[error("no device signature of 64 bytes")]
    SignatureLength,
    /// The device signature does not verify.
    #[error("the device signature does not verify")]
    Signature,
}

impl Misbehaviour {
    /// The same with every text a client chose cut to [`MAX_QUOTE_LEN`].
    pub(super) fn shortened(mut self) -> Self {
        match &mut self {
            Self::Preamble(text)
            | Self::Handshake(text)
            | Self::Frame(text)
            | Self::Node(text)
            | Self::Keys(text)
            | Self::LinkRefused { text, .. }
            | Self::AckShape { class: text, .. }
            | Self::UnexpectedStanza { tag: text }
            | Self::Ceremony {
                rule:
                    CeremonyError::Display(text)
                    | CeremonyError::Bundle(text)
                    | CeremonyError::Prologue(text)
                    | CeremonyError::Request(text),
                ..
            } => shorten(text),
            Self::UnknownRequest { xmlns, child } => {
                shorten(xmlns);
                shorten(child);
            }
            _ => {}
        }
        self
    }
}

/// Cuts a text that a client chose.
pub(super) fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_QUOTE_LEN) {
        text.truncate(end);
        text.shrink_to_fit();
        text.push('…');
    }
}

impl Serialize for Misbehaviour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
