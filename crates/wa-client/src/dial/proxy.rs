//! Where a client goes out to the network when not directly.

use std::fmt;
use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;
use zeroize::Zeroizing;

use super::url;

/// Longest user name or password a SOCKS5 proxy can be given (RFC 1929: one length byte).
pub const MAX_SOCKS5_CREDENTIAL_LEN: usize = 255;

/// Which protocol the proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyKind {
    /// HTTP `CONNECT` (RFC 9110, 9.3.6), Basic authentication.
    Http,
    /// SOCKS5 (RFC 1928), user name and password (RFC 1929).
    Socks5,
}

/// The one way out of a client: with a proxy set, nothing is dialled or resolved beside it.
///
/// The name of the server is always handed to the proxy, which resolves it; TLS still runs from here to the
/// server, so the proxy sees a host name and ciphertext. `Debug` and `Display` mask the credentials.
///
/// ```
/// let proxy: wa_client::Proxy = "socks5://ann:secret@127.0.0.1:1080".parse().unwrap();
/// assert_eq!(proxy.to_string(), "socks5://***@127.0.0.1:1080");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: ProxyKind,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: Zeroizing<String>,
    pub(crate) password: Zeroizing<String>,
}

/// Why a text is no proxy URL. Never quotes the text: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// Not of the form `scheme://[user[:password]@]host[:port]`.
    #[error("not a proxy URL; write scheme://[user:password@]host:port with scheme http or socks5")]
    Malformed,
    /// A scheme other than `http`, `socks5` or `socks5h`.
    #[error("proxy scheme {got:?} is not supported; use http or socks5")]
    Scheme {
        /// The scheme found.
        got: String,
    },
    /// A `%` sequence in the credentials that is no percent-encoded UTF-8.
    #[error("the proxy credentials are not valid percent-encoded UTF-8")]
    Encoding,
    /// A SOCKS5 user name or password that is empty or too long for the protocol.
    #[error("a SOCKS5 user name and password take 1 to {limit} bytes each")]
    CredentialLength {
        /// The longest allowed, in bytes.
        limit: usize,
    },
}

impl Proxy {
    /// A proxy without credentials.
    pub fn new(kind: ProxyKind, host: impl Into<String>, port: u16) -> Self {
        Self {
            kind,
            host: host.into(),
            port,
            credentials: None,
        }
    }

    /// Adds a user name and a password.
    pub fn with_credentials(mut self, user: &str, password: &str) -> Result<Self, ProxyUrlError> {
        let fits = |text: &str| (1..=MAX_SOCKS5_CREDENTIAL_LEN).contains(&text.len());
        if self.kind == ProxyKind::Socks5 && !(fits(user) && fits(password)) {
            return Err(ProxyUrlError::CredentialLength {
                limit: MAX_SOCKS5_CREDENTIAL_LEN,
            });
        }
        self.credentials = Some(Credentials {
            user: Zeroizing::new(user.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        });
        Ok(self)
    }

    /// The protocol spoken to the proxy.
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Host name or address of the proxy, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port of the proxy.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl FromStr for Proxy {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(ProxyUrlError::Malformed)?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "socks5" | "socks5h" => ProxyKind::Socks5,
            _ => {
                return Err(ProxyUrlError::Scheme {
                    got: scheme.to_owned(),
                });
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (userinfo, address) = match rest.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, rest),
        };
        // Whatever is allowed in an authority is left to the parser of URLs; what it lets pass is checked here.
        let uri: Uri = format!("http://{address}/")
            .parse()
            .map_err(|_| ProxyUrlError::Malformed)?;
        if uri.path() != "/" || uri.query().is_some() || address.contains(['/', '?', '#']) {
            return Err(ProxyUrlError::Malformed);
        }
        let (host, port) = url::split(address).ok_or(ProxyUrlError::Malformed)?;
        let port = match (port, kind) {
            (Some(digits), _) => url::port_number(digits).ok_or(ProxyUrlError::Malformed)?,
            (None, ProxyKind::Http) => 80,
            (None, ProxyKind::Socks5) => 1080,
        };
        let proxy = Self::new(kind, host, port);
        match userinfo {
            None => Ok(proxy),
            Some(userinfo) => {
                let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
                proxy.with_credentials(&percent_decoded(user)?, &percent_decoded(password)?)
            }
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5",
        };
        let mask = if self.credentials.is_some() {
            "***@"
        } else {
            ""
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://{mask}[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{mask}{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

fn percent_decoded(text: &str) -> Result<Zeroizing<String>, ProxyUrlError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2).ok_or(ProxyUrlError::Encoding)?;
        let digits = std::str::from_utf8(digits).map_err(|_| ProxyUrlError::Encoding)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ProxyUrlError::Encoding);
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| ProxyUrlError::Encoding)?);
        rest = tail;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ProxyUrlError::Encoding)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read() {
        let proxy: Proxy = "http://a%40b:p%3Aw@proxy.example:3128/".parse().unwrap();
        assert_eq!(
            (proxy.kind(), proxy.host(), proxy.port()),
            (ProxyKind::Http, "proxy.example", 3128)
        );
        let credentials = proxy.credentials().unwrap();
        assert_eq!(
            (credentials.user.as_str(), credentials.password.as_str()),
            ("a@b", "p:w")
        );
    }

    #[test]
    fn ports_and_ipv6_have_their_defaults() {
        assert_eq!("socks5://localhost".parse::<Proxy>().unwrap().port(), 1080);
        assert_eq!("http://localhost".parse::<Proxy>().unwrap().port(), 80);
        let v6: Proxy = "SOCKS5H://[::1]:9".parse().unwrap();
        assert_eq!((v6.host(), v6.port()), ("::1", 9));
        assert_eq!(v6.to_string(), "socks5://[::1]:9");
    }

    #[test]
    fn other_texts_are_refused_without_quoting_credentials() {
        let refused = |text: &str| text.parse::<Proxy>().unwrap_err();
        assert_eq!(refused("localhost:1080"), ProxyUrlError::Malformed);
        assert_eq!(refused("socks5://"), ProxyUrlError::Malformed);
        assert_eq!(refused("http://host:0"), ProxyUrlError::Malformed);
        assert_eq!(refused("http://host:"), ProxyUrlError::Malformed);
        assert_eq!(refused("http://host:99999"), ProxyUrlError::Malformed);
        assert_eq!(refused("http://host/path"), ProxyUrlError::Malformed);
        assert_eq!(
            refused("socks4://host"),
            ProxyUrlError::Scheme {
                got: "socks4".into()
            }
        );
        assert_eq!(refused("http://a:%zz@host"), ProxyUrlError::Encoding);
        for text in [
            "ftp://ann:hunter2@host",
            "http://ann:hunter2%@host",
            "socks5://ann:hunter2@",
        ] {
            let error = refused(text);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn socks5_credentials_are_bounded_at_the_protocol_limit() {
        let proxy = || Proxy::new(ProxyKind::Socks5, "h", 1);
        let at = "x".repeat(MAX_SOCKS5_CREDENTIAL_LEN);
        assert!(proxy().with_credentials(&at, &at).is_ok());
        assert!(proxy().with_credentials(&format!("{at}x"), "p").is_err());
        assert!(proxy().with_credentials("u", &format!("{at}x")).is_err());
        assert!(proxy().with_credentials("", "p").is_err());
    }

    #[test]
    fn debug_and_display_mask_credentials() {
        let proxy: Proxy = "http://ann:hunter2@h:1".parse().unwrap();
        assert_eq!(
            format!("{proxy:?} {proxy}"),
            "Proxy(http://***@h:1) http://***@h:1"
        );
    }
}
