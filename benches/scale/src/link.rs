//! Links every device, each with an account and a phone of its own. Not measured.

use crate::arguments::Arguments;
use crate::{Failure, vault};
use futures_util::stream::{self, StreamExt as _};
use std::sync::Arc;
use wa_client::{Client, Event, NoiseRoot};
use wa_sim::{ControlClient, PhoneNumber, ScanOutcome, ScanRequest};
use wa_store::Store as _;
use wa_store_sqlite::SqliteStore;

/// How many link at a time.
const CONCURRENCY: usize = 16;

/// The number of the first device's phone.
const FIRST_NUMBER: u64 = 15_550_000_000;

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let store = vault::open(arguments).await?;
    let control = ControlClient::new(&arguments.control)?;
    let began = std::time::Instant::now();
    let mut links = stream::iter(0..arguments.sessions)
        .map(|index| link(arguments, &store, &control, index))
        .buffer_unordered(CONCURRENCY);
    let mut linked = 0;
    while let Some(link) = links.next().await {
        link?;
        linked += 1;
        if linked % 250 == 0 {
            eprintln!(
                "linked {linked} devices in {:.0} s",
                began.elapsed().as_secs_f64()
            );
        }
    }
    drop(links);
    store.close().await;
    Ok(())
}

async fn link(
    arguments: &Arguments,
    store: &Arc<SqliteStore>,
    control: &ControlClient,
    index: usize,
) -> Result<(), Failure> {
    let account = store.create_account(&index.to_string()).await?;
    let (client, mut events) = Client::builder()
        .endpoint(&arguments.url)
        .noise_root(NoiseRoot::from_hex(&arguments.root)?)
        .shared_store(Arc::clone(store))
        .account(account)
        .build()
        .await?;
    client.start().await?;
    loop {
        match events.next().await {
            Some(Event::Qr { text, seq: 1, .. }) => {
                scan(control, text.expose(), index).await?;
            }
            Some(Event::Online { .. }) => break,
            Some(Event::PairingFailed(why)) => return Err(Failure(format!("{why:?}"))),
            Some(_) => {}
            None => return Err(Failure("a client ended before it was linked".into())),
        }
    }
    client.shutdown().await;
    Ok(())
}

async fn scan(control: &ControlClient, code: &str, index: usize) -> Result<(), Failure> {
    let number: PhoneNumber = (FIRST_NUMBER + index as u64).to_string().parse()?;
    let request = ScanRequest {
        qr: code.to_owned(),
        phone: Some(number),
        ..ScanRequest::default()
    };
    let control = control.clone();
    let reply = tokio::task::spawn_blocking(move || control.scan(&request)).await??;
    match reply.outcome {
        ScanOutcome::Failed(failure) => Err(Failure(failure.to_string())),
        _ => Ok(()),
    }
}
