//! The control API: what the owners of the phones do, and what goes wrong, over HTTP and JSON.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ceremonies;
use super::http::{self, Request};
use super::shared::Shared;
use super::sim::default_phone;
use crate::fault::{FaultRule, FaultScript, MAX_FAULTS, RefreshChild};
use crate::names::{Now, PhoneNumber, ScanId};
use crate::phone::{PhoneConfig, QrForms};
use crate::world::{AddPhoneError, ScanError, ScanOutcome, World};

/// Most control requests served at once.
const MAX_REQUESTS: usize = 64;
/// Longest wait a scan may ask for.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(300);

pub(super) struct Api {
    pub(super) shared: Arc<Shared>,
    pub(super) auto_phones: bool,
}

/// `POST /scan`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequest {
    /// The text of the QR code.
    pub qr: String,
    /// The phone that scans; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// How long to wait for the link, in milliseconds; at most 300,000.
    #[serde(default)]
    pub wait_ms: u64,
    /// Take also the older form of the code, without the client type.
    #[serde(default)]
    pub four_fields: bool,
}

/// The answer to `POST /scan` and `GET /scans/ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReply {
    /// The scan's number.
    pub scan: u64,
    /// What came of it so far.
    #[serde(flatten)]
    pub outcome: ScanOutcome,
    /// The failure in words, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `POST /phones`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPhone {
    /// Its number; without it the next free one.
    #[serde(default)]
    pub number: Option<PhoneNumber>,
    /// How it presents itself.
    #[serde(flatten)]
    pub config: PhoneConfig,
}

/// `POST /unlink`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkRequest {
    /// The phone; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// The device number.
    pub device: u16,
}

/// `POST /prekeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrekeysRequest {
    /// The account; without it the one with the lowest number.
    #[serde(default)]
    pub phone: Option<PhoneNumber>,
    /// The device number.
    pub device: u16,
    /// How many one-time prekeys are left to it.
    pub keep: usize,
}

/// `POST /refresh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// Which child the notification carries.
    #[serde(default)]
    pub child: RefreshChild,
}

/// The answer to `POST /fault`, `POST /faults` and `DELETE /faults`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultReply {
    /// How many faults wait now.
    pub waiting: usize,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always true.
    pub ok: bool,
    /// Open connections of clients.
    pub connections: usize,
    /// Accounts.
    pub accounts: usize,
}

/// A status and a JSON body.
pub(super) type Reply = Result<(u16, Value), (u16, String)>;

pub(super) async fn serve(listener: TcpListener, api: Arc<Api>) {
    let slots = Arc::new(Semaphore::new(MAX_REQUESTS));
    let mut requests = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let accepted = listener.accept().await;
        while requests.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let api = Arc::clone(&api);
        requests.spawn(async move {
            handle(&api, stream).await;
            drop(slot);
        });
    }
}

/// Points a phone at a code, making the phone if that is wanted.
pub(super) fn begin_scan(
    world: &mut World,
    now: Now,
    phone: Option<PhoneNumber>,
    code: &str,
    forms: QrForms,
    auto_phones: bool,
) -> Result<ScanId, ScanError> {
    let Some(number) = phone.or_else(|| default_phone(world)) else {
        return Err(ScanError::NoPhones);
    };
    if auto_phones && world.phone(number).is_none() {
        // A number that cannot be added is reported by the scan below.
        let _ = world.add_phone(now, number, PhoneConfig::default());
    }
    world.scan_in_form(now, number, code, forms)
}

async fn handle(api: &Api, mut stream: TcpStream) {
    let reply = match http::read(&mut stream).await {
        Ok(request) => route(api, &request).await,
        Err(error) => Err((error.status(), error.to_string())),
    };
    let (status, body) = match reply {
        Ok(reply) => reply,
        Err((status, message)) => (status, json!({ "error": message })),
    };
    http::answer(&mut stream, status, body.to_string().as_bytes()).await;
}

async fn route(api: &Api, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") => ok(&api.shared.act_quietly(|world| Health {
            ok: true,
            connections: world.connections(),
            accounts: world.phone_count(),
        })),
        ("GET", "/phones") => ok(&api.shared.act_quietly(World::phones)),
        ("GET", "/accounts") => ok(&api.shared.act_quietly(World::accounts)),
        ("GET", "/faults") => ok(&api.shared.act_quietly(|world| world.faults().to_vec())),
        ("GET", "/remarks") => ok(&api
            .shared
            .act_quietly(|world| world.remarks().cloned().collect::<Vec<_>>())),
        ("GET", path) if path.starts_with("/scans/") => scan_status(api, path),
        ("POST", "/scan") => scan(api, &body(request)?).await,
        ("POST", "/phones") => add_phone(api, body(request)?),
        ("POST", "/unlink") => unlink(api, &body(request)?),
        ("POST", "/fault") => inject(api, request),
        ("POST", "/faults") => inject_script(api, request),
        ("DELETE", "/faults") => {
            api.shared.act(|world, _| world.clear_faults());
            ok(&FaultReply { waiting: 0 })
        }
        ("POST", "/refresh") => {
            let RefreshRequest { child } = body(request)?;
            let told = api.shared.act(|world, now| world.refresh_codes(now, child));
            ok(&json!({ "connections": told }))
        }
        ("POST", "/refs") => {
            let told = api.shared.act(|world, now| world.renew_refs(now));
            ok(&json!({ "connections": told }))
        }
        ("POST", "/code") => ceremonies::enter_code(api, &body(request)?).await,
        ("POST", "/code/refresh") => ceremonies::refresh_code(api, &body(request)?),
        ("POST", "/code/precursor") => ceremonies::precursor(api, &body(request)?),
        ("POST", "/passkey/assert") => ceremonies::assert_passkey(api, &body(request)?),
        ("POST", "/passkey/policy") => ceremonies::set_policy(api, &body(request)?),
        ("POST", "/passkey/confirm") => ceremonies::confirm(api, &body(request)?),
        ("GET", "/passkey/code") => ceremonies::passkey_code(api, &request.query),
        ("POST", "/prekeys") => prekeys(api, &body(request)?),
        ("GET" | "POST" | "DELETE", _) => Err((404, "no such resource".to_owned())),
        _ => Err((405, "only GET, POST and DELETE are served".to_owned())),
    }
}

