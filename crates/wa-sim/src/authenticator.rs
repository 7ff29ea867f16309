//! A software authenticator: the passkey of one account, and the browser that asks for it.

use thiserror::Error;

/// Longest options taken, in bytes.
pub const MAX_OPTIONS_LEN: usize = 16 << 10;

/// Why an authenticator does not sign.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssertError {
    /// Longer than [`MAX_OPTIONS_LEN`].
    #[error("the options have {got} bytes, at most {limit} are read")]
    TooLong {
        /// Their length.
        got: usize,
        /// The bound.
        limit: usize,
    },
    /// They are not what `navigator.credentials.get` takes.
    #[error("the options cannot be used: {0}")]
    Options(String),
    /// They are of another relying party than the passkeys here.
    #[error("the passkeys are for {expected}, the options are of {got}")]
    OtherRelyingParty {
        /// The relying party of the passkeys.
        expected: &'static str,
        /// That of the options.
        got: String,
    },
    /// No account has a passkey the options name.
    #[error("no account has a passkey these options ask for")]
    NoPasskey,
}
