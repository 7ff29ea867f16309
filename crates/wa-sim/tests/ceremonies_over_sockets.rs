//! Codes and passkeys over a real socket, with the control API in the owner's hands.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::ceremony::{CodeSide, PasskeySide, ack_of, reference_of};
use common::device::{Keys, answer_pair_success, child, request, result_of};
use common::payload;
use common::socket::{Client, control, plain};
use tokio::net::TcpStream;
use wa_proto::Node;
use wa_sim::{
    CodeNoticeRequest, CodeRequest, ConfirmRequest, ControlError, NewPhone, PasskeyPolicy,
    PhoneConfig, PhoneNumber, PolicyRequest, ScanOutcome, ScanReply, Sim, SimOptions,
};

const CODE: &str = "3C6FVDRD";

/// A phone that asks for its passkey after a code and waits for its owner.
fn guarded() -> PhoneConfig {
    PhoneConfig {
        passkey: PasskeyPolicy {
            after_code: true,
            confirm_ms: None,
            ..PasskeyPolicy::default()
        },
        ..PhoneConfig::default()
    }
}

/// The same policy, set on a phone that is there already.
async fn guards_later(sim: &Sim, phone: PhoneNumber) {
    let request = PolicyRequest {
        phone: Some(phone),
        policy: guarded().passkey,
    };
    let view = control(sim, move |api| api.set_passkey_policy(&request).unwrap()).await;
    assert_eq!(view.config.passkey, guarded().passkey);
}

async fn with_phone(config: PhoneConfig) -> (Sim, PhoneNumber) {
    let sim = Sim::start(SimOptions::default()).await.unwrap();
    let phone = NewPhone {
        number: None,
        config,
    };
    let view = control(&sim, move |api| api.add_phone(&phone).unwrap()).await;
    (sim, view.number)
}

async fn shown(sim: &Sim, keys: &Keys, side: &mut CodeSide) -> (Client<TcpStream>, String) {
    let mut client = plain(sim, keys, &payload::registration(keys)).await;
    let refs = client.hear().await;
    client.send(&result_of(&refs)).await;
    let answer = client.ask(&side.hello(keys, "hello")).await;
    let reference = reference_of(child(&answer, "link_code_companion_reg"));
    (client, reference)
}

/// The owner types the code, on a thread of its own.
fn entered(sim: &Sim, phone: PhoneNumber, code: &str) -> impl Future<Output = ScanReply> + use<> {
    let request = CodeRequest {
        code: code.to_owned(),
        phone: Some(phone),
        wait_ms: 20_000,
    };
    let api = wa_sim::ControlClient::new(&sim.control_url().unwrap()).unwrap();
    let reply = tokio::task::spawn_blocking(move || api.enter_code(&request).unwrap());
    async { reply.await.unwrap() }
}

async fn finished(client: &mut Client<TcpStream>, keys: &mut Keys, side: &mut CodeSide) {
    let hello = client.hear().await;
    client.send(&ack_of(&hello)).await;
    let (secret, finish) = side.finish(keys, &hello, "finish");
    client.ask(&finish).await;
    keys.adv = secret;
}

async fn signed(mut client: Client<TcpStream>, keys: &mut Keys) {
    let success = client.hear().await;
    let reply = answer_pair_success(keys, &success, 1).unwrap();
    client.send(&reply).await;
    assert_eq!(client.hear().await.get_u64("code"), Some(515));
    client.end().await;
}

