//! The control API of pairing codes and passkeys.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::control::{Api, MAX_WAIT, Reply, ScanReply, named_or_default, ok};
use crate::authenticator::AssertError;
use crate::names::PhoneNumber;
use crate::phone::PasskeyPolicy;
use crate::world::{ConfirmError, ScanError, ScanOutcome, World};

/// `POST /code`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRequest {
    /// The code as the owner types it.
    pub code: String,
    /// The phone; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// How long to wait for the link, in milliseconds; at most 300,000.
    #[serde(default)]
    pub wait_ms: u64,
}

/// The code is what links.
impl std::fmt::Debug for CodeRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CodeRequest")
            .field("phone", &self.phone)
            .field("wait_ms", &self.wait_ms)
            .finish_non_exhaustive()
    }
}

/// `POST /code/refresh` and `POST /code/precursor`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeNoticeRequest {
    /// The phone; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// For a refresh: whether the user has to ask for the next code.
    #[serde(default)]
    pub manual: bool,
}

/// `POST /passkey/policy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRequest {
    /// The phone; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// Which of its links are guarded, and how.
    #[serde(flatten)]
    pub policy: PasskeyPolicy,
}

/// `POST /passkey/assert`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertRequest {
    /// The options of `navigator.credentials.get`, as JSON text.
    pub options: String,
}

/// The answer to `POST /passkey/assert`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertReply {
    /// The assertion, as JSON text.
    pub assertion: String,
}

/// The answer to `GET /passkey/code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyCodeReply {
    /// The confirmation code the phone shows, as `ABCD-1234`.
    pub code: Option<String>,
}

/// `POST /passkey/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmRequest {
    /// The phone; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// Whether the companion shows the same code.
    pub accept: bool,
}

pub(super) async fn enter_code(api: &Api, request: &CodeRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    let begun = api
        .shared
        .act(|world, now| world.enter_code(now, phone, &request.code));
    let scan = begun.map_err(|error| {
        let status = match error {
            ScanError::Entered(_) => 400,
            _ => 404,
        };
        (status, error.to_string())
    })?;
    let wait = Duration::from_millis(request.wait_ms).min(MAX_WAIT);
    let outcome = match tokio::time::timeout(wait, api.shared.outcome(scan)).await {
        Ok(Some(outcome)) => outcome,
        _ => ScanOutcome::Pending,
    };
    ok(&ScanReply::new(scan.number(), outcome))
}

pub(super) fn refresh_code(api: &Api, request: &CodeNoticeRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    let told = api
        .shared
        .act(|world, now| world.refresh_pairing_code(now, phone, request.manual));
    ok(&json!({ "connections": usize::from(told) }))
}

pub(super) fn precursor(api: &Api, request: &CodeNoticeRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    let told = api
        .shared
        .act(|world, now| world.send_passkey_precursor(now, phone));
    ok(&json!({ "connections": usize::from(told) }))
}

pub(super) fn set_policy(api: &Api, request: &PolicyRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    let known = api
        .shared
        .act(|world, _| world.set_passkey_policy(phone, request.policy));
    if known {
        ok(&api.shared.act_quietly(|world| world.phone(phone)))
    } else {
        Err((404, ScanError::NoPhone(phone).to_string()))
    }
}

pub(super) fn assert_passkey(api: &Api, request: &AssertRequest) -> Reply {
    let assertion = api
        .shared
        .act(|world, now| world.assert_passkey(now, &request.options))
        .map_err(|error| {
            let status = if error == AssertError::NoPasskey {
                404
            } else {
                400
            };
            (status, error.to_string())
        })?;
    ok(&AssertReply { assertion })
}

/// The query is empty or `phone=NUMBER`.
pub(super) fn passkey_code(api: &Api, query: &str) -> Reply {
    let phone = match query.strip_prefix("phone=") {
        Some(text) => Some(
            text.replace("%2B", "+")
                .parse()
                .map_err(|error| (400, format!("{error}")))?,
        ),
        None if query.is_empty() => None,
        None => return Err((400, "the query is not phone=NUMBER".to_owned())),
    };
    let phone: PhoneNumber = named_or_default(api, phone)?;
    let code = api.shared.act_quietly(|world: &World| {
        world
            .phone(phone)
            .is_some()
            .then(|| world.passkey_code(phone))
    });
    let code = code.ok_or_else(|| (404, ScanError::NoPhone(phone).to_string()))?;
    ok(&PasskeyCodeReply { code })
}

pub(super) fn confirm(api: &Api, request: &ConfirmRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    api.shared
        .act(|world, now| world.confirm_on_phone(now, phone, request.accept))
        .map_err(|error| {
            let status = match error {
                ConfirmError::NoPhone(_) => 404,
                ConfirmError::NothingShown(_) => 409,
            };
            (status, error.to_string())
        })?;
    ok(&api.shared.act_quietly(|world| world.phone(phone)))
}
