//! Why a command was not carried out, as a program reads it.

use std::time::Duration;

use serde_json::Value;
use wa_client::{ClientError, CodeRefusal, CodeRefusalKind, CommandError};

use super::Message;

/// Every code a command about codes and passkeys can be answered with.
#[cfg(test)]
pub(super) const CODES: [&str; 18] = [
    "bad_number",
    "bad_code",
    "bad_assertion",
    "already_linked",
    "code_outstanding",
    "code_bad_request",
    "code_forbidden",
    "code_not_available",
    "code_rate_limited",
    "code_server_failed",
    "code_no_answer",
    "code_bad_answer",
    "code_refused",
    "code_ended",
    "no_pairing_code",
    "no_passkey_asked",
    "not_now",
    "command_failed",
];

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: &'static str,
    message: String,
    backoff: Option<Duration>,
    remaining_ms: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            backoff: None,
            remaining_ms: None,
        }
    }

    /// The line that answers the command.
    pub(crate) fn into_line(self, cmd: &str, id: Option<Value>) -> String {
        Message::Error {
            code: self.code,
            message: self.message,
            backoff_s: self.backoff.map(|backoff| backoff.as_secs()),
            remaining_ms: self.remaining_ms,
            cmd: Some(cmd),
            id,
        }
        .into_line()
    }
}

impl From<&ClientError> for Refusal {
    fn from(error: &ClientError) -> Self {
        let ClientError::Command(command) = error else {
            return Self::new("command_failed", error.to_string());
        };
        let code = match command {
            CommandError::AlreadyLinked => "already_linked",
            CommandError::CodeOutstanding { .. } => "code_outstanding",
            CommandError::CodeRefused(refusal) => refusal_code(refusal),
            CommandError::CodeEnded(_) => "code_ended",
            CommandError::NoPairingCode => "no_pairing_code",
            CommandError::NoPasskeyAsked => "no_passkey_asked",
            CommandError::NotNow => "not_now",
            _ => "command_failed",
        };
        let mut refusal = Self::new(code, command.to_string());
        match command {
            CommandError::CodeRefused(CodeRefusal { backoff, .. }) => refusal.backoff = *backoff,
            CommandError::CodeOutstanding { remaining_ms } => {
                refusal.remaining_ms = Some(*remaining_ms);
            }
            _ => {}
        }
        refusal
    }
}

fn refusal_code(refusal: &CodeRefusal) -> &'static str {
    match refusal.kind {
        CodeRefusalKind::BadRequest => "code_bad_request",
        CodeRefusalKind::Forbidden => "code_forbidden",
        CodeRefusalKind::RateLimited => "code_rate_limited",
        CodeRefusalKind::NotAvailable => "code_not_available",
        CodeRefusalKind::Server => "code_server_failed",
        CodeRefusalKind::NoAnswer => "code_no_answer",
        CodeRefusalKind::NoRef => "code_bad_answer",
        _ => "code_refused",
    }
}
