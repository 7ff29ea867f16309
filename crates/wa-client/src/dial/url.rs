//! The server's address.

use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;

use super::error::DialError;

/// A `ws://` or `wss://` URL, or one of HTTP, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) uri: Uri,
}

impl Target {
    /// `host:port`, an IPv6 address in brackets.
    pub(crate) fn authority(&self) -> String {
        authority(&self.host, self.port)
    }
}

/// Host, without the brackets of an IPv6 address, and the text after the colon, if there is one.
pub(crate) fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            let port = if rest.is_empty() {
                None
            } else {
                Some(rest.strip_prefix(':')?)
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    (!host.is_empty()).then_some((host, port))
}

/// A port one can connect to.
pub(crate) fn port_number(digits: &str) -> Option<u16> {
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|port| all_digits && *port != 0)
}

pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

impl FromStr for Target {
    type Err = DialError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Self::of(url, &WEB_SOCKET)
    }
}

/// The schemes a URL may have.
struct Schemes {
    plain: &'static str,
    tls: &'static str,
    problem: &'static str,
}

const WEB_SOCKET: Schemes = Schemes {
    plain: "ws",
    tls: "wss",
    problem: "the scheme must be ws or wss",
};

const HTTP: Schemes = Schemes {
    plain: "http",
    tls: "https",
    problem: "the scheme must be http or https",
};

impl Target {
    /// Reads an `http://` or `https://` URL.
    pub(crate) fn http(url: &str) -> Result<Self, DialError> {
        Self::of(url, &HTTP)
    }

    fn of(url: &str, schemes: &Schemes) -> Result<Self, DialError> {
        let wrong = |problem| DialError::Url {
            url: url.to_owned(),
            problem,
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != schemes.tls && scheme != schemes.plain {
            return Err(wrong(schemes.problem));
        }
        let tls = scheme == schemes.tls;
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(DialError::Url {
                url: "(not shown)".to_owned(),
                problem: "a server URL takes no user name",
            });
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (host, port) = split(authority).ok_or_else(|| wrong("it has no host"))?;
        let host = host.to_owned();
        let port = match port {
            None if tls => 443,
            None => 80,
            Some(digits) => {
                port_number(digits).ok_or_else(|| wrong("the port is no number from 1 to 65535"))?
            }
        };
        Ok(Self {
            tls,
            host,
            port,
            uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_have_their_port() {
        let target: Target = "wss://web.whatsapp.com/ws/chat".parse().unwrap();
        assert_eq!(
            (target.tls, target.authority().as_str()),
            (true, "web.whatsapp.com:443")
        );
        let target: Target = "ws://[::1]:8080/ws".parse().unwrap();
        assert_eq!(
            (target.tls, target.host.as_str(), target.port),
            (false, "::1", 8080)
        );
        assert_eq!(target.authority(), "[::1]:8080");
        assert_eq!("ws://h".parse::<Target>().unwrap().port, 80);
    }

    #[test]
    fn other_urls_are_refused_with_a_reason() {
        for url in [
            "https://h/",
            "h:1",
            "",
            "wss://",
            "ws://h:0/",
            "ws://h:70000/",
            "ws://h:/",
        ] {
            assert!(
                matches!(url.parse::<Target>(), Err(DialError::Url { .. })),
                "{url}"
            );
        }
        for url in ["wss://h/", "ftp://h/", "https://", "http://h:0/"] {
            assert!(
                matches!(Target::http(url), Err(DialError::Url { .. })),
                "{url}"
            );
        }
        assert_eq!(Target::http("https://h/sw.js").unwrap().port, 443);
        let error = "wss://ann:hunter2@h/".parse::<Target>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
