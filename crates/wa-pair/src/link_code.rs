//! Linking by pairing code (pairing chapter, B): what the application asks and hears.

mod refusal;
mod request;

pub use refusal::{CodeRefusal, CodeRefusalKind, MAX_BACKOFF};
pub use request::{CodeEnd, CodeError, CodeRequest, LiveCode};
