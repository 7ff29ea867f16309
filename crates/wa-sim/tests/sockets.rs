//! The whole link over real loopback sockets, plain and over TLS, and the control API.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use common::device::{Keys, Wire};
use common::payload;
use common::socket::{Client, PATIENCE, authority, control, fresh_seed, plain, unix_secs};
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use wa_noise::NoiseRoot;
use wa_proto::pb;
use wa_sim::{
    ControlClient, ControlError, Fault, FaultRule, MAX_BODY_LEN, MAX_FAULTS, MAX_HEAD_LEN,
    NewPhone, ScanOutcome, ScanRequest, Sim, SimError, SimOptions, Step, UnlinkRequest,
};

async fn over_tls(
    sim: &Sim,
    keys: &Keys,
    payload: &pb::ClientPayload,
) -> Client<tokio_rustls::client::TlsStream<TcpStream>> {
    let url = sim.tls_url().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(sim.ca_pem().unwrap().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(authority(&url)).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    Client::open(stream, &url, sim, keys, payload).await
}

async fn start() -> Sim {
    Sim::start(SimOptions::default()).await.unwrap()
}

#[tokio::test]
async fn the_whole_way_over_a_plain_socket() {
    let sim = start().await;
    let mut keys = Keys::new(1);
    let client = plain(&sim, &keys, &payload::registration(&keys)).await;
    client
        .link(&mut keys, async |code| {
            sim.begin_scan(None, &code).unwrap();
        })
        .await;
    let client = plain(&sim, &keys, &payload::login(keys.user(), keys.device())).await;
    client.live_and_leave(&keys).await;
    let remarks: Vec<_> = sim.read(|world| world.remarks().cloned().collect());
    assert!(remarks.is_empty(), "{remarks:?}");
    sim.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_whole_way_over_tls() {
    let sim = start().await;
    let mut keys = Keys::new(2);
    let client = over_tls(&sim, &keys, &payload::registration(&keys)).await;
    client
        .link(&mut keys, async |code| {
            sim.begin_scan(None, &code).unwrap();
        })
        .await;
    let client = over_tls(&sim, &keys, &payload::login(keys.user(), keys.device())).await;
    client.live_and_leave(&keys).await;
}

#[tokio::test]
async fn a_scan_waits_for_the_link() {
    let sim = Arc::new(start().await);
    let mut keys = Keys::new(3);
    let client = plain(&sim, &keys, &payload::registration(&keys)).await;
    let (codes, scanned) = tokio::sync::oneshot::channel();
    let scanner = Arc::clone(&sim);
    let scan = tokio::spawn(async move {
        let code: String = scanned.await.unwrap();
        scanner.scan(&code).await.unwrap()
    });
    client
        .link(&mut keys, async |code| codes.send(code).unwrap())
        .await;
    let ScanOutcome::Linked {
        jid,
        device,
        key_index,
    } = scan.await.unwrap()
    else {
        panic!()
    };
    assert_eq!(
        (jid.as_str(), device, key_index),
        ("15551230001:1@s.whatsapp.net", 1, 1)
    );
}

#[tokio::test]
async fn frames_cut_into_single_bytes_pass() {
    let sim = start().await;
    sim.inject(Fault::SplitFrames { chunk: 1 });
    let mut keys = Keys::new(4);
    let client = plain(&sim, &keys, &payload::registration(&keys)).await;
    client
        .link(&mut keys, async |code| {
            sim.begin_scan(None, &code).unwrap();
        })
        .await;
}

#[tokio::test]
async fn the_server_closes_the_real_socket_too() {
    let sim = start().await;
    for step in [
        Step::Open,
        Step::ClientHello,
        Step::ServerHello,
        Step::ClientFinish,
        Step::PairDevice,
    ] {
        sim.inject(Fault::CloseAt { step });
        let keys = Keys::new(5);
        let url = sim.url();
        let stream = TcpStream::connect(authority(&url)).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
        let root = NoiseRoot::from_hex(&sim.noise_root_hex()).unwrap();
        let payload = payload::registration(&keys);
        let (mut wire, hello) = Wire::connect(&keys, &payload, root, fresh_seed(), unix_secs());
        let _ = socket.send(Message::Binary(hello.into())).await;
        loop {
            match tokio::time::timeout(PATIENCE, socket.next()).await.unwrap() {
                Some(Ok(Message::Binary(bytes))) => {
                    let (_, answer) = wire.receive(&bytes);
                    if !answer.is_empty() {
                        let _ = socket.send(Message::Binary(answer.into())).await;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            }
        }
        assert!(sim.read(|world| world.faults().is_empty()), "{step:?}");
    }
}

#[tokio::test]
async fn the_control_api_does_what_an_owner_does() {
    let sim = start().await;
    let health = control(&sim, |api| api.health().unwrap()).await;
    assert_eq!((health.ok, health.accounts), (true, 1));
    let phone = control(&sim, |api| api.add_phone(&NewPhone::default()).unwrap()).await;
    assert_eq!(phone.number.to_string(), "+15551230002");

    let mut keys = Keys::new(6);
    let client = plain(&sim, &keys, &payload::registration(&keys)).await;
    let number = phone.number;
    let (replies, reply) = tokio::sync::oneshot::channel();
    let address = sim.control_url().unwrap();
    client
        .link(&mut keys, async |code| {
            let request = ScanRequest {
                qr: code,
                phone: Some(number),
                wait_ms: 10_000,
                four_fields: false,
            };
            tokio::task::spawn_blocking(move || {
                let api = ControlClient::new(&address).unwrap();
                replies.send(api.scan(&request).unwrap()).unwrap();
            });
        })
        .await;
    let reply = reply.await.unwrap();
    assert!(
        matches!(reply.outcome, ScanOutcome::Linked { device: 1, .. }),
        "{reply:?}"
    );
    let scan = reply.scan;
    assert_eq!(
        control(&sim, move |api| api.scan_status(scan).unwrap()).await,
        reply
    );

    let accounts = control(&sim, |api| api.accounts().unwrap()).await;
    assert_eq!(accounts[1].devices[0].name.as_deref(), Some("Test"));
    let request = UnlinkRequest {
        phone: Some(number),
        device: 1,
    };
    let after = control(&sim, move |api| api.unlink(&request).unwrap()).await;
    assert!(after.companions.is_empty());
    assert_eq!(after.current_key_index, 1);
    let request = UnlinkRequest {
        phone: Some(number),
        device: 1,
    };
    let refused = control(&sim, move |api| api.unlink(&request).unwrap_err()).await;
    assert!(
        matches!(refused, ControlError::Refused { status: 404, .. }),
        "{refused}"
    );

    let waiting = control(&sim, |api| {
        api.inject(&FaultRule::once(Fault::BadHmac)).unwrap()
    })
    .await;
    assert_eq!(waiting.waiting, 1);
    assert_eq!(
        control(&sim, |api| api.clear_faults().unwrap())
            .await
            .waiting,
        0
    );
}

#[tokio::test]
async fn a_fault_script_is_taken_whole_or_not_at_all() {
    let sim = start().await;
    let post = |path: &str, body: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    let two = r#"{"version":1,"faults":[{"fault":"bad_hmac"},{"fault":"refuse_ik"}]}"#;
    let answer = raw(&sim, post("/faults", two)).await;
    assert!(answer.ends_with(r#"{"waiting":2}"#), "{answer}");
    let wrong = r#"[{"fault":"bad_hmac"},{"fault":"bad_hmac","tims":2}]"#;
    let answer = raw(&sim, post("/faults", wrong)).await;
    assert!(
        answer.starts_with("HTTP/1.1 400")
            && answer.contains("fault 2 (line 1, column 23): unknown field `tims`"),
        "{answer}"
    );
    let answer = raw(&sim, post("/fault", r#"{"fault":"bad_hmac","tims":2}"#)).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("unknown field `tims`"),
        "{answer}"
    );
    let many = vec![FaultRule::once(Fault::BadHmac); MAX_FAULTS - 1];
    let refused = control(&sim, move |api| api.inject_all(&many).unwrap_err()).await;
    assert!(
        matches!(refused, ControlError::Refused { status: 409, .. }),
        "{refused}"
    );
    let waiting = control(&sim, |api| api.faults().unwrap()).await;
    assert_eq!(
        waiting,
        [Fault::BadHmac.into(), Fault::RefuseIk.into()],
        "nothing of what was refused"
    );
}

#[tokio::test]
async fn a_simulator_can_start_with_a_script() {
    let options = SimOptions {
        faults: wa_sim::FaultScript::parse(r#"[{"fault":"bad_hmac"}]"#).unwrap(),
        ..SimOptions::default()
    };
    let sim = Sim::start(options).await.unwrap();
    let waiting = sim.read(|world| world.faults().to_vec());
    assert_eq!(waiting, [Fault::BadHmac.into()]);
}

#[tokio::test]
async fn a_bad_code_is_refused_with_its_reason() {
    let sim = start().await;
    let request = ScanRequest {
        qr: "nonsense".to_owned(),
        ..ScanRequest::default()
    };
    let refused = control(&sim, move |api| api.scan(&request).unwrap_err()).await;
    assert!(
        refused.to_string().contains("not a linking code"),
        "{refused}"
    );
    let unknown = Keys::new(7).qr("2@nobody");
    let request = ScanRequest {
        qr: unknown,
        wait_ms: 5_000,
        ..ScanRequest::default()
    };
    let reply = control(&sim, move |api| api.scan(&request).unwrap()).await;
    assert!(reply.message.unwrap().contains("does not know this code"));
}

#[tokio::test]
async fn a_scan_by_an_unknown_number_makes_the_phone() {
    let sim = start().await;
    let number = "+4915550001".parse().unwrap();
    let code = Keys::new(8).qr("2@nobody");
    sim.begin_scan(Some(number), &code).unwrap();
    assert!(sim.read(|world| world.phone(number).is_some()));
}

async fn raw(sim: &Sim, request: Vec<u8>) -> String {
    let url = sim.control_url().unwrap();
    tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(authority(&url)).unwrap();
        let _ = stream.write_all(&request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn control_requests_are_bounded() {
    let sim = start().await;
    let body = |length: usize| {
        let mut request =
            format!("POST /scan HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n")
                .into_bytes();
        request.resize(request.len() + length, b' ');
        request
    };
    assert!(
        raw(&sim, body(MAX_BODY_LEN))
            .await
            .starts_with("HTTP/1.1 400")
    );
    assert!(
        raw(&sim, body(MAX_BODY_LEN + 1))
            .await
            .starts_with("HTTP/1.1 413")
    );
    let head = |length: usize| {
        let start = "GET /health HTTP/1.1\r\nhost: localhost\r\nx: ";
        let filler = "x".repeat(length - start.len() - 4);
        format!("{start}{filler}\r\n\r\n").into_bytes()
    };
    assert!(
        raw(&sim, head(MAX_HEAD_LEN))
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        raw(&sim, head(MAX_HEAD_LEN + 1))
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert!(
        raw(&sim, b"DELETE /phones HTTP/1.1\r\n\r\n".to_vec())
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        raw(&sim, b"PUT /phones HTTP/1.1\r\n\r\n".to_vec())
            .await
            .starts_with("HTTP/1.1 405")
    );
}

#[tokio::test]
async fn the_state_file_is_private_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sim.json");
    let options = SimOptions {
        state_file: Some(path.clone()),
        ..SimOptions::default()
    };
    let sim = Sim::start(options.clone()).await.unwrap();
    let root = sim.noise_root_hex();
    let mut keys = Keys::new(9);
    let client = plain(&sim, &keys, &payload::registration(&keys)).await;
    client
        .link(&mut keys, async |code| {
            sim.begin_scan(None, &code).unwrap();
        })
        .await;
    sim.shutdown().await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let sim = Sim::start(options.clone()).await.unwrap();
    assert_eq!(sim.noise_root_hex(), root);
    let client = plain(&sim, &keys, &payload::login(keys.user(), keys.device())).await;
    client.live_and_leave(&keys).await;
    sim.shutdown().await.unwrap();

    std::fs::write(&path, "{").unwrap();
    assert!(matches!(
        Sim::start(options).await,
        Err(SimError::StateFile { .. })
    ));
}

#[tokio::test]
async fn control_stays_on_loopback() {
    let options = SimOptions {
        control_listen: Some("0.0.0.0:0".parse().unwrap()),
        ..SimOptions::default()
    };
    assert!(matches!(
        Sim::start(options).await,
        Err(SimError::ControlNotLoopback { .. })
    ));
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let sim = start().await;
    let url = sim.url();
    let stream = TcpStream::connect(authority(&url)).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(&url, stream).await.unwrap();
    socket.close(None).await.unwrap();
    let next = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    assert!(matches!(next, Some(Ok(Message::Close(_)))), "{next:?}");
    let next = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    assert!(next.is_none(), "{next:?}");
}

#[tokio::test]
async fn a_connection_in_excess_waits_for_a_slot() {
    let mut options = SimOptions::default();
    options.world.max_connections = 1;
    let sim = Sim::start(options).await.unwrap();
    let keys = Keys::new(10);
    let mut first = plain(&sim, &keys, &payload::registration(&keys)).await;
    first.hear().await;
    let url = sim.url();
    let second = TcpStream::connect(authority(&url)).await.unwrap();
    let upgrade = tokio_tungstenite::client_async(&url, second);
    tokio::pin!(upgrade);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut upgrade)
            .await
            .is_err()
    );
    drop(first);
    tokio::time::timeout(PATIENCE, upgrade)
        .await
        .unwrap()
        .unwrap();
}
