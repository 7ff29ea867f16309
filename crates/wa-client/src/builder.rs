//! From a description to a running client.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use rand_core::UnwrapErr;
use tokio::sync::{mpsc, watch};
use wa_core::{
    Config, DeviceConfig, Engine, Handoff, NoiseRoot, PRODUCTION_URL, QrForm, Query, VersionChoice,
};
use wa_crypto::Provider;
use wa_store::{AccountId, Store};

use crate::client::{Client, Snapshot};
use crate::dial::Dialer;
use crate::dial::proxy::Proxy;
use crate::dial::tls::{TlsRoots, client_config};
use crate::dial::url::Target;
use crate::driver::{Driver, now};
use crate::error::BuildError;
use crate::events::{DEFAULT_EVENT_CAPACITY, Events, channel};
use crate::link::Link;
use crate::version::{VersionSource, Versions};

/// Time for TCP, proxy, TLS and upgrade together (transport chapter, 1).
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// By how much the engine waits longer than the dialler, whose error says more.
const ENGINE_GRACE: Duration = Duration::from_secs(1);

/// Requests that may wait for the driver; more make their callers wait.
const REQUEST_QUEUE: usize = 32;

/// Label of the account that is made when the store has none.
const DEFAULT_LABEL: &str = "default";

/// Describes a client; [`build`](ClientBuilder::build) starts it.
#[derive(Clone, Debug)]
pub struct ClientBuilder<S> {
    config: Config,
    store: S,
    account: Option<AccountId>,
    proxy: Option<Proxy>,
    roots: TlsRoots,
    versions: Option<VersionSource>,
    connect_timeout: Duration,
    event_capacity: usize,
}

impl ClientBuilder<()> {
    pub(crate) fn new() -> Self {
        let mut config = Config::production();
        config.provider = Provider::aws_lc();
        Self {
            config,
            store: (),
            account: None,
            proxy: None,
            roots: TlsRoots::default(),
            versions: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            event_capacity: DEFAULT_EVENT_CAPACITY,
        }
    }
}

impl<S> ClientBuilder<S> {
    /// WebSocket URL of the server, `wss://` or `ws://`. Default: the production service.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.config.endpoint = url.into();
        self
    }

    /// Root key that must have signed the server's certificate chain. Default: the production service's.
    pub fn noise_root(mut self, root: NoiseRoot) -> Self {
        self.config.root = root;
        self
    }

    /// Where the account is kept. This or [`shared_store`](Self::shared_store) is required.
    pub fn store<T: Store>(self, store: T) -> ClientBuilder<Arc<T>> {
        self.shared_store(Arc::new(store))
    }

    /// Where the account is kept: a store that several clients share, each with an account of its own.
    pub fn shared_store<T: Store>(self, store: Arc<T>) -> ClientBuilder<Arc<T>> {
        ClientBuilder {
            config: self.config,
            store,
            account: self.account,
            proxy: self.proxy,
            roots: self.roots,
            versions: self.versions,
            connect_timeout: self.connect_timeout,
            event_capacity: self.event_capacity,
        }
    }

    /// Which account of the store. Default: its only one, or a new one if it has none.
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Client version to claim, pinned if it is a plain [`ClientVersion`](crate::ClientVersion). Default:
    /// [`VersionChoice::Auto`].
    pub fn version(mut self, version: impl Into<VersionChoice>) -> Self {
        self.config.version = version.into();
        self
    }

    /// Whom to ask for the current version once the server has refused the one claimed. Default:
    /// [`VersionSource::production`] for the production service, [`VersionSource::Off`] for any other server. A pinned
    /// [`version`](Self::version) is never replaced by what a source says.
    pub fn version_source(mut self, source: VersionSource) -> Self {
        self.versions = Some(source);
        self
    }

    /// Name in the phone's list of linked devices; fixed once linked.
    pub fn device_name(mut self, name: impl Into<String>) -> Self {
        self.config.device.name = name.into();
        self
    }

    /// Everything the phone and the server are told about the device; fixed once linked.
    pub fn device(mut self, device: DeviceConfig) -> Self {
        self.config.device = device;
        self
    }

    /// Form of the QR text.
    pub fn qr_form(mut self, form: QrForm) -> Self {
        self.config.qr_form = form;
        self
    }

    /// Whether to ask before accepting a phone.
    pub fn require_approval(mut self, ask: bool) -> Self {
        self.config.require_approval = ask;
        self
    }

    /// Whether linking by passkey proves that it follows a scan or an entered code, which spares the owner the
    /// comparison of codes. Default: [`Handoff::Send`]. With [`Handoff::Withhold`] the codes are always compared.
    pub fn handoff(mut self, handoff: Handoff) -> Self {
        self.config.handoff = handoff;
        self
    }

    /// Go out through this proxy and no other way. Proxies named in the environment are never used.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Which certificate authorities may vouch for the server.
    pub fn tls_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// Implementation of the primitives. Default: the native one.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.config.provider = provider;
        self
    }

    /// Time for TCP, proxy, TLS and upgrade together.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Events to hold for an application that does not read.
    pub fn event_capacity(mut self, capacity: usize) -> Self {
        self.event_capacity = capacity;
        self
    }

    /// Changes whatever else the engine can be told: waiting times, reconnect policy, login options.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }
}

