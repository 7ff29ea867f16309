//! The handle an application holds.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use wa_core::{
    ClientVersion, Command, CommandError, ConnectionState, Engine, Health, KnownVersion,
    LinkedDevices, LogoutOptions, OpOutcome, PasskeyAssertion, Registered,
};

use crate::builder::ClientBuilder;
use crate::driver::Request;
use crate::error::ClientError;
use crate::pairing::{PairingCodeLive, PairingCodeRequest};
use crate::version::VersionInUse;

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
    devices: Option<Arc<LinkedDevices>>,
    health: Health,
    version: ClientVersion,
    known_version: Option<KnownVersion>,
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

    /// Asks for a code that the owner types on the phone instead of scanning one, and returns it once the server has
    /// accepted it: a code that is returned works. The QR code stays on offer beside it.
    ///
    /// It may be called at once: without a connection it starts one, and it waits until the server is ready for a
    /// request. [`Event::PairingCode`](crate::Event::PairingCode) tells the same. One code lives at a time; a second
    /// request is [`CommandError::CodeOutstanding`] until the first has
    /// [ended](crate::Event::PairingCodeEnded) or is [cancelled](Self::cancel_pairing_code). A server that refuses is
    /// [`CommandError::CodeRefused`], with the time it wants to be left alone, and words for the user.
    ///
    /// ```
    /// use wa_client::{Client, Event, NoiseRoot, PairingCodeRequest};
    /// use wa_sim::{Sim, SimOptions};
    /// use wa_store::MemoryStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sim = Sim::start(SimOptions::default()).await?;
    /// let phone = sim.default_phone().ok_or("no phone")?;
    /// let (client, mut events) = Client::builder()
    ///     .endpoint(sim.url())
    ///     .noise_root(NoiseRoot::from_hex(&sim.noise_root_hex())?)
    ///     .store(MemoryStore::new())
    ///     .build()
    ///     .await?;
    ///
    /// let request = PairingCodeRequest::new(&format!("+{}", phone.digits()))?;
    /// let live = client.request_pairing_code(request).await?;
    /// println!("type {} on the phone", *live.code.display());
    /// # sim.begin_code(Some(phone), live.code.expose())?;
    /// while let Some(event) = events.next().await {
    ///     if let Event::Online { jid, .. } = event {
    ///         println!("linked as {jid}");
    ///         break;
    ///     }
    /// }
    /// # client.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub async fn request_pairing_code(
        &self,
        request: PairingCodeRequest,
    ) -> Result<PairingCodeLive, ClientError> {
        let command = Command::RequestPairingCode(request.into());
        match self.command(command).await? {
            OpOutcome::PairingCode {
                code,
                expires_at_unix_ms,
            } => Ok(PairingCodeLive {
                code,
                expires_at_unix_ms,
            }),
            _ => Err(CommandError::NotNow.into()),
        }
    }

    /// Withdraws the pairing code that is asked for or live.
    pub async fn cancel_pairing_code(&self) -> Result<(), ClientError> {
        self.command(Command::CancelPairingCode).await.map(drop)
    }

    /// Answers [`Event::PasskeyRequested`](crate::Event::PasskeyRequested) with what the owner's authenticator has
    /// signed. Returns when the answer is under way; what comes of it is told by
    /// [`Event::PasskeyConfirmation`](crate::Event::PasskeyConfirmation) or
    /// [`Event::PasskeyEnded`](crate::Event::PasskeyEnded).
    ///
    /// ```no_run
    /// use wa_client::{Client, Event, Events, PasskeyAssertion};
    ///
    /// # fn sign(options: &str) -> String { String::new() }
    /// # fn same_on_the_phone(code: &str) -> bool { true }
    /// async fn link(client: &Client, events: &mut Events) -> Result<(), Box<dyn std::error::Error>> {
    ///     while let Some(event) = events.next().await {
    ///         match event {
    ///             Event::PasskeyRequested { options, .. } => {
    ///                 // navigator.credentials.get() with these options, where the owner's passkey is.
    ///                 let assertion = sign(options.expose());
    ///                 client.respond_passkey(PasskeyAssertion::from_json(&assertion)?).await?;
    ///             }
    ///             Event::PasskeyConfirmation { code: Some(code), .. } => {
    ///                 client.confirm_passkey(same_on_the_phone(&code.display())).await?;
    ///             }
    ///             Event::Online { .. } => break,
    ///             _ => {}
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn respond_passkey(&self, assertion: PasskeyAssertion) -> Result<(), ClientError> {
        self.command(Command::RespondPasskey(assertion))
            .await
            .map(drop)
    }

    /// Answers [`Event::PasskeyConfirmation`](crate::Event::PasskeyConfirmation): whether the owner sees the same code
    /// on the phone. A no ends the attempt.
    pub async fn confirm_passkey(&self, accept: bool) -> Result<(), ClientError> {
        self.command(Command::ConfirmPasskey(accept))
            .await
            .map(drop)
    }

    /// Unlinks at the server, if it can be reached, and destroys the credentials in any case.
    ///
    /// If the server has not confirmed it, a sealed tombstone stays: the unlink is finished by the next
    /// [`start`](Self::start) or `logout` of the account, or later in this run, and
    /// [`Event::UnlinkFinished`](crate::Event::UnlinkFinished) tells.
    pub async fn logout(&self) -> Result<LogoutOutcome, ClientError> {
        self.logout_with(LogoutOptions::default()).await
    }

    /// Like [`logout`](Self::logout), and keeps records of the kinds named.
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

    /// Signs of life of the connection: health is the last answered ping, never a flag.
    pub fn health(&self) -> Health {
        self.shared.snapshot.borrow().health
    }

    /// The client version the next connection claims, where it comes from and since when it is known.
    pub fn version(&self) -> VersionInUse {
        let snapshot = self.shared.snapshot.borrow();
        VersionInUse::new(snapshot.version, snapshot.known_version.as_ref())
    }

    /// The devices of the own account, and whether its phone has signed the list; `None` without a list that is
    /// believed. It is kept in the store and goes with the link.
    pub fn devices(&self) -> Option<Arc<LinkedDevices>> {
        self.shared.snapshot.borrow().devices.clone()
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
            devices: engine.own_devices().map(Arc::new),
            health: engine.health(),
            version: engine.version(),
            known_version: engine.known_version().cloned(),
        }
    }

    /// Brings it up to date; whether anything has changed. The list of devices changes only with what is `stored`.
    pub(crate) fn update(&mut self, engine: &Engine, stored: bool) -> bool {
        // Every frame changes the health, hardly any the rest.
        let small = self.health != engine.health() || self.version != engine.version();
        self.health = engine.health();
        self.version = engine.version();
        let changed = self.state != *engine.state()
            || self.credentials.as_ref() != engine.credentials()
            || (stored && self.devices.as_deref() != engine.own_devices().as_ref())
            || self.known_version.as_ref() != engine.known_version();
        if changed {
            *self = Self::of(engine);
        }
        small || changed
    }
}
