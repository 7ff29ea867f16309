//! A whatsapp-rust client that links, resumes and logs out against a simulated server.

use std::time::Duration;
use tokio::sync::mpsc;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::events::Event;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    if let Err(why) = run(&mode).await {
        eprintln!("error: {why}");
        std::process::exit(1);
    }
    // The library keeps background tasks; the store was flushed by its own shutdown.
    std::process::exit(0);
}

async fn run(mode: &str) -> Result<(), String> {
    let url = std::env::var("SIM_URL").map_err(|_| "SIM_URL is not set")?;
    let store = std::env::var("STORE").map_err(|_| "STORE is not set")?;
    let store = SqliteStore::new(&store).await.map_err(|e| e.to_string())?;
    let (events, mut seen) = mpsc::unbounded_channel();
    let bot = Bot::builder()
        .with_backend(store)
        .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(url))
        .with_version((2, 3000, 1_045_649_367))
        .on_event(move |event, client| {
            let events = events.clone();
            async move {
                let _ = events.send((event, client));
            }
        })
        .build()
        .await
        .map_err(|e| e.to_string())?;
    let bot = bot.spawn();

    let deadline = tokio::time::Instant::now() + PATIENCE;
    let client = loop {
        let (event, client) = tokio::time::timeout_at(deadline, seen.recv())
            .await
            .map_err(|_| "not online in time")?
            .ok_or("the event stream ended")?;
        match &*event {
            Event::PairingQrCode(qr) if mode == "link" => println!("QR {}", qr.code),
            Event::PairingQrCode(_) => return Err("asked for a scan although linked".into()),
            Event::PairSuccess(paired) => println!("PAIRED {}", paired.id),
            Event::PairError(e) => return Err(format!("{e:?}")),
            Event::LoggedOut(e) => return Err(format!("{e:?}")),
            Event::Connected(_) => break client,
            _ => {}
        }
    };
    println!("ONLINE");
    if mode == "logout" {
        client.logout().await;
        println!("LOGGED_OUT");
    }
    bot.shutdown().await;
    Ok(())
}
