//! What `failure` and `stream:error` mean (login chapter, sections 10 and 11).

use wa_proto::NodeRef;

use crate::error::{LogoutReason, StreamFault};

/// What to do about the end of a connection that the server has explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Destroy the credentials and stay away.
    LogOut(LogoutReason),
    /// Keep the credentials and stay away.
    GiveUp,
    /// Keep the credentials and come back with back-off.
    Retry,
    /// The same, some steps slower.
    RetrySlower,
    /// Come back at once.
    Restart,
    /// Another connection has the credentials.
    Conflict,
    /// The client version is too old.
    Outdated,
    /// Stay away for `seconds`.
    Restricted {
        code: Option<u16>,
        seconds: Option<u64>,
    },
}

/// A `failure` stanza.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) reason: u16,
    pub(crate) verdict: Verdict,
}

impl Failure {
    pub(crate) fn read(stanza: &NodeRef<'_>) -> Self {
        let number = |name| {
            stanza
                .attr_u64(name)
                .and_then(|value| u16::try_from(value).ok())
        };
        let reason = number("reason").unwrap_or(0);
        let verdict = match reason {
            401 => Verdict::LogOut(LogoutReason::NotAuthorized),
            402 => restriction(number("code"), stanza.attr_u64("expire")),
            403 => Verdict::LogOut(LogoutReason::AccountLocked),
            405 => Verdict::Outdated,
            406 => Verdict::LogOut(LogoutReason::Banned),
            500 | 503 => Verdict::Retry,
            _ => Verdict::GiveUp,
        };
        Self { reason, verdict }
    }
}

/// A 402 that names neither a code nor a time is an error like any other.
fn restriction(code: Option<u16>, seconds: Option<u64>) -> Verdict {
    if code.is_none() && seconds.is_none() {
        Verdict::GiveUp
    } else {
        Verdict::Restricted { code, seconds }
    }
}

/// A `stream:error` stanza: child `conflict` first, then `code`, then the other children.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StreamError {
    pub(crate) fault: StreamFault,
    pub(crate) verdict: Verdict,
}

impl StreamError {
    pub(crate) fn read(stanza: &NodeRef<'_>) -> Self {
        let code = stanza
            .attr_u64("code")
            .and_then(|code| u16::try_from(code).ok());
        if let Some(conflict) = stanza.child("conflict") {
            return Self::conflict(code, conflict.attr_text("type").as_deref());
        }
        if let Some(code) = code {
            let verdict = match code {
                401 => Verdict::LogOut(LogoutReason::NotAuthorized),
                409 => Verdict::Conflict,
                429 => Verdict::RetrySlower,
                515 => Verdict::Restart,
                516 => Verdict::LogOut(LogoutReason::Forced),
                _ => Verdict::Retry,
            };
            let fault = StreamFault::Code(code);
            return Self { fault, verdict };
        }
        let fault = if stanza.child("ack").is_some() {
            StreamFault::Unacked
        } else if stanza.child("xml-not-well-formed").is_some() {
            StreamFault::NotWellFormed
        } else {
            StreamFault::Unknown
        };
        let verdict = Verdict::Retry;
        Self { fault, verdict }
    }

    fn conflict(code: Option<u16>, kind: Option<&str>) -> Self {
        let (fault, verdict) = match kind {
            Some("replaced") => (StreamFault::Replaced, Verdict::Conflict),
            Some("device_removed") => (
                StreamFault::Code(code.unwrap_or(401)),
                Verdict::LogOut(LogoutReason::RemovedOnPhone),
            ),
            _ => (
                code.map_or(StreamFault::Unknown, StreamFault::Code),
                Verdict::LogOut(LogoutReason::Forced),
            ),
        };
        Self { fault, verdict }
    }
}
