//! Commands as lines.

use serde::Deserialize;
use serde_json::Value;
use wa_client::{PairingCodeRequest, PasskeyAssertion};

use super::{Message, Refusal};

/// A command line that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) id: Option<Value>,
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Connect,
    Disconnect,
    Logout,
    Approve(bool),
    Ping,
    PairingCode(PairingCodeRequest),
    CancelPairingCode,
    PasskeyResponse(PasskeyAssertion),
    PasskeyConfirm(bool),
    Quit,
}

/// Every name in `cmd`.
pub(super) const NAMES: [&str; 10] = [
    "connect",
    "disconnect",
    "logout",
    "approve",
    "ping",
    "pairing_code",
    "cancel_pairing_code",
    "passkey_response",
    "passkey_confirm",
    "quit",
];

impl Command {
    /// The name in `cmd`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Logout => "logout",
            Self::Approve(_) => "approve",
            Self::Ping => "ping",
            Self::PairingCode(_) => "pairing_code",
            Self::CancelPairingCode => "cancel_pairing_code",
            Self::PasskeyResponse(_) => "passkey_response",
            Self::PasskeyConfirm(_) => "passkey_confirm",
            Self::Quit => "quit",
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    cmd: String,
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    accept: Option<bool>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    custom: Option<String>,
    #[serde(default)]
    push: Option<bool>,
    #[serde(default)]
    assertion: Option<Value>,
}

/// Reads a command line. The error is the line to answer it with.
pub(crate) fn parse_command(line: &str) -> Result<Request, String> {
    let raw: Raw = serde_json::from_str(line).map_err(|error| {
        let what = "not a JSON object with a string \"cmd\"";
        // The words of the parser can quote a value, and values may be secrets.
        let at = format!("line {}, column {}", error.line(), error.column());
        Message::error(
            "bad_command",
            format!("{what} and fields of the right kind, {at}"),
        )
        .into_line()
    })?;
    match command(&raw) {
        Ok(command) => Ok(Request {
            command,
            id: raw.id,
        }),
        Err(refusal) => Err(refusal.into_line(&raw.cmd, raw.id)),
    }
}

fn command(raw: &Raw) -> Result<Command, Refusal> {
    let missing = |what: &str| Refusal::new("bad_command", format!("{} needs {what}", raw.cmd));
    Ok(match raw.cmd.as_str() {
        "connect" => Command::Connect,
        "disconnect" => Command::Disconnect,
        "logout" => Command::Logout,
        "approve" => Command::Approve(raw.accept.unwrap_or(true)),
        "ping" => Command::Ping,
        "pairing_code" => Command::PairingCode(code_request(
            raw.phone
                .as_deref()
                .ok_or_else(|| missing("\"phone\", a number like \"+15551234567\""))?,
            raw.custom.as_deref(),
            raw.push,
        )?),
        "cancel_pairing_code" => Command::CancelPairingCode,
        "passkey_response" => {
            let assertion = raw
                .assertion
                .as_ref()
                .ok_or_else(|| missing("\"assertion\", what the authenticator answered"))?;
            Command::PasskeyResponse(assertion_from(assertion)?)
        }
        "passkey_confirm" => Command::PasskeyConfirm(
            raw.accept
                .ok_or_else(|| missing("\"accept\", true or false"))?,
        ),
        "quit" => Command::Quit,
        _ => {
            return Err(Refusal::new(
                "unknown_command",
                format!("known commands: {}", NAMES.join(", ")),
            ));
        }
    })
}

fn code_request(
    number: &str,
    custom: Option<&str>,
    push: Option<bool>,
) -> Result<PairingCodeRequest, Refusal> {
    let mut request = PairingCodeRequest::new(number)
        .map_err(|error| Refusal::new("bad_number", error.to_string()))?;
    if let Some(custom) = custom {
        request = request
            .custom(custom)
            .map_err(|error| Refusal::new("bad_code", error.to_string()))?;
    }
    Ok(request.push(push.unwrap_or(true)))
}

/// An object as the browser gives it, or that object as text.
fn assertion_from(value: &Value) -> Result<PasskeyAssertion, Refusal> {
    let parsed = match value {
        Value::String(text) => PasskeyAssertion::from_json(text),
        other => PasskeyAssertion::from_json(&zeroize::Zeroizing::new(other.to_string())),
    };
    parsed.map_err(|error| Refusal::new("bad_assertion", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_its_command() {
        for name in NAMES {
            let line = format!(r#"{{"cmd":"{name}","phone":"+15551234567","accept":true}}"#);
            match parse_command(&line) {
                Ok(request) => assert_eq!(request.command.name(), name),
                Err(answer) => assert!(
                    name == "passkey_response" && answer.contains("\"bad_command\""),
                    "{answer}"
                ),
            }
        }
    }
}
