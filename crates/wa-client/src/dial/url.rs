//! The server's address.

use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;

use super::error::DialError;
use super::proxy::unbracketed;

/// A `ws://` or `wss://` URL taken apart.
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
        let wrong = |problem| DialError::Url {
            url: url.to_owned(),
            problem,
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(wrong("the scheme must be ws or wss")),
        };
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(DialError::Url {
                url: "(not shown)".to_owned(),
                problem: "a server URL takes no user name",
            });
        }
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("it has no host"))?;
        let port = match uri.port() {
            None if uri
                .authority()
                .is_some_and(|authority| authority.as_str().ends_with(':')) =>
            {
                return Err(wrong("the port is no number from 1 to 65535"));
            }
            None if tls => 443,
            None => 80,
            Some(port) if port.as_u16() == 0 => {
                return Err(wrong("the port is no number from 1 to 65535"));
            }
            Some(port) => port.as_u16(),
        };
        Ok(Self {
            tls,
            host: unbracketed(host).to_owned(),
            port,
            uri: uri.clone(),
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
        let error = "wss://ann:hunter2@h/".parse::<Target>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
