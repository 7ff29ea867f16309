//! From a URL to an open WebSocket: TCP, directly or through the proxy, TLS, upgrade.

pub(crate) mod error;
mod http_connect;
pub(crate) mod proxy;
mod socks5;
mod tcp;
pub(crate) mod tls;
pub(crate) mod url;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::ORIGIN;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub(crate) use self::error::{DialError, DialStage};
pub(crate) use self::proxy::{Proxy, ProxyKind};
use self::url::Target;

/// What a browser sends there (transport chapter, 1).
const ORIGIN_VALUE: &str = "https://web.whatsapp.com";

/// Longest WebSocket message taken: one longest Noise frame with its header (transport chapter, 2). The server
/// may put several frames in a message, but no message needs to be longer than its longest frame.
pub(crate) const MAX_MESSAGE_LEN: usize = 0xFF_FFFF + 3;

/// Read buffer of a connection, allocated and cleared at once, and the most that one system call reads. Small, because
/// most connections are idle most of the time; it grows for a message that is longer.
const READ_BUFFER_LEN: usize = 4 * 1024;

/// How a client reaches its server. One per client; nothing of it is global.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) timeout: Duration,
}

/// A byte stream whatever lies under it.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(crate) type WebSocket = WebSocketStream<Box<dyn Io>>;

impl Dialer {
    /// Opens a WebSocket to `url` within the dial timeout.
    pub(crate) async fn dial(&self, url: &str) -> Result<WebSocket, DialError> {
        let target: Target = url.parse()?;
        let stage = Stage::default();
        self.within_limit(&stage, async {
            let stream = self.reach(&target, &stage).await?;
            stage.enter(DialStage::Upgrade);
            upgrade(stream, &target).await
        })
        .await
    }

    /// Opens a byte stream to `target` within the dial timeout, by the same way as a WebSocket: through the proxy if
    /// there is one, under TLS if the URL says so.
    pub(crate) async fn open(&self, target: &Target) -> Result<Box<dyn Io>, DialError> {
        let stage = Stage::default();
        self.within_limit(&stage, self.reach(target, &stage)).await
    }

    async fn within_limit<T>(
        &self,
        stage: &Stage,
        work: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, DialError> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(DialError::Timeout {
                stage: stage.current(),
                limit: self.timeout,
            }),
        }
    }

    async fn reach(&self, target: &Target, stage: &Stage) -> Result<Box<dyn Io>, DialError> {
        stage.enter(DialStage::Tcp);
        let stream = match &self.proxy {
            None => tcp::connect(&target.host, target.port).await?,
            Some(proxy) => {
                let mut stream = tcp::connect(proxy.host(), proxy.port()).await?;
                stage.enter(DialStage::Proxy);
                match proxy.kind() {
                    ProxyKind::Http => {
                        http_connect::open_tunnel(&mut stream, target, proxy.credentials()).await?
                    }
                    ProxyKind::Socks5 => {
                        socks5::open_tunnel(&mut stream, target, proxy.credentials()).await?
                    }
                }
                stream
            }
        };
        if !target.tls {
            return Ok(Box::new(stream));
        }
        stage.enter(DialStage::Tls);
        Ok(Box::new(self.secure(stream, target).await?))
    }

    async fn secure(
        &self,
        stream: tokio::net::TcpStream,
        target: &Target,
    ) -> Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>, DialError> {
        let failed = |problem: String| DialError::Tls {
            host: target.host.clone(),
            problem,
        };
        let name =
            ServerName::try_from(target.host.clone()).map_err(|error| failed(error.to_string()))?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|error| failed(error.to_string()))
    }
}

async fn upgrade(stream: Box<dyn Io>, target: &Target) -> Result<WebSocket, DialError> {
    let failed = |error: tungstenite::Error| match error {
        tungstenite::Error::Http(response) => DialError::Upgrade {
            status: response.status().as_u16(),
        },
        tungstenite::Error::Io(error) => DialError::Broken {
            stage: DialStage::Upgrade,
            problem: error.to_string(),
        },
        other => DialError::WebSocket {
            problem: other.to_string(),
        },
    };
    let mut request = target.uri.clone().into_client_request().map_err(failed)?;
    request
        .headers_mut()
        .insert(ORIGIN, HeaderValue::from_static(ORIGIN_VALUE));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_LEN)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN));
    let (socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(failed)?;
    Ok(socket)
}

/// The stage under way, readable after the future that advances it was dropped by the timeout.
#[derive(Default)]
struct Stage(AtomicU8);

impl Stage {
    const ORDER: [DialStage; 4] = [
        DialStage::Tcp,
        DialStage::Proxy,
        DialStage::Tls,
        DialStage::Upgrade,
    ];

    fn enter(&self, stage: DialStage) {
        let index = Self::ORDER
            .iter()
            .position(|known| *known == stage)
            .unwrap_or(0);
        self.0
            .store(u8::try_from(index).unwrap_or(0), Ordering::Relaxed);
    }

    fn current(&self) -> DialStage {
        let index = usize::from(self.0.load(Ordering::Relaxed));
        Self::ORDER.get(index).copied().unwrap_or(DialStage::Tcp)
    }
}
