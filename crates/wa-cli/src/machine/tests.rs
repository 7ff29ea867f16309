use serde_json::Value;
use serde_json::json;
use wa_client::{
    CodeEnd, ConnectionState, Event, FailReason, LogoutReason, PairingCode, PasskeyEnd, Step,
};

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
    assert_eq!(failed["reason"], "store");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("(disk full)"), "{message}");
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
    let answer = |line| serde_json::from_str::<Value>(&parse_command(line).unwrap_err()).unwrap();
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

#[test]
fn codes_are_told_in_both_forms_and_endings_by_name() {
    let code = PairingCode::from_custom("ABCD1234").unwrap();
    let live = parsed(&Event::PairingCode {
        code: code.clone(),
        ttl: std::time::Duration::from_secs(180),
        expires_at_unix_ms: 9,
    });
    assert_eq!(
        live,
        json!({"v": 1, "type": "pairing_code", "code": "ABCD1234", "code_formatted": "ABCD-1234", "ttl_ms": 180_000, "expires_at": 9})
    );
    assert_eq!(
        parsed(&Event::PairingCodeEnded(CodeEnd::NoPairSuccess))["reason"],
        "not_finished"
    );
    assert_eq!(
        parsed(&Event::PairingCodeRefresh { force_manual: true }),
        json!({"v": 1, "type": "pairing_code_refresh", "force_manual": true})
    );
    let confirmation = parsed(&Event::PasskeyConfirmation {
        code: Some(code),
        expires_at_unix_ms: 9,
    });
    assert_eq!(
        (&confirmation["code"], &confirmation["code_formatted"]),
        (&json!("ABCD1234"), &json!("ABCD-1234"))
    );
    assert_eq!(
        parsed(&Event::PasskeyEnded(PasskeyEnd::Refused))["reason"],
        "refused"
    );
    assert_eq!(
        parsed(&Event::UnlinkFinished {
            server_unlinked: true
        }),
        json!({"v": 1, "type": "unlink_finished", "server_unlinked": true})
    );
}

/// The chapter names every type of line that a program can get, and every command it can give.
#[test]
fn the_manual_knows_the_names_of_this_schema() {
    const CHAPTER: &str = include_str!("../../../../docs/manual/09-machine-mode.md");
    for name in [
        "pairing_code",
        "pairing_code_ended",
        "pairing_code_refresh",
        "passkey_requested",
        "passkey_confirmation",
        "passkey_ended",
        "devices",
        "caught_up",
        "unlink_finished",
    ] {
        assert!(CHAPTER.contains(&format!("| `{name}` |")), "{name}");
    }
    for name in command::NAMES {
        assert!(
            CHAPTER.contains(&format!("| `{{\"cmd\":\"{name}\"")),
            "{name}"
        );
    }
    for code in refusal::CODES {
        assert!(CHAPTER.contains(&format!("`{code}`")), "{code}");
    }
}
