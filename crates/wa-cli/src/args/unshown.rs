//! Secrets on the command line.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// A text before it is understood. The parser of the command line quotes what it does not take; this may be or hold a
/// secret, so every text passes here and is looked at later.
#[derive(Clone)]
pub(crate) struct Unshown(Zeroizing<String>);

impl FromStr for Unshown {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unshown")
    }
}

impl Unshown {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
