//! One `GET`, by the way the client's connections take.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tracing::debug;
use wa_core::ClientVersion;

use super::{VersionError, revision};
use crate::dial::url::Target;
use crate::dial::{Dialer, Io};

/// Longest version page taken; our own bound, the real one has well under a megabyte.
pub const MAX_VERSION_PAGE_LEN: usize = 8 * 1024 * 1024;

/// Time to get the version, connecting included; our own bound.
pub const VERSION_FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest head of an answer; our own bound.
const MAX_HEAD_LEN: usize = 64 * 1024;

/// What a desktop Chrome says of itself. The page differs for other programs (payload chapter, section 5).
const DESKTOP_CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                              Chrome/140.0.0.0 Safari/537.36";

/// Reads the page and the version it names.
pub(super) async fn current(
    dialer: &Dialer,
    target: &Target,
) -> Result<ClientVersion, VersionError> {
    let stream = dialer
        .open(target)
        .await
        .map_err(|error| VersionError::Connect(error.to_string()))?;
    current_on(stream, target).await
}

/// The same on a connection that is open.
pub(super) async fn current_on(
    stream: Box<dyn Io>,
    target: &Target,
) -> Result<ClientVersion, VersionError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_LEN)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let reading = async {
        let answer = sender
            .send_request(request(target)?)
            .await
            .map_err(broken)?;
        if answer.status() != StatusCode::OK {
            return Err(VersionError::Status {
                status: answer.status().as_u16(),
            });
        }
        read(answer.into_body()).await
    };
    let page = drive(connection, reading).await?;
    let version = revision::find(&page).ok_or(VersionError::NoRevision { len: page.len() })?;
    debug!(%version, page = page.len(), "the version page was read");
    Ok(version)
}

fn request(target: &Target) -> Result<Request<String>, VersionError> {
    let path = target
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let host = target.uri.authority().map_or("", |host| host.as_str());
    Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, DESKTOP_CHROME)
        .header(ACCEPT, HeaderValue::from_static("*/*"))
        .header("sec-fetch-site", HeaderValue::from_static("none"))
        .header(CONNECTION, HeaderValue::from_static("close"))
        .body(String::new())
        .map_err(|error| VersionError::Http(error.to_string()))
}

/// Runs the connection beside what reads from it, and no longer.
async fn drive<T>(
    connection: impl Future<Output = Result<(), hyper::Error>>,
    reading: impl Future<Output = Result<T, VersionError>>,
) -> Result<T, VersionError> {
    let (mut connection, mut reading) = (std::pin::pin!(connection), std::pin::pin!(reading));
    tokio::select! {
        biased;
        result = &mut reading => return result,
        // Its error reaches the reader too, and the reader says more.
        _ = &mut connection => {}
    }
    reading.await
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, VersionError> {
    let mut page = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(bytes) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        if page.len() + bytes.len() > MAX_VERSION_PAGE_LEN {
            return Err(VersionError::TooLong {
                limit: MAX_VERSION_PAGE_LEN,
            });
        }
        page.extend_from_slice(&bytes);
    }
    Ok(page)
}

fn broken(error: hyper::Error) -> VersionError {
    VersionError::Http(error.to_string())
}
