//! The connection of a client: none, being dialled, or open. Never more than one.

use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_tungstenite::tungstenite::Bytes;
use wa_core::{CloseCause, Epoch};

use crate::dial::{DialError, WebSocket};
use crate::socket::{Socket, SocketClose, SocketEvent};

pub(crate) enum Link {
    None,
    Dialling(Epoch, BoxFuture<'static, Result<WebSocket, DialError>>),
    Open(Epoch, Box<Socket>),
}

/// What became of the connection, under the epoch it was opened for.
pub(crate) enum LinkEvent {
    Opened(Epoch),
    Bytes(Epoch, Bytes),
    Closed(Epoch, CloseCause),
}

impl Link {
    /// Drives the connection; without one, nothing ever happens. With `read` false only writing goes on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        match self {
            Self::None => Poll::Pending,
            Self::Dialling(epoch, dial) => {
                let epoch = *epoch;
                let Poll::Ready(result) = dial.poll_unpin(cx) else {
                    return Poll::Pending;
                };
                Poll::Ready(match result {
                    Ok(socket) => {
                        *self = Self::Open(epoch, Box::new(Socket::new(socket)));
                        LinkEvent::Opened(epoch)
                    }
                    Err(error) => {
                        *self = Self::None;
                        LinkEvent::Closed(epoch, CloseCause::OpenFailed(error.into()))
                    }
                })
            }
            Self::Open(epoch, socket) => {
                let epoch = *epoch;
                let Poll::Ready(event) = socket.poll(cx, read) else {
                    return Poll::Pending;
                };
                Poll::Ready(match event {
                    SocketEvent::Bytes(bytes) => LinkEvent::Bytes(epoch, bytes),
                    SocketEvent::Closed(close) => {
                        *self = Self::None;
                        LinkEvent::Closed(epoch, cause(close))
                    }
                })
            }
        }
    }

    /// Queues bytes on an open connection; on any other there is nobody to send them to.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        if let Self::Open(_, socket) = self {
            socket.push(bytes);
        }
    }
}

fn cause(close: SocketClose) -> CloseCause {
    match close {
        SocketClose::Remote(code) => CloseCause::Peer { code },
        SocketClose::Failed(problem) => CloseCause::Network(problem),
        SocketClose::Unsent => {
            CloseCause::Network("the server does not read what is sent".to_owned())
        }
    }
}
