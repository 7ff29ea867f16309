//! One open WebSocket as a byte stream in both directions.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink as _, SinkExt as _, Stream as _, StreamExt as _};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use crate::dial::{MAX_MESSAGE_LEN, WebSocket};

/// Most bytes that may wait for a server that does not read: two longest frames. Beyond, the connection is
/// given up rather than held in memory.
pub(crate) const MAX_UNSENT_LEN: usize = 2 * MAX_MESSAGE_LEN;

/// Longest wait for the server's half of the closing handshake; our own bound.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a socket reports.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// The next bytes of the stream.
    Bytes(Bytes),
    /// Nothing more will come.
    Closed(SocketClose),
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SocketClose {
    /// The server closed it, with its close code if it gave one.
    Remote(Option<u16>),
    /// The network or the WebSocket protocol failed.
    Failed(String),
    /// The server did not read what was sent.
    Unsent,
}

/// An open socket. Bytes pushed between two polls leave as one message.
pub(crate) struct Socket {
    ws: WebSocket,
    unsent: Vec<u8>,
    overflow: bool,
}

impl Socket {
    pub(crate) fn new(ws: WebSocket) -> Self {
        Self {
            ws,
            unsent: Vec::new(),
            overflow: false,
        }
    }

    /// Queues bytes; [`poll`](Self::poll) sends them.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        if self.unsent.len() + bytes.len() > MAX_UNSENT_LEN {
            self.overflow = true;
        } else if self.unsent.is_empty() {
            self.unsent = bytes;
        } else {
            self.unsent.extend_from_slice(&bytes);
        }
    }

    /// Drives both directions; with `read` false only writing goes on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<SocketEvent> {
        if self.overflow {
            return Poll::Ready(SocketEvent::Closed(SocketClose::Unsent));
        }
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            // The reason the server gave for hanging up may still be waiting to be read.
            return match self.poll_read(cx) {
                Poll::Ready(event) => Poll::Ready(event),
                Poll::Pending => Poll::Ready(closed(&error)),
            };
        }
        if read {
            self.poll_read(cx)
        } else {
            Poll::Pending
        }
    }

    /// Sends what is queued, then closes with code 1000 and waits, bounded, for the server to do the same.
    pub(crate) async fn close(mut self) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, async {
            if !self.unsent.is_empty() {
                let message = Message::Binary(std::mem::take(&mut self.unsent).into());
                self.ws.send(message).await?;
            }
            let frame = CloseFrame {
                code: CloseCode::Normal,
                reason: "".into(),
            };
            self.ws.close(Some(frame)).await?;
            while self.ws.next().await.is_some_and(|message| message.is_ok()) {}
            Ok::<(), tungstenite::Error>(())
        })
        .await;
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        if !self.unsent.is_empty() {
            match Pin::new(&mut self.ws).poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    let message = Message::Binary(std::mem::take(&mut self.unsent).into());
                    if let Err(error) = Pin::new(&mut self.ws).start_send(message) {
                        return Poll::Ready(Err(error));
                    }
                }
                other => return other,
            }
        }
        Pin::new(&mut self.ws).poll_flush(cx)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        loop {
            match Pin::new(&mut self.ws).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(Message::Binary(bytes)))) => {
                    return Poll::Ready(SocketEvent::Bytes(bytes));
                }
                Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                    let code = frame.map(|frame| frame.code.into());
                    return Poll::Ready(SocketEvent::Closed(SocketClose::Remote(code)));
                }
                // Text is no part of the stream; pings are answered by the library.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(closed(&error)),
                Poll::Ready(None) => {
                    return Poll::Ready(SocketEvent::Closed(SocketClose::Remote(None)));
                }
            }
        }
    }
}

fn closed(error: &tungstenite::Error) -> SocketEvent {
    use tungstenite::Error::{AlreadyClosed, ConnectionClosed};
    SocketEvent::Closed(match error {
        ConnectionClosed | AlreadyClosed => SocketClose::Remote(None),
        other => SocketClose::Failed(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, DuplexStream};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::dial::Io;

    async fn pair() -> (Socket, WebSocketStream<DuplexStream>) {
        let (near, far) = tokio::io::duplex(1 << 16);
        let near: Box<dyn Io> = Box::new(near);
        let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
        (Socket::new(near), far)
    }

    async fn next(socket: &mut Socket) -> SocketEvent {
        poll_fn(|cx| socket.poll(cx, true)).await
    }

    #[tokio::test]
    async fn pushes_between_two_polls_leave_as_one_message() {
        let (mut socket, mut far) = pair().await;
        socket.push(vec![1]);
        socket.push(vec![2, 3]);
        far.send(Message::text("ignored")).await.unwrap();
        far.send(Message::binary(vec![9])).await.unwrap();
        assert!(matches!(next(&mut socket).await, SocketEvent::Bytes(bytes) if *bytes == [9]));
        assert_eq!(
            far.next().await.unwrap().unwrap(),
            Message::binary(vec![1, 2, 3])
        );
    }

    #[tokio::test]
    async fn the_close_code_of_the_server_is_reported() {
        let (mut socket, mut far) = pair().await;
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        far.close(Some(frame)).await.unwrap();
        assert!(matches!(
            next(&mut socket).await,
            SocketEvent::Closed(SocketClose::Remote(Some(1001)))
        ));
    }

    #[tokio::test]
    async fn a_server_that_vanishes_is_a_close() {
        let (mut socket, far) = pair().await;
        drop(far);
        assert!(matches!(next(&mut socket).await, SocketEvent::Closed(_)));
    }

    #[tokio::test]
    async fn unsent_bytes_are_bounded() {
        let (mut socket, far) = pair().await;
        socket.push(vec![0; MAX_UNSENT_LEN]);
        assert!(!socket.overflow);
        socket.push(vec![0]);
        assert!(matches!(
            next(&mut socket).await,
            SocketEvent::Closed(SocketClose::Unsent)
        ));
        drop(far);
    }

    #[tokio::test]
    async fn closing_sends_what_is_queued_first() {
        let (mut socket, mut far) = pair().await;
        socket.push(vec![7]);
        let closing = tokio::spawn(socket.close());
        assert_eq!(far.next().await.unwrap().unwrap(), Message::binary(vec![7]));
        assert!(
            matches!(far.next().await, Some(Ok(Message::Close(Some(frame)))) if frame.code == CloseCode::Normal)
        );
        assert!(far.next().await.is_none());
        closing.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn closing_does_not_wait_for_ever() {
        let (socket, far) = pair().await;
        socket.close().await;
        let mut rest = Vec::new();
        let _ = far.into_inner().read_to_end(&mut rest).await;
        assert!(!rest.is_empty(), "the close frame was sent");
    }
}
