//! What can go wrong between "connect" and an open WebSocket.

use std::time::Duration;

use wa_core::OpenFailure;

/// The part of dialling that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialStage {
    /// Resolving the name and opening the TCP connection, to the server or to the proxy.
    Tcp,
    /// Asking the proxy for a tunnel.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The WebSocket upgrade.
    Upgrade,
}

impl DialStage {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "opening the TCP connection",
            Self::Proxy => "asking the proxy for a tunnel",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the WebSocket upgrade",
        }
    }
}

/// Why no WebSocket could be opened. As an [`OpenFailure`] it also says what to check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    /// The endpoint is no `ws://` or `wss://` URL with a host.
    #[error("{url:?} is not a server address: {problem}")]
    Url {
        /// The endpoint as given.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The name could not be resolved.
    #[error("the name {host} could not be resolved: {problem}")]
    Resolve {
        /// The name looked up.
        host: String,
        /// What the resolver said.
        problem: String,
    },
    /// No address of the host took a TCP connection.
    #[error("no TCP connection to {target}: {problem}")]
    Tcp {
        /// Host and port dialled.
        target: String,
        /// What the system said about the last address tried.
        problem: String,
    },
    /// A stage took too long.
    #[error("{} took longer than {} s", .stage.name(), .limit.as_secs_f32())]
    Timeout {
        /// The stage under way when time ran out.
        stage: DialStage,
        /// The limit for dialling as a whole.
        limit: Duration,
    },
    /// The connection broke during a stage.
    #[error("{} broke off: {problem}", .stage.name())]
    Broken {
        /// The stage under way.
        stage: DialStage,
        /// What the system said.
        problem: String,
    },
    /// The proxy wants (other) credentials.
    #[error("the proxy refused the credentials")]
    ProxyAuthentication,
    /// The proxy answered, but gave no tunnel.
    #[error("the proxy refused the tunnel: {problem}")]
    ProxyRefused {
        /// What the proxy answered.
        problem: String,
    },
    /// The proxy answered something that is not its protocol.
    #[error("the proxy does not speak {protocol}: {problem}")]
    ProxyProtocol {
        /// `HTTP CONNECT` or `SOCKS5`.
        protocol: &'static str,
        /// What was wrong.
        problem: &'static str,
    },
    /// The server's certificate, or TLS as a whole, was not acceptable.
    #[error("TLS to {host} failed: {problem}")]
    Tls {
        /// The name the certificate was checked against.
        host: String,
        /// What the TLS library said.
        problem: String,
    },
    /// The server answered the WebSocket upgrade with another HTTP status.
    #[error("the server answered the WebSocket upgrade with HTTP {status}")]
    Upgrade {
        /// The HTTP status.
        status: u16,
    },
    /// The answer to the WebSocket upgrade was no valid one.
    #[error("the WebSocket upgrade failed: {problem}")]
    WebSocket {
        /// What the WebSocket library said.
        problem: String,
    },
}

impl From<DialError> for OpenFailure {
    /// The engine's words say what to check; this keeps what happened.
    fn from(error: DialError) -> Self {
        let problem = error.to_string();
        match error {
            DialError::Url { .. } | DialError::ProxyAuthentication => Self::Misconfigured(problem),
            DialError::Resolve { .. } => Self::Resolve(problem),
            DialError::Tcp { .. } | DialError::WebSocket { .. } => Self::Connect(problem),
            DialError::Timeout { stage, .. } | DialError::Broken { stage, .. } => match stage {
                DialStage::Tcp | DialStage::Upgrade => Self::Connect(problem),
                DialStage::Proxy => Self::Proxy(problem),
                DialStage::Tls => Self::Tls(problem),
            },
            DialError::ProxyRefused { .. } | DialError::ProxyProtocol { .. } => {
                Self::Proxy(problem)
            }
            DialError::Tls { .. } => Self::Tls(problem),
            DialError::Upgrade { status } => Self::Upgrade { status },
        }
    }
}