impl<S: Store> ClientBuilder<Arc<S>> {
    /// Locks the account, loads or makes its device, and starts the client's task on the current tokio runtime.
    /// Nothing is connected yet.
    pub async fn build(mut self) -> Result<(Client, Events), BuildError> {
        let endpoint: Result<Target, _> = self.config.endpoint.parse();
        endpoint.map_err(|error| BuildError::Endpoint {
            problem: error.to_string(),
        })?;
        let dialer = Dialer {
            proxy: self.proxy.take(),
            tls: client_config(&self.roots)?,
            timeout: self.connect_timeout,
        };
        let versions = self.version_source_or_default();
        let versions =
            Versions::new(versions, dialer.clone()).map_err(|error| BuildError::VersionSource {
                problem: error.to_string(),
            })?;
        self.config.timings.connect = self.connect_timeout + ENGINE_GRACE;
        let rng = operating_system_rng()?;

        let account = self.choose_account().await?;
        let lock = self.store.lock(&account).await?;
        let records = self.store.load(&account, Query::Device).await?;
        let now = now();
        let engine = Engine::restore(Arc::new(self.config), &records, Box::new(rng), now)?;

        let (events_in, events_out) = channel(self.event_capacity);
        let (requests_in, requests_out) = mpsc::channel(REQUEST_QUEUE);
        let (snapshot_in, snapshot_out) = watch::channel(Snapshot::of(&engine));
        let driver = Driver {
            engine,
            store: self.store,
            lock,
            dialer,
            requests: requests_out,
            events: events_in,
            snapshot: snapshot_in,
            link: Link::None,
            closing: FuturesUnordered::new(),
            versions,
            asking: None,
            computing: FuturesUnordered::new(),
            operations: std::collections::HashMap::new(),
            next_operation: 1,
        };
        let task = tokio::spawn(driver.run());
        Ok((Client::new(requests_in, snapshot_out, task), events_out))
    }

    /// A server of one's own has versions of its own; the real one's page says nothing about them.
    fn version_source_or_default(&mut self) -> VersionSource {
        let default = match self.config.endpoint.as_str() {
            PRODUCTION_URL => VersionSource::production(),
            _ => VersionSource::Off,
        };
        self.versions.take().unwrap_or(default)
    }

    async fn choose_account(&mut self) -> Result<AccountId, BuildError> {
        if let Some(account) = self.account.take() {
            return Ok(account);
        }
        let mut accounts = self.store.accounts().await?;
        match (accounts.pop(), accounts.len()) {
            (None, _) => Ok(self.store.create_account(DEFAULT_LABEL).await?),
            (Some(only), 0) => Ok(only.id),
            (Some(_), others) => Err(BuildError::AmbiguousAccount { count: others + 1 }),
        }
    }
}

/// The operating system's generator, seen to work once: it does not fail later.
fn operating_system_rng() -> Result<UnwrapErr<getrandom::SysRng>, BuildError> {
    let mut probe = [0; 32];
    getrandom::fill(&mut probe).map_err(|error| BuildError::Randomness {
        problem: error.to_string(),
    })?;
    Ok(UnwrapErr(getrandom::SysRng))
}
