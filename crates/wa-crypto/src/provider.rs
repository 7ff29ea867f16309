use core::fmt;

/// Who computes X25519 and AES-256-GCM.
///
/// A value, not a global: two clients of one process may differ. Everything else (hashes, signatures, key stretching) has
/// one implementation, because no provider is faster at it by enough to pay for a second one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Provider(pub(crate) Kind);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    #[cfg(feature = "aws-lc")]
    AwsLc,
}

impl Provider {
    /// curve25519-dalek and aes-gcm. Runs everywhere, `wasm32-unknown-unknown` included.
    pub const fn rust() -> Self {
        Self(Kind::Rust)
    }

    /// AWS-LC: assembly for X25519 and AES-GCM. Needs a C compiler to build.
    #[cfg(feature = "aws-lc")]
    pub const fn aws_lc() -> Self {
        Self(Kind::AwsLc)
    }

    /// The provider's name, for a log or a bench table.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Rust => "rust",
            #[cfg(feature = "aws-lc")]
            Kind::AwsLc => "aws-lc",
        }
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::rust()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name())
    }
}
