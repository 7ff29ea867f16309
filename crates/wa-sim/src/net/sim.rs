//! The simulator as a process sees it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::shared::{Shared, now};
use super::{control, socket, state_file, tls};
use crate::authenticator::AssertError;
use crate::config::WorldConfig;
use crate::fault::{FaultRule, FaultScript};
use crate::names::{Now, PhoneNumber, ScanId};
use crate::phone::{PasskeyPolicy, PhoneConfig};
use crate::world::{
    AddPhoneError, ConfirmError, ConnInfo, ImportError, ScanError, ScanOutcome, UnlinkError, World,
};

/// How long a client may take for the TLS handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
/// The path in the printed URLs. Any path is accepted.
const PATH: &str = "/ws/chat";
/// Pause after an accept that failed, so that a lack of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct SimOptions {
    /// Where the plain WebSocket server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the WebSocket server over TLS listens, if it is wanted.
    pub tls_listen: Option<SocketAddr>,
    /// Where the control API listens, if it is wanted. Loopback only.
    pub control_listen: Option<SocketAddr>,
    /// How the world behaves.
    pub world: WorldConfig,
    /// How many phones there are at the start.
    pub phones: usize,
    /// Whether a scan by a number that no phone has makes a phone.
    pub auto_phones: bool,
    /// Where all randomness comes from; without it from the system.
    pub seed: Option<[u8; 32]>,
    /// What goes wrong from the start.
    pub faults: FaultScript,
    /// Where the world's state is read from, if it is there, and kept up to date. It holds private keys.
    pub state_file: Option<PathBuf>,
}

/// How long a real socket stays open after a `stream:error`, unless the options say otherwise.
const CLOSE_LINGER: std::time::Duration = std::time::Duration::from_millis(500);

/// How long a phone behind a real socket takes for its next word in a passkey ceremony, unless the options say otherwise.
const PHONE_DELAY: std::time::Duration = std::time::Duration::from_millis(300);

