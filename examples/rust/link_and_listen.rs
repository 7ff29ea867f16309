//! Links a device by QR, or finds it linked, and prints what happens. `WA_URL` and `WA_NOISE_ROOT` lead to a simulator.
use std::{env, error::Error};
use wa_client::{Client, Event, NoiseRoot};
use wa_store::KeySource;
use wa_store_sqlite::SqliteStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).unwrap_or_else(|| "wa.db".into());
    let store = SqliteStore::open(&path, KeySource::beside(path.as_ref())).await?;
    let mut builder = Client::builder().store(store).device_name("Example");
    if let (Ok(url), Ok(root)) = (env::var("WA_URL"), env::var("WA_NOISE_ROOT")) {
        builder = builder
            .endpoint(url)
            .noise_root(NoiseRoot::from_hex(&root)?);
    }
    let (client, mut events) = builder.build().await?;
    client.start().await?;
    while let Some(event) = events.next().await {
        match event {
            Event::Qr { text, .. } => {
                println!(
                    "{}",
                    fast_qr::QRBuilder::new(text.expose()).build()?.to_str()
                );
                println!("QR {}", text.expose());
            }
            Event::Paired { jid, .. } => println!("PAIRED {jid}"),
            Event::Online { jid, .. } => println!("ONLINE {jid}"),
            Event::LoggedOut { reason, .. } => return Err(reason.to_string().into()),
            Event::PairingFailed(why) => return Err(why.to_string().into()),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
