#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! What cannot work ends with a documented code and a message that says what to do.

mod common;

use common::{Running, World, run};
use wa_sim::{FailureStanza, Fault};

#[test]
fn wrong_usage_is_code_2() {
    let world = World::new();
    for args in [
        &["dance"][..],
        &["run", "--noise-root", "zz"],
        &["run", "--proxy", "ftp://h"],
        &["run", "--client-version", "new"],
        &["pair", "--sim", "--server", "ws://h/"],
        &["run", "--require-approval"],
    ] {
        let (code, _, stderr) = run(world.wa().args(args));
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
    }
    let proxy = "ftp://ann:hunter2@h:1";
    let (code, stdout, stderr) = run(world.wa().args(["run", "--proxy", proxy]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(!format!("{stdout}{stderr}").contains("hunter2"), "{stderr}");
    let (code, stdout, _) = run(world.wa().args(["run", "--help"]).env("WA_PROXY", proxy));
    assert!(code == Some(0) && !stdout.contains("hunter2"), "{stdout}");
    let (code, _, stderr) = run(world.online("pair").args(["--config", "/nonexistent.json"]));
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn a_store_in_use_is_code_5_and_names_the_user() {
    let world = World::new();
    world.link();
    let mut running = Running::start(world.online("run").arg("--json"));
    running.wait_for("online");
    let (code, _, stderr) = run(&mut world.online("run"));
    assert_eq!(code, Some(5));
    assert!(
        stderr.contains(&format!("process {}", running.child.id())),
        "{stderr}"
    );
    running.send(r#"{"cmd":"ping"}"#);
    running.wait_for("done");
}

#[test]
fn a_wrong_key_is_code_5_and_changes_nothing() {
    let world = World::new();
    world.link();
    let before = std::fs::read(world.store()).unwrap();
    let other = "5f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";
    let (code, _, stderr) = run(world.on_store("status").env("WA_STORE_KEY", other));
    assert_eq!(code, Some(5));
    assert!(stderr.contains("wrong key"), "{stderr}");
    assert_eq!(std::fs::read(world.store()).unwrap(), before);
    let key = world.folder.path().join("wa.db.key");
    std::fs::rename(&key, key.with_extension("gone")).unwrap();
    let (code, _, stderr) = run(&mut world.on_store("status"));
    assert_eq!(code, Some(5));
    assert!(stderr.contains("is missing"), "{stderr}");
    std::fs::rename(key.with_extension("gone"), &key).unwrap();
    assert_eq!(run(&mut world.on_store("status")).0, Some(0));
}

#[test]
fn an_outdated_version_is_code_6_and_every_way_to_give_a_newer_one_works() {
    let world = World::with(|options| options.world.min_version = Some([2, 3000, 1_999_999_999]));
    let (code, _, stderr) = run(&mut world.online("pair"));
    assert_eq!(code, Some(6));
    assert!(
        stderr.contains("2.3000.1045649367") && stderr.contains("--client-version"),
        "{stderr}"
    );

    let new = "2.3000.2000000000";
    let gets_a_code = |command: &mut std::process::Command| {
        let mut running = Running::start(command.arg("--json"));
        running.wait_for("qr");
    };
    gets_a_code(world.online("pair").args(["--client-version", new]));
    gets_a_code(world.online("pair").env("WA_CLIENT_VERSION", new));
    let config = world.folder.path().join(".config/wa");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(
        config.join("config.json"),
        format!("{{\"client_version\": \"{new}\"}}"),
    )
    .unwrap();
    gets_a_code(&mut world.online("pair"));
    let old = ["--client-version", "2.3000.1"];
    assert_eq!(
        run(world.online("pair").args(old)).0,
        Some(6),
        "the flag comes first"
    );
}

#[test]
fn codes_that_nobody_scans_expire_with_code_3() {
    let world = World::new();
    // The first code lives for a minute; a server that offers none is out of codes at once.
    world.sim.inject(Fault::Refs { count: 0 });
    let (code, stdout, stderr) = run(&mut world.online("pair"));
    assert_eq!(code, Some(3), "{stdout} {stderr}");
    assert!(stderr.contains("nobody used the code in time"), "{stderr}");
}

#[test]
fn a_restricted_account_is_code_7() {
    let world = World::new();
    world.link();
    world.sim.inject(Fault::Failure(FailureStanza {
        reason: 402,
        code: Some(101),
        ..FailureStanza::default()
    }));
    let (code, _, stderr) = run(&mut world.online("run"));
    assert_eq!(code, Some(7), "{stderr}");
    assert!(
        stderr.contains("restricts this account (code 101)"),
        "{stderr}"
    );
}

#[test]
fn a_second_connection_with_the_same_credentials_is_code_7() {
    let world = World::new();
    world.link();
    let mut first = Running::start(&mut world.online("run"));
    while !first
        .line_within(common::PATIENCE)
        .unwrap()
        .starts_with("Online as ")
    {}
    world.sim.act(|world, _| world.clear_faults());
    let copy = world.folder.path().join("copy.db");
    for ending in ["", "-wal", "-shm", ".key"] {
        let from = world.folder.path().join(format!("wa.db{ending}"));
        if from.exists() {
            std::fs::copy(from, world.folder.path().join(format!("copy.db{ending}"))).unwrap();
        }
    }
    let mut second = world.wa();
    second.args([
        "pair",
        "--server",
        &world.sim.url(),
        "--noise-root",
        &world.sim.noise_root_hex(),
        "--store",
    ]);
    assert_eq!(run(second.arg(&copy)).0, Some(0));
    assert_eq!(first.end().code(), Some(7));
}

#[test]
fn a_server_that_cannot_be_reached_is_explained_with_the_time_of_the_next_try() {
    let world = World::new();
    let mut command = world.on_store("pair");
    command.args([
        "--server",
        "ws://127.0.0.1:1/",
        "--noise-root",
        &world.sim.noise_root_hex(),
    ]);
    let mut running = Running::start(&mut command);
    let line = loop {
        let line = running.line_within(common::PATIENCE).unwrap();
        if line.starts_with("Disconnected: ") {
            break line;
        }
    };
    assert!(
        line.contains("127.0.0.1:1") && line.contains("check the network"),
        "{line}"
    );
    assert!(line.contains("Trying again in "), "{line}");
}

#[test]
fn a_server_with_another_root_key_is_refused() {
    let (world, other) = (World::new(), World::new());
    let mut command = world.on_store("pair");
    command.args([
        "--server",
        &world.sim.url(),
        "--noise-root",
        &other.sim.noise_root_hex(),
    ]);
    let (code, _, stderr) = run(&mut command);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("root key"), "{stderr}");
}

#[test]
fn several_accounts_must_be_told_apart() {
    let world = World::new();
    for label in ["home", "work"] {
        let mut running = Running::start(world.online("pair").args(["--account", label, "--json"]));
        world.scan(running.wait_for("qr")["code"].as_str().unwrap());
        assert_eq!(running.end().code(), Some(0));
    }
    let (code, _, stderr) = run(&mut world.online("run"));
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("home (") && stderr.contains("work ("),
        "{stderr}"
    );
    let (code, stdout, _) = run(world.online("pair").args(["--account", "work"]));
    assert_eq!(
        (code, stdout.lines().last()),
        (Some(0), Some("Linked as +15551230001, device 2"))
    );
}

#[test]
fn a_trial_run_does_not_touch_a_linked_account() {
    let world = World::new();
    world.link();
    let (code, _, stderr) = run(world.on_store("pair").arg("--sim"));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("Leave out --store"), "{stderr}");
    let (code, stdout, _) = run(&mut world.online("pair"));
    assert_eq!(code, Some(0), "the link is still good: {stdout}");
    assert_eq!(world.companions(), 1);
}