impl Default for SimOptions {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: loopback,
            tls_listen: Some(loopback),
            control_listen: Some(loopback),
            world: WorldConfig {
                close_linger: CLOSE_LINGER,
                phone_delay: PHONE_DELAY,
                ..WorldConfig::default()
            },
            phones: 1,
            auto_phones: true,
            seed: None,
            faults: FaultScript::default(),
            state_file: None,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// The control API has no authentication and stays on loopback.
    #[error("the control API may listen on loopback only, not on {address}")]
    ControlNotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// No certificate could be made.
    #[error("cannot make a TLS certificate: {0}")]
    Tls(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
    /// The state file cannot be read or written.
    #[error("the state file {path} cannot be used: {error}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The state file was read and does not fit.
    #[error("the state file does not fit: {0}")]
    State(#[from] ImportError),
    /// The phones of the start could not be added.
    #[error(transparent)]
    Phones(#[from] AddPhoneError),
}

/// A running simulator. Dropping it stops it.
pub struct Sim {
    shared: Arc<Shared>,
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    control_address: Option<SocketAddr>,
    ca_pem: Option<String>,
    auto_phones: bool,
    state_file: Option<PathBuf>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sim {
    /// Starts a simulator on the current tokio runtime.
    ///
    /// # Errors
    /// See [`SimError`].
    pub async fn start(options: SimOptions) -> Result<Self, SimError> {
        let shared = Arc::new(Shared::new(world(&options)?));
        let listener = listen(options.listen).await?;
        let mut sim = Self {
            address: local(&listener, options.listen)?,
            tls_address: None,
            control_address: None,
            ca_pem: None,
            auto_phones: options.auto_phones,
            state_file: options.state_file.clone(),
            tasks: Vec::new(),
            shared: Arc::clone(&shared),
        };
        let slots = Arc::new(Semaphore::new(options.world.max_connections));
        sim.spawn(accept(
            listener,
            Arc::clone(&shared),
            None,
            Arc::clone(&slots),
        ));
        if let Some(address) = options.tls_listen {
            let tls = tls::generate().map_err(|error| SimError::Tls(error.to_string()))?;
            let listener = listen(address).await?;
            sim.tls_address = Some(local(&listener, address)?);
            sim.ca_pem = Some(tls.ca_pem);
            let acceptor = TlsAcceptor::from(tls.config);
            sim.spawn(accept(listener, Arc::clone(&shared), Some(acceptor), slots));
        }
        if let Some(address) = options.control_listen {
            if !address.ip().is_loopback() {
                return Err(SimError::ControlNotLoopback { address });
            }
            let listener = listen(address).await?;
            sim.control_address = Some(local(&listener, address)?);
            let api = control::Api {
                shared: Arc::clone(&shared),
                auto_phones: options.auto_phones,
            };
            sim.spawn(control::serve(listener, Arc::new(api)));
        }
        if let Some(path) = options.state_file {
            sim.spawn(state_file::keep(Arc::clone(&shared), path));
        }
        sim.spawn(async move { shared.keep_time().await });
        Ok(sim)
    }

    /// URL of the plain WebSocket.
    pub fn url(&self) -> String {
        format!("ws://{}{PATH}", self.address)
    }

    /// URL of the WebSocket over TLS; its certificate verifies under [`Sim::ca_pem`] for `localhost`,
    /// `127.0.0.1` and `::1`.
    pub fn tls_url(&self) -> Option<String> {
        self.tls_address
            .map(|address| format!("wss://{address}{PATH}"))
    }

    /// URL of the control API, without a slash at the end.
    pub fn control_url(&self) -> Option<String> {
        self.control_address
            .map(|address| format!("http://{address}"))
    }

    /// The Noise root key clients must be given, as 64 hexadecimal digits.
    pub fn noise_root_hex(&self) -> String {
        self.shared.act_quietly(World::noise_root_hex)
    }

    /// The certificate authority of [`Sim::tls_url`].
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The phone that scans when none is named: the one with the lowest number.
    pub fn default_phone(&self) -> Option<PhoneNumber> {
        self.shared.act_quietly(default_phone)
    }

    /// Adds a phone.
    ///
    /// # Errors
    /// When the number is in use, or there are too many.
    pub fn add_phone(&self, number: PhoneNumber, config: PhoneConfig) -> Result<(), AddPhoneError> {
        self.act(|world, now| world.add_phone(now, number, config))
    }

    /// The default phone scans a code; waits until the link is made or has failed.
    ///
    /// # Errors
    /// When the text is no linking code, or there is no phone.
    pub async fn scan(&self, code: &str) -> Result<ScanOutcome, ScanError> {
        let scan = self.begin_scan(None, code)?;
        Ok(self.scan_outcome(scan).await)
    }

    /// A phone, or the default one, is pointed at a code.
    ///
    /// # Errors
    /// When the text is no linking code, or there is no such phone.
    pub fn begin_scan(&self, phone: Option<PhoneNumber>, code: &str) -> Result<ScanId, ScanError> {
        let auto_phones = self.auto_phones;
        self.act(|world, now| {
            let forms = world.config().qr_forms;
            control::begin_scan(world, now, phone, code, forms, auto_phones)
        })
    }

    /// The owner of a phone, or of the default one, types a pairing code into it; waits until the link is made or
    /// has failed.
    ///
    /// # Errors
    /// When the text is no pairing code, or there is no such phone.
    pub async fn enter_code(
        &self,
        phone: Option<PhoneNumber>,
        code: &str,
    ) -> Result<ScanOutcome, ScanError> {
        let scan = self.begin_code(phone, code)?;
        Ok(self.scan_outcome(scan).await)
    }

    /// The owner of a phone, or of the default one, types a pairing code into it.
    ///
    /// # Errors
    /// When the text is no pairing code, or there is no such phone.
    pub fn begin_code(&self, phone: Option<PhoneNumber>, code: &str) -> Result<ScanId, ScanError> {
        let phone = phone
            .or_else(|| self.default_phone())
            .ok_or(ScanError::NoPhones)?;
        self.act(|world, now| world.enter_code(now, phone, code))
    }

    /// From now on a phone guards its links like this. `false` when there is no such phone.
    pub fn set_passkey_policy(&self, phone: PhoneNumber, policy: PasskeyPolicy) -> bool {
        self.act(|world, _| world.set_passkey_policy(phone, policy))
    }

    /// The owner's passkey signs for these options of `navigator.credentials.get`; returns the assertion. Both
    /// are JSON text.
    ///
    /// # Errors
    /// See [`AssertError`].
    pub fn assert_passkey(&self, options: &str) -> Result<String, AssertError> {
        self.act(|world, now| world.assert_passkey(now, options))
    }

    /// The confirmation code a phone shows, as `ABCD-1234`.
    pub fn passkey_code(&self, phone: PhoneNumber) -> Option<String> {
        self.read(|world| world.passkey_code(phone))
    }

    /// The owner says on the phone whether the companion shows the same code.
    ///
    /// # Errors
    /// When there is no such phone, or it shows no code.
    pub fn confirm_on_phone(&self, phone: PhoneNumber, accept: bool) -> Result<(), ConfirmError> {
        self.act(|world, now| world.confirm_on_phone(now, phone, accept))
    }

    /// Waits until a scan is decided.
    pub async fn scan_outcome(&self, scan: ScanId) -> ScanOutcome {
        let outcome = self.shared.outcome(scan).await;
        outcome.unwrap_or(ScanOutcome::Pending)
    }

    /// The owner of the phone removes a companion.
    ///
    /// # Errors
    /// When there is no such phone or companion.
    pub fn unlink(&self, phone: PhoneNumber, device: u16) -> Result<(), UnlinkError> {
        self.act(|world, now| world.unlink(now, phone, device))
    }

    /// Adds a fault. `false` when too many wait already.
    pub fn inject(&self, rule: impl Into<FaultRule>) -> bool {
        let rule = rule.into();
        self.act(|world, _| world.inject(rule))
    }

    /// Does anything to the world; its outputs are sent when `step` returns. Other connections wait
    /// meanwhile.
    pub fn act<T>(&self, step: impl FnOnce(&mut World, Now) -> T) -> T {
        self.shared.act(step)
    }

    /// Looks at the world.
    pub fn read<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        self.shared.act_quietly(read)
    }

    /// Stops: all sockets are dropped, and the state file, if there is one, is written a last time.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub async fn shutdown(mut self) -> Result<(), SimError> {
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await;
        }
        if let Some(path) = &self.state_file {
            let state = self.shared.act_quietly(World::export);
            state_file::write(path, &state).map_err(|error| SimError::StateFile {
                path: path.clone(),
                error,
            })?;
        }
        Ok(())
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sim")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

pub(super) fn default_phone(world: &World) -> Option<PhoneNumber> {
    world.first_phone()
}

fn world(options: &SimOptions) -> Result<World, SimError> {
    let seed = match options.seed {
        Some(seed) => seed,
        None => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|_| SimError::Randomness)?;
            seed
        }
    };
    let state = match &options.state_file {
        Some(path) => state_file::read(path).map_err(|error| SimError::StateFile {
            path: path.clone(),
            error,
        })?,
        None => None,
    };
    let config = options.world.clone();
    let mut world = match state {
        Some(state) => World::import(config, seed, now(), &state)?,
        None => World::new(config, seed, now()),
    };
    // A script is no longer than the book, which is empty.
    world.inject_script(&options.faults);
    while world.phone_count() < options.phones {
        world.add_next_phone(now(), PhoneConfig::default())?;
    }
    Ok(world)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, SimError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| SimError::Listen { address, error })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, SimError> {
    listener
        .local_addr()
        .map_err(|error| SimError::Listen { address, error })
}

/// Serves connections as long as there are slots; one beyond waits, and the next ones in the kernel's queue.
async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    slots: Arc<Semaphore>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        let Ok((stream, remote)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Only now, so that an idle listener keeps no slot from the other one.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        connections.spawn(async move {
            connection(shared, tls, stream, remote).await;
            drop(slot);
        });
    }
}

async fn connection(
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    remote: SocketAddr,
) {
    let _ = stream.set_nodelay(true);
    let info = ConnInfo {
        remote: Some(remote),
        tls: tls.is_some(),
    };
    match tls {
        None => socket::serve(shared, stream, info).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(TLS_TIMEOUT, acceptor.accept(stream)).await;
            match handshake {
                Ok(Ok(stream)) => socket::serve(shared, stream, info).await,
                _ => tracing::debug!("no TLS handshake"),
            }
        }
    }
}
