//! What a server checks of a WebAuthn assertion (pairing chapter, C.3 and D.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Verifier as _;
use serde::Deserialize;
use thiserror::Error;
use wa_crypto::{constant_time_eq, sha256};

use crate::authenticator::{Passkey, RELYING_PARTY, USER_PRESENT, USER_VERIFIED};

/// Longest assertion read, in bytes.
pub const MAX_ASSERTION_LEN: usize = 16 << 10;

/// Hash of the relying party, flags, counter.
const FIXED_LEN: usize = 37;
/// Attested data or extensions follow the fixed part.
const MORE_FOLLOWS: u8 = 0xc0;

/// A rule an assertion breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// Longer than [`MAX_ASSERTION_LEN`].
    #[error("longer than {MAX_ASSERTION_LEN} bytes")]
    TooLong,
    /// Not the JSON of an assertion.
    #[error("not the JSON of an assertion")]
    Json,
    /// A binary field is not base64url without padding.
    #[error("{0} is not base64url without padding")]
    Base64(&'static str),
    /// `type` is not `public-key`.
    #[error("type is not public-key")]
    Type,
    /// `id`, `rawId` and the credential id beside the assertion differ.
    #[error("id, rawId and credential_id differ")]
    IdsDiffer,
    /// The account has another passkey.
    #[error("the account has no such passkey")]
    UnknownCredential,
    /// The user handle is another one, or missing where the options named no passkey.
    #[error("the user handle is not that of the passkey")]
    UserHandle,
    /// `clientDataJSON` is no JSON of its kind.
    #[error("clientDataJSON does not read")]
    ClientData,
    /// The client data is for something else than an assertion.
    #[error("clientDataJSON is not of type webauthn.get")]
    ClientDataType,
    /// Another challenge than the one issued last.
    #[error("another challenge than the one issued")]
    Challenge,
    /// A page of somebody else.
    #[error("the origin is no page of {RELYING_PARTY}")]
    Origin,
    /// A page within a page of somebody else.
    #[error("the assertion was made across origins")]
    CrossOrigin,
    /// The authenticator data is cut short, or too long for its flags.
    #[error("the authenticator data has a wrong length")]
    AuthenticatorData,
    /// Another relying party.
    #[error("the authenticator data is of another relying party")]
    RelyingParty,
    /// The user was not there.
    #[error("the user was not present")]
    UserPresent,
    /// The user was not verified, which the options require.
    #[error("the user was not verified")]
    UserVerified,
    /// The signature does not verify, or is none.
    #[error("the signature does not verify")]
    Signature,
    /// The counter is not above the last one.
    #[error("the signature counter did not go up")]
    Counter,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAssertion {
    id: String,
    raw_id: String,
    r#type: String,
    response: RawResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// What the server asked for.
pub(crate) struct Asked<'a> {
    pub(crate) challenge: &'a [u8],
    /// Whether the options named no passkey.
    pub(crate) discoverable: bool,
}

/// Verifies an assertion by the account's passkey and remembers its counter.
pub(crate) fn verify(
    passkey: &mut Passkey,
    asked: &Asked<'_>,
    credential_id: &[u8],
    assertion: &[u8],
) -> Result<(), AssertionError> {
    if assertion.len() > MAX_ASSERTION_LEN {
        return Err(AssertionError::TooLong);
    }
    let raw: RawAssertion = serde_json::from_slice(assertion).map_err(|_| AssertionError::Json)?;
    if raw.r#type != "public-key" {
        return Err(AssertionError::Type);
    }
    let raw_id = decode("rawId", &raw.raw_id)?;
    if raw.id != raw.raw_id || raw_id != credential_id {
        return Err(AssertionError::IdsDiffer);
    }
    if raw_id != passkey.credential {
        return Err(AssertionError::UnknownCredential);
    }
    match &raw.response.user_handle {
        Some(handle) if decode("userHandle", handle)? == passkey.user_handle => {}
        None if !asked.discoverable => {}
        _ => return Err(AssertionError::UserHandle),
    }
    let client_data = decode("clientDataJSON", &raw.response.client_data)?;
    check_client_data(&client_data, asked.challenge)?;
    let data = decode("authenticatorData", &raw.response.authenticator_data)?;
    let counter = check_authenticator_data(&data)?;
    let signature = decode("signature", &raw.response.signature)?;
    let signature = Signature::from_der(&signature).map_err(|_| AssertionError::Signature)?;
    let signed = [data.as_slice(), &sha256(&[&client_data])].concat();
    passkey
        .public()
        .verify(&signed, &signature)
        .map_err(|_| AssertionError::Signature)?;
    checked_counter(counter, passkey.seen)?;
    passkey.seen = counter;
    Ok(())
}

/// It goes up. An authenticator that does not count says 0 for ever.
fn checked_counter(counter: u32, seen: u32) -> Result<(), AssertionError> {
    if counter > seen || (counter, seen) == (0, 0) {
        Ok(())
    } else {
        Err(AssertionError::Counter)
    }
}

