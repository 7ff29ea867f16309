#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! The link ends by our command, by the phone, or while the server cannot be asked; the keys go every time.

mod common;

use common::{client_on, companions, memory, number, pair, sim, until};
use wa_client::{ClientError, CommandError, ConnectionState, Event, LogoutReason};
use wa_sim::{Fault, Step};
use wa_store::{MemoryStore, Store};

async fn records(store: &MemoryStore) -> usize {
    let account = store.accounts().await.unwrap().remove(0);
    store.snapshot(&account.id).await.unwrap().1.len()
}

#[tokio::test]
async fn the_server_confirms_and_the_keys_are_wiped() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    assert!(records(&store).await > 800);
    assert_eq!(client.logout().await.unwrap().server_unlinked, Some(true));
    assert_eq!((companions(&sim), records(&store).await), (0, 0));
    assert!(matches!(
        client.state(),
        ConnectionState::LoggedOut {
            reason: LogoutReason::Requested
        }
    ));
    assert_eq!(
        client.logout().await,
        Err(ClientError::Command(CommandError::NotLinked))
    );

    pair(&sim, &client, &mut events).await;
    assert_eq!(
        companions(&sim),
        1,
        "the same client links anew, with fresh keys"
    );
    client.shutdown().await;
}

#[tokio::test]
async fn without_a_connection_the_outcome_says_that_nobody_was_asked() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    client.disconnect().await.unwrap();
    assert_eq!(client.logout().await.unwrap().server_unlinked, None);
    assert_eq!(
        (companions(&sim), records(&store).await),
        (1, 1),
        "the tombstone is left"
    );
    client.shutdown().await;
}

fn is_unlink_finished(event: &Event) -> bool {
    matches!(event, Event::UnlinkFinished { .. })
}

#[tokio::test]
async fn a_logout_without_a_connection_is_finished_by_the_next_start() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    client.disconnect().await.unwrap();
    client.logout().await.unwrap();
    client.shutdown().await;

    let (client, mut events) = client_on(&sim, &store).await;
    assert_eq!(client.credentials(), None);
    client.start().await.unwrap();
    let seen = until(&mut events, is_unlink_finished).await;
    assert_eq!(
        seen.last(),
        Some(&Event::UnlinkFinished {
            server_unlinked: true
        })
    );
    assert_eq!(companions(&sim), 0);
    client.shutdown().await;
}

#[tokio::test]
async fn another_logout_finishes_the_one_before() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    client.disconnect().await.unwrap();
    client.logout().await.unwrap();
    client.shutdown().await;

    let (client, _events) = client_on(&sim, &store).await;
    assert_eq!(client.logout().await.unwrap().server_unlinked, Some(true));
    assert_eq!((companions(&sim), records(&store).await), (0, 0));
    client.shutdown().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_no_confirmation() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    sim.inject(Fault::SilentAt { step: Step::Logout });
    assert_eq!(client.logout().await.unwrap().server_unlinked, Some(false));
    assert_eq!(records(&store).await, 1, "the tombstone is left");
    client.shutdown().await;
}

#[tokio::test]
async fn the_phone_can_end_it_too() {
    let (sim, store) = (sim().await, memory());
    let (client, mut events) = client_on(&sim, &store).await;
    pair(&sim, &client, &mut events).await;
    sim.unlink(number(&sim), 1).unwrap();
    let seen = until(&mut events, |event| {
        matches!(event, Event::LoggedOut { .. })
    })
    .await;
    let Some(Event::LoggedOut {
        reason,
        server_unlinked,
    }) = seen.last()
    else {
        unreachable!()
    };
    assert!(
        matches!(reason, LogoutReason::RemovedAfterPairing { .. }),
        "{reason}"
    );
    assert_eq!(*server_unlinked, None);
    client.settled().await;
    assert_eq!(records(&store).await, 0);
    client.shutdown().await;
}
