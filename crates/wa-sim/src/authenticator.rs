//! A software authenticator: the passkey of one account, and the browser that asks for it (pairing chapter, C.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde::Deserialize;
use thiserror::Error;
use wa_crypto::{CryptoRng, sha256};
use zeroize::Zeroizing;

/// Longest options taken, in bytes.
pub const MAX_OPTIONS_LEN: usize = 16 << 10;
/// The relying party of every passkey here.
pub(crate) const RELYING_PARTY: &str = "whatsapp.com";
/// The page whose browser asks.
const ORIGIN: &str = "https://web.whatsapp.com";

/// Bytes of a challenge.
pub(crate) const CHALLENGE_LEN: usize = 32;
/// Bytes of a credential id.
pub(crate) const CREDENTIAL_LEN: usize = 20;
/// Bytes of a user handle.
pub(crate) const USER_HANDLE_LEN: usize = 16;

/// The user was there.
pub(crate) const USER_PRESENT: u8 = 0x01;
/// The user was verified, by a fingerprint for example.
pub(crate) const USER_VERIFIED: u8 = 0x04;

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

/// The options of `navigator.credentials.get`, as far as they matter here.
pub(crate) struct Options {
    pub(crate) challenge: Vec<u8>,
    /// The credentials one of which is to sign; empty when any may.
    pub(crate) allowed: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOptions {
    challenge: String,
    rp_id: Option<String>,
    #[serde(default)]
    allow_credentials: Vec<RawCredential>,
    user_verification: Option<String>,
}

#[derive(Deserialize)]
struct RawCredential {
    id: String,
}

impl Options {
    pub(crate) fn parse(text: &str) -> Result<Self, AssertError> {
        if text.len() > MAX_OPTIONS_LEN {
            return Err(AssertError::TooLong {
                got: text.len(),
                limit: MAX_OPTIONS_LEN,
            });
        }
        let wrong = |what: &str| AssertError::Options(what.to_owned());
        let raw: RawOptions =
            serde_json::from_str(text).map_err(|error| AssertError::Options(error.to_string()))?;
        let challenge = URL_SAFE_NO_PAD
            .decode(&raw.challenge)
            .ok()
            .filter(|challenge| !challenge.is_empty())
            .ok_or_else(|| wrong("the challenge is empty or not base64url"))?;
        if let Some(got) = raw.rp_id.filter(|rp_id| rp_id != RELYING_PARTY) {
            return Err(AssertError::OtherRelyingParty {
                expected: RELYING_PARTY,
                got,
            });
        }
        let verification = raw.user_verification.as_deref().unwrap_or("preferred");
        if !["required", "preferred", "discouraged"].contains(&verification) {
            return Err(wrong("userVerification has an unknown value"));
        }
        let allowed = raw
            .allow_credentials
            .iter()
            .map(|credential| {
                URL_SAFE_NO_PAD
                    .decode(&credential.id)
                    .ok()
                    .filter(|id| !id.is_empty())
                    .ok_or_else(|| wrong("a credential id is empty or not base64url"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { challenge, allowed })
    }
}

/// One account's passkey. The authenticator's half and what the server registered of it are both here.
pub(crate) struct Passkey {
    pub(crate) credential: [u8; CREDENTIAL_LEN],
    pub(crate) user_handle: [u8; USER_HANDLE_LEN],
    secret: SigningKey,
    /// How often it has signed.
    pub(crate) counter: u32,
    /// The counter the server saw last.
    pub(crate) seen: u32,
}

impl Passkey {
    pub(crate) fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut credential = [0; CREDENTIAL_LEN];
        let mut user_handle = [0; USER_HANDLE_LEN];
        rng.fill_bytes(&mut credential);
        rng.fill_bytes(&mut user_handle);
        let mut bytes = Zeroizing::new([0; 32]);
        // All but about one in 2^32 draws are keys.
        let secret = loop {
            rng.fill_bytes(bytes.as_mut_slice());
            if let Ok(secret) = SigningKey::from_slice(bytes.as_slice()) {
                break secret;
            }
        };
        Self {
            credential,
            user_handle,
            secret,
            counter: 0,
            seen: 0,
        }
    }

    /// `None` when the bytes are no key.
    pub(crate) fn restore(
        credential: [u8; CREDENTIAL_LEN],
        user_handle: [u8; USER_HANDLE_LEN],
        secret: &[u8; 32],
        counter: u32,
        seen: u32,
    ) -> Option<Self> {
        Some(Self {
            credential,
            user_handle,
            secret: SigningKey::from_slice(secret).ok()?,
            counter,
            seen,
        })
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.to_bytes().to_vec())
    }

    pub(crate) fn public(&self) -> &VerifyingKey {
        self.secret.verifying_key()
    }

    /// The options a server sends (pairing chapter, C.3), in the order seen live.
    pub(crate) fn request_options(
        &self,
        challenge: &[u8; CHALLENGE_LEN],
        timeout_ms: u128,
        discoverable: bool,
    ) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let allowed = if discoverable {
            String::new()
        } else {
            format!(
                r#"{{"id":"{}","type":"public-key","transports":["hybrid","internal"]}}"#,
                URL_SAFE_NO_PAD.encode(self.credential)
            )
        };
        format!(
            r#"{{"challenge":"{challenge}","timeout":{timeout_ms},"rpId":"{RELYING_PARTY}","allowCredentials":[{allowed}],"userVerification":"required","extensions":{{"uvm":true}}}}"#
        )
    }

