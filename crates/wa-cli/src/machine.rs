//! Machine mode: JSON lines out, JSON commands in. The schema is a promise, documented in the manual's chapter
//! on machine mode: fields are added, never changed or removed, within one `v`.

use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wa_client::{ConnectionState, Event};

/// Version of the schema.
pub(crate) const SCHEMA: u32 = 1;

/// Longest command line taken, in bytes; our own bound, real ones have under a hundred.
pub(crate) const MAX_COMMAND_LEN: usize = 64 * 1024;

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
    Done {
        cmd: &'a str,
        id: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_unlinked: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        round_trip_ms: Option<u64>,
    },
    Error {
        code: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cmd: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
    },
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
            cmd: None,
            id: None,
        }
    }

    fn state(state: &ConnectionState) -> Message<'_> {
        let (mut step, mut reason, mut message) = (None, None, None);
        let (mut code, mut attempt, mut retry_at) = (None, None, None);
        match state {
            ConnectionState::Linking { step: at } | ConnectionState::Connecting { step: at } => {
                step = Some(at.name())
            }
            ConnectionState::Reconnecting {
                retry_at_unix_ms,
                attempt: number,
            } => {
                retry_at = Some(*retry_at_unix_ms);
                attempt = Some(*number);
            }
            ConnectionState::Conflict { retry_at_unix_ms } => retry_at = *retry_at_unix_ms,
            ConnectionState::Restricted {
                code: kind,
                expires_at_unix_ms,
            } => {
                code = *kind;
                retry_at = *expires_at_unix_ms;
            }
            ConnectionState::LoggedOut { reason: why } => {
                reason = Some(why.name().to_owned());
                message = Some(why.to_string());
            }
            ConnectionState::Failed { error } => {
                reason = Some(error.name().to_owned());
                message = Some(error.to_string());
            }
            _ => {}
        }
        Message::State {
            state: state.name(),
            step,
            reason,
            message,
            code,
            attempt,
            retry_at,
        }
    }
}

/// The line for an event; `None` for one this schema does not know.
pub(crate) fn line(event: &Event) -> Option<String> {
    let message = match event {
        Event::State(state) => Message::state(state),
        Event::Progress(step) => Message::Progress { step: step.name() },
        Event::Qr {
            text,
            seq,
            ttl,
            expires_at_unix_ms,
        } => Message::Qr {
            code: text.expose(),
            seq: *seq,
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            expires_at: *expires_at_unix_ms,
        },
        Event::QrBlanked => Message::QrBlanked,
        Event::ApprovalNeeded(candidate) => Message::ApprovalNeeded {
            jid: candidate.jid.to_string(),
            lid: candidate.lid.as_ref().map(ToString::to_string),
            platform: candidate.platform.clone(),
        },
        Event::Paired {
            jid,
            lid,
            platform,
            business_name,
            key_index,
        } => Message::Paired {
            jid: jid.to_string(),
            lid: lid.as_ref().map(ToString::to_string),
            platform: platform.as_deref(),
            business_name: business_name.as_deref(),
            key_index: *key_index,
        },
        Event::Online {
            jid,
            lid,
            push_name,
        } => Message::Online {
            jid: jid.to_string(),
            lid: lid.as_ref().map(ToString::to_string),
            push_name: push_name.as_deref(),
        },
        Event::Disconnected {
            reason,
            code,
            retry_at_unix_ms,
        } => Message::Disconnected {
            reason: reason.name(),
            message: reason.to_string(),
            code: *code,
            retry_at: *retry_at_unix_ms,
        },
        Event::LoggedOut {
            reason,
            server_unlinked,
        } => Message::LoggedOut {
            reason: reason.name(),
            message: reason.to_string(),
            server_unlinked: *server_unlinked,
        },
        Event::PairingFailed(failure) => Message::PairingFailed {
            message: failure.to_string(),
        },
        Event::Trouble(trouble) => Message::error(trouble.name(), trouble),
        _ => return None,
    };
    Some(message.into_line())
}

/// Writes a line at once: whoever reads acts on it.
pub(crate) fn write(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// A command line that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) id: Option<Value>,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Connect,
    Disconnect,
    Logout,
    Approve(bool),
    Ping,
    Quit,
}

