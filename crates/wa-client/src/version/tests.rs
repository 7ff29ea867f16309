use std::sync::Mutex;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::dial::tls::{TlsRoots, client_config};

const REVISION: &str = r#"self.x={\"client_revision\":1099999999,"server_revision":1}"#;

fn dialer(roots: &TlsRoots) -> Dialer {
    Dialer {
        proxy: None,
        tls: client_config(roots).unwrap(),
        timeout: Duration::from_secs(10),
    }
}

async fn ask(url: String, roots: &TlsRoots) -> Result<(ClientVersion, String), VersionError> {
    Versions::new(VersionSource::Fetch { url }, dialer(roots))
        .unwrap()
        .ask()
        .await
}

/// What a server was asked, one entry for each connection.
type Heads = Arc<Mutex<Vec<String>>>;

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: &[u8], heads: &Heads) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    // The reader may have seen enough.
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

/// A server that gives every request the same answer; returns its authority.
async fn server(answer: Vec<u8>, tls: Option<TlsAcceptor>) -> (String, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
    let heads = Heads::default();
    let noted = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                None => serve(stream, &answer, &noted).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, &answer, &noted).await;
                    }
                }
            }
        }
    });
    (authority, heads)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn answered(answer: impl Into<Vec<u8>>) -> Result<u32, VersionError> {
    let (authority, _) = server(answer.into(), None).await;
    ask(format!("http://{authority}/sw.js"), &TlsRoots::WebPki)
        .await
        .map(|(version, _)| version.tertiary)
}

fn acceptor() -> (TlsAcceptor, TlsRoots) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der())),
        )
        .unwrap();
    (
        TlsAcceptor::from(Arc::new(config)),
        TlsRoots::Only(cert.pem().into_bytes()),
    )
}

