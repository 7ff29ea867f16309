#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! The life of a link over several runs of the command: pair, status, run, logout, export and import.

mod common;

use common::{Running, World, run};
use wa_sim::{Fault, FaultRule, Step};

#[test]
fn a_second_run_logs_in_with_no_code() {
    let world = World::new();
    world.link();
    let (code, stdout, _) = run(&mut world.online("pair"));
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains("linked already"), "{stdout}");
    assert!(!stdout.contains("QR code"));
    assert_eq!(
        stdout.lines().last(),
        Some("Linked as +15551230001, device 1")
    );
    assert_eq!(world.companions(), 1);
}

#[test]
fn status_tells_state_time_and_whether_it_runs() {
    let world = World::new();
    let (code, stdout, _) = run(&mut world.on_store("status"));
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("No accounts"), "{stdout}");
    assert!(!world.store().exists(), "asking makes nothing");

    world.link();
    let (_, stdout, _) = run(&mut world.on_store("status"));
    assert!(
        stdout.starts_with("default: linked as +15551230001, device 1 (android), since 20"),
        "{stdout}"
    );
    assert!(stdout.trim_end().ends_with("not running"), "{stdout}");

    let mut running = Running::start(world.online("run").arg("--json"));
    running.wait_for("online");
    let (_, stdout, _) = run(world.on_store("status").arg("--json"));
    let account: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&account["type"], &account["link"], &account["running"]),
        (&"account".into(), &"linked".into(), &true.into())
    );
}

#[test]
fn logging_out_is_confirmed_by_the_server_and_wipes() {
    let world = World::new();
    world.link();
    let (code, stdout, _) = run(&mut world.online("logout"));
    assert_eq!(code, Some(0), "{stdout}");
    assert!(
        stdout
            .lines()
            .last()
            .unwrap()
            .contains("the server has unlinked the device"),
        "{stdout}"
    );
    assert_eq!(world.companions(), 0);
    let (_, stdout, _) = run(&mut world.on_store("status"));
    assert!(stdout.starts_with("default: logged out, since"), "{stdout}");
    let (code, _, stderr) = run(&mut world.online("logout"));
    assert_eq!(code, Some(4));
    assert!(stderr.contains("not linked"), "{stderr}");
}

#[test]
fn an_unconfirmed_logout_says_so_and_has_a_code_of_its_own() {
    let world = World::new();
    world.link();
    world
        .sim
        .inject(FaultRule::once(Fault::SilentAt { step: Step::Logout }));
    let (code, stdout, stderr) = run(world.online("logout").arg("--json"));
    assert_eq!(code, Some(8), "{stdout} {stderr}");
    assert!(
        stderr.contains("did not confirm") && stderr.contains("Linked devices"),
        "{stderr}"
    );
    let done = stdout
        .lines()
        .find(|line| line.contains("\"done\""))
        .unwrap();
    assert!(done.contains("\"server_unlinked\":false"), "{done}");

    let (_, stdout, _) = run(&mut world.on_store("status"));
    assert!(stdout.contains("`wa logout` asks again"), "{stdout}");
    let (_, stdout, _) = run(world.on_store("status").arg("--json"));
    assert!(stdout.contains("\"unlink_pending\":true"), "{stdout}");
    let (code, stdout, stderr) = run(&mut world.online("logout"));
    assert_eq!(code, Some(0), "{stdout} {stderr}");
    assert_eq!(world.companions(), 0);
    let (_, stdout, _) = run(world.on_store("status").arg("--json"));
    assert!(stdout.contains("\"unlink_pending\":false"), "{stdout}");
    assert_eq!(run(&mut world.online("logout")).0, Some(4));
}

#[test]
fn what_is_to_be_kept_can_be_named() {
    let world = World::new();
    world.link();
    let (code, _, stderr) = run(world.online("logout").args(["--keep", "keys"]));
    assert_eq!(code, Some(2), "{stderr}");
    let keep = ["--keep", "version,peer-identities"];
    assert_eq!(run(world.online("logout").args(keep)).0, Some(0));
    assert_eq!(world.companions(), 0);
}

#[test]
fn run_without_a_link_says_what_to_do() {
    let world = World::new();
    let (code, _, stderr) = run(&mut world.online("run"));
    assert_eq!(code, Some(4));
    assert!(stderr.contains("wa pair"), "{stderr}");
    let (code, stdout, _) = run(world.online("run").arg("--json"));
    assert_eq!(code, Some(4));
    assert!(stdout.contains("\"code\":\"not_linked\""), "{stdout}");
    assert!(!world.store().exists());
}