impl Command {
    /// The name in `cmd`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Logout => "logout",
            Self::Approve(_) => "approve",
            Self::Ping => "ping",
            Self::Quit => "quit",
        }
    }
}

/// Reads a command line. The error is the line to answer it with.
pub(crate) fn parse_command(line: &str) -> Result<Request, String> {
    #[derive(Deserialize)]
    struct Raw {
        cmd: String,
        #[serde(default)]
        id: Option<Value>,
        #[serde(default)]
        accept: Option<bool>,
    }
    let Raw { cmd, id, accept } = serde_json::from_str(line).map_err(|error| {
        Message::error(
            "bad_command",
            format!("not a JSON object with a string \"cmd\": {error}"),
        )
        .into_line()
    })?;
    let command = match cmd.as_str() {
        "connect" => Command::Connect,
        "disconnect" => Command::Disconnect,
        "logout" => Command::Logout,
        "approve" => Command::Approve(accept.unwrap_or(true)),
        "ping" => Command::Ping,
        "quit" => Command::Quit,
        _ => {
            return Err(Message::Error {
                code: "unknown_command",
                message: "known commands: connect, disconnect, logout, approve, ping, quit"
                    .to_owned(),
                cmd: Some(&cmd),
                id,
            }
            .into_line());
        }
    };
    Ok(Request { command, id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wa_client::{FailReason, LogoutReason, Step};

    use super::*;

    fn parsed(event: &Event) -> Value {
        let line = line(event).unwrap();
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
        assert!(line.starts_with(r#"{"v":1,"type":""#));
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn states_carry_what_belongs_to_them() {
        let state = |state| parsed(&Event::State(state));
        assert_eq!(
            state(ConnectionState::Online),
            json!({"v": 1, "type": "state", "state": "online"})
        );
        assert_eq!(
            state(ConnectionState::Linking {
                step: Step::Restarting
            }),
            json!({"v": 1, "type": "state", "state": "linking", "step": "restarting"})
        );
        assert_eq!(
            state(ConnectionState::Reconnecting {
                retry_at_unix_ms: 7,
                attempt: 2
            }),
            json!({"v": 1, "type": "state", "state": "reconnecting", "attempt": 2, "retry_at": 7})
        );
        let out = state(ConnectionState::LoggedOut {
            reason: LogoutReason::RemovedOnPhone,
        });
        assert_eq!(out["reason"], "removed_on_phone");
        let failed = state(ConnectionState::Failed {
            error: FailReason::Store("disk full".into()),
        });
        assert_eq!(
            (&failed["reason"], &failed["message"]),
            (&json!("store"), &json!("the store failed: disk full"))
        );
    }

    #[test]
    fn a_logout_says_what_the_server_said() {
        let event = |server_unlinked| Event::LoggedOut {
            reason: LogoutReason::Requested,
            server_unlinked,
        };
        assert_eq!(parsed(&event(Some(true)))["server_unlinked"], true);
        assert_eq!(parsed(&event(None))["server_unlinked"], Value::Null);
    }

    #[test]
    fn commands_are_read() {
        let command = |line| parse_command(line).unwrap().command;
        assert_eq!(command(r#"{"cmd":"quit"}"#), Command::Quit);
        assert_eq!(
            command(r#"{"cmd":"approve","accept":false}"#),
            Command::Approve(false)
        );
        assert_eq!(command(r#"{"cmd":"approve"}"#), Command::Approve(true));
        let request = parse_command(r#"{"cmd":"logout","id":"a7","more":1}"#).unwrap();
        assert_eq!(
            (request.command, request.id),
            (Command::Logout, Some(json!("a7")))
        );
    }

    #[test]
    fn what_is_no_command_is_answered_with_an_error() {
        let answer =
            |line| serde_json::from_str::<Value>(&parse_command(line).unwrap_err()).unwrap();
        assert_eq!(answer("quit")["code"], "bad_command");
        assert_eq!(answer("{}")["code"], "bad_command");
        assert_eq!(answer("[]")["code"], "bad_command");
        let unknown = answer(r#"{"cmd":"dance","id":3}"#);
        assert_eq!(
            (&unknown["type"], &unknown["code"]),
            (&json!("error"), &json!("unknown_command"))
        );
        assert_eq!(
            (&unknown["cmd"], &unknown["id"]),
            (&json!("dance"), &json!(3))
        );
    }
}
