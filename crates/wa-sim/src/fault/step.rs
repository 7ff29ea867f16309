//! Where faults strike: moments of a connection, kinds of requests, kinds of stanzas.

use serde::{Deserialize, Serialize};

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
    /// A pairing code was asked for, nothing was answered.
    CompanionHello,
    /// The phone's owner entered the pairing code, `primary_hello` was not sent.
    CodeEntered,
    /// `primary_hello` was sent, `companion_finish` was not read.
    PrimaryHello,
    /// `companion_finish` was read, nothing was answered.
    CompanionFinish,
    /// The companion was told that a passkey is needed.
    PasskeyAsked,
    /// The companion asked for the passkey's options, nothing was answered.
    PasskeyOptions,
    /// The companion asked for a ref for its passkey, nothing was answered.
    PasskeyRef,
    /// `passkey_prologue` was read, nothing was answered.
    PasskeyPrologue,
    /// `crsc_continuation` was sent.
    PasskeyContinuation,
    /// `companion_nonce` was read, nothing was answered.
    PasskeyNonce,
    /// `encrypted_pairing_request` was read, nothing was answered.
    PasskeyRequest,
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

impl Step {
    /// Whether the handshake is still on: nothing can be sealed yet, and the account is not known.
    pub fn in_handshake(self) -> bool {
        matches!(self, Self::Open | Self::ClientHello | Self::ServerHello)
    }

    /// Whether the account is never known yet: nobody has scanned the refs, and the payload named no number.
    pub(crate) fn before_account(self) -> bool {
        self.in_handshake() || matches!(self, Self::PairDevice | Self::PairDeviceAck)
    }

    /// Whether a companion is logged in.
    pub fn in_login(self) -> bool {
        matches!(
            self,
            Self::Login
                | Self::Success
                | Self::Count
                | Self::Upload
                | Self::Digest
                | Self::Rotate
                | Self::Active
                | Self::Online
                | Self::Ping
                | Self::Logout
        )
    }
}

/// What a request of a companion asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IqKind {
    /// The prekey count.
    Count,
    /// A prekey upload.
    Upload,
    /// The bundle digest.
    Digest,
    /// A rotation of the signed prekey.
    Rotate,
    /// `active` or `passive`.
    Passive,
    /// The keep-alive ping.
    Ping,
    /// The companion's own removal.
    Logout,
    /// That a dirty mark is dealt with.
    Clean,
    /// A pairing code (`companion_hello`).
    CompanionHello,
    /// The end of linking by code (`companion_finish`).
    CompanionFinish,
    /// The passkey's options.
    PasskeyOptions,
    /// A ref for the passkey.
    PasskeyRef,
    /// The passkey's assertion (`passkey_prologue`).
    PasskeyPrologue,
    /// `companion_nonce`.
    PasskeyNonce,
    /// `encrypted_pairing_request`.
    PasskeyRequest,
    /// Any request.
    #[default]
    Any,
}

/// What the server is about to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StanzaKind {
    /// The answer to a request.
    Answer,
    /// The refs of a code.
    PairDevice,
    /// The phone's upload.
    PairSuccess,
    /// The answer to a login.
    Success,
    /// `stream:error`; the connection ends all the same.
    StreamError,
    /// A notification, whatever its type.
    Notification,
    /// A message.
    Message,
    /// A receipt.
    Receipt,
    /// A call.
    Call,
    /// The end of the waiting stanzas (`<ib><offline/></ib>`).
    OfflineEnd,
    /// Any other `ib`.
    Ib,
    /// The server's own ping.
    Ping,
    /// Any stanza at all.
    Any,
}
