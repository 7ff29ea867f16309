//! A WhatsApp companion device on tokio: sockets, TLS, proxies, timers and the store around the engine of `wa-core`.
//!
//! This crate owns the only `select!` loop, dials `ws://` and `wss://` (transport chapter, sections 1, 2 and 9),
//! carries every change into the store before anything that depends on it is sent, and hands out a [`Client`] and
//! its [`Events`]. It knows nothing of the protocol beyond the byte stream, and nothing of how a store works.
//!
//! ```no_run
//! use wa_client::{Client, Event};
//! use wa_store::MemoryStore;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut events) = Client::builder().store(MemoryStore::new()).build().await?;
//! client.start().await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Qr { text, .. } => println!("show this as a QR code: {}", text.expose()),
//!         Event::Online { jid, .. } => println!("linked as {jid}"),
//!         _ => {}
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! TLS is rustls with its aws-lc provider, chosen per client: no process-wide default is set or used. A proxy is
//! used only when one is given, never one of the environment; with a proxy nothing is resolved or dialled beside it.

mod builder;
mod client;
mod dial;
mod driver;
mod error;
mod events;
mod link;
mod pairing;
mod socket;
mod version;

pub use builder::{ClientBuilder, DEFAULT_CONNECT_TIMEOUT};
pub use client::{Client, LogoutOutcome};
pub use dial::proxy::{MAX_SOCKS5_CREDENTIAL_LEN, Proxy, ProxyKind, ProxyUrlError};
pub use dial::tls::{TlsRoots, TlsRootsError};
pub use error::{BuildError, ClientError};
pub use events::{DEFAULT_EVENT_CAPACITY, Events};
pub use pairing::{PairingCodeLive, PairingCodeRequest};
pub use version::{
    MAX_VERSION_PAGE_LEN, VERSION_FETCH_TIMEOUT, VERSION_URL, VersionAnswer, VersionError,
    VersionInUse, VersionOrigin, VersionProvider, VersionSource,
};

pub use wa_core::{
    AssertionError, Awaited, ClientType, ClientVersion, CloseCause, CodeEnd, CodeRefusal,
    CodeRefusalKind, CommandError, Config, ConnectionState, DeviceConfig, DisconnectReason,
    EngineError, Event, FailReason, Handoff, Health, HistorySupport, Jid, LinkedDevice,
    LinkedDevices, LoginOptions, LogoutOptions, LogoutReason, NoiseRoot, OpenFailure,
    PRODUCTION_URL, PairCandidate, PairError, PairingCode, PairingCodeError, PairingFailure,
    ParseVersionError, PasskeyAssertion, PasskeyEnd, PasskeyOptions, PhoneNumber, PhoneNumberError,
    PlatformType, Provider, QrForm, QrText, ReconnectPolicy, RecordKind, Registered, RestoreError,
    Step, StreamFault, Timings, Trouble, VersionChoice,
};
