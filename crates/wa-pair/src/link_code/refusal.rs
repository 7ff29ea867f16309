use std::time::Duration;

use thiserror::Error;
use wa_proto::NodeRef;

use crate::reply::error_code;

/// Longest `backoff` taken from the server: a day. Ours, so that what it says can be added to a clock.
pub const MAX_BACKOFF: Duration = Duration::from_secs(86_400);

/// The server's no to a code request (pairing chapter, B.4). The text says what the user can do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}{}", after(*backoff))]
pub struct CodeRefusal {
    /// What it was.
    pub kind: CodeRefusalKind,
    /// How long the server wants to be left alone, if it said so.
    pub backoff: Option<Duration>,
}

/// Kinds of [`CodeRefusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum CodeRefusalKind {
    /// 400: malformed, or too many requests for this number.
    #[error(
        "the server did not take the request: check the number; if it is right, wait before asking again, or scan the QR code"
    )]
    BadRequest,
    /// 403.
    #[error("the server refuses a pairing code for this number: scan the QR code")]
    Forbidden,
    /// 429.
    #[error("too many attempts: try again later, not at once")]
    RateLimited,
    /// 452.
    #[error("this account cannot be linked by code: scan the QR code")]
    NotAvailable,
    /// 500.
    #[error("the server failed: ask again later, or scan the QR code")]
    Server,
    /// An error that is none of these, or whose text belongs to another code.
    #[error("the server refused the request{}: scan the QR code, or ask again later", of_code(*code))]
    Unclassified {
        /// Its code, if it had one.
        code: Option<u16>,
    },
    /// No answer in time.
    #[error("the server did not answer: ask again")]
    NoAnswer,
    /// The server said yes without the ref that keys the code.
    #[error("the server's answer cannot be used: ask again, or scan the QR code")]
    NoRef,
}

fn of_code(code: Option<u16>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The pause the server wants, rounded up where it is in minutes.
fn after(backoff: Option<Duration>) -> String {
    match backoff.map(|pause| pause.as_secs()) {
        None | Some(0) => String::new(),
        Some(seconds @ 1..120) => format!(" (a new code: in {seconds} s)"),
        Some(seconds) => format!(" (a new code: in {} min)", seconds.div_ceil(60)),
    }
}

impl CodeRefusal {
    pub(crate) const fn without_backoff(kind: CodeRefusalKind) -> Self {
        Self {
            kind,
            backoff: None,
        }
    }

    /// Reads the `error` child of an iq.
    pub(crate) fn read(iq: &NodeRef<'_>) -> Self {
        let Some(error) = iq.child("error") else {
            return Self::without_backoff(CodeRefusalKind::Unclassified { code: None });
        };
        let code = error_code(iq);
        let text = error.attr_text("text");
        Self {
            kind: classify(code, text.as_deref()),
            backoff: error
                .attr_u64("backoff")
                .map(|seconds| Duration::from_secs(seconds).min(MAX_BACKOFF)),
        }
    }
}

/// Each code comes with one text; with another text it means something we do not know.
fn classify(code: Option<u16>, text: Option<&str>) -> CodeRefusalKind {
    let (kind, expected) = match code {
        Some(400) => (CodeRefusalKind::BadRequest, "bad-request"),
        Some(403) => (CodeRefusalKind::Forbidden, "forbidden"),
        Some(429) => (CodeRefusalKind::RateLimited, "rate-overlimit"),
        Some(452) => (CodeRefusalKind::NotAvailable, "feature-not-available"),
        Some(500) => (CodeRefusalKind::Server, "internal-server-error"),
        _ => return CodeRefusalKind::Unclassified { code },
    };
    if text.is_none_or(|text| text == expected) {
        kind
    } else {
        CodeRefusalKind::Unclassified { code }
    }
}
