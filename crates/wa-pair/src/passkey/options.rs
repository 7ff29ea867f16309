use std::fmt;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use wa_crypto::constant_time_eq;
use zeroize::Zeroizing;

/// Longest options taken, in bytes; those seen have under 1 KiB. Ours.
pub const MAX_PASSKEY_OPTIONS_LEN: usize = 65_536;

/// The server's `PublicKeyCredentialRequestOptions`, kept letter for letter. They hold the challenge
/// that an assertion answers: wiped on drop, and their `Debug` shows nothing of them.
#[derive(Clone)]
pub struct PasskeyOptions {
    json: Zeroizing<String>,
    timeout: Option<Duration>,
}

impl PasskeyOptions {
    /// Checks options (pairing chapter, C.3) and keeps them as they are.
    ///
    /// # Errors
    /// [`PasskeyOptionsError`] for options that no authenticator should be asked with.
    pub fn parse(bytes: &[u8]) -> Result<Self, PasskeyOptionsError> {
        if bytes.len() > MAX_PASSKEY_OPTIONS_LEN {
            return Err(PasskeyOptionsError::TooLong {
                got: bytes.len(),
                limit: MAX_PASSKEY_OPTIONS_LEN,
            });
        }
        let json = std::str::from_utf8(bytes).map_err(|_| PasskeyOptionsError::NotJson)?;
        let options: Value =
            serde_json::from_str(json).map_err(|_| PasskeyOptionsError::NotJson)?;
        let options = options.as_object().ok_or(PasskeyOptionsError::NotJson)?;
        if !options.get("challenge").is_some_and(is_filled) {
            return Err(PasskeyOptionsError::Challenge);
        }
        if options.get("rpId").is_some_and(|id| !id.is_string()) {
            return Err(PasskeyOptionsError::RelyingParty);
        }
        if !options.get("allowCredentials").is_none_or(are_credentials) {
            return Err(PasskeyOptionsError::Credentials);
        }
        if !options
            .get("userVerification")
            .is_none_or(is_known_verification)
        {
            return Err(PasskeyOptionsError::UserVerification);
        }
        Ok(Self {
            json: Zeroizing::new(json.to_owned()),
            timeout: options
                .get("timeout")
                .and_then(Value::as_u64)
                .map(Duration::from_millis),
        })
    }

    /// The JSON text as the server sent it, to be handed to an authenticator. Do not log it.
    pub fn expose(&self) -> &str {
        &self.json
    }

    /// How long the server gives the authenticator.
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn are_credentials(list: &Value) -> bool {
    list.as_array().is_some_and(|list| {
        list.iter()
            .all(|entry| entry.get("id").is_some_and(is_filled))
    })
}

/// A level we do not know may be stricter than those we do: not ours to guess.
fn is_known_verification(value: &Value) -> bool {
    matches!(
        value.as_str(),
        Some("required" | "preferred" | "discouraged")
    )
}

impl fmt::Debug for PasskeyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasskeyOptions(..)")
    }
}

impl PartialEq for PasskeyOptions {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.json.as_bytes(), other.json.as_bytes())
    }
}

impl Eq for PasskeyOptions {}

/// Why options cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasskeyOptionsError {
    /// The answer holds none.
    #[error("none came")]
    Missing,
    /// Too many bytes.
    #[error("{got} bytes, at most {limit} are taken")]
    TooLong {
        /// Bytes received.
        got: usize,
        /// [`MAX_PASSKEY_OPTIONS_LEN`].
        limit: usize,
    },
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// No challenge, or an empty one.
    #[error("without a challenge")]
    Challenge,
    /// `rpId` is not a text.
    #[error("the relying party is not a text")]
    RelyingParty,
    /// A credential without an id.
    #[error("a credential without an id")]
    Credentials,
    /// A level of user verification nobody knows.
    #[error("an unknown level of user verification")]
    UserVerification,
}