#[test]
fn an_interrupt_disconnects_in_order() {
    let world = World::new();
    world.link();
    let mut running = Running::start(&mut world.online("run"));
    while !running
        .line_within(common::PATIENCE)
        .unwrap()
        .starts_with("Online as ")
    {}
    let pid = running.child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(running.end().code(), Some(0));
    assert_eq!(
        running.seen.last().map(String::as_str),
        Some("Disconnected.")
    );
    let (_, stdout, _) = run(&mut world.on_store("status"));
    assert!(
        stdout.contains("linked as") && stdout.contains("not running"),
        "{stdout}"
    );
}

#[test]
fn an_account_moves_to_another_store_sealed() {
    let world = World::new();
    world.link();
    let file = world.folder.path().join("account.wa");
    let passphrase = |command: &mut std::process::Command| {
        run(command.env("WA_EXPORT_PASSPHRASE", "correct horse battery"))
    };
    let (code, stdout, stderr) = passphrase(world.on_store("export").arg(&file));
    assert_eq!(code, Some(0), "{stdout} {stderr}");
    let (code, _, stderr) = passphrase(world.on_store("export").arg(&file));
    assert_eq!(
        code,
        Some(1),
        "an existing file is not overwritten: {stderr}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    let other = world.folder.path().join("other.db");
    let on_other = |command: &str| {
        let mut wa = world.wa();
        wa.arg(command).arg("--store").arg(&other);
        wa
    };
    let (code, _, stderr) = run(on_other("import")
        .arg(&file)
        .env("WA_EXPORT_PASSPHRASE", "wrong horse battery"));
    assert_eq!(code, Some(1), "{stderr}");
    let (code, _, stderr) = passphrase(on_other("import").arg(&file));
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = passphrase(on_other("import").arg(&file));
    assert_eq!(code, Some(1), "twice is refused: {stderr}");
    let mut pair = on_other("pair");
    pair.args([
        "--server",
        &world.sim.url(),
        "--noise-root",
        &world.sim.noise_root_hex(),
    ]);
    let (code, stdout, _) = run(&mut pair);
    assert_eq!(code, Some(0), "{stdout}");
    assert!(!stdout.contains("QR code"));
}

#[test]
fn the_phone_can_be_reached_over_the_control_port() {
    let world = World::new();
    let control = world.sim.control_url().unwrap();
    let mut running = Running::start(world.online("pair").arg("--json"));
    let code = running.wait_for("qr")["code"].as_str().unwrap().to_owned();
    let (status, stdout, stderr) =
        run(world
            .wa()
            .args(["phone", "scan", &code, "--control", &control]));
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        stdout.trim_end(),
        "Linked 15551230001:1@s.whatsapp.net as device 1."
    );
    assert_eq!(running.end().code(), Some(0));

    let (status, _, stderr) = run(world
        .wa()
        .args(["phone", "scan", &code, "--control", &control]));
    assert_eq!(status, Some(1));
    assert!(stderr.contains("too old"), "{stderr}");
}

#[test]
fn pictures_of_the_code_exist_while_it_can_be_scanned() {
    let world = World::new();
    let (png, svg) = (
        world.folder.path().join("code.png"),
        world.folder.path().join("code.svg"),
    );
    let mut running = Running::start(
        world
            .online("pair")
            .arg("--qr-png")
            .arg(&png)
            .arg("--qr-svg")
            .arg(&svg),
    );
    let code = loop {
        let line = running.line_within(common::PATIENCE).unwrap();
        if line.starts_with("https://") {
            break line;
        }
    };
    let pixels = {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(std::fs::read(&png).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let width = info.width as usize;
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(width, info.height as usize, |x, y| {
                pixels[y * width + x]
            });
        picture.detect_grids()[0].decode().unwrap().1
    };
    assert_eq!(pixels, code);
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg"));
    world.scan(&code);
    assert_eq!(running.end().code(), Some(0));
    assert!(!png.exists() && !svg.exists());
}

#[test]
fn a_void_link_is_replaced_when_a_link_is_asked_for() {
    let world = World::new();
    world.link();
    world.sim.unlink(world.number(), 1).unwrap();
    let mut running = Running::start(world.online("pair").arg("--json"));
    running.wait_for_state("logged_out");
    world.scan(running.wait_for("qr")["code"].as_str().unwrap());
    running.wait_for("online");
    assert_eq!(running.end().code(), Some(0));

    let device = world
        .sim
        .read(|world| world.phones()[0].companions[0].device);
    world.sim.unlink(world.number(), device).unwrap();
    let (code, _, stderr) = run(&mut world.online("run"));
    assert_eq!(code, Some(4), "nobody asked for a new link: {stderr}");
}
