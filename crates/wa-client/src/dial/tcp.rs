//! A TCP connection to the first address of a host that answers.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use super::error::DialError;
use super::url::authority;

/// Pause before the next address is tried beside the ones under way (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Most addresses of one name that are tried; our own bound.
const MAX_ADDRESSES: usize = 16;

/// Connects to `host`, trying its addresses side by side, IPv6 and IPv4 in turn.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let addresses = resolve(host, port).await?;
    let attempts: FuturesUnordered<_> = (0u32..)
        .zip(addresses)
        .map(|(turn, address)| async move {
            tokio::time::sleep(ATTEMPT_DELAY * turn).await;
            TcpStream::connect(address).await
        })
        .collect();
    let stream = first(attempts).await.map_err(|problem| DialError::Tcp {
        target: authority(host, port),
        problem: problem.map_or_else(|| "no address".to_owned(), |error| error.to_string()),
    })?;
    // Frames are small and already coalesced; waiting for more of them only adds delay. A failure costs that only.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn first<F>(mut attempts: FuturesUnordered<F>) -> Result<TcpStream, Option<std::io::Error>>
where
    F: Future<Output = std::io::Result<TcpStream>>,
{
    let mut last = None;
    while let Some(result) = attempts.next().await {
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last)
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    let failed = |problem: String| DialError::Resolve {
        host: host.to_owned(),
        problem,
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| failed(error.to_string()))?
        .collect();
    if found.is_empty() {
        return Err(failed("it has no address".to_owned()));
    }
    let (mut v6, mut v4): (std::collections::VecDeque<_>, std::collections::VecDeque<_>) =
        found.into_iter().partition(SocketAddr::is_ipv6);
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ADDRESSES && !(v6.is_empty() && v4.is_empty()) {
        ordered.extend(v6.pop_front());
        ordered.extend(v4.pop_front());
    }
    Ok(ordered)
}
