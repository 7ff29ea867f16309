use std::time::{Duration, Instant};

use thiserror::Error;

use crate::{PairingCode, PhoneNumber};

/// A pairing code the application wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRequest {
    /// The account to link with.
    pub number: PhoneNumber,
    /// The code to use; `None` draws one.
    pub custom: Option<PairingCode>,
    /// Whether the phone shows a notification that asks for the code.
    pub push: bool,
}

impl CodeRequest {
    /// A random code, and the phone is told.
    pub const fn new(number: PhoneNumber) -> Self {
        Self {
            number,
            custom: None,
            push: true,
        }
    }
}

/// A code the server has accepted: show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCode {
    /// What the user types on the phone.
    pub code: PairingCode,
    /// When the code is worthless.
    pub deadline: Instant,
    /// The time left, seen from the moment it was emitted.
    pub ttl: Duration,
}

/// Why no code was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodeError {
    /// A code lives: the server knows one code per number, and a second would kill the first
    /// silently. Cancel it, or wait.
    #[error("a pairing code is outstanding for another {} s", remaining.as_secs())]
    Outstanding {
        /// Until it ends by itself, at the latest.
        remaining: Duration,
    },
    /// The device is being linked or is linked, or the pairing has failed.
    #[error("no pairing code can be asked for now")]
    NotNow,
}

/// Why a code is no longer good. Take it off the screen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodeEnd {
    /// Nobody typed it in time.
    #[error("the pairing code expired")]
    Expired,
    /// [`Pairing::cancel_code`](crate::Pairing::cancel_code).
    #[error("the pairing code was cancelled")]
    Cancelled,
    /// It was typed, and then the phone fell silent: usually it was typed wrong, which the phone tells
    /// its user only.
    #[error("the phone did not finish linking; the code was probably typed wrong")]
    NoPairSuccess,
    /// The server refused what the phone should have got.
    #[error("the server refused to finish linking{}: ask for a new code, or scan the QR code", of_code(*code))]
    FinishRefused {
        /// The code of its error.
        code: Option<u16>,
    },
    /// The phone began more often than a code allows, and did not finish.
    #[error("too many attempts with one pairing code: ask for a new one, and type it once")]
    TooManyAttempts,
    /// The server wants a new one.
    #[error("the server withdrew the pairing code")]
    ReplacedByServer,
    /// The connection it was live on is over. The machine does not outlive its connection: whoever drives it
    /// says this.
    #[error("the connection of the pairing code is over")]
    ConnectionEnded,
    /// The account goes on with a passkey.
    #[error("linking goes on with a passkey")]
    PasskeyBegan,
}

fn of_code(code: Option<u16>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}
