//! The handle an application holds.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wa_core::{
    ClientVersion, Command, ConnectionState, Engine, LogoutOptions, OpOutcome, Registered,
};

use crate::builder::ClientBuilder;
use crate::driver::Request;
use crate::error::ClientError;

/// One device of one account, driven by one task.
///
/// Handles are cheap to clone and share the client. It lives until [`shutdown`](Self::shutdown) or until the last
/// handle is dropped; both close the connection in order and leave the account as it was, linked or not. Two
/// clients share nothing, not even defaults: keys, store, proxy, trusted roots and versions are their own.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests: mpsc::Sender<Request>,
    snapshot: watch::Receiver<Snapshot>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What the driver publishes about its engine.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    state: ConnectionState,
    credentials: Option<Registered>,
}

/// What became of a logout. The credentials are destroyed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoutOutcome {
    /// Whether the server confirmed the unlink; `None`: there was no connection to ask on. Unless it is
    /// `Some(true)`, the owner should look at the list of linked devices on the phone.
    pub server_unlinked: Option<bool>,
}

impl Client {
    /// Starts the description of a client.
    pub fn builder() -> ClientBuilder<()> {
        ClientBuilder::new()
    }

    pub(crate) fn new(
        requests: mpsc::Sender<Request>,
        snapshot: watch::Receiver<Snapshot>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                requests,
                snapshot,
                task: Mutex::new(Some(task)),
            }),
        }
    }

    /// Connects, links first if there is no link, and waits until the device is logged in.
    ///
    /// Waiting for a scan and the restart after it are part of it; the codes to show come as
    /// [`Event::Qr`](crate::Event::Qr). Calls under way share one attempt; online already, it returns at once.
    pub async fn connect(&self) -> Result<(), ClientError> {
        self.command(Command::Start).await.map(drop)
    }

    /// Asks to connect like [`connect`](Self::connect), without waiting for the result; events tell it.
    pub async fn start(&self) -> Result<(), ClientError> {
        self.send(Command::Start).await.map(drop)
    }

    /// Disconnects and stays disconnected; the link stays. It also remembers in the store that the account is
    /// meant to be stopped.
    pub async fn disconnect(&self) -> Result<(), ClientError> {
        self.command(Command::Stop).await.map(drop)
    }

    /// Unlinks at the server, if it can be reached, and destroys the credentials in any case.
    pub async fn logout(&self) -> Result<LogoutOutcome, ClientError> {
        self.logout_with(LogoutOptions::default()).await
    }

    /// The same, and keeps what the options name.
    ///
    /// A server that has not confirmed the unlink is asked again later, by this client or by the next one on the
    /// account; [`Event::UnlinkFinished`](crate::Event::UnlinkFinished) tells how that ended. Called again before, this
    /// tries at once.
    pub async fn logout_with(&self, options: LogoutOptions) -> Result<LogoutOutcome, ClientError> {
        match self.command(Command::Logout(options)).await? {
            OpOutcome::LoggedOut { server_unlinked } => Ok(LogoutOutcome { server_unlinked }),
            _ => Ok(LogoutOutcome {
                server_unlinked: None,
            }),
        }
    }

    /// Answers [`Event::ApprovalNeeded`](crate::Event::ApprovalNeeded).
    pub async fn approve_pairing(&self, accept: bool) -> Result<(), ClientError> {
        self.command(Command::ApprovePairing(accept))
            .await
            .map(drop)
    }

    /// Asks the server for a sign of life and measures the round trip.
    pub async fn ping(&self) -> Result<std::time::Duration, ClientError> {
        match self.command(Command::Ping).await? {
            OpOutcome::Pong { round_trip } => Ok(round_trip),
            _ => Ok(std::time::Duration::ZERO),
        }
    }

    /// Claims another client version from the next connection on; in state `outdated` this connects again.
    pub async fn use_version(&self, version: ClientVersion) -> Result<(), ClientError> {
        self.command(Command::UseVersion(version)).await.map(drop)
    }

    /// The state of the connection.
    pub fn state(&self) -> ConnectionState {
        self.shared.snapshot.borrow().state.clone()
    }

    /// The link and what is known of it; `None` when there is none.
    pub fn credentials(&self) -> Option<Registered> {
        self.shared.snapshot.borrow().credentials.clone()
    }

    /// Waits until everything that has happened so far is among the events.
    pub async fn settled(&self) {
        let (reply, answer) = oneshot::channel();
        if self
            .shared
            .requests
            .send(Request::Settle(reply))
            .await
            .is_ok()
        {
            // No answer means that the client has ended, and nothing more will come.
            let _ = answer.await;
        }
    }

    /// Ends the client and waits until its connection is closed and its lock on the account released.
    pub async fn shutdown(&self) {
        // A send fails only when the client has ended already.
        let _ = self.shared.requests.send(Request::Shutdown).await;
        let task = self
            .shared
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match task {
            Some(task) => {
                let _ = task.await;
            }
            None => self.shared.requests.closed().await,
        }
    }

    async fn command(&self, command: Command) -> Result<OpOutcome, ClientError> {
        self.send(command)
            .await?
            .await
            .map_err(|_| ClientError::Ended)?
    }

    async fn send(
        &self,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<OpOutcome, ClientError>>, ClientError> {
        let (reply, answer) = oneshot::channel();
        self.shared
            .requests
            .send(Request::Command(Box::new(command), reply))
            .await
            .map_err(|_| ClientError::Ended)?;
        Ok(answer)
    }
}

impl Snapshot {
    pub(crate) fn of(engine: &Engine) -> Self {
        Self {
            state: engine.state().clone(),
            credentials: engine.credentials().cloned(),
        }
    }

    /// Brings it up to date; whether anything has changed.
    pub(crate) fn update(&mut self, engine: &Engine) -> bool {
        let changed =
            self.state != *engine.state() || self.credentials.as_ref() != engine.credentials();
        if changed {
            *self = Self::of(engine);
        }
        changed
    }
}
