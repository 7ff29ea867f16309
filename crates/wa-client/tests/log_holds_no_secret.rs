#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! The log of a whole pairing, a login and a logout: no key, no code, and from INFO up no phone number.

mod common;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use common::{builder_for, client_on, is_online, is_qr, memory, number, pair, qr_text, sim, until};
use tracing_subscriber::fmt::MakeWriter;
use wa_store::Store;

/// Shortest run of stored bytes that counts as a leak: half a key.
const WINDOW: usize = 16;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything in the text that could be bytes written out: hexadecimal, base64, lists of numbers, or as they are.
fn blobs(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![text.to_vec()];
    let runs = |allowed: fn(u8) -> bool| {
        let runs = text
            .split(move |byte| !allowed(*byte))
            .filter(|run| run.len() >= WINDOW);
        runs.map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    for run in runs(|byte| byte.is_ascii_hexdigit()) {
        for start in [0, 1] {
            let digits = run[start..].chunks_exact(2);
            found.push(
                digits
                    .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                    .collect(),
            );
        }
    }
    for run in runs(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)) {
        let run: Vec<u8> = run
            .iter()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => *other,
            })
            .collect();
        for start in 0..4.min(run.len()) {
            let whole = &run[start..];
            let whole = &whole[..whole.len() / 4 * 4];
            let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(whole);
            found.extend(decoded.ok());
        }
    }
    for list in runs(|byte| byte.is_ascii_digit() || b", ".contains(&byte)) {
        let list = String::from_utf8(list).unwrap();
        found.push(
            list.split(',')
                .filter_map(|number| number.trim().parse().ok())
                .collect(),
        );
    }
    found
}

/// A window that is no part of a key: text, such as a JID, or a few values over and over.
fn is_dull(window: &[u8]) -> bool {
    let is_text = window.iter().all(|byte| matches!(byte, b' '..=b'~'));
    is_text || window.iter().collect::<HashSet<_>>().len() < 8
}

#[tokio::test]
async fn the_whole_log_is_free_of_secrets_and_from_info_up_of_numbers() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();

    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    let seen = pair(&sim, &client, &mut events).await;
    let codes: Vec<String> = seen
        .iter()
        .filter(|event| is_qr(event))
        .map(qr_text)
        .collect();
    let link = client.credentials().unwrap();
    let account = store.accounts().await.unwrap().remove(0);
    let (_, records) = store.snapshot(&account.id).await.unwrap();
    client.shutdown().await;

    let proxy = "socks5://ann:hunter2hunter2@127.0.0.1:1".parse().unwrap();
    let (client, mut events) = builder_for(&sim)
        .shared_store(Arc::clone(&store))
        .proxy(proxy)
        .build()
        .await
        .unwrap();
    client.start().await.unwrap();
    until(&mut events, |event| {
        matches!(event, wa_client::Event::Disconnected { .. })
    })
    .await;
    client.shutdown().await;

    let (client, mut events) = client_on(&sim, &store).await;
    client.start().await.unwrap();
    until(&mut events, is_online).await;
    client.logout().await.unwrap();
    client.shutdown().await;

    let log = log.0.lock().unwrap().clone();
    let text = String::from_utf8(log.clone()).unwrap();
    for level in [" TRACE ", " DEBUG ", " INFO "] {
        assert!(text.contains(level), "the log has lines of level{level}");
    }
    assert!(!text.contains("hunter2"));

    let windows: HashSet<Vec<u8>> = blobs(&log)
        .iter()
        .flat_map(|blob| blob.windows(WINDOW).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    assert!(records.len() > 800);
    for record in &records {
        for window in record
            .value
            .expose()
            .windows(WINDOW)
            .filter(|window| !is_dull(window))
        {
            assert!(
                !windows.contains(window),
                "a stored {:?} is in the log: {window:02x?}",
                record.kind
            );
        }
    }
    assert!(!codes.is_empty());
    for code in &codes {
        for part in code.split(['#', ',']) {
            assert!(
                part.len() < 2 * WINDOW || !text.contains(part),
                "a part of a code is in the log"
            );
            if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(part) {
                assert!(
                    bytes
                        .windows(WINDOW)
                        .all(|window| !windows.contains(window)),
                    "a key of a code is in the log"
                );
            }
        }
    }

    let digits = number(&sim).digits().to_string();
    let lid = link.lid.unwrap().to_string();
    let lid_digits = lid.split([':', '@', '.']).next().unwrap();
    for line in text
        .lines()
        .filter(|line| !line.contains(" TRACE ") && !line.contains(" DEBUG "))
    {
        assert!(
            !line.contains(&digits) && !line.contains(lid_digits),
            "a number at INFO or above: {line}"
        );
    }
}
