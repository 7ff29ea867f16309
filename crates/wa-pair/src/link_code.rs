//! Linking by pairing code (pairing chapter, B): what the application asks and hears, the keys, the
//! stanzas.

mod finish;
mod refusal;
mod request;
pub(crate) mod stanza;
mod wrapped;

pub(crate) use finish::Finish;
pub use refusal::{CodeRefusal, CodeRefusalKind, MAX_BACKOFF};
pub use request::{CodeEnd, CodeError, CodeRequest, LiveCode};
pub(crate) use wrapped::{IV_LEN, WrappedEphemeral};
