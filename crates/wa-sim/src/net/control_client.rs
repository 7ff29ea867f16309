//! Driving a running simulator from another process, without an async runtime.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ceremonies::{
    AssertReply, AssertRequest, CodeNoticeRequest, CodeRequest, ConfirmRequest, PasskeyCodeReply,
    PolicyRequest,
};
use super::control::{FaultReply, Health, NewPhone, ScanReply, ScanRequest, UnlinkRequest};
use crate::fault::FaultRule;
use crate::names::PhoneNumber;
use crate::world::{AccountView, PhoneView};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// On top of the time a scan is asked to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest answer read: a hundred accounts have some hundred KiB.
const MAX_ANSWER_LEN: u64 = 64 << 20;

/// Speaks to the control API of a simulator. Blocking; every call is a connection of its own.
#[derive(Debug, Clone)]
pub struct ControlClient {
    address: SocketAddr,
}

/// How many connections were told something.
#[derive(Deserialize)]
struct Told {
    connections: usize,
}

/// Why the simulator did not do what it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Not `http://HOST:PORT`.
    #[error("{0} is no control URL; it looks like http://127.0.0.1:PORT")]
    Url(String),
    /// Nobody is there, or they stopped speaking.
    #[error("no answer from the simulator at {address}: {error}. Is `wa sim` running?")]
    Io {
        /// Where it was looked for.
        address: SocketAddr,
        /// What happened.
        error: std::io::Error,
    },
    /// The simulator refuses.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why, in its words.
        message: String,
    },
    /// Something else answers there.
    #[error("what answers at {address} is no simulator of this version: {problem}")]
    Answer {
        /// Where.
        address: SocketAddr,
        /// What is wrong with the answer.
        problem: String,
    },
}

impl ControlClient {
    /// A client for the API at this URL, such as `http://127.0.0.1:8423`.
    ///
    /// # Errors
    /// When the URL is none, or its host has no address.
    pub fn new(url: &str) -> Result<Self, ControlError> {
        let wrong = || ControlError::Url(url.to_owned());
        let authority = url
            .strip_prefix("http://")
            .unwrap_or(url)
            .trim_end_matches('/');
        let address = authority
            .to_socket_addrs()
            .map_err(|_| wrong())?
            .next()
            .ok_or_else(wrong)?;
        Ok(Self { address })
    }

    /// Whether a simulator is there.
    ///
    /// # Errors
    /// See [`ControlError`]; so for all that follow.
    pub fn health(&self) -> Result<Health, ControlError> {
        self.call("GET", "/health", None::<&()>, Duration::ZERO)
    }

