#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use support::{AfterCode, Fault, NUMBER, Pickles, Point, Rig, secs};
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

/// The log of a story, and what must not be in it.
fn log_of(level: LevelFilter, story: fn() -> Vec<String>) -> (String, Vec<String>) {
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

/// The log of a pairing, a restart, a few troubles and a logout, and what must not be in it.
fn log_at(level: LevelFilter) -> (String, Vec<String>) {
    log_of(level, story)
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

/// A code that is typed wrong, refused, typed right, and a passkey that is refused and then used.
fn ceremonies() -> Vec<String> {
    let mut rig = Rig::with(|config| config.handoff = wa_core::Handoff::Withhold);
    rig.service.ceremonies.after_code = AfterCode::Passkey;
    let refusal = Fault::Refusal(429, "rate-overlimit", Some(9));
    rig.service.fail(Point::CompanionHello, refusal, 1);
    let mut secrets = Vec::new();
    let mut remember = |rig: &Rig| {
        let pickles = Pickles::read(&rig.store.load(Query::Device));
        let adv = &pickles.device.adv_secret;
        secrets.push(hex(adv));
        secrets.push(format!("{adv:?}").trim_matches(['[', ']']).to_owned());
        secrets.push(base64(adv));
        for code in [rig.code(), rig.confirmation().flatten()]
            .into_iter()
            .flatten()
        {
            secrets.push(format!("{}-{}", &code[..4], &code[4..]));
            secrets.push(code);
        }
    };
    rig.ask_for_code();
    rig.ask_for_code();
    remember(&rig);
    rig.ask_for_code();
    rig.type_in("WRNG-C1DE");
    remember(&rig);
    let code = rig.code().unwrap();
    rig.type_in(&code);
    remember(&rig);
    rig.respond();
    remember(&rig);
    rig.command(Command::ConfirmPasskey(false));
    rig.scan_for_passkey();
    rig.respond();
    remember(&rig);
    rig.command(Command::ConfirmPasskey(true));
    assert_eq!(rig.state(), "online");
    remember(&rig);
    for event in &rig.events {
        let shown = format!("{event:?}");
        assert!(
            secrets.iter().all(|secret| !shown.contains(secret)),
            "{shown}"
        );
    }
    let options: serde_json::Value = serde_json::from_str(support::OPTIONS).unwrap();
    secrets.push(options["challenge"].as_str().unwrap().to_owned());
    let assertion: serde_json::Value = serde_json::from_str(&Rig::assertion().to_json()).unwrap();
    secrets.push(assertion["id"].as_str().unwrap().to_owned());
    for part in [
        "clientDataJSON",
        "authenticatorData",
        "signature",
        "userHandle",
    ] {
        secrets.push(assertion["response"][part].as_str().unwrap().to_owned());
    }
    for text in [
        "credential-id-of-the-owner",
        "signature-of-the-authenticator",
        "handle-of-the-owner",
        "webauthn.get",
        "WRNGC1DE",
    ] {
        secrets.push(text.to_owned());
    }
    secrets
}

#[test]
fn no_level_shows_a_code_a_challenge_or_an_assertion() {
    let (log, secrets) = log_of(LevelFilter::TRACE, ceremonies);
    assert!(
        log.contains("pairing code") && log.contains("passkey"),
        "{log}"
    );
    assert!(secrets.len() > 30, "{}", secrets.len());
    for secret in secrets {
        assert!(secret.len() >= 8);
        assert!(!log.contains(&secret), "a secret is in the log");
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()));
    }
}

#[test]
fn info_shows_no_number_that_a_code_is_asked_for() {
    let (log, _) = log_of(LevelFilter::INFO, ceremonies);
    assert!(!log.contains(&NUMBER.to_string()), "{log}");
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
