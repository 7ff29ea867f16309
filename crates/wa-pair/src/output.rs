use std::fmt;
use std::time::{Duration, Instant};

use wa_crypto::{AdvSecret, IdentityPublic};
use wa_proto::{Jid, Node};

use crate::{
    CodeEnd, CodeRefusal, LiveCode, PairError, PairJob, PairRequest, PairingCode, PasskeyChallenge,
    PasskeyEnd, QrCode, SignedIdentity,
};

/// What the machine wants done. The order is the contract: everything before a `Send` or `Request`
/// that is a `Persist…` must be durable before the stanza leaves.
#[non_exhaustive]
pub enum PairOutput {
    /// Write this stanza.
    Send(Node),
    /// Replace the stored ADV secret.
    PersistAdvSecret(AdvSecret),
    /// Store the link, all of it in one transaction.
    PersistPaired(Box<Paired>),
    /// Show this QR code instead of the one before.
    Qr(QrCode),
    /// Blank the QR code: it was scanned or its time is over.
    QrExpired,
    /// A phone answered; its credentials are being checked.
    Verifying,
    /// Ask the application, and call [`Pairing::approve`](crate::Pairing::approve).
    ApprovalNeeded(PairCandidate),
    /// The device is linked; the server restarts the connection next. Comes after the reply.
    Paired(PairSummary),
    /// The pair-success was refused. Comes after the error reply; the machine is done.
    Failed(PairError),
    /// No way to link is open any more: the connection has no further use.
    Exhausted,
    /// Write this iq, which has no id yet, and hand what comes of it to
    /// [`Pairing::handle_answer`](crate::Pairing::handle_answer).
    Request {
        /// To be handed back.
        request: PairRequest,
        /// The iq.
        stanza: Node,
        /// How long to wait for the answer.
        timeout: Duration,
    },
    /// Work that takes a while. Run it and hand the outcome to
    /// [`Pairing::handle_computed`](crate::Pairing::handle_computed), of this machine and no other.
    Compute(PairJob),
    /// The server has accepted this pairing code: show it.
    Code(LiveCode),
    /// The server did not accept a pairing code. None was shown.
    CodeRefused(CodeRefusal),
    /// The pairing code is worthless: take it off the screen. A link ends it without this.
    CodeEnded(CodeEnd),
    /// The server wants another code. Comes after [`CodeEnded`](Self::CodeEnded).
    CodeRefresh {
        /// The user has to ask for it; otherwise the application may.
        force_manual: bool,
    },
    /// The account wants its passkey: get an assertion and call
    /// [`Pairing::respond_passkey`](crate::Pairing::respond_passkey).
    PasskeyRequested(PasskeyChallenge),
    /// The phone has answered. With a code, the user compares it with the one on the phone, and the
    /// application calls [`Pairing::confirm_passkey`](crate::Pairing::confirm_passkey).
    PasskeyConfirmation {
        /// `None`: the handoff proof stands for it, and nothing is to be confirmed.
        code: Option<PairingCode>,
        /// When the machine stops waiting.
        deadline: Instant,
    },
    /// The passkey ceremony ended without a link.
    PasskeyEnded(PasskeyEnd),
    /// The restart the server asked for during a ceremony can be made now.
    RestartNow,
}

/// What is known about the account when the application is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct PairCandidate {
    /// The JID this device would get.
    pub jid: Jid,
    /// Its LID form.
    pub lid: Option<Jid>,
    /// Platform of the primary, as the server names it (`android`, `iphone`, `smba` …).
    pub platform: Option<String>,
    /// Name of the business.
    pub business_name: Option<String>,
}

/// The link, to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Paired {
    /// The JID of this device.
    pub jid: Jid,
    /// Its LID form. If absent it comes with the first login.
    pub lid: Option<Jid>,
    /// The signed device identity, all four fields.
    pub account: SignedIdentity,
    /// The key index of this device. It is not the device number.
    pub key_index: u32,
    /// Platform of the primary.
    pub platform: Option<String>,
    /// Name of the business.
    pub business_name: Option<String>,
    /// Identity key of the primary: that of device 0 of our own account.
    pub primary_identity: IdentityPublic,
    /// Whether the primary's chats use LIDs. `None` keeps what is stored for the same account.
    pub lid_migrated: Option<bool>,
    /// The server's clock, unix seconds.
    pub server_time: Option<u64>,
}

/// What the application is told about the link.
#[derive(Clone, PartialEq, Eq)]
pub struct PairSummary {
    /// The JID of this device.
    pub jid: Jid,
    /// Its LID form.
    pub lid: Option<Jid>,
    /// Platform of the primary.
    pub platform: Option<String>,
    /// Name of the business.
    pub business_name: Option<String>,
    /// The key index of this device.
    pub key_index: u32,
}

/// Outputs end in logs; stanzas, which name phone numbers, show their tag only.
impl fmt::Debug for PairOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, inner): (_, Option<&dyn fmt::Debug>) = match self {
            Self::Send(stanza) => return write!(f, "Send(<{}>)", stanza.tag_str()),
            Self::Request {
                request, timeout, ..
            } => {
                return f
                    .debug_struct("Request")
                    .field("request", request)
                    .field("timeout", timeout)
                    .finish_non_exhaustive();
            }
            Self::PasskeyConfirmation { code, deadline } => {
                return f
                    .debug_struct("PasskeyConfirmation")
                    .field("code", code)
                    .field("deadline", deadline)
                    .finish();
            }
            Self::CodeRefresh { force_manual } => {
                return f
                    .debug_struct("CodeRefresh")
                    .field("force_manual", force_manual)
                    .finish();
            }
            Self::PersistAdvSecret(secret) => ("PersistAdvSecret", Some(secret)),
            Self::PersistPaired(paired) => ("PersistPaired", Some(paired)),
            Self::Qr(code) => ("Qr", Some(code)),
            Self::QrExpired => ("QrExpired", None),
            Self::Verifying => ("Verifying", None),
            Self::ApprovalNeeded(candidate) => ("ApprovalNeeded", Some(candidate)),
            Self::Paired(summary) => ("Paired", Some(summary)),
            Self::Failed(error) => ("Failed", Some(error)),
            Self::Exhausted => ("Exhausted", None),
            Self::Compute(job) => ("Compute", Some(job)),
            Self::Code(code) => ("Code", Some(code)),
            Self::CodeRefused(refusal) => ("CodeRefused", Some(refusal)),
            Self::CodeEnded(end) => ("CodeEnded", Some(end)),
            Self::PasskeyRequested(challenge) => ("PasskeyRequested", Some(challenge)),
            Self::PasskeyEnded(end) => ("PasskeyEnded", Some(end)),
            Self::RestartNow => ("RestartNow", None),
        };
        match inner {
            Some(inner) => f.debug_tuple(name).field(inner).finish(),
            None => f.write_str(name),
        }
    }
}

impl fmt::Debug for PairCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "PairCandidate", &self.jid, self.platform.as_deref())
    }
}

impl fmt::Debug for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Paired", &self.jid, self.platform.as_deref())
    }
}

impl fmt::Debug for PairSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "PairSummary", &self.jid, self.platform.as_deref())
    }
}

/// Outputs end in logs; a phone number must not.
fn describe(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    jid: &Jid,
    platform: Option<&str>,
) -> fmt::Result {
    f.debug_struct(name)
        .field("jid", &format_args!("{}", jid.redacted()))
        .field("platform", &platform)
        .finish_non_exhaustive()
}
