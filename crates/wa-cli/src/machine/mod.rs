//! Machine mode: JSON lines out, JSON commands in. The schema is a promise, documented in the manual's chapter
//! on machine mode: fields are added, never changed or removed, within one `v`.

mod command;
mod event;
mod refusal;
#[cfg(test)]
mod tests;

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

pub(crate) use self::command::{Command, Request, parse_command};
pub(crate) use self::event::line;
pub(crate) use self::refusal::Refusal;

/// Version of the schema.
pub(crate) const SCHEMA: u32 = 1;

/// One line of output.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    message: Message<'a>,
}

/// What a line says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Message<'a> {
    Hello {
        program: &'a str,
        version: &'a str,
        client_version: String,
        account: String,
    },
    State {
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
    },
    Account {
        id: &'a str,
        label: &'a str,
        link: &'a str,
        desired: &'a str,
        jid: Option<&'a str>,
        lid: Option<&'a str>,
        platform: Option<&'a str>,
        since: u64,
        created: u64,
        running: bool,
        unlink_pending: bool,
    },
    Sim {
        url: String,
        tls_url: Option<String>,
        ca_pem: Option<&'a str>,
        noise_root: String,
        control_url: Option<String>,
        phone: Option<String>,
    },
    Progress {
        step: &'a str,
    },
    Qr {
        code: &'a str,
        seq: u32,
        ttl_ms: u64,
        expires_at: u64,
    },
    QrBlanked,
    ApprovalNeeded {
        jid: String,
        lid: Option<String>,
        platform: Option<String>,
    },
    Paired {
        jid: String,
        lid: Option<String>,
        platform: Option<&'a str>,
        business_name: Option<&'a str>,
        key_index: u32,
    },
    Online {
        jid: String,
        lid: Option<String>,
        push_name: Option<&'a str>,
    },
    Disconnected {
        reason: &'a str,
        message: String,
        code: Option<u16>,
        retry_at: Option<u64>,
    },
    LoggedOut {
        reason: &'a str,
        message: String,
        server_unlinked: Option<bool>,
    },
    PairingFailed {
        message: String,
    },
    PairingCode {
        code: &'a str,
        code_formatted: &'a str,
        ttl_ms: u64,
        expires_at: u64,
    },
    PairingCodeEnded {
        reason: &'a str,
        message: String,
    },
    PairingCodeRefresh {
        force_manual: bool,
    },
    PasskeyRequested {
        options: Value,
        options_json: &'a str,
        expires_at: u64,
    },
    PasskeyConfirmation {
        code: Option<&'a str>,
        code_formatted: Option<&'a str>,
        expires_at: u64,
    },
    PasskeyEnded {
        reason: &'a str,
        message: String,
    },
    Devices {
        devices: Vec<Device>,
        signed: bool,
    },
    CaughtUp {
        stanzas: u64,
        complete: bool,
    },
    UnlinkFinished {
        server_unlinked: bool,
    },
    Done {
        cmd: &'a str,
        id: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_unlinked: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        round_trip_ms: Option<u64>,
        #[serde(flatten)]
        live: Option<LiveCode<'a>>,
    },
    Error {
        code: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        backoff_s: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        remaining_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cmd: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
    },
}

/// The code a command has got.
#[derive(Debug, Serialize)]
pub(crate) struct LiveCode<'a> {
    pub(crate) code: &'a str,
    pub(crate) code_formatted: &'a str,
    pub(crate) expires_at: u64,
}

/// A device of the account.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    jid: String,
    key_index: Option<u32>,
    is_self: bool,
    is_primary: bool,
}

impl Message<'_> {
    /// The line with its end.
    pub(crate) fn into_line(self) -> String {
        let mut line = serde_json::to_string(&Line {
            v: SCHEMA,
            message: self,
        })
        .expect("strings, numbers and plain maps always serialise");
        line.push('\n');
        line
    }

    /// An error that no command caused.
    pub(crate) fn error(code: &'static str, message: impl ToString) -> Self {
        Self::Error {
            code,
            message: message.to_string(),
            backoff_s: None,
            remaining_ms: None,
            cmd: None,
            id: None,
        }
    }
}

/// Writes a line at once: whoever reads acts on it.
pub(crate) fn write(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}
