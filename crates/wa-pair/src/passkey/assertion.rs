use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::Value;
use thiserror::Error;
use wa_crypto::constant_time_eq;
use zeroize::Zeroizing;

/// Longest assertion JSON taken, in bytes; an assertion has 1 to 2 KiB. Ours.
pub const MAX_ASSERTION_JSON_LEN: usize = 65_536;

/// Longest credential id, in bytes (WebAuthn, section 4).
pub const MAX_CREDENTIAL_ID_LEN: usize = 1023;

/// Longest user handle, in bytes (WebAuthn, section 5.4.3).
pub const MAX_USER_HANDLE_LEN: usize = 64;

/// Longest other part of an assertion, in bytes. Ours.
pub const MAX_ASSERTION_FIELD_LEN: usize = 8192;

/// WebAuthn writes no padding; tools that add it mean the same.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the owner's authenticator signed. Whoever has it can answer the challenge in our place: wiped
/// on drop, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PasskeyAssertion {
    raw_id: Vec<u8>,
    client_data_json: Zeroizing<Vec<u8>>,
    authenticator_data: Zeroizing<Vec<u8>>,
    signature: Zeroizing<Vec<u8>>,
    user_handle: Option<Zeroizing<Vec<u8>>>,
}

impl PasskeyAssertion {
    /// From its binary parts.
    ///
    /// # Errors
    /// [`AssertionError`] when a part is empty or too long.
    pub fn from_parts(
        raw_id: &[u8],
        client_data_json: &[u8],
        authenticator_data: &[u8],
        signature: &[u8],
        user_handle: Option<&[u8]>,
    ) -> Result<Self, AssertionError> {
        let user_handle = match user_handle {
            None | Some([]) => None,
            Some(handle) => Some(bounded("userHandle", handle, MAX_USER_HANDLE_LEN)?),
        };
        Ok(Self {
            raw_id: bounded("rawId", raw_id, MAX_CREDENTIAL_ID_LEN)?.to_vec(),
            client_data_json: bounded("clientDataJSON", client_data_json, MAX_ASSERTION_FIELD_LEN)?,
            authenticator_data: bounded(
                "authenticatorData",
                authenticator_data,
                MAX_ASSERTION_FIELD_LEN,
            )?,
            signature: bounded("signature", signature, MAX_ASSERTION_FIELD_LEN)?,
            user_handle,
        })
    }

    /// From the JSON that `navigator.credentials.get()` gives with `toJSON()`. Fields beyond those the
    /// protocol names are left out.
    ///
    /// # Errors
    /// [`AssertionError`] saying what is wrong with it.
    pub fn from_json(json: &str) -> Result<Self, AssertionError> {
        if json.len() > MAX_ASSERTION_JSON_LEN {
            return Err(AssertionError::TooLong {
                field: "assertion",
                got: json.len(),
                limit: MAX_ASSERTION_JSON_LEN,
            });
        }
        let value: Value = serde_json::from_str(json).map_err(|_| AssertionError::NotJson)?;
        if !value.is_object() {
            return Err(AssertionError::NotJson);
        }
        if value.get("type").is_some_and(|kind| kind != "public-key") {
            return Err(AssertionError::Type);
        }
        let response = value
            .get("response")
            .ok_or(AssertionError::Missing { field: "response" })?;
        let raw_id = match value.get("rawId") {
            Some(_) => decoded(&value, "rawId")?,
            None => decoded(&value, "id")?,
        };
        if value.get("id").is_some() && *decoded(&value, "id")? != *raw_id {
            return Err(AssertionError::IdMismatch);
        }
        let user_handle = match response.get("userHandle") {
            None | Some(Value::Null) => None,
            Some(_) => Some(decoded(response, "userHandle")?),
        };
        Self::from_parts(
            &raw_id,
            &decoded(response, "clientDataJSON")?,
            &decoded(response, "authenticatorData")?,
            &decoded(response, "signature")?,
            user_handle.as_ref().map(|handle| handle.as_slice()),
        )
    }

    /// The raw credential id.
    pub fn raw_id(&self) -> &[u8] {
        &self.raw_id
    }

    /// The JSON the server gets (pairing chapter, C.3). Do not log it.
    pub fn to_json(&self) -> Zeroizing<String> {
        let encode = |bytes: &[u8]| Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
        let id = encode(&self.raw_id);
        let client_data = encode(&self.client_data_json);
        let authenticator_data = encode(&self.authenticator_data);
        let signature = encode(&self.signature);
        let user_handle = self.user_handle.as_ref().map(|handle| encode(handle));
        let handle = user_handle
            .as_ref()
            .map_or("null", |handle| handle.as_str());
        let quote = if user_handle.is_some() { "\"" } else { "" };
        let parts = [
            "{\"id\":\"",
            &id,
            "\",\"rawId\":\"",
            &id,
            "\",\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"",
            &client_data,
            "\",\"authenticatorData\":\"",
            &authenticator_data,
            "\",\"signature\":\"",
            &signature,
            "\",\"userHandle\":",
            quote,
            handle,
            quote,
            "}}",
        ];
        // The whole capacity at once, so that no half-written copy is left behind.
        let mut json = Zeroizing::new(String::with_capacity(parts.iter().map(|p| p.len()).sum()));
        for part in parts {
            json.push_str(part);
        }
        json
    }
}

fn decoded(object: &Value, field: &'static str) -> Result<Zeroizing<Vec<u8>>, AssertionError> {
    let text = object
        .get(field)
        .and_then(Value::as_str)
        .ok_or(AssertionError::Missing { field })?;
    BASE64URL
        .decode(text)
        .map(Zeroizing::new)
        .map_err(|_| AssertionError::Base64 { field })
}

fn bounded(
    field: &'static str,
    bytes: &[u8],
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, AssertionError> {
    if bytes.is_empty() {
        return Err(AssertionError::Missing { field });
    }
    if bytes.len() > limit {
        return Err(AssertionError::TooLong {
            field,
            got: bytes.len(),
            limit,
        });
    }
    Ok(Zeroizing::new(bytes.to_vec()))
}

impl fmt::Debug for PasskeyAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasskeyAssertion(..)")
    }
}

impl PartialEq for PasskeyAssertion {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.to_json().as_bytes(), other.to_json().as_bytes())
    }
}

impl Eq for PasskeyAssertion {}

/// Why something is not an assertion.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// A part is not there, not a text, or empty.
    #[error("{field} is missing or empty")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A part is longer than it can be.
    #[error("{field} has {got} bytes, at most {limit} are taken")]
    TooLong {
        /// Its name.
        field: &'static str,
        /// Bytes given.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A part is not base64url.
    #[error("{field} is not base64url")]
    Base64 {
        /// Its name.
        field: &'static str,
    },
    /// `type` is not `public-key`.
    #[error("not an assertion of a public key")]
    Type,
    /// `id` is not the text of `rawId`.
    #[error("id and rawId name different credentials")]
    IdMismatch,
}
