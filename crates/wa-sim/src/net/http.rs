//! As much of HTTP/1.1 as the control API needs: one bounded request per connection, one JSON answer.

use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest request head, in bytes.
pub const MAX_HEAD_LEN: usize = 8 << 10;
/// Longest request body, in bytes. A QR text has less than 3 KiB.
pub const MAX_BODY_LEN: usize = 64 << 10;

const READ_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// What follows the `?`.
    pub(super) query: String,
    pub(super) body: Vec<u8>,
}

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum RequestError {
    #[error("the request ended or took too long")]
    Incomplete,
    #[error("the request's head is longer than {MAX_HEAD_LEN} bytes")]
    HeadTooLong,
    #[error("the request's body is longer than {MAX_BODY_LEN} bytes")]
    BodyTooLong,
    #[error("not an HTTP/1.1 request: {0}")]
    Malformed(&'static str),
    /// A page in a browser must not be able to steer the simulator.
    #[error("requests of web pages are not served")]
    Foreign,
}

impl RequestError {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Incomplete => 408,
            Self::HeadTooLong => 431,
            Self::BodyTooLong => 413,
            Self::Malformed(_) => 400,
            Self::Foreign => 403,
        }
    }
}

pub(super) async fn read(stream: &mut TcpStream) -> Result<Request, RequestError> {
    timeout(READ_TIMEOUT, read_request(stream))
        .await
        .map_err(|_| RequestError::Incomplete)?
}

async fn read_request(stream: &mut TcpStream) -> Result<Request, RequestError> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = head_end(&bytes) {
            break end;
        }
        if bytes.len() > MAX_HEAD_LEN {
            return Err(RequestError::HeadTooLong);
        }
        more(stream, &mut bytes).await?;
    };
    if end > MAX_HEAD_LEN {
        return Err(RequestError::HeadTooLong);
    }
    let rest = bytes.split_off(end);
    let head = parse_head(&bytes)?;
    if head.length > MAX_BODY_LEN {
        return Err(RequestError::BodyTooLong);
    }
    let mut body = rest;
    while body.len() < head.length {
        more(stream, &mut body).await?;
    }
    body.truncate(head.length);
    Ok(Request {
        method: head.method,
        path: head.path,
        query: head.query,
        body,
    })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<(), RequestError> {
    let mut chunk = [0; 4 << 10];
    let count = stream
        .read(&mut chunk)
        .await
        .map_err(|_| RequestError::Incomplete)?;
    if count == 0 {
        return Err(RequestError::Incomplete);
    }
    bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
    Ok(())
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|start| start + 4)
}

#[derive(Debug)]
struct Head {
    method: String,
    path: String,
    query: String,
    length: usize,
}

fn parse_head(bytes: &[u8]) -> Result<Head, RequestError> {
    let text = std::str::from_utf8(bytes).map_err(|_| RequestError::Malformed("not text"))?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(RequestError::Malformed("no request line"));
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Err(RequestError::Malformed("no request line"));
    }
    let mut length = 0;
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line
            .split_once(':')
            .ok_or(RequestError::Malformed("a header without a colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = value
                    .parse()
                    .map_err(|_| RequestError::Malformed("content-length is no number"))?;
            }
            "transfer-encoding" => {
                return Err(RequestError::Malformed(
                    "transfer-encoding is not supported",
                ));
            }
            "origin" => return Err(RequestError::Foreign),
            "host" if !is_loopback(value) => return Err(RequestError::Foreign),
            _ => {}
        }
    }
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        length,
    })
}

/// A name that resolves to us by somebody else's doing is not ours (DNS rebinding).
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Answers and closes.
pub(super) async fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) {
    let reason = match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Error",
    };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    let _ = timeout(WRITE_TIMEOUT, async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read() {
        let head = parse_head(
            b"POST /scan?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8\r\ncontent-length: 12\r\n\r\n",
        );
        let head = head.unwrap();
        assert_eq!(
            (head.method.as_str(), head.path.as_str(), head.length),
            ("POST", "/scan", 12)
        );
    }

    #[test]
    fn web_pages_are_turned_away() {
        let with =
            |header: &str| parse_head(format!("GET / HTTP/1.1\r\n{header}\r\n\r\n").as_bytes());
        assert_eq!(
            with("Origin: http://127.0.0.1").unwrap_err(),
            RequestError::Foreign
        );
        assert_eq!(
            with("Host: evil.example").unwrap_err(),
            RequestError::Foreign
        );
        assert_eq!(with("Host: 10.0.0.1").unwrap_err(), RequestError::Foreign);
        for host in ["localhost:1", "127.0.0.1", "[::1]:80"] {
            assert!(with(&format!("Host: {host}")).is_ok(), "{host}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "GET\r\n\r\n",
            "GET / SPDY\r\n\r\n",
            "GET / HTTP/1.1\r\nbad\r\n\r\n",
        ] {
            assert!(
                matches!(parse_head(text.as_bytes()), Err(RequestError::Malformed(_))),
                "{text}"
            );
        }
    }
}
