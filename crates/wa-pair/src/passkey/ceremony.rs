use std::time::Instant;

use thiserror::Error;

use super::{PasskeyOptions, PasskeyOptionsError};
use crate::PairStep;

/// The server wants an assertion of the account's passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyChallenge {
    /// For the authenticator, as the server sent them.
    pub options: PasskeyOptions,
    /// When the machine stops waiting.
    pub deadline: Instant,
}

/// Where a ceremony is: what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasskeyStage {
    /// The server's options, which were not in its request.
    Options,
    /// The owner's authenticator.
    Assertion,
    /// The ref of the attempt.
    Ref,
    /// The server's check of the assertion.
    Prologue,
    /// The phone's ephemeral key.
    Primary,
    /// The server's receipt for our nonce.
    Nonce,
    /// The user's comparison of the codes.
    Confirmation,
    /// The server's receipt for the pairing request.
    PairingRequest,
    /// The pair-success.
    PairSuccess,
}

impl PasskeyStage {
    /// In words, for messages: what is waited for.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Options => "the passkey options",
            Self::Assertion => "the passkey assertion",
            Self::Ref => "the pairing ref",
            Self::Prologue => "the check of the assertion",
            Self::Primary => "the phone",
            Self::Nonce => "the receipt of the nonce",
            Self::Confirmation => "the confirmation of the code",
            Self::PairingRequest => "the receipt of the pairing request",
            Self::PairSuccess => "the end of the pairing",
        }
    }
}

/// Why a ceremony ended without a link. The connection stays usable unless
/// [`PairOutput::Exhausted`](crate::PairOutput::Exhausted) follows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasskeyEnd {
    /// Something did not come in time.
    #[error("timed out waiting for {}", stage.describe())]
    TimedOut {
        /// What was awaited.
        stage: PasskeyStage,
    },
    /// The application refused.
    #[error("the application refused the passkey link")]
    Refused,
    /// The server refused one of our requests.
    #[error("the server refused the {step}{}{}", of_code(*code), of_text(text.as_deref()))]
    RequestRefused {
        /// Which one.
        step: PairStep,
        /// Code of its error.
        code: Option<u16>,
        /// Text of its error, shortened.
        text: Option<String>,
    },
    /// The connection it was held on is over. The machine does not outlive its connection: whoever drives it
    /// says this.
    #[error("the connection of the passkey link is over")]
    ConnectionEnded,
    /// The options cannot be handed to an authenticator.
    #[error("the server's passkey options cannot be used: {0}")]
    BadOptions(PasskeyOptionsError),
    /// The server gave no usable ref.
    #[error("the server gave no usable ref for the passkey link")]
    BadRef,
    /// The phone's key or nonce has the wrong form.
    #[error("the phone's ephemeral key cannot be used")]
    BadPrimaryIdentity,
}

fn of_code(code: Option<u16>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

fn of_text(text: Option<&str>) -> String {
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

/// Why the application's answer was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasskeyError {
    /// No ceremony waits for it, or not any more.
    #[error("no passkey answer is awaited")]
    NotAsked,
}
