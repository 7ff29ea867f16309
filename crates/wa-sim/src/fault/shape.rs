//! What faults put in the place of what should be there.

use serde::{Deserialize, Serialize};

/// A frame no honest server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadFrame {
    /// A frame of random bytes: it does not open.
    Garbage,
    /// A header that announces the longest frame there is, and then only a few bytes of it.
    Oversize,
    /// A header that announces a frame of usual length, and only the half of it. Together with
    /// [`Fault::CloseAt`](crate::Fault::CloseAt) at the same step: a close in the middle of a frame.
    Half,
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
        /// A code beside it.
        #[serde(default)]
        code: Option<u16>,
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
    /// Neither a code nor a child.
    Bare,
    /// A child nobody knows.
    Other {
        /// Its tag.
        child: String,
    },
    /// `<xmlstreamend/>` instead of an error.
    StreamEnd,
}

/// What a `failure` says (login chapter, section 10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureStanza {
    /// The reason.
    pub reason: u16,
    /// Code of a temporary ban.
    #[serde(default)]
    pub code: Option<u16>,
    /// Seconds a temporary ban lasts.
    #[serde(default)]
    pub expire: Option<u64>,
    /// Where it was decided, such as `frc`.
    #[serde(default)]
    pub location: Option<String>,
    /// A text.
    #[serde(default)]
    pub message: Option<String>,
    /// An address to read more at.
    #[serde(default)]
    pub url: Option<String>,
    /// Heading of a text for the user.
    #[serde(default)]
    pub logout_message_header: Option<String>,
    /// The text under it.
    #[serde(default)]
    pub logout_message_subtext: Option<String>,
    /// The language of both.
    #[serde(default)]
    pub logout_message_locale: Option<String>,
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

/// What is wrong with the answer to a digest request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadDigest {
    /// Error 404: the server has nothing.
    Missing,
    /// The hash is of other keys.
    WrongHash,
    /// A result without a digest.
    Empty,
}

/// How a companion learns that its owner has removed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemovalNotice {
    /// The stream ends with code 401 and `device_removed`.
    #[default]
    Told,
    /// The socket closes first: the next login fails with 401.
    Closed,
    /// Not at all: the connection goes on, the next login fails with 401.
    Untold,
}

/// The class of a stanza that must be acknowledged (login chapter, 12.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StanzaClass {
    /// A message nobody can decrypt.
    Message,
    /// A read receipt.
    Receipt,
    /// A notification of a changed picture.
    Notification,
    /// A call that was offered.
    Call,
    /// One of each in turn.
    Mixed,
}

/// What is wrong with the account's own device list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadDeviceList {
    /// Nothing.
    #[default]
    Nothing,
    /// The hash is of another list.
    WrongHash,
    /// There is no hash.
    NoHash,
    /// The companion it is sent to is not on it; the hash is right.
    WithoutSelf,
    /// It comes from another account.
    OtherAccount,
    /// The signature of the key index list is wrong.
    BadSignature,
}

/// A stanza the server sends without being asked (login chapter, sections 4, 6, 7 and 12; pairing chapter, F).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Extra {
    /// New routing info; the next connection must start with it.
    EdgeRouting {
        /// How many bytes.
        #[serde(default = "routing_len")]
        bytes: u16,
    },
    /// A dirty mark.
    Dirty {
        /// Its type: `account_sync`, `groups`, `syncd_app_state`, `newsletter_metadata`.
        dirty: String,
        /// Its children.
        #[serde(default)]
        parts: Vec<String>,
    },
    /// This version stops working.
    ClientExpiration {
        /// In so many seconds.
        after: u64,
    },
    /// The phone knows no linked devices.
    DowngradeWebclient,
    /// Information about chats with waiting messages.
    ThreadMetadata,
    /// The priority part of the waiting stanzas is done.
    PriorityOfflineComplete,
    /// Notices to be accepted.
    Tos,
    /// Bytes for a recovery.
    RecoveryNonce,
    /// The account's own device list.
    Devices {
        /// What is wrong with it.
        #[serde(default)]
        problem: BadDeviceList,
    },
    /// The phone has a new identity key: the link was made with the old one.
    PrimaryIdentity,
    /// The server has this many one-time prekeys left, it says.
    PrekeyCount {
        /// The number.
        value: u32,
    },
    /// The companion is to compare its bundle with the server's.
    ValidateDigest,
    /// A stanza that must be acknowledged.
    Stanza {
        /// Of which class.
        class: StanzaClass,
    },
    /// A request nobody knows.
    UnknownRequest,
}

/// Bytes of routing info when a fault does not say how many.
const fn routing_len() -> u16 {
    8
}

impl Extra {
    /// Whether it is kept until the companion acknowledges it, which only one that is logged in does.
    pub(crate) fn needs_ack(&self) -> bool {
        matches!(
            self,
            Self::Devices { .. }
                | Self::PrimaryIdentity
                | Self::PrekeyCount { .. }
                | Self::ValidateDigest
                | Self::Stanza { .. }
        )
    }
}
