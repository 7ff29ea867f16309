//! A whatsapp-rust client that links by QR, by code and by passkey, resumes, holds on and logs out against a
//! simulated server.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::passkey::Assertion;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::events::Event;

const PATIENCE: Duration = Duration::from_secs(60);

type Seen = mpsc::UnboundedReceiver<(Arc<Event>, Arc<Client>)>;

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
    let url = env("SIM_URL")?;
    let store = SqliteStore::new(&env("STORE")?)
        .await
        .map_err(|e| e.to_string())?;
    let (events, mut seen) = mpsc::unbounded_channel();
    let mut builder = Bot::builder()
        .with_backend(store)
        .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(url))
        .with_version((2, 3000, 1_045_649_367))
        .on_event(move |event, client| {
            let events = events.clone();
            async move {
                let _ = events.send((event, client));
            }
        });
    if mode == "code" {
        builder = builder.with_pair_code(PairCodeOptions {
            phone_number: env("PHONE")?,
            ..Default::default()
        });
    }
    let bot = builder.build().await.map_err(|e| e.to_string())?;
    let bot = bot.spawn();

    let client = online(mode, &mut seen).await?;
    if mode == "hold" {
        hold(&mut seen).await?;
    } else if mode == "logout" {
        client.logout().await;
        println!("LOGGED_OUT");
    }
    bot.shutdown().await;
    Ok(())
}

/// Waits for a login, and takes part in whatever links the device before it.
async fn online(mode: &str, seen: &mut Seen) -> Result<Arc<Client>, String> {
    let linking = matches!(mode, "link" | "code" | "passkey");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (event, client) = timeout_at(deadline, seen.recv())
            .await
            .map_err(|_| "not online in time")?
            .ok_or("the event stream ended")?;
        match &*event {
            Event::PairingQrCode(_) if !linking => {
                return Err("asked for a scan although linked".into());
            }
            Event::PairingQrCode(qr) if mode != "code" => println!("QR {}", qr.code),
            Event::PairingCode(code) => println!("CODE {}", code.code),
            Event::PairingCodeError(error) => return Err(format!("{error:?}")),
            Event::PairPasskeyRequest(request) => {
                println!("PASSKEY {}", request.request_options_json);
                client
                    .send_passkey_response(assertion_from_stdin()?)
                    .await
                    .map_err(|e| e.to_string())?;
            }
            Event::PairPasskeyConfirmation(confirmation) => {
                println!("CONFIRM {}", confirmation.code);
                // The runner compares it with what the phone shows, and answers.
                if line_of_stdin()?.trim() != "yes" {
                    return Err("the phone shows another code".into());
                }
                client
                    .send_passkey_confirmation()
                    .await
                    .map_err(|e| e.to_string())?;
            }
            Event::PairPasskeyError(error) => return Err(format!("{error:?}")),
            Event::PairSuccess(paired) => println!("PAIRED {}", paired.id),
            Event::PairError(error) => return Err(format!("{error:?}")),
            Event::LoggedOut(why) => return Err(format!("{why:?}")),
            Event::Connected(_) => {
                println!("ONLINE");
                return Ok(client);
            }
            _ => {}
        }
    }
}

/// Stays connected through restarts until another connection or the phone ends it.
async fn hold(seen: &mut Seen) -> Result<(), String> {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let (event, _) = timeout_at(deadline, seen.recv())
            .await
            .map_err(|_| "nobody ended it")?
            .ok_or("the event stream ended")?;
        match &*event {
            Event::Connected(_) => println!("ONLINE"),
            Event::LoggedOut(_) => {
                println!("REMOVED");
                return Ok(());
            }
            Event::StreamReplaced(_) => {
                println!("REPLACED");
                return Ok(());
            }
            _ => {}
        }
    }
}

/// The assertion that the owner's authenticator has made, one line of JSON.
fn assertion_from_stdin() -> Result<Assertion, String> {
    let line = line_of_stdin()?;
    let json: serde_json::Value = serde_json::from_str(&line).map_err(|e| e.to_string())?;
    let raw_id = json["rawId"].as_str().ok_or("an assertion without rawId")?;
    Ok(Assertion {
        credential_id: URL_SAFE_NO_PAD.decode(raw_id).map_err(|e| e.to_string())?,
        assertion_json: line.trim().as_bytes().to_vec(),
    })
}

fn line_of_stdin() -> Result<String, String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| e.to_string())?;
    Ok(line)
}

fn env(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}
