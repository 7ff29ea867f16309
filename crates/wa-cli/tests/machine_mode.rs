#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `wa run --json`: the schema bindings and harnesses rely on, and commands on standard input.

mod common;

use std::process::Stdio;

use common::{Running, World};
use serde_json::{Value, json};

fn start(world: &World) -> Running {
    Running::start(world.online("run").args(["--json", "--pair", "qr"]))
}

/// A field by name and kind.
struct Field(&'static str, fn(&Value) -> bool);

/// Every field of this name has this kind, and there are no others.
fn shape(message: &Value, fields: &[Field]) {
    let object = message.as_object().unwrap();
    for Field(name, fits) in fields {
        let value = object
            .get(*name)
            .unwrap_or_else(|| panic!("no {name} in {message}"));
        assert!(fits(value), "{name} in {message}");
    }
    assert_eq!(object.len(), fields.len() + 2, "{message}");
}

fn text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

#[test]
fn a_pairing_speaks_the_documented_schema() {
    let world = World::new();
    let mut run = start(&world);
    let hello = run.message();
    assert_eq!(hello["type"], "hello");
    shape(
        &hello,
        &[
            Field("program", Value::is_string),
            Field("version", Value::is_string),
            Field("client_version", Value::is_string),
            Field("account", Value::is_string),
        ],
    );
    assert_eq!(hello["client_version"], "2.3000.1045649367");
    let qr = run.wait_for("qr");
    shape(
        &qr,
        &[
            Field("code", Value::is_string),
            Field("seq", Value::is_u64),
            Field("ttl_ms", Value::is_u64),
            Field("expires_at", Value::is_u64),
        ],
    );
    assert_eq!(
        (qr["seq"].as_u64(), qr["ttl_ms"].as_u64()),
        (Some(1), Some(60_000))
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let left = qr["expires_at"].as_u64().unwrap() - now;
    assert!((30_000..=60_000).contains(&left), "{left}");
    world.scan(qr["code"].as_str().unwrap());
    run.wait_for("qr_blanked");
    let paired = run.wait_for("paired");
    shape(
        &paired,
        &[
            Field("jid", Value::is_string),
            Field("lid", Value::is_string),
            Field("platform", Value::is_string),
            Field("business_name", text_or_null),
            Field("key_index", Value::is_u64),
        ],
    );
    let state = run.wait_for_state("linking");
    assert_eq!(state["step"], "restarting");
    let online = run.wait_for("online");
    shape(
        &online,
        &[
            Field("jid", Value::is_string),
            Field("lid", Value::is_string),
            Field("push_name", text_or_null),
        ],
    );
    assert_eq!(online["jid"], paired["jid"]);
    run.send(r#"{"cmd":"quit"}"#);
    assert_eq!(run.end().code(), Some(0));
    assert!(
        !run.seen
            .iter()
            .any(|line| line.contains("\"disconnected\"")),
        "the restart is no failure"
    );
}

#[test]
fn commands_are_carried_out_and_answered_with_their_id() {
    let world = World::new();
    world.link();
    let mut run = start(&world);
    run.wait_for("online");

    run.send(r#"{"cmd":"ping","id":1}"#);
    let done = run.wait_for("done");
    assert_eq!((&done["cmd"], &done["id"]), (&json!("ping"), &json!(1)));
    assert!(done["round_trip_ms"].is_u64());

    run.send(r#"{"cmd":"disconnect","id":"two"}"#);
    let disconnected = run.wait_for("disconnected");
    shape(
        &disconnected,
        &[
            Field("reason", Value::is_string),
            Field("message", Value::is_string),
            Field("code", Value::is_null),
            Field("retry_at", Value::is_null),
        ],
    );
    assert_eq!(disconnected["reason"], "requested");
    assert_eq!(
        run.wait_for("done"),
        json!({"v": 1, "type": "done", "cmd": "disconnect", "id": "two"})
    );

    run.send(r#"{"cmd":"ping","id":3}"#);
    let error = run.wait_for("error");
    assert_eq!(
        (&error["code"], &error["cmd"], &error["id"]),
        (&json!("command_failed"), &json!("ping"), &json!(3))
    );

    run.send(r#"{"cmd":"connect"}"#);
    run.wait_for("online");
    run.send(r#"{"cmd":"logout","id":4}"#);
    let mut kinds = Vec::new();
    run.wait_until(|message| message["id"] == 4);
    for line in &run.seen {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["type"] == "logged_out" {
            shape(
                &message,
                &[
                    Field("reason", Value::is_string),
                    Field("message", Value::is_string),
                    Field("server_unlinked", Value::is_boolean),
                ],
            );
            kinds.push(message);
        }
    }
    assert_eq!(kinds.len(), 1);
    assert_eq!(
        (&kinds[0]["reason"], &kinds[0]["server_unlinked"]),
        (&json!("requested"), &json!(true))
    );

    run.send(r#"{"cmd":"connect"}"#);
    world.scan(run.wait_for("qr")["code"].as_str().unwrap());
    run.wait_for("online");
    run.send(r#"{"cmd":"quit"}"#);
    assert_eq!(run.end().code(), Some(0));
}

#[test]
fn what_is_no_command_is_answered_and_changes_nothing() {
    let world = World::new();
    world.link();
    let mut run = start(&world);
    run.wait_for("online");
    for (line, code) in [
        ("quit", "bad_command"),
        ("{\"cmd\":7}", "bad_command"),
        ("{\"cmd\":\"dance\"}", "unknown_command"),
        ("\u{7}", "bad_command"),
    ] {
        run.send(line);
        assert_eq!(run.wait_for("error")["code"], code, "{line}");
    }
    run.send(&"x".repeat(64 * 1024 + 1));
    assert_eq!(run.wait_for("error")["message"], "the command is too long");
    run.send("");
    run.send(r#"{"cmd":"ping"}"#);
    run.wait_for("done");
}

#[test]
fn a_closed_input_is_no_reason_to_end_while_there_is_something_to_do() {
    let world = World::new();
    world.link();
    let mut run = start(&world);
    drop(run.stdin.take());
    run.wait_for("online");
    // What comes with being online is told, and then there is silence.
    while run
        .line_within(std::time::Duration::from_millis(300))
        .is_some()
    {}
    assert!(run.child.try_wait().unwrap().is_none());
    world.sim.unlink(world.number(), 1).unwrap();
    run.wait_for("logged_out");
    assert_eq!(run.end().code(), Some(4), "nobody can start it again");
}

#[test]
fn a_closed_input_after_a_disconnect_is_the_end() {
    let world = World::new();
    world.link();
    let mut run = start(&world);
    run.wait_for("online");
    run.send(r#"{"cmd":"disconnect"}"#);
    drop(run.stdin.take());
    run.wait_for("done");
    assert_eq!(run.end().code(), Some(0), "it did what it was asked for");
    assert_eq!(world.companions(), 1, "the link stays");
}

#[test]
fn a_logout_on_command_is_not_followed_by_a_new_link() {
    let world = World::new();
    world.link();
    // Nobody listens there: the stored link has no chance to show that it works.
    let root = world.sim.noise_root_hex();
    let nowhere = ["--server", "ws://127.0.0.1:1/", "--noise-root", &root];
    let mut command = world.on_store("run");
    let mut run = Running::start(command.args(["--json", "--pair", "qr"]).args(nowhere));
    run.wait_for_state("reconnecting");
    run.send(r#"{"cmd":"logout"}"#);
    assert_eq!(run.wait_for("done")["cmd"], "logout");
    drop(run.stdin.take());
    assert_eq!(run.end().code(), Some(4));
    let logged_out = run
        .seen
        .iter()
        .rposition(|line| line.contains("logged_out"));
    let after = &run.seen[logged_out.unwrap()..];
    assert!(
        !after.iter().any(|line| line.contains("\"connecting\"")),
        "{after:#?}"
    );
}

#[test]
fn it_ends_when_nobody_reads() {
    let world = World::new();
    world.link();
    let mut child = world
        .online("run")
        .arg("--json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let deadline = std::time::Instant::now() + common::PATIENCE;
    while child.try_wait().unwrap().is_none() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn logs_go_to_standard_error_only() {
    let world = World::new();
    world.link();
    let mut run = Running::start(world.online("run").args(["--json", "-vvv"]));
    run.wait_for("online");
    run.send(r#"{"cmd":"quit"}"#);
    assert_eq!(run.end().code(), Some(0));
    for line in &run.seen {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn a_phone_is_accepted_or_refused_on_command() {
    let world = World::new();
    let mut run =
        Running::start(
            world
                .online("run")
                .args(["--json", "--pair", "qr", "--require-approval"]),
        );
    world.scan(run.wait_for("qr")["code"].as_str().unwrap());
    let asked = run.wait_for("approval_needed");
    shape(
        &asked,
        &[
            Field("jid", Value::is_string),
            Field("lid", Value::is_string),
            Field("platform", Value::is_string),
        ],
    );
    run.send(r#"{"cmd":"approve","accept":false}"#);
    run.wait_for("pairing_failed");
    assert_eq!(world.companions(), 0);
    run.send(r#"{"cmd":"connect"}"#);
    world.scan(run.wait_for("qr")["code"].as_str().unwrap());
    run.wait_for("approval_needed");
    run.send(r#"{"cmd":"approve"}"#);
    run.wait_for("online");
    assert_eq!(world.companions(), 1);
}

#[test]
fn pictures_are_kept_in_machine_mode_too() {
    let world = World::new();
    let png = world.folder.path().join("code.png");
    let mut run = Running::start(
        world
            .online("run")
            .args(["--json", "--pair", "qr", "--qr-png"])
            .arg(&png),
    );
    let qr = run.wait_for("qr");
    assert!(png.exists(), "the picture is there before the line");
    world.scan(qr["code"].as_str().unwrap());
    run.wait_for("qr_blanked");
    assert!(!png.exists());
    run.wait_for("online");
}

#[test]
fn commands_keep_their_order_and_the_end_waits_for_them() {
    let world = World::new();
    world.link();
    for _ in 0..10 {
        let mut run = start(&world);
        run.wait_for("online");
        run.send(
            "{\"cmd\":\"disconnect\"}\n{\"cmd\":\"connect\"}\n{\"cmd\":\"disconnect\",\"id\":9}",
        );
        let mut answers = Vec::new();
        while answers.len() < 3 {
            answers.push(run.wait_until(|message| message["cmd"].is_string()));
        }
        assert_eq!(answers[0]["cmd"], "disconnect");
        let stopped = |answer: &Value| answer["cmd"] == "connect" && answer["type"] == "error";
        assert!(answers.iter().any(stopped), "{answers:#?}");
        run.send(r#"{"cmd":"quit"}"#);
        assert_eq!(run.end().code(), Some(0));
    }
    let mut run = start(&world);
    run.wait_for("online");
    run.send("{\"cmd\":\"logout\"}\n{\"cmd\":\"quit\"}");
    assert_eq!(run.end().code(), Some(0));
    let said = run.seen.join("\n");
    assert!(
        said.contains("\"logged_out\"") && said.contains("\"done\""),
        "{said}"
    );
    assert_eq!(world.companions(), 0);
}
