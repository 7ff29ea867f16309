//! The log of a whole link says what happened and gives nothing away.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::device::Keys;
use common::lab::Lab;
use tracing::Level;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log of a link, a login and a removal at this level.
fn log_of_a_life(level: Level, keys: &mut Keys) -> (String, serde_json::Value) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let state = tracing::subscriber::with_default(subscriber, || {
        let mut lab = Lab::new();
        lab.link(keys);
        let id = lab.come_online(keys);
        lab.activate(id);
        let state = serde_json::to_value(lab.world.export()).unwrap();
        lab.world.unlink(lab.now, lab.phone, 1).unwrap();
        state
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text, state)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn at_trace_no_secret_is_written() {
    let mut keys = Keys::new(1);
    let (log, state) = log_of_a_life(Level::TRACE, &mut keys);
    assert!(log.contains("pair-success"), "the log is there");
    let mut secrets = vec![
        keys.adv.to_vec(),
        keys.noise.expose_bytes().to_vec(),
        keys.identity.expose_bytes().to_vec(),
        keys.signed.secret.expose_bytes().to_vec(),
    ];
    for name in ["root", "intermediate", "server_static"] {
        secrets.push(STANDARD.decode(state[name].as_str().unwrap()).unwrap());
    }
    let phone = state["accounts"][0]["phone"]["identity"].as_str().unwrap();
    secrets.push(STANDARD.decode(phone).unwrap());
    for secret in secrets {
        assert_eq!(secret.len(), 32);
        assert!(!log.contains(&STANDARD.encode(&secret)));
        assert!(!log.to_lowercase().contains(&hex(&secret)));
        assert!(!log.contains(&format!("{secret:?}")));
    }
    assert!(!log.contains("2@"), "a ref is the half of a code");
}

#[test]
fn at_info_no_number_is_written() {
    let (log, _) = log_of_a_life(Level::INFO, &mut Keys::new(2));
    assert!(
        log.contains("linked") && log.contains("logged in") && log.contains("unlinked"),
        "{log}"
    );
    assert!(!log.contains("1555123"), "{log}");
}
