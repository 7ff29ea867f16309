use wa_crypto::NoiseStaticPublic;

use crate::certificate::{Certificate, CertificateError};

/// From when to when a certificate is valid, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValidityWindow {
    /// First second.
    pub not_before: u64,
    /// Last second.
    pub not_after: u64,
}

impl ValidityWindow {
    fn check(self, certificate: Certificate, now: u64) -> Result<(), CertificateError> {
        let Self {
            not_before,
            not_after,
        } = self;
        if now < not_before {
            return Err(CertificateError::NotYetValid {
                certificate,
                not_before,
                now,
            });
        }
        if now > not_after {
            return Err(CertificateError::Expired {
                certificate,
                not_after,
                now,
            });
        }
        Ok(())
    }
}

/// A server key whose chain passed every rule: what makes IK possible on the next login.
///
/// It holds no secret. Store it as it is, and only what a handshake returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerStatic {
    /// The server's static key.
    pub key: NoiseStaticPublic,
    /// Window of the certificate for `key`.
    pub leaf: ValidityWindow,
    /// Window of the certificate above it.
    pub intermediate: ValidityWindow,
}

impl ServerStatic {
    /// Whether IK may be offered with this key: both windows are open. They close at their last second already, so that
    /// a key is not used in the very second in which its certificate ends (transport chapter, section 5).
    pub fn usable_at(&self, unix_secs: u64) -> bool {
        [self.leaf, self.intermediate]
            .iter()
            .all(|window| (window.not_before..window.not_after).contains(&unix_secs))
    }

    /// Rule 8 (transport chapter, section 8.1), for a key that was cached longer ago than it is valid.
    pub(crate) fn check_windows(&self, unix_secs: u64) -> Result<(), CertificateError> {
        self.intermediate
            .check(Certificate::Intermediate, unix_secs)?;
        self.leaf.check(Certificate::Leaf, unix_secs)
    }
}
