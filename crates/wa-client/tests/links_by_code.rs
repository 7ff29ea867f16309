#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! Linking by a code typed on the phone: given out when the server has taken it, one at a time, refused in types.

mod common;

use std::time::Duration;

use common::{client_on, is_online, is_qr, memory, number, sim, until};
use wa_client::{
    Client, ClientError, CodeEnd, CodeRefusalKind, CommandError, ConnectionState, Event,
    PairingCodeRequest,
};
use wa_sim::{Fault, FaultRule, IqKind, Sim, Step};

fn request(sim: &Sim) -> PairingCodeRequest {
    PairingCodeRequest::new(&format!("+{}", number(sim).digits())).unwrap()
}

fn command_error(result: Result<impl std::fmt::Debug, ClientError>) -> CommandError {
    match result {
        Err(ClientError::Command(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn is_code(event: &Event) -> bool {
    matches!(event, Event::PairingCode { .. })
}

fn is_code_end(event: &Event) -> bool {
    matches!(event, Event::PairingCodeEnded(_))
}

#[tokio::test]
async fn a_code_is_given_out_by_a_client_at_rest_and_links() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    let live = client.request_pairing_code(request(&sim)).await.unwrap();
    let seen = until(&mut events, is_code).await;
    let Some(Event::PairingCode {
        code,
        ttl,
        expires_at_unix_ms,
    }) = seen.last()
    else {
        panic!("{seen:?}");
    };
    assert_eq!(
        (code, *expires_at_unix_ms),
        (&live.code, live.expires_at_unix_ms)
    );
    assert!(*ttl > Duration::from_secs(170) && *ttl <= Duration::from_secs(180));
    sim.begin_code(None, &live.code.display()).unwrap();
    until(&mut events, is_online).await;
    assert_eq!(common::companions(&sim), 1);
    let again = client.request_pairing_code(request(&sim)).await;
    assert_eq!(command_error(again), CommandError::AlreadyLinked);
    client.shutdown().await;
}

#[tokio::test]
async fn a_code_of_ones_own_links_beside_a_qr_code() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    client.start().await.unwrap();
    until(&mut events, is_qr).await;
    let wanted = request(&sim).custom("wxyz-1234").unwrap().push(false);
    let live = client.request_pairing_code(wanted).await.unwrap();
    assert_eq!(live.code.expose(), "WXYZ1234");
    assert_eq!(client.state(), ConnectionState::AwaitingPairing);
    sim.begin_code(None, "WXYZ1234").unwrap();
    until(&mut events, is_online).await;
    client.shutdown().await;
}

async fn refusal(sim: &Sim, client: &Client) -> (CodeRefusalKind, Option<Duration>) {
    match command_error(client.request_pairing_code(request(sim)).await) {
        CommandError::CodeRefused(refusal) => (refusal.kind, refusal.backoff),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn refusals_have_types_and_the_next_request_may_succeed() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    for (code, text, backoff, kind) in [
        (400, "bad-request", None, CodeRefusalKind::BadRequest),
        (403, "forbidden", None, CodeRefusalKind::Forbidden),
        (
            429,
            "rate-overlimit",
            Some(90),
            CodeRefusalKind::RateLimited,
        ),
        (
            452,
            "feature-not-available",
            None,
            CodeRefusalKind::NotAvailable,
        ),
        (
            500,
            "internal-server-error",
            Some(5),
            CodeRefusalKind::Server,
        ),
        (
            404,
            "item-not-found",
            None,
            CodeRefusalKind::Unclassified { code: Some(404) },
        ),
    ] {
        sim.inject(FaultRule::once(Fault::IqError {
            request: IqKind::CompanionHello,
            code,
            text: Some(text.to_owned()),
            backoff,
        }));
        assert_eq!(
            refusal(&sim, &client).await,
            (kind, backoff.map(Duration::from_secs))
        );
    }
    let live = client.request_pairing_code(request(&sim)).await.unwrap();
    sim.begin_code(None, live.code.expose()).unwrap();
    let seen = until(&mut events, is_online).await;
    assert_eq!(seen.iter().filter(|event| is_code(event)).count(), 1);
    client.shutdown().await;
}

#[tokio::test]
async fn one_code_lives_until_it_is_cancelled() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    assert_eq!(
        command_error(client.cancel_pairing_code().await),
        CommandError::NoPairingCode
    );
    let first = client.request_pairing_code(request(&sim)).await.unwrap();
    match command_error(client.request_pairing_code(request(&sim)).await) {
        CommandError::CodeOutstanding { remaining_ms } => {
            assert!(
                remaining_ms > 170_000 && remaining_ms <= 180_000,
                "{remaining_ms}"
            );
        }
        other => panic!("{other:?}"),
    }
    client.cancel_pairing_code().await.unwrap();
    let seen = until(&mut events, is_code_end).await;
    assert_eq!(
        seen.last(),
        Some(&Event::PairingCodeEnded(CodeEnd::Cancelled))
    );
    let second = client.request_pairing_code(request(&sim)).await.unwrap();
    assert_ne!(first.code, second.code);
    sim.begin_code(None, second.code.expose()).unwrap();
    until(&mut events, is_online).await;
    client.shutdown().await;
}

#[tokio::test]
async fn the_code_of_a_lost_connection_is_over_and_another_links() {
    let sim = sim().await;
    let (client, mut events) = client_on(&sim, &memory()).await;
    sim.inject(FaultRule::once(Fault::CloseAt {
        step: Step::CodeEntered,
    }));
    let lost = client.request_pairing_code(request(&sim)).await.unwrap();
    sim.begin_code(None, lost.code.expose()).unwrap();
    let seen = until(&mut events, is_code_end).await;
    assert_eq!(
        seen.last(),
        Some(&Event::PairingCodeEnded(CodeEnd::ConnectionEnded))
    );
    let live = client.request_pairing_code(request(&sim)).await.unwrap();
    sim.begin_code(None, live.code.expose()).unwrap();
    until(&mut events, is_online).await;
    client.shutdown().await;
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_server_that_does_not_answer() {
    let sim = sim().await;
    let (client, _events) = client_on(&sim, &memory()).await;
    sim.inject(FaultRule::always(Fault::SilentAt {
        step: Step::ClientHello,
    }));
    let asking = tokio::spawn({
        let (client, request) = (client.clone(), request(&sim));
        async move { client.request_pairing_code(request).await }
    });
    while client.state() == ConnectionState::Idle {
        tokio::task::yield_now().await;
    }
    let began = std::time::Instant::now();
    client.disconnect().await.unwrap();
    assert_eq!(command_error(asking.await.unwrap()), CommandError::Stopped);
    assert!(began.elapsed() < Duration::from_secs(1));
    client.shutdown().await;
}
