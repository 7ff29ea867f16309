#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use support::{NUMBER, Pickles, Rig, secs};
use tracing_subscriber::filter::LevelFilter;
use wa_core::{Command, Event, LogoutOptions, Query};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of a pairing, a restart, a few troubles and a logout, and what must not be in it.
fn log_at(level: LevelFilter) -> (String, Vec<String>) {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let secrets = tracing::subscriber::with_default(subscriber, story);
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    (log, secrets)
}

fn story() -> Vec<String> {
    let mut rig = Rig::new();
    rig.command(Command::Start);
    rig.advance(secs(70));
    rig.scan();
    rig.serve(&support::notification("encrypt", "digest"));
    rig.serve(
        &wa_proto::Node::new("message")
            .attr("from", "15551234567@s.whatsapp.net")
            .attr("id", "3EB0AA")
            .attr("notify", "Ada Lovelace")
            .child(wa_proto::Node::new("enc").bytes(b"attack at dawn".to_vec())),
    );
    rig.advance(secs(100));
    let pickles = Pickles::read(&rig.store.load(Query::Device));
    rig.drop_connection(wa_core::CloseCause::Network("reset".to_owned()));
    rig.advance(secs(5));
    rig.serve_bytes(&[0, 0, 3, 1, 2, 3]);
    rig.advance(secs(5));
    rig.command(Command::Logout(LogoutOptions::default()));
    assert_eq!(rig.state(), "logged_out");

    let mut secrets = Vec::new();
    let device = &pickles.device;
    let signed = pickles.signed.as_ref().unwrap();
    for key in [
        &device.noise_secret,
        &device.identity_secret,
        &device.adv_secret,
        &signed.secret,
    ] {
        assert_eq!(key.len(), 32);
        secrets.push(hex(key));
        secrets.push(format!("{key:?}").trim_matches(['[', ']']).to_owned());
        secrets.push(base64(key));
    }
    for event in &rig.events {
        if let Event::Qr { text, .. } = event {
            let (_, fields) = text.expose().split_once(',').unwrap();
            secrets.push(fields.to_owned());
            assert!(format!("{event:?}").len() < 300 && !format!("{event:?}").contains(fields));
        }
    }
    secrets.push("attack at dawn".to_owned());
    secrets.push("Ada Lovelace".to_owned());
    secrets
}

#[test]
fn no_level_shows_a_secret() {
    let (log, secrets) = log_at(LevelFilter::TRACE);
    assert!(
        log.contains("received") && log.contains("tag=iq"),
        "stanzas are traced"
    );
    assert!(secrets.len() > 10);
    for secret in secrets {
        assert!(!log.contains(&secret), "a secret is in the log");
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()));
    }
}

#[test]
fn info_shows_no_phone_number() {
    let (log, _) = log_at(LevelFilter::INFO);
    assert!(log.contains("online"), "{log}");
    for number in [
        NUMBER.to_string(),
        "186303081611421".to_owned(),
        "15551234567".to_owned(),
    ] {
        assert!(!log.contains(&number), "{log}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift) as usize & 63]))
        })
        .collect()
}
