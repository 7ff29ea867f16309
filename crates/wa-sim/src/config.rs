//! What the simulated server can be told to do otherwise.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wa_crypto::Provider;

use crate::phone::QrForms;

/// How the simulated world behaves. The default follows the protocol chapters where they decide, and the
/// strictest reading that ordinary clients pass where they do not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorldConfig {
    /// Which cryptography the server and the phones use.
    pub provider: Provider,
    /// Most connections open at once; further ones are closed at once.
    pub max_connections: usize,
    /// Longest frame taken from a client. An upload of 812 prekeys has about 40 KiB.
    pub max_client_frame: usize,
    /// How long a client may take for each message of the handshake.
    pub handshake_timeout: Duration,
    /// How many refs pair-device carries (pairing chapter, A.1).
    pub refs: usize,
    /// How long after pair-device the server gives the connection up: six refs live 160 s (A.3).
    pub ref_window: Duration,
    /// How long a pairing code can be entered (pairing chapter, B.5).
    pub code_lifetime: Duration,
    /// How long a phone waits for the companion's answer to an entered code (pairing chapter, D.3).
    pub finish_timeout: Duration,
    /// How long a passkey ceremony may take; companions are told in the options (pairing chapter, C.3).
    pub passkey_timeout: Duration,
    /// The country companions are told they are in, by its ISO code.
    pub country: String,
    /// How long a companion may take for its signed reply to pair-success.
    pub sign_timeout: Duration,
    /// Most companions of one account, if there is a limit. The real one is 4.
    pub device_limit: Option<u16>,
    /// Whether the signed reply may carry the account key, which the chapter says to omit. The real server
    /// has taken it (A.8).
    pub account_key_in_reply: AccountKeyInReply,
    /// When the phone learns that a companion is linked: no source settles it (D.4).
    pub phone_answer: PhoneAnswer,
    /// Which QR forms the phones take.
    pub qr_forms: QrForms,
    /// How long a phone's owner takes between seeing a code and having scanned it.
    pub scan_delay: Duration,
    /// The time between the server's pings, if it pings.
    pub server_ping: Option<Duration>,
    /// How long a connection may say nothing at all before the server gives it up.
    pub idle_timeout: Duration,
    /// How long a companion may leave a stanza unacknowledged before the stream ends: roughly 50 minutes (login
    /// chapter, 12.1).
    pub ack_timeout: Option<Duration>,
    /// How long the socket stays open after a `stream:error`. A client that handles stanzas and the end of the socket in
    /// different places can miss the one when the other comes in the same instant. Zero: closed at once.
    pub close_linger: Duration,
    /// How long a phone takes for its next word in a passkey ceremony. Real ones are a network away, and clients
    /// rely on it: some settle on what they have sent only once the server has answered.
    pub phone_delay: Duration,
    /// Whether an IK hello is accepted. Otherwise the server falls back to XX.
    pub allow_ik: bool,
    /// Whether the server hands out routing info after a login, once per device.
    pub edge_routing: bool,
    /// Whether an unregistered connection is greeted with `success` too, as one simulator does.
    pub success_while_unregistered: bool,
    /// What an unknown request is answered with.
    pub unknown_iq: UnknownIq,
    /// The lowest client version let in; lower ones get `failure` 405.
    pub min_version: Option<[u32; 3]>,
    /// How long the certificate chain is valid to both sides of now.
    pub certificate_before: Duration,
    /// See [`Self::certificate_before`].
    pub certificate_after: Duration,
    /// The first number of the phones that are made without being asked for by number.
    pub first_number: u64,
}

/// Whether the account key may stand in the signed reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKeyInReply {
    /// Taken, and noted as a remark.
    #[default]
    Tolerated,
    /// The link fails.
    Refused,
}

/// When the phone believes in a companion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneAnswer {
    /// When the companion's signed reply was verified.
    #[default]
    AfterSignedReply,
    /// As soon as the server has sent pair-success.
    AtUpload,
}

/// What an unknown request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownIq {
    /// Error 501, `feature-not-implemented`.
    #[default]
    NotImplemented,
    /// An empty result.
    EmptyResult,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            provider: Provider::rust(),
            max_connections: 16_384,
            max_client_frame: 1 << 20,
            handshake_timeout: Duration::from_secs(20),
            refs: 6,
            ref_window: Duration::from_secs(180),
            code_lifetime: Duration::from_secs(180),
            finish_timeout: Duration::from_secs(120),
            passkey_timeout: Duration::from_secs(600),
            country: "US".to_owned(),
            sign_timeout: Duration::from_secs(30),
            device_limit: Some(4),
            account_key_in_reply: AccountKeyInReply::default(),
            phone_answer: PhoneAnswer::default(),
            qr_forms: QrForms::default(),
            scan_delay: Duration::ZERO,
            server_ping: Some(Duration::from_secs(25)),
            idle_timeout: Duration::from_secs(120),
            ack_timeout: Some(Duration::from_secs(50 * 60)),
            close_linger: Duration::ZERO,
            phone_delay: Duration::ZERO,
            allow_ik: true,
            edge_routing: true,
            success_while_unregistered: false,
            unknown_iq: UnknownIq::default(),
            min_version: None,
            certificate_before: Duration::from_secs(24 * 3_600),
            certificate_after: Duration::from_secs(10 * 365 * 24 * 3_600),
            first_number: 15_551_230_001,
        }
    }
}