async fn scan(api: &Api, request: &ScanRequest) -> Reply {
    let begun = api.shared.act(|world, now| {
        let forms = if request.four_fields {
            QrForms::FourOrFiveFields
        } else {
            world.config().qr_forms
        };
        begin_scan(
            world,
            now,
            request.phone,
            &request.qr,
            forms,
            api.auto_phones,
        )
    });
    let scan = begun.map_err(|error| {
        let status = if matches!(error, ScanError::Code(_)) {
            400
        } else {
            404
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

fn scan_status(api: &Api, path: &str) -> Reply {
    let missing = || (404, "no such scan".to_owned());
    let number = path
        .trim_start_matches("/scans/")
        .parse()
        .map_err(|_| missing())?;
    let outcome = api
        .shared
        .act_quietly(|world| world.scan_outcome(ScanId(number)).cloned());
    ok(&ScanReply::new(number, outcome.ok_or_else(missing)?))
}

fn add_phone(api: &Api, request: NewPhone) -> Reply {
    let added = api.shared.act(|world, now| match request.number {
        Some(number) => world
            .add_phone(now, number, request.config)
            .map(|()| number),
        None => world.add_next_phone(now, request.config),
    });
    match added {
        Ok(number) => Ok((
            201,
            to_json(&api.shared.act_quietly(|world| world.phone(number)))?,
        )),
        Err(error @ AddPhoneError::InUse(_)) => Err((409, error.to_string())),
        Err(error) => Err((400, error.to_string())),
    }
}

fn unlink(api: &Api, request: &UnlinkRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    api.shared
        .act(|world, now| world.unlink(now, phone, request.device))
        .map_err(|error| (404, error.to_string()))?;
    ok(&api.shared.act_quietly(|world| world.phone(phone)))
}

fn inject(api: &Api, request: &Request) -> Reply {
    let rule = FaultRule::from_json(text(request)?).map_err(|problem| (400, problem))?;
    let (added, waiting) = api
        .shared
        .act(|world, _| (world.inject(rule), world.faults().len()));
    if added {
        ok(&FaultReply { waiting })
    } else {
        Err((409, format!("{waiting} faults wait already")))
    }
}

/// All of a script, or nothing of it.
fn inject_script(api: &Api, request: &Request) -> Reply {
    let script = FaultScript::parse(text(request)?).map_err(|error| (400, error.to_string()))?;
    let (added, waiting) = api
        .shared
        .act(|world, _| (world.inject_script(&script), world.faults().len()));
    if added {
        ok(&FaultReply { waiting })
    } else {
        let message = format!("{waiting} faults wait already, at most {MAX_FAULTS} can");
        Err((409, message))
    }
}

fn text(request: &Request) -> Result<&str, (u16, String)> {
    std::str::from_utf8(&request.body).map_err(|_| (400, "the body is not UTF-8".to_owned()))
}

fn prekeys(api: &Api, request: &PrekeysRequest) -> Reply {
    let phone = named_or_default(api, request.phone)?;
    api.shared
        .act(|world, now| world.use_up_prekeys(now, phone, request.device, request.keep));
    ok(&api.shared.act_quietly(|world| world.account(phone)))
}

pub(super) fn named_or_default(
    api: &Api,
    phone: Option<PhoneNumber>,
) -> Result<PhoneNumber, (u16, String)> {
    phone
        .or_else(|| api.shared.act_quietly(default_phone))
        .ok_or_else(|| (404, ScanError::NoPhones.to_string()))
}

/// An empty body reads as an empty object.
fn body<T: DeserializeOwned>(request: &Request) -> Result<T, (u16, String)> {
    let bytes: &[u8] = if request.body.is_empty() {
        b"{}"
    } else {
        &request.body
    };
    serde_json::from_slice(bytes).map_err(|error| (400, format!("the body does not fit: {error}")))
}

pub(super) fn ok(value: &impl Serialize) -> Reply {
    Ok((200, to_json(value)?))
}

fn to_json(value: &impl Serialize) -> Result<Value, (u16, String)> {
    serde_json::to_value(value).map_err(|error| (500, error.to_string()))
}

impl ScanReply {
    pub(super) fn new(scan: u64, outcome: ScanOutcome) -> Self {
        let message = match &outcome {
            ScanOutcome::Failed(failure) => Some(failure.to_string()),
            _ => None,
        };
        Self {
            scan,
            outcome,
            message,
        }
    }
}