fn check_client_data(bytes: &[u8], challenge: &[u8]) -> Result<(), AssertionError> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| AssertionError::ClientData)?;
    if data.r#type != "webauthn.get" {
        return Err(AssertionError::ClientDataType);
    }
    let said = decode("the challenge", &data.challenge)?;
    if !constant_time_eq(&said, challenge) {
        return Err(AssertionError::Challenge);
    }
    if !is_own_page(&data.origin) {
        return Err(AssertionError::Origin);
    }
    if data.cross_origin {
        return Err(AssertionError::CrossOrigin);
    }
    Ok(())
}

/// `https`, on the relying party's host or one below it.
fn is_own_page(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("https://") else {
        return false;
    };
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    let below = host
        .strip_suffix(RELYING_PARTY)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    plain && below
}

/// Returns the signature counter.
fn check_authenticator_data(data: &[u8]) -> Result<u32, AssertionError> {
    let (Some((party, rest)), true) = (data.split_at_checked(32), data.len() >= FIXED_LEN) else {
        return Err(AssertionError::AuthenticatorData);
    };
    let [flags, counter @ ..] = rest else {
        return Err(AssertionError::AuthenticatorData);
    };
    let (counter, more) = counter
        .split_first_chunk::<4>()
        .ok_or(AssertionError::AuthenticatorData)?;
    if (flags & MORE_FOLLOWS == 0) != more.is_empty() {
        return Err(AssertionError::AuthenticatorData);
    }
    if party != sha256(&[RELYING_PARTY.as_bytes()]) {
        return Err(AssertionError::RelyingParty);
    }
    if flags & USER_PRESENT == 0 {
        return Err(AssertionError::UserPresent);
    }
    if flags & USER_VERIFIED == 0 {
        return Err(AssertionError::UserVerified);
    }
    Ok(u32::from_be_bytes(*counter))
}

fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, AssertionError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| AssertionError::Base64(name))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::phone::vectors::{ceremonies, hex};

    const CHALLENGE: [u8; 32] = [5; 32];

    fn passkey() -> Passkey {
        Passkey::generate(&mut ChaCha20Rng::seed_from_u64(1))
    }

    fn check(passkey: &mut Passkey, assertion: &str) -> Result<(), AssertionError> {
        let asked = Asked {
            challenge: &CHALLENGE,
            discoverable: false,
        };
        let credential = passkey.credential;
        verify(passkey, &asked, &credential, assertion.as_bytes())
    }

    /// An assertion with something changed in it, without a new signature.
    fn changed(change: impl FnOnce(&mut Value)) -> Result<(), AssertionError> {
        let mut passkey = passkey();
        let mut value = serde_json::from_str(&passkey.assertion(&CHALLENGE)).unwrap();
        change(&mut value);
        check(&mut passkey, &value.to_string())
    }

    fn client_data(change: impl FnOnce(&mut Value)) -> Result<(), AssertionError> {
        changed(|value| {
            let field = &mut value["response"]["clientDataJSON"];
            let bytes = URL_SAFE_NO_PAD.decode(field.as_str().unwrap()).unwrap();
            let mut data = serde_json::from_slice(&bytes).unwrap();
            change(&mut data);
            *field = URL_SAFE_NO_PAD.encode(data.to_string()).into();
        })
    }

    fn authenticator_data(change: impl FnOnce(&mut Vec<u8>)) -> Result<(), AssertionError> {
        changed(|value| {
            let field = &mut value["response"]["authenticatorData"];
            let mut bytes = URL_SAFE_NO_PAD.decode(field.as_str().unwrap()).unwrap();
            change(&mut bytes);
            *field = URL_SAFE_NO_PAD.encode(bytes).into();
        })
    }

    #[test]
    fn an_assertion_of_the_passkey_verifies_once() {
        let mut passkey = passkey();
        let first = passkey.assertion(&CHALLENGE);
        let second = passkey.assertion(&CHALLENGE);
        assert_eq!(check(&mut passkey, &first), Ok(()));
        assert_eq!(check(&mut passkey, &first), Err(AssertionError::Counter));
        assert_eq!(check(&mut passkey, &second), Ok(()));
    }

    #[test]
    fn a_passkey_that_does_not_count_is_taken_again_and_again() {
        assert_eq!(checked_counter(0, 0), Ok(()));
        assert_eq!(checked_counter(0, 1), Err(AssertionError::Counter));
        assert_eq!(checked_counter(1, 0), Ok(()));
        assert_eq!(checked_counter(7, 7), Err(AssertionError::Counter));
        assert_eq!(checked_counter(8, 7), Ok(()));
    }

    #[test]
    fn every_field_of_the_outer_json_is_checked() {
        assert_eq!(changed(|_| {}), Ok(()));
        assert_eq!(
            changed(|value| value["type"] = "password".into()),
            Err(AssertionError::Type)
        );
        assert_eq!(
            changed(|value| value["id"] = "AAAA".into()),
            Err(AssertionError::IdsDiffer)
        );
        assert_eq!(
            changed(|value| value["rawId"] = "A===".into()),
            Err(AssertionError::Base64("rawId"))
        );
        assert_eq!(
            changed(|value| value["response"]["userHandle"] = "AAAA".into()),
            Err(AssertionError::UserHandle)
        );
        assert_eq!(
            changed(|value| value["response"]["userHandle"] = Value::Null),
            Ok(())
        );
        assert_eq!(
            changed(|value| value["response"] = json!({})),
            Err(AssertionError::Json)
        );
        assert_eq!(
            changed(|value| value["response"]["signature"] = "AAAA".into()),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn another_passkey_is_not_taken() {
        let mut other = Passkey::generate(&mut ChaCha20Rng::seed_from_u64(2));
        let assertion = other.assertion(&CHALLENGE);
        let asked = Asked {
            challenge: &CHALLENGE,
            discoverable: false,
        };
        let taken = verify(
            &mut passkey(),
            &asked,
            &other.credential,
            assertion.as_bytes(),
        );
        assert_eq!(taken, Err(AssertionError::UnknownCredential));
        // One that borrows the name of the right one still signs with its own key.
        other.credential = passkey().credential;
        other.user_handle = passkey().user_handle;
        let assertion = other.assertion(&CHALLENGE);
        assert_eq!(
            check(&mut passkey(), &assertion),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn options_that_name_no_passkey_ask_for_the_user_handle() {
        let mut passkey = passkey();
        let mut value: Value = serde_json::from_str(&passkey.assertion(&CHALLENGE)).unwrap();
        value["response"]["userHandle"] = Value::Null;
        let asked = Asked {
            challenge: &CHALLENGE,
            discoverable: true,
        };
        let credential = passkey.credential;
        let text = value.to_string();
        assert_eq!(
            verify(&mut passkey, &asked, &credential, text.as_bytes()),
            Err(AssertionError::UserHandle)
        );
    }

    #[test]
    fn the_client_data_is_checked() {
        assert_eq!(
            client_data(|data| data["type"] = "webauthn.create".into()),
            Err(AssertionError::ClientDataType)
        );
        assert_eq!(
            client_data(|data| data["challenge"] = URL_SAFE_NO_PAD.encode([6; 32]).into()),
            Err(AssertionError::Challenge)
        );
        assert_eq!(
            client_data(|data| data["crossOrigin"] = true.into()),
            Err(AssertionError::CrossOrigin)
        );
        assert_eq!(
            client_data(|data| *data = json!([])),
            Err(AssertionError::ClientData)
        );
        for origin in [
            "http://web.whatsapp.com",
            "https://web.whatsapp.com.example.org",
            "https://notwhatsapp.com",
            "https://web.whatsapp.com:8443",
            "https://example.org/.whatsapp.com",
        ] {
            assert_eq!(
                client_data(|data| data["origin"] = origin.into()),
                Err(AssertionError::Origin),
                "{origin}"
            );
        }
        // Everything holds but the signature, which is over the bytes.
        assert_eq!(
            client_data(|data| data["origin"] = "https://whatsapp.com".into()),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn the_authenticator_data_is_checked() {
        assert_eq!(
            authenticator_data(|data| data[0] ^= 1),
            Err(AssertionError::RelyingParty)
        );
        assert_eq!(
            authenticator_data(|data| data[32] &= !USER_PRESENT),
            Err(AssertionError::UserPresent)
        );
        assert_eq!(
            authenticator_data(|data| data[32] &= !USER_VERIFIED),
            Err(AssertionError::UserVerified)
        );
        assert_eq!(
            authenticator_data(|data| data.truncate(FIXED_LEN - 1)),
            Err(AssertionError::AuthenticatorData)
        );
        assert_eq!(
            authenticator_data(|data| data.push(0)),
            Err(AssertionError::AuthenticatorData)
        );
        assert_eq!(
            authenticator_data(|data| data[36] += 1),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn an_assertion_is_read_up_to_its_bound() {
        let mut passkey = passkey();
        let mut text = passkey.assertion(&CHALLENGE);
        text.push_str(&" ".repeat(MAX_ASSERTION_LEN - text.len()));
        assert_eq!(check(&mut passkey, &text), Ok(()));
        text.push(' ');
        assert_eq!(check(&mut passkey, &text), Err(AssertionError::TooLong));
    }

    #[test]
    fn the_vector_of_an_assertion_passes_every_check_of_its_shape() {
        let vectors = ceremonies();
        let vector = &vectors["passkey_json"];
        let mut passkey = passkey();
        passkey.credential = hex(&vector["credential_id"]).try_into().unwrap();
        let asked = Asked {
            challenge: &hex(&vector["challenge"]),
            discoverable: false,
        };
        let credential = passkey.credential;
        let assertion = vector["assertion"].as_str().unwrap();
        // Its signature is made up.
        assert_eq!(
            verify(&mut passkey, &asked, &credential, assertion.as_bytes()),
            Err(AssertionError::Signature)
        );
    }
}
