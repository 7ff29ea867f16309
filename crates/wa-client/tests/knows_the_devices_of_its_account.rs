#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `Client::devices` tells what the engine believes: over restarts, and never longer than the link.

mod common;

use common::{client_on, companions, is_qr, memory, next, pair, qr_text, sim, until};
use wa_client::{Client, Event, Events, LinkedDevices};

/// Reads events until the list is told, and returns it.
async fn told(events: &mut Events) -> LinkedDevices {
    loop {
        if let Event::Devices { devices, signed } = next(events).await {
            return LinkedDevices::new(devices, signed);
        }
    }
}

fn known(client: &Client) -> Option<LinkedDevices> {
    client.devices().as_deref().cloned()
}

#[tokio::test]
async fn the_list_outlives_the_process_and_goes_with_the_link() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    assert_eq!(known(&client), None);
    pair(&sim, &client, &mut events).await;
    let list = told(&mut events).await;
    assert!(list.devices[0].is_primary && list.devices.iter().any(|device| device.is_self));
    assert_eq!(known(&client), Some(list.clone()));
    client.shutdown().await;

    let (client, mut events) = client_on(&sim, &store).await;
    assert_eq!(known(&client), Some(list.clone()), "before it connects");
    client.connect().await.unwrap();
    client.logout().await.unwrap();
    assert_eq!(known(&client), None, "there is no link to have devices");
    assert_eq!(companions(&sim), 0);

    client.start().await.unwrap();
    let seen = until(&mut events, is_qr).await;
    assert_eq!(known(&client), None);
    sim.begin_scan(None, &qr_text(seen.last().unwrap()))
        .unwrap();
    let anew = told(&mut events).await;
    assert_ne!(anew, list, "another device of the account");
    assert_eq!(known(&client), Some(anew));
    client.shutdown().await;
}
