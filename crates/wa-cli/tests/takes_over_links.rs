#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `wa import --from`: what another library has linked logs in here, once it has been said that the other is stopped.

mod common;
#[path = "../../wa-import/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Running, World, run};
use support::{Link, baileys, pickles, whatsmeow};
use wa_store::{KeySource, Store as _};
use wa_store_sqlite::SqliteStore;

fn block_on<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(task)
}

/// The link of the world's store, as another library would know it.
fn link_of(world: &World) -> Link {
    block_on(async {
        let key = KeySource::KeyFile(world.folder.path().join("wa.db.key"));
        let store = SqliteStore::open(world.store(), key).await.unwrap();
        let account = store.accounts().await.unwrap().remove(0);
        let (_, records) = store.snapshot(&account.id).await.unwrap();
        store.close().await;
        pickles::link(&records)
    })
}

/// A command on a store of its own.
fn on_other(world: &World, command: &str) -> Command {
    let mut wa = world.wa();
    wa.arg(command).arg("--store").arg(other(world));
    wa
}

fn other(world: &World) -> PathBuf {
    world.folder.path().join("other.db")
}

fn import(world: &World, library: &str, file: &Path) -> Command {
    let mut wa = on_other(world, "import");
    wa.args(["--from", library, "--noise-root"])
        .arg(world.sim.noise_root_hex())
        .arg(file);
    wa
}

/// Goes online with the imported link, with no code on the way.
fn logs_in(world: &World, link: &Link) {
    let mut wa = on_other(world, "run");
    wa.args(["--json", "--server", &world.sim.url(), "--noise-root"])
        .arg(world.sim.noise_root_hex());
    let mut running = Running::start(&mut wa);
    let online = running.wait_for("online");
    assert_eq!(online["jid"], link.jid);
    running.send(r#"{"cmd":"quit"}"#);
    assert_eq!(running.end().code(), Some(0));
    let codes = running.seen.iter().filter(|line| line.contains("\"qr\""));
    assert_eq!(codes.count(), 0, "{:#?}", running.seen);
    assert_eq!(world.companions(), 1);
}

#[test]
fn a_link_of_baileys_is_taken_over_once_its_holder_is_stopped() {
    let world = World::new();
    world.link();
    let link = link_of(&world);
    let auth = baileys::write_folder(&link, world.folder.path());

    let (code, _, stderr) = run(&mut import(&world, "baileys", &auth));
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("--old-holder-stopped") && stderr.contains("never run it again"),
        "{stderr}"
    );
    assert!(!other(&world).exists(), "nothing was made");

    let stopped = || {
        let mut wa = import(&world, "baileys", &auth);
        wa.arg("--old-holder-stopped");
        wa
    };
    let (code, stdout, stderr) = run(&mut stopped());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let count = link.prekeys.len();
    assert!(stdout.contains(&format!("{count} prekeys")), "{stdout}");
    assert!(stdout.contains("2 sessions"), "{stdout}");
    logs_in(&world, &link);

    let (code, _, stderr) = run(&mut stopped());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("start that one"), "{stderr}");
    let (code, _, stderr) = run(stopped().arg("--replace"));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("start that one"), "{stderr}");
    logs_in(&world, &link);
    let (_, stdout, _) = run(on_other(&world, "status").arg("--json"));
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
}

