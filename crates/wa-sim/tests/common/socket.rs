//! A companion on a real socket, and the control API beside it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use wa_noise::NoiseRoot;
use wa_proto::{Node, pb};
use wa_sim::{ControlClient, Sim};

use super::device::{Heard, Keys, Wire, answer_pair_success, child, request, result_of};
use super::lab::refs_of;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client<S> {
    pub socket: WebSocketStream<S>,
    pub wire: Wire,
    pub heard: std::collections::VecDeque<Heard>,
}

pub fn unix_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub fn authority(url: &str) -> &str {
    url.split("://").nth(1).unwrap().split('/').next().unwrap()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn open(
        stream: S,
        url: &str,
        sim: &Sim,
        keys: &Keys,
        payload: &pb::ClientPayload,
    ) -> Self {
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let root = NoiseRoot::from_hex(&sim.noise_root_hex()).unwrap();
        let (wire, hello) = Wire::connect(keys, payload, root, fresh_seed(), unix_secs());
        socket.send(Message::Binary(hello.into())).await.unwrap();
        Self {
            socket,
            wire,
            heard: Default::default(),
        }
    }

    pub async fn hear(&mut self) -> Node {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                match heard {
                    Heard::Stanza(node) => return node,
                    other => panic!("{other:?}"),
                }
            }
            let next = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .unwrap();
            let Message::Binary(bytes) = next.unwrap().unwrap() else {
                continue;
            };
            let (heard, answer) = self.wire.receive(&bytes);
            self.heard.extend(heard);
            if !answer.is_empty() {
                self.socket
                    .send(Message::Binary(answer.into()))
                    .await
                    .unwrap();
            }
        }
    }

    pub async fn send(&mut self, stanza: &Node) {
        let frame = self.wire.seal(stanza);
        self.socket
            .send(Message::Binary(frame.into()))
            .await
            .unwrap();
    }

    /// Sends a request and returns its answer.
    pub async fn ask(&mut self, stanza: &Node) -> Node {
        self.send(stanza).await;
        let answer = self.hear().await;
        assert_eq!(answer.get_text("id"), stanza.get_text("id"), "{answer:?}");
        answer
    }

    /// Waits for the end of the connection.
    pub async fn end(mut self) {
        while let Some(Ok(message)) = tokio::time::timeout(PATIENCE, self.socket.next())
            .await
            .unwrap()
        {
            if matches!(message, Message::Close(_)) {
                return;
            }
        }
    }

    /// From the refs to the restart; `scan` points a phone at the code.
    pub async fn link(mut self, keys: &mut Keys, scan: impl AsyncFnOnce(String)) {
        let iq = self.hear().await;
        self.send(&result_of(&iq)).await;
        scan(keys.qr(&refs_of(&iq)[0])).await;
        let iq = self.hear().await;
        let reply = answer_pair_success(keys, &iq, 1).unwrap();
        self.send(&reply).await;
        assert_eq!(self.hear().await.get_u64("code"), Some(515));
        self.end().await;
    }

    /// From `success` to the removal.
    pub async fn live_and_leave(mut self, keys: &Keys) {
        assert_eq!(self.hear().await.tag_str(), "success");
        self.send(&request(
            "active",
            "set",
            "passive",
            Some(Node::new("active")),
        ))
        .await;
        while self.hear().await.get_child("offline").is_none() {}
        self.send(&request("ping", "get", "w:p", None)).await;
        assert_eq!(self.hear().await.get_text("id").unwrap(), "ping");
        let remove = Node::new("remove-companion-device").attr("jid", keys.jid.clone().unwrap());
        self.send(&request("out", "set", "md", Some(remove))).await;
        assert_eq!(self.hear().await.get_text("type").unwrap(), "result");
        assert_eq!(
            child(&self.hear().await, "conflict")
                .get_text("type")
                .unwrap(),
            "device_removed"
        );
        self.end().await;
    }
}

/// Different for every connection of every companion.
pub fn fresh_seed() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub async fn plain(sim: &Sim, keys: &Keys, payload: &pb::ClientPayload) -> Client<TcpStream> {
    let url = sim.url();
    let stream = TcpStream::connect(authority(&url)).await.unwrap();
    Client::open(stream, &url, sim, keys, payload).await
}

/// The blocking client, off the runtime's thread.
pub async fn control<T: Send + 'static>(
    sim: &Sim,
    call: impl FnOnce(&ControlClient) -> T + Send + 'static,
) -> T {
    let client = ControlClient::new(&sim.control_url().unwrap()).unwrap();
    tokio::task::spawn_blocking(move || call(&client))
        .await
        .unwrap()
}
