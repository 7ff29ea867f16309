//! TLS to the server: rustls with its aws-lc provider, chosen here and nowhere global.

use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Sessions a client remembers for resuming: it has one server. They are its own, or they would tie accounts together.
const REMEMBERED_SESSIONS: usize = 8;

/// Mozilla's list, which never changes: one for all clients, as it is larger than all else that an idle one needs.
static WEB_PKI: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
    Arc::new(roots.collect())
});

/// The algorithms, constant likewise.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// Which certificate authorities may vouch for the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// Mozilla's list, compiled in.
    #[default]
    WebPki,
    /// Mozilla's list and these certificates, PEM.
    WebPkiAnd(Vec<u8>),
    /// These certificates only, PEM.
    Only(Vec<u8>),
}

/// Why a TLS configuration could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsRootsError {
    /// The PEM text could not be read.
    #[error("the CA file is not PEM: {problem}")]
    Pem {
        /// What the parser said.
        problem: String,
    },
    /// The PEM text holds no certificate.
    #[error("the CA file holds no certificate")]
    Empty,
    /// A certificate is not usable as a root.
    #[error("a certificate of the CA file cannot be used: {problem}")]
    Certificate {
        /// What the TLS library said.
        problem: String,
    },
    /// The TLS library refused its own default set-up.
    #[error("TLS could not be set up: {problem}")]
    Setup {
        /// What the TLS library said.
        problem: String,
    },
}

/// The TLS configuration for these roots: TLS 1.2 and 1.3, no client certificate.
pub(crate) fn client_config(roots: &TlsRoots) -> Result<Arc<ClientConfig>, TlsRootsError> {
    let store = match roots {
        TlsRoots::WebPki => Arc::clone(&WEB_PKI),
        TlsRoots::WebPkiAnd(pem) => with_pem(RootCertStore::clone(&WEB_PKI), pem)?,
        TlsRoots::Only(pem) => with_pem(RootCertStore::empty(), pem)?,
    };
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsRootsError::Setup {
            problem: error.to_string(),
        })?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(REMEMBERED_SESSIONS);
    Ok(Arc::new(config))
}

fn with_pem(mut store: RootCertStore, pem: &[u8]) -> Result<Arc<RootCertStore>, TlsRootsError> {
    let mut any = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsRootsError::Pem {
            problem: error.to_string(),
        })?;
        store
            .add(certificate)
            .map_err(|error| TlsRootsError::Certificate {
                problem: error.to_string(),
            })?;
        any = true;
    }
    if any {
        Ok(Arc::new(store))
    } else {
        Err(TlsRootsError::Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_needs_nothing() {
        assert!(client_config(&TlsRoots::default()).is_ok());
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        assert_eq!(
            client_config(&TlsRoots::Only(b"hello".to_vec())).unwrap_err(),
            TlsRootsError::Empty
        );
        let broken = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_vec();
        assert!(matches!(
            client_config(&TlsRoots::WebPkiAnd(broken)),
            Err(TlsRootsError::Pem { .. })
        ));
        let wrong = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        assert!(matches!(
            client_config(&TlsRoots::Only(wrong)),
            Err(TlsRootsError::Certificate { .. })
        ));
    }
}