#[test]
fn one_device_of_a_database_of_whatsmeow_is_taken_over() {
    let world = World::new();
    world.link();
    let link = link_of(&world);
    let path = world.folder.path().join("whatsmeow.db");
    block_on(whatsmeow::write(&[&Link::fresh(1), &link], &path));
    let stopped = || {
        let mut wa = import(&world, "whatsmeow", &path);
        wa.arg("--old-holder-stopped");
        wa
    };
    let (code, _, stderr) = run(&mut stopped());
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains(&link.jid) && stderr.contains("--jid"),
        "{stderr}"
    );
    let (code, _, stderr) = run(stopped().args(["--jid", "999"]));
    assert_eq!(code, Some(2), "{stderr}");
    let (code, stdout, stderr) = run(stopped().args(["--jid", &link.jid, "--account", "moved"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("as moved"), "{stdout}");
    logs_in(&world, &link);
}

#[test]
fn what_is_no_whole_link_leaves_the_store_as_it_is() {
    let world = World::new();
    let auth = baileys::write_folder(&Link::fresh(1), world.folder.path());
    let stopped = || {
        let mut wa = import(&world, "baileys", &auth);
        wa.arg("--old-holder-stopped");
        wa
    };
    let mut creds = baileys::creds(&Link::fresh(1), baileys::buffer);
    creds.as_object_mut().unwrap().remove("account");
    baileys::write(&auth, "creds.json", &creds);
    let (code, _, stderr) = run(&mut stopped());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("account.deviceSignature"), "{stderr}");
    baileys::write(
        &auth,
        "creds.json",
        &baileys::creds(&Link::fresh(1), baileys::buffer),
    );
    let (code, _, stderr) = run(stopped().arg("--replace"));
    assert_eq!(code, Some(2), "there is nothing to replace: {stderr}");
    let (_, stdout, _) = run(on_other(&world, "status").arg("--json"));
    assert_eq!(stdout, "");
    let (code, _, stderr) = run(&mut stopped());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    // Another link is never lost to a replacement.
    let elsewhere = Link {
        jid: "2222222222:1@s.whatsapp.net".to_owned(),
        lid: None,
        ..Link::fresh(2)
    };
    baileys::write(
        &auth,
        "creds.json",
        &baileys::creds(&elsewhere, baileys::buffer),
    );
    for id in 3..8 {
        std::fs::remove_file(auth.join(format!("pre-key-{id}.json"))).unwrap();
    }
    let (code, _, stderr) = run(stopped().args(["--replace", "--account", "default"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another device"), "{stderr}");
    let (code, _, stderr) = run(stopped().args(["--account", "default"]));
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn options_of_one_way_do_not_go_with_another() {
    let world = World::new();
    let file = world.folder.path().join("file");
    for options in [
        &["--jid", "1"][..],
        &["--old-holder-stopped"],
        &["--from", "baileys", "--old-holder-stopped", "--jid", "1"],
        &["--from", "baileys", "--passphrase-file", "x"],
        &["--from", "elsewhere"],
    ] {
        let (code, _, stderr) = run(on_other(&world, "import").arg(&file).args(options));
        assert_eq!(code, Some(2), "{options:?}: {stderr}");
    }
}

#[test]
fn an_export_goes_where_account_says() {
    let world = World::new();
    world.link();
    let file = world.folder.path().join("account.wa");
    let passphrase =
        |wa: &mut Command| run(wa.env("WA_EXPORT_PASSPHRASE", "correct horse battery"));
    let (code, _, stderr) = passphrase(world.on_store("export").arg(&file));
    assert_eq!(code, Some(0), "{stderr}");
    let import = |account: &str, replace: bool| {
        let mut wa = on_other(&world, "import");
        wa.arg(&file).args(["--account", account]);
        if replace {
            wa.arg("--replace");
        }
        passphrase(&mut wa)
    };

    let (code, _, stderr) = import("moved", true);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("no account moved"), "{stderr}");
    let (code, stdout, stderr) = import("moved", false);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("as moved"), "{stdout}");
    let (code, _, stderr) = import("moved", false);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("already"), "{stderr}");

    block_on(async {
        let key = KeySource::KeyFile(other(&world).with_extension("db.key"));
        let store = SqliteStore::open(other(&world), key).await.unwrap();
        store.create_account("spare").await.unwrap();
        store.close().await;
    });
    let (code, _, stderr) = import("spare", true);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("the file holds account"), "{stderr}");
    // The account that is meant: it was imported after the export was made, which counts as newer.
    let (code, _, stderr) = import("moved", true);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("changed since this export"), "{stderr}");
}
