#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::fs;

use common::{Place, device, puts};
use wa_core::{AccountSummary, Changes, LinkState, Record, RecordKind, Wipe};
use wa_store::{KeySource, Store as _};
use wa_store_sqlite::SqliteStore;

const SECRET: &[u8] = b"a private key of thirty-two byte";
const NUMBER: &str = "4915550001";
const LABEL: &str = "Grandmother's phone";
const LID: &str = "99887766554433";

fn find(place: &Place, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for directory in [
        place.path().parent().unwrap().to_owned(),
        place.beside(".locks"),
    ] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let holds = path.is_file()
                && fs::read(&path)
                    .unwrap()
                    .windows(needle.len())
                    .any(|window| window == needle);
            if holds {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn needles() -> Vec<Vec<u8>> {
    let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        SECRET.to_vec(),
        hex.into_bytes(),
        NUMBER.as_bytes().to_vec(),
        LABEL.as_bytes().to_vec(),
        LID.as_bytes().to_vec(),
        b"android".to_vec(),
    ]
}

async fn fill(store: &SqliteStore) -> wa_store::AccountLock {
    let id = store.create_account(LABEL).await.unwrap();
    let lock = store.lock(&id).await.unwrap();
    let mut changes = puts([
        device(SECRET),
        device(&SECRET.repeat(400)),
        Record::new(
            RecordKind::PeerIdentity,
            format!("{NUMBER}@s.whatsapp.net"),
            SECRET.to_vec(),
        ),
        Record::new(RecordKind::PeerIdentity, SECRET, NUMBER.as_bytes().to_vec()),
    ]);
    changes.link = Some(LinkState::Linked);
    changes.identity = Some(AccountSummary {
        jid: format!("{NUMBER}:3@s.whatsapp.net").parse().unwrap(),
        lid: Some(format!("{LID}:3@lid").parse().unwrap()),
        platform: Some("android".to_owned()),
    });
    store.commit(&lock, changes).await.unwrap();
    lock
}

#[tokio::test]
async fn no_secret_and_no_phone_number_is_readable_on_disk() {
    let place = Place::new();
    let store = place.open().await;
    let lock = fill(&store).await;
    let id = *lock.account();
    assert!(
        !find(&place, id.as_str().as_bytes()).is_empty(),
        "the search finds what is there"
    );
    assert!(
        fs::metadata(place.beside("-wal")).unwrap().len() > 10_000,
        "the commit is in the log"
    );
    for needle in needles() {
        assert_eq!(find(&place, &needle), Vec::<String>::new(), "while open");
    }
    drop(lock);
    store.close().await;
    for needle in needles() {
        assert_eq!(find(&place, &needle), Vec::<String>::new(), "after closing");
    }
}

#[tokio::test]
async fn what_a_wipe_or_a_deletion_removes_is_gone_from_the_files() {
    let place = Place::new();
    let store = place.open().await;
    let lock = fill(&store).await;
    let id = *lock.account();
    let mut raw = place.raw().await;
    let (key, sealed): (Vec<u8>, Vec<u8>) = sqlx::query_as(
        "SELECT data_key, sealed FROM account JOIN record ON record.account = account.id",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    sqlx::Connection::close(raw).await.unwrap();
    assert!(!find(&place, &key).is_empty() && !find(&place, &sealed[..40]).is_empty());

    let wipe = Changes {
        wipe: Wipe::All,
        link: Some(LinkState::Revoked),
        ..Changes::default()
    };
    store.commit(&lock, wipe).await.unwrap();
    assert_eq!(find(&place, &key), Vec::<String>::new());
    assert_eq!(find(&place, &sealed[..40]), Vec::<String>::new());

    store.delete_account(lock).await.unwrap();
    assert_eq!(find(&place, id.as_str().as_bytes()), Vec::<String>::new());
    store.close().await;
}

#[tokio::test]
async fn the_log_at_trace_tells_no_secret_and_no_phone_number() {
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let place = Place::new();
    let store = place.open().await;
    let lock = fill(&store).await;
    store.set_label(lock.account(), LABEL).await.unwrap();
    store.snapshot(lock.account()).await.unwrap();
    let key = fs::read_to_string(place.beside(".key")).unwrap();
    store.delete_account(lock).await.unwrap();
    store.close().await;
    SqliteStore::open(place.path(), KeySource::Env(key.as_str().into()))
        .await
        .unwrap()
        .close()
        .await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("store migrated"), "the log is kept: {log}");
    for needle in needles() {
        assert!(
            !log.contains(std::str::from_utf8(&needle).unwrap()),
            "{log}"
        );
    }
    assert!(!log.contains(key.trim()), "{log}");
}
