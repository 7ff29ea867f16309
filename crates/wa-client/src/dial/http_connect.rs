//! A tunnel through an HTTP proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::error::{DialError, DialStage};
use super::proxy::Credentials;
use super::url::Target;

/// Longest answer head we read from a proxy; our own bound, a real one takes a few hundred bytes.
pub(crate) const MAX_HEAD_LEN: usize = 16 * 1024;

const PROTOCOL: &str = "HTTP CONNECT";

/// Asks for a tunnel to `target`, whose name the proxy resolves.
pub(crate) async fn open_tunnel<S>(
    stream: &mut S,
    target: &Target,
    credentials: Option<&Credentials>,
) -> Result<(), DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream
        .write_all(request(target, credentials).as_bytes())
        .await
        .map_err(broken)?;
    match status(&read_head(stream).await?)? {
        200..=299 => Ok(()),
        407 => Err(DialError::ProxyAuthentication),
        code => Err(DialError::ProxyRefused {
            problem: format!("HTTP {code}"),
        }),
    }
}

fn request(target: &Target, credentials: Option<&Credentials>) -> Zeroizing<String> {
    let authority = target.authority();
    let mut request = Zeroizing::new(format!(
        "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    ));
    if let Some(Credentials { user, password }) = credentials {
        let pair = Zeroizing::new(format!("{}:{}", user.as_str(), password.as_str()));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// Reads up to the empty line. The server speaks second inside the tunnel, so bytes after it are not ours.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, DialError> {
    let mut head = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let len = stream.read(&mut chunk).await.map_err(broken)?;
        if len == 0 {
            return Err(protocol("it closed the connection within its answer"));
        }
        head.extend_from_slice(chunk.get(..len).unwrap_or_default());
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            if end + 4 != head.len() {
                return Err(protocol("it sent bytes after its answer"));
            }
            return Ok(head);
        }
        if head.len() > MAX_HEAD_LEN {
            return Err(protocol("its answer is too long"));
        }
    }
}

fn status(head: &[u8]) -> Result<u16, DialError> {
    let not_http = || protocol("its answer is not HTTP/1");
    let line = head
        .split(|&byte| byte == b'\r')
        .next()
        .ok_or_else(not_http)?;
    let line = std::str::from_utf8(line).map_err(|_| not_http())?;
    let mut words = line.split(' ');
    if !words.next().is_some_and(|word| word.starts_with("HTTP/1.")) {
        return Err(not_http());
    }
    words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(not_http)
}

fn protocol(problem: &'static str) -> DialError {
    DialError::ProxyProtocol {
        protocol: PROTOCOL,
        problem,
    }
}

fn broken(error: std::io::Error) -> DialError {
    DialError::Broken {
        stage: DialStage::Proxy,
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        "wss://web.whatsapp.com/ws/chat".parse().unwrap()
    }

    async fn answer(bytes: &[u8]) -> Result<(), DialError> {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        open_tunnel(&mut ours, &target(), None).await
    }

    #[tokio::test]
    async fn only_a_2xx_answer_opens_the_tunnel() {
        assert_eq!(
            answer(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await,
            Ok(())
        );
        assert_eq!(
            answer(b"HTTP/1.0 407 Auth\r\n\r\n").await,
            Err(DialError::ProxyAuthentication)
        );
        assert_eq!(
            answer(b"HTTP/1.1 403 Forbidden\r\n\r\n").await,
            Err(DialError::ProxyRefused {
                problem: "HTTP 403".into()
            })
        );
        for garbage in [
            &b"\x05\x00\r\n\r\n"[..],
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nx",
        ] {
            assert!(matches!(
                answer(garbage).await,
                Err(DialError::ProxyProtocol { .. })
            ));
        }
    }

    #[tokio::test]
    async fn the_answer_is_bounded() {
        let fill = |len: usize| {
            let mut head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
            head.resize(len - 4, b'a');
            head.extend_from_slice(b"\r\n\r\n");
            head
        };
        assert_eq!(answer(&fill(MAX_HEAD_LEN)).await, Ok(()));
        assert_eq!(
            answer(&fill(2 * MAX_HEAD_LEN)).await,
            Err(protocol("its answer is too long"))
        );
    }

    #[test]
    fn credentials_travel_as_basic_authentication() {
        let proxy: super::super::Proxy = "http://Aladdin:open%20sesame@h:1".parse().unwrap();
        let request = request(&target(), proxy.credentials());
        assert!(request.starts_with(
            "CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\n"
        ));
        assert!(
            request.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")
        );
    }
}
