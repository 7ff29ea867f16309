use serde_json::Value;
use serde_json::json;
use wa_client::{ConnectionState, Event, FailReason, LogoutReason, Step};

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
