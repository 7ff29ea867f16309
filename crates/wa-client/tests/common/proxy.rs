//! A proxy of the smallest kind, which notes what it was asked for and passes bytes on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// How the proxy behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Socks5,
}

/// A running proxy; it ends with the test's runtime.
pub(crate) struct TestProxy {
    pub(crate) address: SocketAddr,
    asked: Arc<Notes>,
}

impl TestProxy {
    /// `target`: where every tunnel really leads, whatever name was asked for. `None` refuses every tunnel.
    /// With `password`, the user must be `ann` and the password this one.
    pub(crate) async fn start(
        kind: Kind,
        target: Option<SocketAddr>,
        password: Option<&'static str>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Notes::default());
        let notes = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let notes = Arc::clone(&notes);
                tokio::spawn(async move {
                    let result = match kind {
                        Kind::Http => http(stream, target, password, &notes).await,
                        Kind::Socks5 => socks5(stream, target, password, &notes).await,
                    };
                    drop(result);
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<(String, Option<String>)> {
        self.asked.0.lock().unwrap().clone()
    }
}

/// What the proxy was asked to connect to, each with the credentials it was given.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, Option<String>)>>);

impl Notes {
    fn add(&self, name: String, credentials: Option<String>) {
        self.0.lock().unwrap().push((name, credentials));
    }
}

async fn pass_on(mut near: TcpStream, target: SocketAddr) -> std::io::Result<()> {
    let mut far = TcpStream::connect(target).await?;
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}

async fn http(
    mut stream: TcpStream,
    target: Option<SocketAddr>,
    password: Option<&str>,
    notes: &Notes,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let name = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let credentials = lines.find_map(|line| {
        line.strip_prefix("Proxy-Authorization: Basic ")
            .map(str::to_owned)
    });
    notes.add(name, credentials.clone());
    let wanted = password.map(|password| base64(&format!("ann:{password}")));
    if wanted.is_some() && wanted != credentials {
        return stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            .await;
    }
    let Some(target) = target else {
        return stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    };
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    pass_on(stream, target).await
}

async fn socks5(
    mut stream: TcpStream,
    target: Option<SocketAddr>,
    password: Option<&str>,
    notes: &Notes,
) -> std::io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let mut credentials = None;
    match password {
        Some(_) if !methods.contains(&2) => return stream.write_all(&[5, 0xff]).await,
        Some(password) => {
            stream.write_all(&[5, 2]).await?;
            assert_eq!(stream.read_u8().await?, 1);
            let (user, given) = (text(&mut stream).await?, text(&mut stream).await?);
            let good = user == "ann" && given == password;
            credentials = Some(format!("{user}:{given}"));
            stream.write_all(&[1, u8::from(!good)]).await?;
            if !good {
                return Ok(());
            }
        }
        None => stream.write_all(&[5, 0]).await?,
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let name = match request {
        [5, 1, 0, 1] => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        [5, 1, 0, 3] => text(&mut stream).await?,
        other => panic!("no request for a tunnel: {other:?}"),
    };
    let port = stream.read_u16().await?;
    notes.add(format!("{name}:{port}"), credentials);
    let reply = if target.is_some() { 0 } else { 2 };
    stream
        .write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        .await?;
    match target {
        Some(target) => pass_on(stream, target).await,
        None => Ok(()),
    }
}

async fn text(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
