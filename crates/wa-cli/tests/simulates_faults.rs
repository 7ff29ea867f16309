//! `wa sim --faults FILE`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Running, run, wa};
use wa_sim::{ControlClient, Fault};

#[test]
fn a_simulator_starts_with_the_faults_of_a_file() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("faults.json");
    std::fs::write(
        &script,
        r#"{"version":1,"faults":[{"fault":"failure","reason":503,"times":2}]}"#,
    )
    .unwrap();
    let mut sim = Running::start(
        wa(home.path())
            .args(["sim", "--json", "--faults"])
            .arg(&script),
    );
    let message = sim.message();
    let api = ControlClient::new(message["control_url"].as_str().unwrap()).unwrap();
    let waiting = api.faults().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].fault, Fault::failure(503));
    assert_eq!(waiting[0].times, Some(2));
}

#[test]
fn a_script_that_does_not_fit_is_refused_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("faults.json");
    std::fs::write(
        &script,
        "[\n  {\"fault\":\"close_at\",\"step\":\"sometime\"}\n]",
    )
    .unwrap();
    let (code, _, stderr) = run(wa(home.path()).args(["sim", "--faults"]).arg(&script));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("fault 1 (line 2, column 3): unknown variant `sometime`"),
        "{stderr}"
    );
    let (code, _, stderr) = run(wa(home.path()).args(["sim", "--faults", "/nowhere"]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("cannot read the fault script /nowhere"),
        "{stderr}"
    );
}
