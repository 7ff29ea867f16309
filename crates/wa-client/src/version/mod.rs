//! The client version of today, asked for when the server refuses the one claimed (payload chapter, section 5).

mod fetch;
mod in_use;
mod revision;

#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use wa_core::ClientVersion;

use crate::dial::url::Target;
use crate::dial::{DialError, Dialer};

pub use fetch::{MAX_VERSION_PAGE_LEN, VERSION_FETCH_TIMEOUT};
pub use in_use::{VersionInUse, VersionOrigin};

/// The page of the production service that names its revision (payload chapter, section 5).
pub const VERSION_URL: &str = "https://web.whatsapp.com/sw.js";

/// Whom a client asks for the current client version once the server has refused the one it claims.
///
/// It is asked once for each version refused. An answer that is not newer than the refused one changes nothing: the
/// client rests in `outdated`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VersionSource {
    /// A page that names its `client_revision`, by the way the client's connections take: through its proxy, with
    /// its trusted roots, not beside them.
    Fetch {
        /// `https://`, or `http://` where nobody on the way could put another number there.
        url: String,
    },
    /// Nobody; the version claimed is changed by the application alone.
    Off,
    /// The application's own source.
    Custom(Arc<dyn VersionProvider>),
}

impl VersionSource {
    /// The page of the production service, [`VERSION_URL`].
    pub fn production() -> Self {
        Self::Fetch {
            url: VERSION_URL.to_owned(),
        }
    }
}

/// An application's own source of the client version, for [`VersionSource::Custom`].
///
/// ```
/// use wa_client::{ClientVersion, VersionAnswer, VersionProvider, VersionSource};
///
/// #[derive(Debug)]
/// struct Fleet(ClientVersion);
///
/// impl VersionProvider for Fleet {
///     fn name(&self) -> String {
///         "fleet configuration".to_owned()
///     }
///
///     fn current(&self) -> VersionAnswer<'_> {
///         Box::pin(async { Ok(self.0) })
///     }
/// }
///
/// let source = VersionSource::Custom(std::sync::Arc::new(Fleet(ClientVersion::new(2, 3000, 7))));
/// # drop(source);
/// ```
pub trait VersionProvider: fmt::Debug + Send + Sync {
    /// What to record as the origin of its answers.
    fn name(&self) -> String;

    /// The version to claim. It is given [`VERSION_FETCH_TIMEOUT`]; the client goes on meanwhile.
    fn current(&self) -> VersionAnswer<'_>;
}

/// The answer of a [`VersionProvider`]: a version, or in words why there is none. `Box::pin(async { … })` makes one.
pub type VersionAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<ClientVersion, String>> + Send + 'a>>;

/// Why the current client version could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// No source is set.
    #[error("no source for client versions is set")]
    Off,
    /// No connection to the page.
    #[error("{0}")]
    Connect(String),
    /// The connection broke, or what came is not HTTP.
    #[error("the version page could not be read: {0}")]
    Http(String),
    /// The page answered with another status than 200; redirects are not followed.
    #[error("the version page answered HTTP {status}; only 200 counts, redirects are not followed")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The page is too long.
    #[error("the version page is longer than {limit} bytes")]
    TooLong {
        /// Most bytes taken.
        limit: usize,
    },
    /// The page does not name its revision.
    #[error("the version page ({len} bytes) names no client revision")]
    NoRevision {
        /// Length of what came.
        len: usize,
    },
    /// No answer in time.
    #[error("no client version within {} s", .limit.as_secs())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The application's own source failed.
    #[error("{0}")]
    Custom(String),
}

/// A source and the way out of its client.
pub(crate) struct Versions {
    source: Asked,
    dialer: Dialer,
}

enum Asked {
    Nobody,
    Page(Box<Target>),
    Provider(Arc<dyn VersionProvider>),
}

impl Versions {
    pub(crate) fn new(source: VersionSource, dialer: Dialer) -> Result<Self, DialError> {
        let source = match source {
            VersionSource::Fetch { url } => Asked::Page(Box::new(Target::http(&url)?)),
            VersionSource::Off => Asked::Nobody,
            VersionSource::Custom(provider) => Asked::Provider(provider),
        };
        Ok(Self { source, dialer })
    }

    /// Asks, within the limit. The version comes with where it is from.
    pub(crate) fn ask(&self) -> BoxFuture<'static, Result<(ClientVersion, String), VersionError>> {
        let limit = VERSION_FETCH_TIMEOUT;
        match &self.source {
            Asked::Nobody => Box::pin(async { Err(VersionError::Off) }),
            Asked::Page(target) => {
                let (dialer, target) = (self.dialer.clone(), target.clone());
                Box::pin(async move {
                    let version = within(limit, fetch::current(&dialer, &target)).await?;
                    Ok((version, target.uri.to_string()))
                })
            }
            Asked::Provider(provider) => {
                let provider = Arc::clone(provider);
                Box::pin(async move {
                    let asking = async { provider.current().await.map_err(VersionError::Custom) };
                    Ok((within(limit, asking).await?, provider.name()))
                })
            }
        }
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, VersionError>>,
) -> Result<T, VersionError> {
    let late = |_| Err(VersionError::TimedOut { limit });
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}