    /// What the browser hands to the page once the user has agreed.
    pub(crate) fn assertion(&mut self, challenge: &[u8]) -> String {
        self.counter = self.counter.saturating_add(1);
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"{ORIGIN}","crossOrigin":false}}"#,
            URL_SAFE_NO_PAD.encode(challenge)
        );
        let mut data = sha256(&[RELYING_PARTY.as_bytes()]).to_vec();
        data.push(USER_PRESENT | USER_VERIFIED);
        data.extend_from_slice(&self.counter.to_be_bytes());
        let signed = [data.as_slice(), &sha256(&[client_data.as_bytes()])].concat();
        let signature: Signature = self.secret.sign(&signed);
        let id = URL_SAFE_NO_PAD.encode(self.credential);
        format!(
            r#"{{"id":"{id}","rawId":"{id}","type":"public-key","response":{{"clientDataJSON":"{}","authenticatorData":"{}","signature":"{}","userHandle":"{}"}}}}"#,
            URL_SAFE_NO_PAD.encode(client_data),
            URL_SAFE_NO_PAD.encode(data),
            URL_SAFE_NO_PAD.encode(signature.to_der()),
            URL_SAFE_NO_PAD.encode(self.user_handle),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::vectors::{ceremonies, hex};

    fn options(change: impl FnOnce(&mut serde_json::Value)) -> Result<Options, AssertError> {
        let vectors = ceremonies();
        let text = vectors["passkey_json"]["request_options"].as_str().unwrap();
        let mut value = serde_json::from_str(text).unwrap();
        change(&mut value);
        Options::parse(&value.to_string())
    }

    #[test]
    fn options_read_as_the_vector_says() {
        let vectors = ceremonies();
        let options = options(|_| {}).unwrap();
        assert_eq!(
            options.challenge,
            hex(&vectors["passkey_json"]["challenge"])
        );
        assert_eq!(
            options.allowed,
            [hex(&vectors["passkey_json"]["credential_id"])]
        );
    }

    #[test]
    fn options_that_no_browser_takes_are_refused() {
        assert!(matches!(
            options(|options| options["challenge"] = "".into()),
            Err(AssertError::Options(_))
        ));
        assert!(matches!(
            options(|options| options["userVerification"] = "always".into()),
            Err(AssertError::Options(_))
        ));
        assert!(matches!(
            options(|options| options["allowCredentials"][0]["id"] = "".into()),
            Err(AssertError::Options(_))
        ));
        assert!(matches!(
            options(|options| options["rpId"] = "example.com".into()),
            Err(AssertError::OtherRelyingParty { .. })
        ));
        assert!(options(|options| options["rpId"] = serde_json::Value::Null).is_ok());
    }

    #[test]
    fn options_are_read_up_to_their_bound() {
        let mut text = r#"{"challenge":"AAAA"}"#.to_owned();
        text.push_str(&" ".repeat(MAX_OPTIONS_LEN - text.len()));
        assert!(Options::parse(&text).is_ok());
        text.push(' ');
        assert_eq!(
            Options::parse(&text).err(),
            Some(AssertError::TooLong {
                got: MAX_OPTIONS_LEN + 1,
                limit: MAX_OPTIONS_LEN
            })
        );
    }
}