#[tokio::test]
async fn an_owner_types_a_code_through_the_control_api() {
    let (sim, phone) = with_phone(PhoneConfig::default()).await;
    let mut keys = Keys::new(1);
    let mut side = CodeSide::new(phone, CODE, 1);
    let (mut client, _) = shown(&sim, &keys, &mut side).await;
    let phones = control(&sim, |api| api.phones().unwrap()).await;
    let wanted = phones[1].code_wanted.as_ref().unwrap();
    assert_eq!(wanted.companion, "Chrome (Linux)");
    let reply = entered(&sim, phone, "3c6f-vdrd");
    finished(&mut client, &mut keys, &mut side).await;
    signed(client, &mut keys).await;
    let reply = reply.await;
    assert!(
        matches!(reply.outcome, ScanOutcome::Linked { .. }),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_passkey_and_a_confirmation_through_the_control_api() {
    let (sim, phone) = with_phone(PhoneConfig::default()).await;
    guards_later(&sim, phone).await;
    let mut keys = Keys::new(2);
    let mut side = CodeSide::new(phone, CODE, 2);
    let (mut client, _) = shown(&sim, &keys, &mut side).await;
    let reply = entered(&sim, phone, CODE);
    finished(&mut client, &mut keys, &mut side).await;
    let asked = client.hear().await;
    client.send(&ack_of(&asked)).await;
    let options = child(&asked, "passkey_request_options")
        .get_bytes()
        .unwrap();
    let options = String::from_utf8(options.to_vec()).unwrap();
    let assertion = control(&sim, move |api| api.assert_passkey(&options).unwrap()).await;
    let get = request("ref", "get", "md", Some(Node::new("ref")));
    let answer = client.ask(&get).await;
    let reference = child(&answer, "ref").get_bytes().unwrap().to_vec();
    let passkey = PasskeySide::new(&String::from_utf8(reference).unwrap(), 2);
    client
        .ask(&passkey.prologue("prologue", &assertion, None))
        .await;
    let continuation = client.hear().await;
    client.send(&ack_of(&continuation)).await;
    let code = move |api: &wa_sim::ControlClient| api.passkey_code(Some(phone)).unwrap();
    assert_eq!(control(&sim, code).await, None);
    client.ask(&passkey.nonce_request("nonce")).await;
    assert_eq!(control(&sim, code).await, Some(passkey.code(&continuation)));
    client
        .ask(&passkey.pairing_request(&keys, &continuation, "request"))
        .await;
    let confirm = ConfirmRequest {
        phone: Some(phone),
        accept: true,
    };
    control(&sim, move |api| api.confirm_on_phone(&confirm).unwrap()).await;
    keys.adv = passkey.new_adv;
    signed(client, &mut keys).await;
    let reply = reply.await;
    assert!(
        matches!(reply.outcome, ScanOutcome::Linked { .. }),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_wrong_code_is_reported_in_words() {
    let (sim, phone) = with_phone(PhoneConfig::default()).await;
    let mut keys = Keys::new(3);
    let mut side = CodeSide::new(phone, CODE, 3);
    let (mut client, _) = shown(&sim, &keys, &mut side).await;
    let reply = entered(&sim, phone, "ABCD1234");
    finished(&mut client, &mut keys, &mut side).await;
    assert_eq!(reply.await.message.as_deref(), Some("the code is wrong"));
}

#[tokio::test]
async fn a_waiting_companion_is_told_through_the_control_api() {
    let (sim, phone) = with_phone(PhoneConfig::default()).await;
    let notice = CodeNoticeRequest {
        phone: Some(phone),
        manual: true,
    };
    let request = notice.clone();
    assert!(!control(&sim, move |api| api.refresh_code(&request).unwrap()).await);
    let keys = Keys::new(4);
    let mut side = CodeSide::new(phone, CODE, 4);
    let (mut client, reference) = shown(&sim, &keys, &mut side).await;
    let request = notice.clone();
    assert!(control(&sim, move |api| api.refresh_code(&request).unwrap()).await);
    let told = client.hear().await;
    let stage = child(&told, "link_code_companion_reg");
    assert_eq!(stage.get_text("stage").as_deref(), Some("refresh_code"));
    assert_eq!(reference_of(stage), reference);
    assert!(control(&sim, move |api| api.send_precursor(&notice).unwrap()).await);
    let told = client.hear().await;
    let stage = child(&told, "link_code_companion_reg");
    assert_eq!(stage.get_text("stage").as_deref(), Some("primary_hello"));
}

#[tokio::test]
async fn what_cannot_be_done_has_its_status() {
    let (sim, phone) = with_phone(PhoneConfig::default()).await;
    let status = |error: ControlError| match error {
        ControlError::Refused { status, .. } => status,
        other => panic!("{other}"),
    };
    let nobody: PhoneNumber = "+15559999999".parse().unwrap();
    let no_code = CodeRequest {
        code: "12345".to_owned(),
        ..CodeRequest::default()
    };
    let no_phone = CodeRequest {
        code: CODE.to_owned(),
        phone: Some(nobody),
        wait_ms: 0,
    };
    let confirm = |phone| ConfirmRequest {
        phone: Some(phone),
        accept: true,
    };
    let (shown, missing) = (confirm(phone), confirm(nobody));
    let seen = control(&sim, move |api| {
        [
            status(api.enter_code(&no_code).unwrap_err()),
            status(api.enter_code(&no_phone).unwrap_err()),
            status(api.confirm_on_phone(&shown).unwrap_err()),
            status(api.confirm_on_phone(&missing).unwrap_err()),
            status(api.assert_passkey("{}").unwrap_err()),
            status(api.assert_passkey(r#"{"challenge":"AAAA"}"#).unwrap_err()),
            status(api.passkey_code(Some(nobody)).unwrap_err()),
        ]
    })
    .await;
    assert_eq!(seen, [400, 404, 409, 404, 400, 404, 404]);
}

#[tokio::test]
async fn a_test_in_the_same_process_needs_no_control_api() {
    let sim = Sim::start(SimOptions::default()).await.unwrap();
    let phone = sim.default_phone().unwrap();
    let mut keys = Keys::new(5);
    let mut side = CodeSide::new(phone, CODE, 5);
    let (mut client, _) = shown(&sim, &keys, &mut side).await;
    let companion = async {
        finished(&mut client, &mut keys, &mut side).await;
        signed(client, &mut keys).await;
    };
    let (outcome, ()) = tokio::join!(sim.enter_code(None, CODE), companion);
    assert!(
        matches!(outcome, Ok(ScanOutcome::Linked { .. })),
        "{outcome:?}"
    );
}
