#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `wa pair --code` and `wa pair --passkey`, as people and programs use them.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Running, World, run, wa};
use serde_json::{Value, json};
use wa_sim::{Fault, FaultRule, IqKind, PasskeyPolicy};

fn guard(world: &World, change: impl FnOnce(&mut PasskeyPolicy)) {
    let mut policy = PasskeyPolicy {
        after_qr: true,
        after_code: true,
        ..PasskeyPolicy::default()
    };
    change(&mut policy);
    assert!(world.sim.set_passkey_policy(world.number(), policy));
}

/// `wa phone …` on this world's control port.
fn phone(world: &World, args: &[&str]) -> Command {
    let mut command = world.wa();
    command
        .arg("phone")
        .args(args)
        .env("WA_SIM_CONTROL", world.sim.control_url().unwrap());
    command
}

fn plus(world: &World) -> String {
    format!("+{}", world.number().digits())
}

/// Reads lines until one fits, and returns it.
fn line_where(running: &mut Running, fits: impl Fn(&str) -> bool) -> String {
    loop {
        match running.line_within(common::PATIENCE) {
            Some(line) if fits(&line) => return line,
            Some(_) => {}
            None => panic!("it did not come; said {:#?}", running.seen),
        }
    }
}

fn is_code(line: &str) -> bool {
    line.len() == 9 && line.split('-').all(|half| half.len() == 4)
}

#[test]
fn the_trial_links_by_code_unattended() {
    let home = tempfile::tempdir().unwrap();
    let mut command = wa(home.path());
    command.args(["pair", "--sim", "--code", "+1 (555) 123-4567"]);
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.ends_with("Linked as +15551234567, device 1\n"));
    assert_eq!(stdout.lines().filter(|line| is_code(line)).count(), 1);
    assert!(stdout.contains("Link with phone number"), "{stdout}");
    assert!(!stdout.contains("QR code") && !stdout.contains('█'));
    let (code, stdout, _) = run(command.args(["--custom-code", "abcd-1234", "--qr"]));
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains("\nABCD-1234\n") && stdout.contains("QR code 1"));
}

#[test]
fn a_terminal_shows_the_code_big_in_its_order_and_takes_it_away() {
    // `script` gives the command a terminal; it belongs to the base system of Linux distributions.
    let found = Command::new("script")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let pair = format!(
        "stty rows 40 cols 100; {} pair --sim --code +15551234567 --custom-code ABCD1234",
        env!("CARGO_BIN_EXE_wa")
    );
    let (code, stdout, _) =
        run(Command::new("script")
            .env("HOME", home.path())
            .args(["-qec", &pair, "/dev/null"]));
    assert_eq!(code, Some(0), "{stdout}");
    let shown = stdout
        .find("Pairing code: \u{2066}ABCD-1234\u{2069}")
        .unwrap();
    assert!(stdout[..shown].contains("▄▀▀▀▄"), "{stdout}");
    assert!(stdout.contains("\x1b[1A\r\x1b[2KPairing code, valid for 17"));
    let verifying = stdout.find("Verifying").unwrap();
    assert!(
        stdout[shown..verifying].contains("\x1b[J"),
        "the code is taken off the screen"
    );
}

#[test]
fn the_trial_links_by_passkey_unattended_after_a_scan_and_after_a_code() {
    let home = tempfile::tempdir().unwrap();
    for more in [&[][..], &["--code", "+15551230001"]] {
        let mut command = wa(home.path());
        let (code, stdout, stderr) = run(command.args(["pair", "--sim", "--passkey"]).args(more));
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
        assert!(stdout.contains("has used the passkey"), "{stdout}");
        assert!(stdout.ends_with("Linked as +15551230001, device 1\n"));
    }
}

#[test]
fn numbers_and_codes_that_are_none_are_refused_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    for (args, why) in [
        (&["--code", "0171 1234567"][..], "country code first"),
        (&["--code", "12345"], "at least 7"),
        (&["--code", "call me"], "consists of digits"),
        (
            &["--code", "+15551234567", "--custom-code", "ABC"],
            "expected 8",
        ),
        (
            &["--code", "+15551234567", "--custom-code", "ABCD123O"],
            "without I, O and U",
        ),
        (&["--custom-code", "ABCD1234"], "with --code only"),
        (&["--yes"], "with --passkey only"),
    ] {
        let (code, _, stderr) = run(wa(home.path()).args(["pair", "--sim"]).args(args));
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(why), "{args:?}: {stderr}");
    }
}