#[tokio::test]
async fn the_page_is_asked_for_as_a_browser_does() {
    let (authority, heads) = server(ok(REVISION.as_bytes()), None).await;
    let url = format!("http://{authority}/sw.js?a=b");
    let found = ask(url.clone(), &TlsRoots::WebPki).await.unwrap();
    assert_eq!(found, (ClientVersion::new(2, 3000, 1_099_999_999), url));
    let head = heads.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("GET /sw.js?a=b HTTP/1.1\r\n"), "{head}");
    for line in [
        format!("host: {authority}"),
        "sec-fetch-site: none".to_owned(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
    assert!(head.contains("user-agent: Mozilla/5.0 (X11; Linux x86_64)"));
}

#[tokio::test]
async fn every_way_to_end_a_body_is_understood() {
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{REVISION}");
    assert_eq!(answered(until_close).await, Ok(1_099_999_999));
    let (first, second) = REVISION.split_at(20);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    assert_eq!(answered(chunked).await, Ok(1_099_999_999));
}

#[tokio::test]
async fn a_page_without_a_revision_is_an_error() {
    for body in [&b""[..], b"<html>", &[0xff; 1000]] {
        assert_eq!(
            answered(ok(body)).await,
            Err(VersionError::NoRevision { len: body.len() })
        );
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    for answer in [
        &b""[..],
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        &[0; 4096],
    ] {
        assert!(
            matches!(answered(answer).await, Err(VersionError::Http(_))),
            "{answer:?}"
        );
    }
    let mut endless = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
    endless.resize(200 * 1024, b'a');
    assert!(matches!(
        answered(endless).await,
        Err(VersionError::Http(_))
    ));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, heads) = server(ok(REVISION.as_bytes()), None).await;
    for status in [301, 302, 307] {
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(answered(answer).await, Err(VersionError::Status { status }));
    }
    assert!(heads.lock().unwrap().is_empty());
    assert_eq!(
        answered("HTTP/1.1 429 Slow down\r\n\r\n").await,
        Err(VersionError::Status { status: 429 })
    );
}

#[tokio::test]
async fn the_page_is_bounded() {
    let page = |len: usize| {
        let mut page = REVISION.as_bytes().to_vec();
        page.resize(len, b' ');
        page
    };
    assert_eq!(
        answered(ok(&page(MAX_VERSION_PAGE_LEN))).await,
        Ok(1_099_999_999)
    );
    let limit = MAX_VERSION_PAGE_LEN;
    assert_eq!(
        answered(ok(&page(MAX_VERSION_PAGE_LEN + 1))).await,
        Err(VersionError::TooLong { limit })
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sw.js", listener.local_addr().unwrap());
    let held = tokio::spawn(async move { listener.accept().await });
    let asking = tokio::spawn(async move { ask(url, &TlsRoots::WebPki).await });
    let stream = held.await.unwrap();
    tokio::time::pause();
    let limit = VERSION_FETCH_TIMEOUT;
    assert_eq!(asking.await.unwrap(), Err(VersionError::TimedOut { limit }));
    drop(stream);
}

#[tokio::test]
async fn a_page_that_comes_too_slowly_is_given_up() {
    let (near, mut far) = tokio::io::duplex(1024);
    let trickle = tokio::spawn(async move {
        let mut head = [0; 16];
        far.read_exact(&mut head).await.unwrap();
        far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while far.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    tokio::time::pause();
    let target = Target::http("http://localhost/sw.js").unwrap();
    let reading = fetch::current_on(Box::new(near), &target);
    assert!(
        tokio::time::timeout(VERSION_FETCH_TIMEOUT, reading)
            .await
            .is_err()
    );
    // Nothing of the connection is left behind.
    trickle.await.unwrap();
}

#[tokio::test]
async fn tls_is_checked_against_the_clients_own_roots() {
    let (tls, roots) = acceptor();
    let (authority, heads) = server(ok(REVISION.as_bytes()), Some(tls)).await;
    let url = format!("https://{authority}/sw.js");
    let (version, from) = ask(url.clone(), &roots).await.unwrap();
    assert_eq!((version.tertiary, from), (1_099_999_999, url.clone()));
    for others in [TlsRoots::WebPki, acceptor().1] {
        let error = ask(url.clone(), &others).await.unwrap_err();
        assert!(
            matches!(&error, VersionError::Connect(why) if why.starts_with("TLS to localhost failed")),
            "{error}"
        );
    }
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let error = ask(format!("http://{address}/"), &TlsRoots::WebPki)
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn no_source_is_no_version_and_a_wrong_url_is_refused_at_once() {
    let roots = TlsRoots::WebPki;
    let off = Versions::new(VersionSource::Off, dialer(&roots)).unwrap();
    assert_eq!(off.ask().await, Err(VersionError::Off));
    for url in ["wss://web.whatsapp.com/", "sw.js", "https://"] {
        let source = VersionSource::Fetch { url: url.into() };
        assert!(Versions::new(source, dialer(&roots)).is_err(), "{url}");
    }
}

#[derive(Debug)]
struct Own(Result<ClientVersion, String>);

impl VersionProvider for Own {
    fn name(&self) -> String {
        "own".to_owned()
    }

    fn current(&self) -> VersionAnswer<'_> {
        Box::pin(async { self.0.clone() })
    }
}

#[derive(Debug)]
struct Silent;

impl VersionProvider for Silent {
    fn name(&self) -> String {
        "silent".to_owned()
    }

    fn current(&self) -> VersionAnswer<'_> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_source_is_asked_within_the_limit() {
    let ask = |provider: Arc<dyn VersionProvider>| {
        Versions::new(VersionSource::Custom(provider), dialer(&TlsRoots::WebPki))
            .unwrap()
            .ask()
    };
    let version = ClientVersion::new(2, 3000, 7);
    assert_eq!(
        ask(Arc::new(Own(Ok(version)))).await,
        Ok((version, "own".to_owned()))
    );
    assert_eq!(
        ask(Arc::new(Own(Err("asleep".into())))).await,
        Err(VersionError::Custom("asleep".into()))
    );
    let limit = VERSION_FETCH_TIMEOUT;
    assert_eq!(
        ask(Arc::new(Silent)).await,
        Err(VersionError::TimedOut { limit })
    );
}

/// A proxy that leads every tunnel to `target`, or refuses; returns its URL and what it was asked for.
async fn proxy(target: Option<String>) -> (String, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Heads::default();
    let noted = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let Some(target) = &target else {
                serve(near, b"HTTP/1.1 403 Forbidden\r\n\r\n", &noted).await;
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            noted.lock().unwrap().push(String::from_utf8(head).unwrap());
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        }
    });
    (url, heads)
}

#[tokio::test]
async fn the_proxy_is_the_only_way_out() {
    let (authority, heads) = server(ok(REVISION.as_bytes()), None).await;
    let through = |proxy: &str, url: &str| {
        let dialer = Dialer {
            proxy: Some(proxy.parse().unwrap()),
            ..dialer(&TlsRoots::WebPki)
        };
        let source = VersionSource::Fetch { url: url.into() };
        Versions::new(source, dialer).unwrap().ask()
    };
    // A name that no resolver knows: only the proxy can lead anywhere with it.
    let (leading, asked) = proxy(Some(authority.clone())).await;
    let found = through(&leading, "http://page.invalid/sw.js").await;
    assert_eq!(found.unwrap().0.tertiary, 1_099_999_999);
    let connect = asked.lock().unwrap().pop().unwrap();
    assert!(
        connect.starts_with("CONNECT page.invalid:80 HTTP/1.1"),
        "{connect}"
    );
    assert_eq!(heads.lock().unwrap().len(), 1);

    let (refusing, _) = proxy(None).await;
    let refused = through(&refusing, &format!("http://{authority}/sw.js")).await;
    assert!(
        matches!(&refused, Err(VersionError::Connect(why)) if why.contains("refused the tunnel")),
        "{refused:?}"
    );
    assert_eq!(heads.lock().unwrap().len(), 1, "nothing goes around it");
}
