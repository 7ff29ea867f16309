#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `wa pair --sim`, as a new user runs it.

mod common;

use std::process::{Command, Stdio};

use common::{run, wa};

const STEPS: [&str; 6] = [
    "Connecting",
    "Waiting for the scan",
    "Verifying",
    "Restarting",
    "Logging in",
    "Uploading keys",
];

fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("no {part:?} after what came before in\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

fn is_link_line(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("Linked as +") else {
        return false;
    };
    let Some((number, device)) = rest.split_once(", device ") else {
        return false;
    };
    number.bytes().all(|digit| digit.is_ascii_digit())
        && device.parse::<u16>().is_ok_and(|device| device > 0)
}

#[test]
fn it_shows_every_step_and_ends_linked() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(wa(home.path()).args(["pair", "--sim"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    in_order(&stdout, &STEPS);
    assert!(is_link_line(stdout.lines().last().unwrap()), "{stdout}");
    assert!(
        !stdout.contains(['\x1b', '\r']),
        "a pipe gets no escape codes"
    );
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "the user's own store is not touched"
    );
}

#[test]
fn what_is_shown_is_what_the_phone_scans() {
    let home = tempfile::tempdir().unwrap();
    let (_, stdout, _) = run(wa(home.path()).args(["pair", "--sim"]));
    let lines: Vec<&str> = stdout.lines().collect();
    let title = lines
        .iter()
        .position(|line| line.starts_with("QR code 1, valid for "))
        .unwrap();
    let drawing: Vec<Vec<char>> = lines[title + 2..]
        .iter()
        .take_while(|line| line.starts_with('█'))
        .map(|line| line.chars().collect())
        .collect();
    let (width, height) = (drawing[0].len(), 2 * drawing.len());
    // Light modules are drawn, dark ones are left empty; three pixels per module, as a camera would see it.
    let is_dark = |x: usize, y: usize| {
        let cell = drawing[y / 2][x];
        cell == ' ' || cell == if y.is_multiple_of(2) { '▄' } else { '▀' }
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(3 * width, 3 * height, |x, y| {
        if is_dark(x / 3, y / 3) { 0 } else { 255 }
    });
    let grids = picture.detect_grids();
    assert_eq!(grids[0].decode().unwrap().1, lines[title + 1]);
}

#[test]
fn a_store_that_is_given_keeps_the_link() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("kept.db");
    let mut command = wa(home.path());
    command.args(["pair", "--sim", "--store"]).arg(&store);
    assert_eq!(run(&mut command).0, Some(0));
    let (code, stdout, _) = run(wa(home.path()).args(["status", "--store"]).arg(&store));
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("default: linked as +"), "{stdout}");
}

#[test]
fn nothing_of_the_surroundings_reaches_a_trial_run() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("own.db");
    let missing = home.path().join("missing.json");
    let mut command = wa(home.path());
    command
        .args(["pair", "--sim"])
        // Nobody listens there: a trial run through it would not get far.
        .env("WA_PROXY", "http://127.0.0.1:1")
        .env("WA_STORE", &store)
        .env("WA_KEY_FILE", home.path().join("own.key"))
        .env("WA_CONFIG", &missing)
        .env("WA_CLIENT_VERSION", "1.0.0");
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "the store of the variable is not touched"
    );
    let (code, _, stderr) = run(command.args(["--proxy", "http://127.0.0.1:1"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("cannot be used with '--proxy"), "{stderr}");
}

#[test]
fn machine_mode_speaks_json_only() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, _) = run(wa(home.path()).args(["pair", "--sim", "--json"]));
    assert_eq!(code, Some(0));
    let types: Vec<String> = stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for wanted in ["state", "progress", "qr", "paired", "online"] {
        assert!(
            types.iter().any(|found| found == wanted),
            "no {wanted} in {types:?}"
        );
    }
}

#[test]
fn a_terminal_gets_colours_and_the_code_in_place() {
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
    let wa = env!("CARGO_BIN_EXE_wa");
    let (code, stdout, _) = run(Command::new("script").env("HOME", home.path()).args([
        "-qec",
        &format!("stty rows 60 cols 100; {wa} pair --sim"),
        "/dev/null",
    ]));
    assert_eq!(code, Some(0), "{stdout}");
    assert!(
        stdout.contains("\x1b[38;5;16;48;5;231m"),
        "black on white is forced"
    );
    assert!(
        stdout.contains("\x1b[1A\r\x1b[2KCode 1, valid for 5"),
        "the countdown moves"
    );
    assert!(
        stdout.contains("\x1b[J"),
        "the code is taken off the screen"
    );
    in_order(
        &stdout,
        &["Waiting for the scan", "\x1b[J", "Verifying", "Linked as +"],
    );
}