#[test]
fn a_code_is_typed_on_the_phone_of_a_running_simulator() {
    let world = World::new();
    let mut pairing = Running::start(world.online("pair").args(["--code", &plus(&world)]));
    let code = line_where(&mut pairing, is_code);
    let (status, stdout, stderr) = run(&mut phone(&world, &["code", &code]));
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stdout.ends_with("as device 1.\n"), "{stdout}");
    assert_eq!(pairing.end().code(), Some(0));
    assert_eq!(world.companions(), 1);
}

#[test]
fn a_watcher_links_by_code_and_by_passkey_and_stays_connected() {
    let world = World::new();
    guard(&world, |_| {});
    let mut watching =
        Running::start(
            world
                .online("run")
                .args(["--pair", "passkey", "--phone", &plus(&world)]),
        );
    let code = line_where(&mut watching, is_code);
    let typed = run(&mut phone(&world, &["code", &code, "--no-wait"]));
    assert_eq!(typed.0, Some(0), "{}", typed.2);
    let options = line_where(&mut watching, |line| line.starts_with('{'));
    watching.send(&world.sim.assert_passkey(&options).unwrap());
    line_where(&mut watching, |line| line.starts_with("Online as "));
    assert!(watching.child.try_wait().unwrap().is_none());
    let (code, _, stderr) = run(world.online("run").args(["--pair", "code"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--phone"), "{stderr}");
}

#[test]
fn a_server_that_gives_no_code_is_quoted_with_what_to_do() {
    let world = World::new();
    let refuse = || {
        world.sim.inject(FaultRule::once(Fault::IqError {
            request: IqKind::CompanionHello,
            code: 429,
            text: Some("rate-overlimit".to_owned()),
            backoff: Some(90),
        }))
    };
    assert!(refuse());
    let (code, _, stderr) = run(world.online("pair").args(["--code", &plus(&world)]));
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("try again later") && stderr.contains("90 s"),
        "{stderr}"
    );
    assert!(refuse());
    let mut program = Running::start(world.online("run").args([
        "--json",
        "--pair",
        "code",
        "--phone",
        &plus(&world),
    ]));
    let error = program.wait_for("error");
    assert_eq!(
        (&error["code"], &error["backoff_s"], &error["cmd"]),
        (
            &json!("code_rate_limited"),
            &json!(90),
            &json!("pairing_code")
        )
    );
}

#[test]
fn an_assertion_is_taken_from_a_file() {
    let world = World::new();
    guard(&world, |_| {});
    let file = world.folder.path().join("assertion.json");
    let mut pairing = Running::start(
        world
            .online("pair")
            .args(["--code", &plus(&world), "--passkey", "--yes"])
            .arg("--passkey-response")
            .arg(&file),
    );
    let code = line_where(&mut pairing, is_code);
    assert_eq!(
        run(&mut phone(&world, &["code", &code, "--no-wait"])).0,
        Some(0)
    );
    let options = line_where(&mut pairing, |line| line.starts_with('{'));
    let options_file = world.folder.path().join("options.json");
    std::fs::write(&options_file, &options).unwrap();
    let (status, assertion, stderr) = run(phone(&world, &["passkey", "sign"]).arg(&options_file));
    assert_eq!(status, Some(0), "{stderr}");
    std::fs::write(&file, assertion).unwrap();
    assert_eq!(pairing.end().code(), Some(0), "{:#?}", pairing.seen);
    assert_eq!(world.companions(), 1);
}

#[test]
fn an_assertion_is_pasted_and_nonsense_before_it_does_no_harm() {
    let world = World::new();
    guard(&world, |_| {});
    let mut pairing = Running::start(world.online("pair").arg("--passkey"));
    let qr = line_where(&mut pairing, |line| line.starts_with("https://wa.me/"));
    world.scan(&qr);
    let options = line_where(&mut pairing, |line| line.starts_with('{'));
    pairing.send("what?");
    line_where(&mut pairing, |line| line.contains("no assertion"));
    pairing.send(&world.sim.assert_passkey(&options).unwrap());
    assert_eq!(pairing.end().code(), Some(0), "{:#?}", pairing.seen);
}

#[test]
fn codes_are_compared_where_that_is_wanted_and_a_no_links_nothing() {
    for (word, ends, companions) in [("n", 1, 0), ("y", 0, 1)] {
        let world = World::new();
        guard(&world, |_| {});
        let mut pairing = Running::start(world.online("pair").args(["--passkey", "--compare"]));
        let qr = line_where(&mut pairing, |line| line.starts_with("https://wa.me/"));
        world.scan(&qr);
        let options = line_where(&mut pairing, |line| line.starts_with('{'));
        pairing.send(&world.sim.assert_passkey(&options).unwrap());
        let code = line_where(&mut pairing, is_code);
        let (_, shown, _) = run(&mut phone(&world, &["passkey", "code"]));
        assert_eq!(shown.trim_end(), code);
        line_where(&mut pairing, |line| line.contains("y or n"));
        pairing.send(word);
        assert_eq!(pairing.end().code(), Some(ends), "{:#?}", pairing.seen);
        assert_eq!(world.companions(), companions);
    }
}

#[test]
fn an_account_that_asks_for_its_passkey_is_an_error_with_advice_where_nobody_is_ready_for_it() {
    let world = World::new();
    guard(&world, |_| {});
    let mut pairing = Running::start(world.online("pair").arg("--json"));
    let qr = pairing.wait_for("qr")["code"].as_str().unwrap().to_owned();
    world.scan(&qr);
    let error = pairing.wait_for("error");
    assert_eq!(error["code"], "passkey_needed");
    assert!(error["message"].as_str().unwrap().contains("--passkey"));
    assert_eq!(pairing.end().code(), Some(1));
}

/// A field by name and kind.
type Field = (&'static str, fn(&Value) -> bool);

/// These fields and no others.
fn has_kind(message: &Value, fields: &[Field]) {
    for (name, fits) in fields {
        assert!(fits(&message[*name]), "{name} in {message}");
    }
    let object = message.as_object().unwrap();
    assert_eq!(object.len(), fields.len() + 2, "{message}");
}

#[test]
fn a_program_links_by_code_on_command() {
    let world = World::new();
    let mut program = Running::start(world.online("run").args(["--json", "--pair", "qr"]));
    program.send(r#"{"cmd":"pairing_code","phone":"0171","id":1}"#);
    assert_eq!(program.wait_for("error")["code"], "bad_number");
    let ask = |id: u32, more: &str| {
        format!(
            r#"{{"cmd":"pairing_code","phone":"{}","id":{id}{more}}}"#,
            plus(&world)
        )
    };
    program.send(&ask(2, r#","custom":"12""#));
    assert_eq!(program.wait_for("error")["code"], "bad_code");
    program.send(&ask(3, ""));
    let told = program.wait_for("pairing_code");
    has_kind(
        &told,
        &[
            ("code", Value::is_string),
            ("code_formatted", Value::is_string),
            ("ttl_ms", Value::is_u64),
            ("expires_at", Value::is_u64),
        ],
    );
    assert!(is_code(told["code_formatted"].as_str().unwrap()));
    let done = program.wait_for("done");
    assert_eq!((&done["id"], &done["code"]), (&json!(3), &told["code"]));

    program.send(&ask(4, ""));
    let error = program.wait_for("error");
    assert_eq!(error["code"], "code_outstanding");
    assert!(error["remaining_ms"].as_u64().unwrap() > 100_000);
    program.send(r#"{"cmd":"cancel_pairing_code"}"#);
    let ended = program.wait_for("pairing_code_ended");
    has_kind(
        &ended,
        &[("reason", Value::is_string), ("message", Value::is_string)],
    );
    assert_eq!(ended["reason"], "cancelled");
    program.send(r#"{"cmd":"cancel_pairing_code","id":5}"#);
    assert_eq!(program.wait_for("error")["code"], "no_pairing_code");

    program.send(&ask(6, r#","custom":"ABCD-1234","push":false"#));
    assert_eq!(program.wait_for("pairing_code")["code"], "ABCD1234");
    let typed = run(&mut phone(&world, &["code", "abcd 1234", "--no-wait"]));
    assert_eq!(typed.0, Some(0), "{}", typed.2);
    program.wait_for("online");
    program.send(&ask(7, ""));
    assert_eq!(program.wait_for("error")["code"], "already_linked");
    program.send(r#"{"cmd":"quit"}"#);
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_program_asks_for_the_code_it_was_started_with() {
    let world = World::new();
    let mut program = Running::start(world.online("run").args([
        "--json",
        "--pair",
        "code",
        "--phone",
        &plus(&world),
        "--custom-code",
        "WXYZ9876",
    ]));
    assert_eq!(
        program.wait_for("pairing_code")["code_formatted"],
        "WXYZ-9876"
    );
    assert_eq!(run(&mut phone(&world, &["code", "WXYZ-9876"])).0, Some(0));
    program.wait_for("online");
}

#[test]
fn the_code_is_asked_for_again_where_the_stored_link_is_void() {
    let world = World::new();
    world.link();
    world.sim.unlink(world.number(), 1).unwrap();
    let mut program = Running::start(world.online("run").args([
        "--json",
        "--pair",
        "code",
        "--phone",
        &plus(&world),
    ]));
    assert_eq!(
        program.wait_for("logged_out")["reason"],
        "removed_after_pairing"
    );
    let code = program.wait_for("pairing_code")["code_formatted"].clone();
    let typed = run(&mut phone(&world, &["code", code.as_str().unwrap()]));
    assert_eq!(typed.0, Some(0), "{}", typed.2);
    program.wait_for("online");
}

#[test]
fn a_program_carries_out_the_passkey_ceremony() {
    let world = World::new();
    guard(&world, |policy| policy.inline_options = false);
    let mut program = Running::start(world.online("run").args(["--json", "--pair", "passkey"]));
    world.scan(program.wait_for("qr")["code"].as_str().unwrap());
    let asked = program.wait_for("passkey_requested");
    has_kind(
        &asked,
        &[
            ("options", Value::is_object),
            ("options_json", Value::is_string),
            ("expires_at", Value::is_u64),
        ],
    );
    let verbatim = asked["options_json"].as_str().unwrap();
    let parsed: Value = serde_json::from_str(verbatim).unwrap();
    assert_eq!(parsed, asked["options"]);
    program.send(r#"{"cmd":"passkey_response","assertion":{"id":"x"},"id":1}"#);
    assert_eq!(program.wait_for("error")["code"], "bad_assertion");
    program.send(r#"{"cmd":"passkey_response","id":2}"#);
    assert_eq!(program.wait_for("error")["code"], "bad_command");
    let assertion = world.sim.assert_passkey(verbatim).unwrap();
    program.send(&format!(
        r#"{{"cmd":"passkey_response","assertion":{assertion},"id":3}}"#
    ));
    let confirmation = program.wait_for("passkey_confirmation");
    has_kind(
        &confirmation,
        &[
            ("code", Value::is_null),
            ("code_formatted", Value::is_null),
            ("expires_at", Value::is_u64),
        ],
    );
    program.wait_for("online");
    program.send(r#"{"cmd":"passkey_confirm","accept":true,"id":4}"#);
    assert_eq!(program.wait_for("error")["code"], "no_passkey_asked");
}

#[test]
fn a_code_and_an_assertion_are_in_no_log() {
    let world = World::new();
    guard(&world, |_| {});
    let file = world.folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let mut command = world.online("run");
    command
        .args([
            "--json",
            "-vvv",
            "--pair",
            "code",
            "--custom-code",
            "WXYZ9876",
        ])
        .args(["--phone", &plus(&world)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut program = Running::of(command.spawn().unwrap());
    program.wait_for("pairing_code");
    run(&mut phone(&world, &["code", "WXYZ9876", "--no-wait"]));
    let asked = program.wait_for("passkey_requested");
    let assertion = world
        .sim
        .assert_passkey(asked["options_json"].as_str().unwrap())
        .unwrap();
    program.send(&format!(
        r#"{{"cmd":"passkey_response","assertion":{assertion}}}"#
    ));
    program.wait_for("online");
    program.kill();
    std::thread::sleep(Duration::from_millis(50));
    let log = std::fs::read_to_string(&file).unwrap();
    assert!(log.len() > 1000, "it does log");
    let assertion: Value = serde_json::from_str(&assertion).unwrap();
    let options: Value = asked["options"].clone();
    for secret in [
        "WXYZ9876",
        "WXYZ-9876",
        options["challenge"].as_str().unwrap(),
        assertion["response"]["signature"].as_str().unwrap(),
        &world.number().digits().to_string(),
    ] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}
