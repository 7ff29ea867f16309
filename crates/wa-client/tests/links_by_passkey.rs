#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! Linking an account that asks for its passkey, after a scan and after a code.

mod common;

use common::{builder_for, is_online, is_qr, number, qr_text, sim_with, until};
use wa_client::{
    Client, ClientError, CommandError, ConnectionState, Event, Events, Handoff, PairingCodeRequest,
    PasskeyAssertion, PasskeyEnd,
};
use wa_sim::{PasskeyPolicy, PhoneConfig, PhoneNumber, Sim};
use wa_store::MemoryStore;

const NUMBER: u64 = 15_551_230_042;

async fn guarded_sim(change: impl FnOnce(&mut PasskeyPolicy)) -> Sim {
    let sim = sim_with(|options| options.phones = 0).await;
    let mut phone = PhoneConfig {
        passkey: PasskeyPolicy {
            after_qr: true,
            after_code: true,
            ..PasskeyPolicy::default()
        },
        ..PhoneConfig::default()
    };
    change(&mut phone.passkey);
    let number = PhoneNumber::new(NUMBER).unwrap();
    sim.add_phone(number, phone).unwrap();
    sim
}

async fn client_of(sim: &Sim, handoff: Handoff) -> (Client, Events) {
    builder_for(sim)
        .handoff(handoff)
        .store(MemoryStore::new())
        .build()
        .await
        .unwrap()
}

fn is_request(event: &Event) -> bool {
    matches!(event, Event::PasskeyRequested { .. })
}

fn is_confirmation(event: &Event) -> bool {
    matches!(event, Event::PasskeyConfirmation { .. })
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::PasskeyEnded(_))
}

async fn scan(sim: &Sim, client: &Client, events: &mut Events) {
    client.start().await.unwrap();
    let seen = until(events, is_qr).await;
    sim.begin_scan(None, &qr_text(seen.last().unwrap()))
        .unwrap();
}

async fn enter_code(sim: &Sim, client: &Client) {
    let request = PairingCodeRequest::new(&NUMBER.to_string()).unwrap();
    let live = client.request_pairing_code(request).await.unwrap();
    sim.begin_code(None, live.code.expose()).unwrap();
}

/// The owner's authenticator signs what is asked for next.
async fn sign(sim: &Sim, client: &Client, events: &mut Events) {
    let seen = until(events, is_request).await;
    let Some(Event::PasskeyRequested { options, .. }) = seen.last() else {
        panic!("{seen:?}");
    };
    client.settled().await;
    assert_eq!(client.state(), ConnectionState::AwaitingPasskey);
    let assertion = sim.assert_passkey(options.expose()).unwrap();
    let assertion = PasskeyAssertion::from_json(&assertion).unwrap();
    client.respond_passkey(assertion).await.unwrap();
}

#[tokio::test]
async fn after_a_scan_the_proof_spares_the_comparison() {
    let sim = guarded_sim(|_| {}).await;
    let (client, mut events) = client_of(&sim, Handoff::Send).await;
    scan(&sim, &client, &mut events).await;
    sign(&sim, &client, &mut events).await;
    let seen = until(&mut events, is_online).await;
    assert!(
        seen.iter()
            .any(|event| matches!(event, Event::PasskeyConfirmation { code: None, .. }))
    );
    assert_eq!(common::companions(&sim), 1);
    client.shutdown().await;
}

#[tokio::test]
async fn after_a_code_with_options_to_fetch_and_a_precursor() {
    let sim = guarded_sim(|policy| {
        policy.inline_options = false;
        policy.precursor = true;
    })
    .await;
    let (client, mut events) = client_of(&sim, Handoff::Send).await;
    enter_code(&sim, &client).await;
    sign(&sim, &client, &mut events).await;
    until(&mut events, is_online).await;
    client.shutdown().await;
}

#[tokio::test]
async fn without_the_proof_the_owner_compares_the_codes() {
    let sim = guarded_sim(|_| {}).await;
    let (client, mut events) = client_of(&sim, Handoff::Withhold).await;
    enter_code(&sim, &client).await;
    sign(&sim, &client, &mut events).await;
    let seen = until(&mut events, is_confirmation).await;
    let Some(Event::PasskeyConfirmation {
        code: Some(code), ..
    }) = seen.last()
    else {
        panic!("{seen:?}");
    };
    let shown = sim.passkey_code(number(&sim)).unwrap();
    assert_eq!(*code.display(), shown);
    client.confirm_passkey(true).await.unwrap();
    until(&mut events, is_online).await;
    client.shutdown().await;
}

#[tokio::test]
async fn a_no_ends_the_attempt_and_links_nothing() {
    let sim = guarded_sim(|_| {}).await;
    let (client, mut events) = client_of(&sim, Handoff::Withhold).await;
    scan(&sim, &client, &mut events).await;
    sign(&sim, &client, &mut events).await;
    until(&mut events, is_confirmation).await;
    client.confirm_passkey(false).await.unwrap();
    let seen = until(&mut events, is_end).await;
    assert_eq!(seen.last(), Some(&Event::PasskeyEnded(PasskeyEnd::Refused)));
    assert_eq!(common::companions(&sim), 0);
    assert_eq!(client.credentials(), None);
    client.shutdown().await;
}

#[tokio::test]
async fn answers_nobody_waits_for_are_refused() {
    let sim = guarded_sim(|_| {}).await;
    let (client, mut events) = client_of(&sim, Handoff::Send).await;
    let not_asked = Err(ClientError::Command(CommandError::NoPasskeyAsked));
    assert_eq!(client.confirm_passkey(true).await, not_asked);
    scan(&sim, &client, &mut events).await;
    until(&mut events, is_request).await;
    assert_eq!(client.confirm_passkey(true).await, not_asked);
    client.disconnect().await.unwrap();
    let assertion = PasskeyAssertion::from_parts(b"id", b"{}", b"data", b"signature", None);
    assert_eq!(client.respond_passkey(assertion.unwrap()).await, not_asked);
    client.shutdown().await;
}
