//! Linking by passkey (pairing chapter, C): what the application is asked and gives, the keys, the
//! stanzas.

mod assertion;
mod ceremony;
mod exchange;
mod handoff;
mod options;
pub(crate) mod stanza;

pub use assertion::{
    AssertionError, MAX_ASSERTION_FIELD_LEN, MAX_ASSERTION_JSON_LEN, MAX_CREDENTIAL_ID_LEN,
    MAX_USER_HANDLE_LEN, PasskeyAssertion,
};
pub use ceremony::{PasskeyChallenge, PasskeyEnd, PasskeyError, PasskeyStage};
pub(crate) use exchange::{Agreed, CompanionOffer, PrimaryIdentity};
pub(crate) use handoff::HandoffKey;
pub use options::{MAX_PASSKEY_OPTIONS_LEN, PasskeyOptions, PasskeyOptionsError};