    /// Has a phone scan a code, and waits as long as the request says.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn scan(&self, request: &ScanRequest) -> Result<ScanReply, ControlError> {
        let wait = Duration::from_millis(request.wait_ms);
        self.call("POST", "/scan", Some(request), wait)
    }

    /// Has an owner type a pairing code into their phone, and waits as long as the request says.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn enter_code(&self, request: &CodeRequest) -> Result<ScanReply, ControlError> {
        let wait = Duration::from_millis(request.wait_ms);
        self.call("POST", "/code", Some(request), wait)
    }

    /// Has the companion whose code waits for a phone renew it. Returns whether one waited.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn refresh_code(&self, request: &CodeNoticeRequest) -> Result<bool, ControlError> {
        self.notify("/code/refresh", request)
    }

    /// Sends the companion whose code waits for a phone the notification without keys that can precede a
    /// passkey. Returns whether one waited.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn send_precursor(&self, request: &CodeNoticeRequest) -> Result<bool, ControlError> {
        self.notify("/code/precursor", request)
    }

    fn notify(&self, path: &str, request: &CodeNoticeRequest) -> Result<bool, ControlError> {
        let told: Told = self.call("POST", path, Some(request), Duration::ZERO)?;
        Ok(told.connections > 0)
    }

    /// From now on a phone guards its links like this.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn set_passkey_policy(&self, request: &PolicyRequest) -> Result<PhoneView, ControlError> {
        self.call("POST", "/passkey/policy", Some(request), Duration::ZERO)
    }

    /// Has an owner's passkey sign for these options of `navigator.credentials.get`; returns the assertion.
    /// Both are JSON text.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn assert_passkey(&self, options: &str) -> Result<String, ControlError> {
        let request = AssertRequest {
            options: options.to_owned(),
        };
        let reply: AssertReply =
            self.call("POST", "/passkey/assert", Some(&request), Duration::ZERO)?;
        Ok(reply.assertion)
    }

    /// The confirmation code a phone, or the one with the lowest number, shows.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn passkey_code(&self, phone: Option<PhoneNumber>) -> Result<Option<String>, ControlError> {
        let query = phone.map_or_else(String::new, |phone| format!("?phone={}", phone.digits()));
        let path = format!("/passkey/code{query}");
        let reply: PasskeyCodeReply = self.call("GET", &path, None::<&()>, Duration::ZERO)?;
        Ok(reply.code)
    }

    /// The owner says on the phone whether the companion shows the same code.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn confirm_on_phone(&self, request: &ConfirmRequest) -> Result<PhoneView, ControlError> {
        self.call("POST", "/passkey/confirm", Some(request), Duration::ZERO)
    }

    /// What came of a scan so far.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn scan_status(&self, scan: u64) -> Result<ScanReply, ControlError> {
        self.call(
            "GET",
            &format!("/scans/{scan}"),
            None::<&()>,
            Duration::ZERO,
        )
    }

    /// Every phone.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn phones(&self) -> Result<Vec<PhoneView>, ControlError> {
        self.call("GET", "/phones", None::<&()>, Duration::ZERO)
    }

    /// Adds a phone.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn add_phone(&self, phone: &NewPhone) -> Result<PhoneView, ControlError> {
        self.call("POST", "/phones", Some(phone), Duration::ZERO)
    }

    /// Every account as the server sees it.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn accounts(&self) -> Result<Vec<AccountView>, ControlError> {
        self.call("GET", "/accounts", None::<&()>, Duration::ZERO)
    }

    /// The owner of a phone removes a companion.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn unlink(&self, request: &UnlinkRequest) -> Result<PhoneView, ControlError> {
        self.call("POST", "/unlink", Some(request), Duration::ZERO)
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn inject(&self, rule: &FaultRule) -> Result<FaultReply, ControlError> {
        self.call("POST", "/fault", Some(rule), Duration::ZERO)
    }

    /// Adds several faults, all or none.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn inject_all(&self, rules: &[FaultRule]) -> Result<FaultReply, ControlError> {
        self.call("POST", "/faults", Some(&rules), Duration::ZERO)
    }

    /// The faults that wait.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn faults(&self) -> Result<Vec<FaultRule>, ControlError> {
        self.call("GET", "/faults", None::<&()>, Duration::ZERO)
    }

    /// Forgets all faults that wait.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn clear_faults(&self) -> Result<FaultReply, ControlError> {
        self.call("DELETE", "/faults", None::<&()>, Duration::ZERO)
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
        wait: Duration,
    ) -> Result<T, ControlError> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| self.strange(error))?,
            None => Vec::new(),
        };
        let answer =
            self.exchange(method, path, &body, wait)
                .map_err(|error| ControlError::Io {
                    address: self.address,
                    error,
                })?;
        let (status, body) = split_answer(&answer).ok_or_else(|| self.strange("not HTTP"))?;
        if !(200..300).contains(&status) {
            let message = serde_json::from_slice::<serde_json::Value>(body)
                .ok()
                .and_then(|value| Some(value.get("error")?.as_str()?.to_owned()))
                .unwrap_or_else(|| format!("refused with status {status}"));
            return Err(ControlError::Refused { status, message });
        }
        serde_json::from_slice(body).map_err(|error| self.strange(error))
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        wait: Duration,
    ) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_read_timeout(Some(wait + ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER_LEN).read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn strange(&self, problem: impl ToString) -> ControlError {
        ControlError::Answer {
            address: self.address,
            problem: problem.to_string(),
        }
    }
}

fn split_answer(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, answer.get(end + 4..)?))
}
