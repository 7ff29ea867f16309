use wa_pair::{CodeEnd, PairCandidate, PairingCode, PasskeyEnd, PasskeyOptions, QrText};
use wa_proto::Jid;

use crate::error::{CommandError, DisconnectReason, LogoutReason, PairingFailure, Trouble};
use crate::io::{OpId, OpOutcome};
use crate::state::{ConnectionState, Step};

/// A device of the own account.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LinkedDevice {
    /// Its JID.
    pub jid: Jid,
    /// Index of its key at the phone; the phone itself has none.
    pub key_index: Option<u32>,
    /// Whether it is this device.
    pub is_self: bool,
    /// Whether it is the phone.
    pub is_primary: bool,
}

impl LinkedDevice {
    /// A device with this address; whether it is the phone follows from that.
    #[must_use]
    pub fn new(jid: Jid, key_index: Option<u32>, is_self: bool) -> Self {
        Self {
            is_primary: jid.device() == 0,
            jid,
            key_index,
            is_self,
        }
    }
}

/// The devices of the own account.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LinkedDevices {
    /// All of them, the phone first.
    pub devices: Vec<LinkedDevice>,
    /// Whether the phone has signed which of them are live; if not, the server alone says so.
    pub signed: bool,
}

impl LinkedDevices {
    /// A list with these devices.
    #[must_use]
    pub const fn new(devices: Vec<LinkedDevice>, signed: bool) -> Self {
        Self { devices, signed }
    }
}

/// What the application is told, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The state has changed.
    State(ConnectionState),
    /// A step of linking or logging in has begun.
    Progress(Step),
    /// Show this code instead of the one before.
    Qr {
        /// Text of the code; a secret as long as it is live.
        text: QrText,
        /// Counts the codes of one connection from 1.
        seq: u32,
        /// How long it is live, from now.
        ttl: std::time::Duration,
        /// When it dies, wall clock in milliseconds.
        expires_at_unix_ms: u64,
    },
    /// The code on show is dead; blank it.
    QrBlanked,
    /// The server has accepted this pairing code: show it. It is on offer beside the QR code, with a clock of
    /// its own.
    PairingCode {
        /// What the user types on the phone; a secret as long as it is live.
        code: PairingCode,
        /// How long it is live, from now.
        ttl: std::time::Duration,
        /// When it dies, wall clock in milliseconds.
        expires_at_unix_ms: u64,
    },
    /// The pairing code on show is dead; take it off the screen. Another is not asked for by itself.
    PairingCodeEnded(CodeEnd),
    /// The server wants another pairing code in place of the one it has withdrawn.
    PairingCodeRefresh {
        /// The user has to ask for it; otherwise the application may by itself.
        force_manual: bool,
    },
    /// The account is guarded by a passkey: have its owner's authenticator sign these options, and answer with
    /// [`Command::RespondPasskey`](crate::Command::RespondPasskey).
    PasskeyRequested {
        /// For the authenticator, letter for letter as the server sent them.
        options: PasskeyOptions,
        /// When it is too late, wall clock in milliseconds.
        expires_at_unix_ms: u64,
    },
    /// The last step of linking by passkey.
    PasskeyConfirmation {
        /// The phone shows the same code if it is the owner's: let the user compare, and answer with
        /// [`Command::ConfirmPasskey`](crate::Command::ConfirmPasskey). `None`: a proof stands for the
        /// comparison, and it is confirmed already.
        code: Option<PairingCode>,
        /// When it is too late, wall clock in milliseconds.
        expires_at_unix_ms: u64,
    },
    /// Linking by passkey has ended without a link.
    PasskeyEnded(PasskeyEnd),
    /// A phone has linked; accept it with [`Command::ApprovePairing`](crate::Command::ApprovePairing).
    ApprovalNeeded(PairCandidate),
    /// Credentials are durable and the phone has its answer. Logging in comes next, by itself.
    Paired {
        /// Own device JID.
        jid: Jid,
        /// Own device JID in the LID space.
        lid: Option<Jid>,
        /// Platform of the phone.
        platform: Option<String>,
        /// Name of the business, for business accounts.
        business_name: Option<String>,
        /// Index of this device's key at the phone; not the device number.
        key_index: u32,
    },
    /// Logged in, prekeys in order, waiting stanzas asked for.
    Online {
        /// Own device JID.
        jid: Jid,
        /// Own device JID in the LID space.
        lid: Option<Jid>,
        /// Own name, if the server knows it.
        push_name: Option<String>,
    },
    /// A connection is over.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// The server's number for it.
        code: Option<u16>,
        /// When the next attempt starts, wall clock in milliseconds; `None`: not by itself.
        retry_at_unix_ms: Option<u64>,
    },
    /// The link is gone and the credentials are destroyed.
    LoggedOut {
        /// Why.
        reason: LogoutReason,
        /// For our own logout, whether the server confirmed it; `None`: it was not asked. Unless it is
        /// `Some(true)`, the owner should look at the list of linked devices on the phone.
        server_unlinked: Option<bool>,
    },
    /// The own account's devices, when the list is new to us. A device nobody
    /// remembers linking is to be removed on the phone.
    Devices {
        /// All of them.
        devices: Vec<LinkedDevice>,
        /// Whether the phone has signed which of them are live; if not, the server alone says so.
        signed: bool,
    },
    /// What waited at the server while we were away is here.
    CaughtUp {
        /// How many stanzas waited.
        stanzas: u64,
        /// Whether the server has said that it was all; if not, nothing more came for a while.
        complete: bool,
    },
    /// A logout that the server had not confirmed is settled; nothing of the link is left here.
    UnlinkFinished {
        /// Whether the server has unlinked the device. If not, the owner has to remove it on the phone.
        server_unlinked: bool,
    },
    /// A phone took part, but the link did not come about.
    PairingFailed(PairingFailure),
    /// Something went wrong that does not end the connection.
    Trouble(Trouble),
    /// A command is done. Exactly one for every accepted command.
    OpDone {
        /// Number of the command.
        op: OpId,
        /// What came of it.
        result: Result<OpOutcome, CommandError>,
    },
}
