//! One WebSocket connection.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

use super::shared::{Outgoing, Shared};
use crate::world::ConnInfo;

/// Most messages that wait for a client to read them; one more and its connection is closed.
pub const MAX_QUEUED_MESSAGES: usize = 4_096;

/// How long a client may take to ask for the WebSocket.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may not read before its connection is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest message taken: an upload of 812 prekeys has about 40 KiB.
const MAX_MESSAGE_LEN: usize = 2 << 20;
/// Bytes read at once. Small, because there may be thousands of connections.
const READ_BUFFER_LEN: usize = 4 << 10;

/// Serves one client until either side closes.
pub(super) async fn serve<S>(shared: Arc<Shared>, stream: S, info: ConnInfo)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_LEN)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN));
    let upgrade = accept_async_with_config(stream, Some(config));
    let Ok(Ok(mut socket)) = timeout(UPGRADE_TIMEOUT, upgrade).await else {
        tracing::debug!("no WebSocket was asked for");
        return;
    };
    let (route, mut outgoing) = mpsc::channel(MAX_QUEUED_MESSAGES);
    let id = shared.open(info, route);
    loop {
        tokio::select! {
            next = outgoing.recv() => {
                if !write(&mut socket, next, &mut outgoing).await {
                    break;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    shared.act(|world, now| world.handle_bytes(now, id, &bytes));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // Text is ignored; pings are answered below us.
                Some(Ok(_)) => {}
            },
        }
    }
    shared.closed(id);
    let _ = timeout(CLOSE_TIMEOUT, close(&mut socket)).await;
}

/// The closing handshake, whoever began it: the peer's close frame is answered while reading on.
async fn close<S>(socket: &mut WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}

/// Writes what is queued. `false` when the connection is over.
async fn write<S>(
    socket: &mut WebSocketStream<S>,
    first: Option<Outgoing>,
    queue: &mut mpsc::Receiver<Outgoing>,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut next = first;
    loop {
        match next {
            Some(Outgoing::Message(bytes)) => {
                let sent = timeout(WRITE_TIMEOUT, socket.feed(Message::Binary(bytes.into()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return false;
                }
            }
            Some(Outgoing::Close) | None => {
                let _ = timeout(WRITE_TIMEOUT, socket.flush()).await;
                return false;
            }
        }
        match queue.try_recv() {
            Ok(more) => next = Some(more),
            Err(_) => {
                let flushed = timeout(WRITE_TIMEOUT, socket.flush()).await;
                return matches!(flushed, Ok(Ok(())));
            }
        }
    }
}
