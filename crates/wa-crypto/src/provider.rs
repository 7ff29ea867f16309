use core::fmt;

/// Which implementation computes key agreement and authenticated encryption.
///
/// A plain value: two clients of one process may use different ones. Both produce and accept the same bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Provider(pub(crate) Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Rust,
    #[cfg(feature = "aws-lc")]
    AwsLc,
}

impl Provider {
    /// curve25519-dalek and aes-gcm: Rust only, runs wherever Rust runs. The default.
    pub const fn rust() -> Self {
        Self(Kind::Rust)
    }

    /// AWS-LC: C and assembly, about twice as fast.
    #[cfg(feature = "aws-lc")]
    pub const fn aws_lc() -> Self {
        Self(Kind::AwsLc)
    }

    /// A stable name for logs and tables: `rust` or `aws-lc`.
    pub const fn name(self) -> &'static str {
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
        f.write_str(self.name())
    }
}
