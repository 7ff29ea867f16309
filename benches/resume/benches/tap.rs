//! A wire tap between a client and the simulator: it counts how often the talk turns back to the client.

use crate::Failure;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Tap {
    url: String,
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Turns {
    client_spoke_last: AtomicBool,
    answers: AtomicUsize,
    closing: AtomicBool,
}

impl Tap {
    /// Carries one connection to the server of this URL.
    pub(crate) async fn start(url: &str) -> Result<Self, Failure> {
        let address = url
            .strip_prefix("ws://")
            .ok_or("the simulator's URL is ws://")?;
        let (address, path) = address.split_once('/').unwrap_or((address, ""));
        let server: SocketAddr = address.parse()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let tap = Self {
            url: format!("ws://{}/{path}", listener.local_addr()?),
            turns: Arc::default(),
        };
        let turns = Arc::clone(&tap.turns);
        tokio::spawn(async move {
            let (client, _) = listener.accept().await?;
            let server = TcpStream::connect(server).await?;
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (client_in, client_out) = client.into_split();
            let (server_in, server_out) = server.into_split();
            tokio::spawn(carry(client_in, server_out, Arc::clone(&turns), true));
            tokio::spawn(carry(server_in, client_out, turns, false));
            Ok::<(), std::io::Error>(())
        });
        Ok(tap)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The TCP handshake and every later time that the client spoke and was answered, up to and with the end of the
    /// connection less that one.
    pub(crate) fn round_trips(&self) -> usize {
        1 + self.turns.answers.load(SeqCst)
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    turns: Arc<Turns>,
    is_client: bool,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..read];
        // A masked close frame; the farewell is no part of coming online.
        if is_client && bytes.first() == Some(&0x88) {
            turns.closing.store(true, SeqCst);
        }
        if !turns.closing.load(SeqCst) {
            let client_spoke_last = turns.client_spoke_last.swap(is_client, SeqCst);
            if !is_client && client_spoke_last {
                turns.answers.fetch_add(1, SeqCst);
            }
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
