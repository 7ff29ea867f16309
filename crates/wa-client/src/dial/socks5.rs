//! A tunnel through a SOCKS5 proxy (RFC 1928, RFC 1929).

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::error::{DialError, DialStage};
use super::proxy::Credentials;
use super::url::Target;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;

/// Asks for a tunnel to `target`, whose name the proxy resolves.
pub(crate) async fn open_tunnel<S>(
    stream: &mut S,
    target: &Target,
    credentials: Option<&Credentials>,
) -> Result<(), DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting: &[u8] = match credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
    };
    stream.write_all(greeting).await.map_err(broken)?;
    let [version, method] = read(stream).await?;
    if version != VERSION {
        return Err(protocol("its greeting has another version"));
    }
    match (method, credentials) {
        (NO_AUTHENTICATION, _) => {}
        (USER_AND_PASSWORD, Some(credentials)) => authenticate(stream, credentials).await?,
        (0xff, _) => return Err(DialError::ProxyAuthentication),
        _ => return Err(protocol("it chose an authentication that was not offered")),
    }
    connect(stream, target).await
}

async fn authenticate<S>(stream: &mut S, credentials: &Credentials) -> Result<(), DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = Zeroizing::new(vec![1]);
    for text in [&credentials.user, &credentials.password] {
        let len = u8::try_from(text.len()).map_err(|_| DialError::ProxyAuthentication)?;
        request.push(len);
        request.extend_from_slice(text.as_bytes());
    }
    stream.write_all(&request).await.map_err(broken)?;
    match read(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(DialError::ProxyAuthentication),
    }
}

async fn connect<S>(stream: &mut S, target: &Target) -> Result<(), DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![VERSION, CONNECT, 0];
    match target.host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let len = u8::try_from(target.host.len())
                .map_err(|_| protocol("the server's name is too long for it"))?;
            request.push(3);
            request.push(len);
            request.extend_from_slice(target.host.as_bytes());
        }
    }
    request.extend_from_slice(&target.port.to_be_bytes());
    stream.write_all(&request).await.map_err(broken)?;

    let [version, reply, _, address_kind] = read(stream).await?;
    if version != VERSION {
        return Err(protocol("its reply has another version"));
    }
    if reply != 0 {
        return Err(DialError::ProxyRefused {
            problem: reply_name(reply).to_owned(),
        });
    }
    match address_kind {
        1 => read::<_, 6>(stream).await.map(drop),
        4 => read::<_, 18>(stream).await.map(drop),
        3 => {
            let [len] = read(stream).await?;
            let mut bound = vec![0; usize::from(len) + 2];
            stream
                .read_exact(&mut bound)
                .await
                .map(drop)
                .map_err(broken)
        }
        _ => Err(protocol("its reply has an unknown kind of address")),
    }
}

fn reply_name(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable or its name unknown",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "kind of address not supported",
        _ => "unknown reply code",
    }
}

async fn read<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], DialError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(broken)?;
    Ok(bytes)
}

fn protocol(problem: &'static str) -> DialError {
    DialError::ProxyProtocol {
        protocol: "SOCKS5",
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
    use super::super::Proxy;
    use super::*;

    async fn dialogue(url: &str, proxy: &str, answers: &[u8]) -> (Result<(), DialError>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answers).await.unwrap();
        theirs.shutdown().await.unwrap();
        let proxy: Proxy = proxy.parse().unwrap();
        let result = open_tunnel(&mut ours, &url.parse().unwrap(), proxy.credentials()).await;
        drop(ours);
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.unwrap();
        (result, sent)
    }

    #[tokio::test]
    async fn a_name_is_left_to_the_proxy() {
        let answers = [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let (result, sent) = dialogue("wss://web.whatsapp.com/x", "socks5://h", &answers).await;
        assert_eq!(result, Ok(()));
        let mut expected = vec![5, 1, 0, 5, 1, 0, 3, 16];
        expected.extend_from_slice(b"web.whatsapp.com");
        expected.extend_from_slice(&[1, 0xbb]);
        assert_eq!(sent, expected);
    }

    #[tokio::test]
    async fn addresses_and_credentials_are_written_as_the_standards_say() {
        let answers = [5, 2, 1, 0, 5, 0, 0, 3, 1, b'x', 0, 0];
        let (result, sent) = dialogue("ws://127.0.0.1:80/", "socks5://u:pw@h", &answers).await;
        assert_eq!(result, Ok(()));
        assert_eq!(
            sent,
            [
                &[5, 2, 0, 2, 1, 1][..],
                b"u",
                &[2],
                b"pw",
                &[5, 1, 0, 1, 127, 0, 0, 1, 0, 80]
            ]
            .concat()
        );
    }

    #[tokio::test]
    async fn everything_else_is_a_failure() {
        let url = "wss://web.whatsapp.com/x";
        let result = |answers: &'static [u8]| async move {
            dialogue(url, "socks5://u:p@h", answers).await.0
        };
        assert_eq!(
            result(&[5, 0xff]).await,
            Err(DialError::ProxyAuthentication)
        );
        assert_eq!(
            result(&[5, 2, 1, 1]).await,
            Err(DialError::ProxyAuthentication)
        );
        assert!(matches!(
            result(&[4, 0]).await,
            Err(DialError::ProxyProtocol { .. })
        ));
        assert!(matches!(
            result(&[5, 1]).await,
            Err(DialError::ProxyProtocol { .. })
        ));
        assert!(matches!(
            result(&[5, 0, 5, 0, 0, 9]).await,
            Err(DialError::ProxyProtocol { .. })
        ));
        assert!(matches!(
            result(&[5, 0, 5]).await,
            Err(DialError::Broken { .. })
        ));
        assert_eq!(
            result(&[5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await,
            Err(DialError::ProxyRefused {
                problem: "not allowed by its rules".into()
            })
        );
    }
}
