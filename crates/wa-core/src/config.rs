use std::time::Duration;

use wa_crypto::Provider;
use wa_noise::NoiseRoot;
use wa_pair::{ClientType, CompanionPlatform, Handoff, PairTimings, QrForm};
use wa_proto::pb::device_props::PlatformType;

/// WebSocket address of the production service (transport chapter, section 1).
pub const PRODUCTION_URL: &str = "wss://web.whatsapp.com/ws/chat";

/// Everything that distinguishes one client from another. Nothing is global.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Implementation of the primitives.
    pub provider: Provider,
    /// WebSocket URL, handed to the driver with every [`Output::Open`](crate::Output::Open).
    pub endpoint: String,
    /// Key that must have signed the server's certificate chain.
    pub root: NoiseRoot,
    /// Version of the web client we claim to be.
    pub version: VersionChoice,
    /// What the phone shows and what the server is told about this device.
    pub device: DeviceConfig,
    /// Optional fields of the login payload.
    pub login: LoginOptions,
    /// Form of the QR text.
    pub qr_form: QrForm,
    /// Client type written into the QR text; `None` derives it from the platform of the device.
    pub client_type: Option<ClientType>,
    /// Whether a passkey attempt proves that it follows a scan or a code, which spares the comparison of codes.
    pub handoff: Handoff,
    /// Ask before accepting a phone ([`Event::ApprovalNeeded`](crate::Event::ApprovalNeeded)).
    pub require_approval: bool,
    /// Every bound on waiting.
    pub timings: Timings,
    /// When and how often to connect again.
    pub reconnect: ReconnectPolicy,
}

impl Config {
    /// The production service with the compiled-in version and protocol defaults.
    #[must_use]
    pub fn production() -> Self {
        Self::new(PRODUCTION_URL, NoiseRoot::production())
    }

    /// Protocol defaults for another server.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, root: NoiseRoot) -> Self {
        Self {
            provider: Provider::rust(),
            endpoint: endpoint.into(),
            root,
            version: VersionChoice::Auto,
            device: DeviceConfig::default(),
            login: LoginOptions::default(),
            qr_form: QrForm::DeepLink,
            client_type: None,
            handoff: Handoff::default(),
            require_approval: false,
            timings: Timings::default(),
            reconnect: ReconnectPolicy::default(),
        }
    }

    /// Client type written into the QR text (pairing chapter, A.2).
    #[must_use]
    pub fn qr_client_type(&self) -> ClientType {
        self.client_type
            .unwrap_or(ClientType::for_platform(self.device.platform))
    }

    /// What the registration, the QR text, a code request and a passkey say about this device.
    #[must_use]
    pub fn presentation(&self) -> Presentation {
        let client_type = self.qr_client_type();
        Presentation {
            name: self.device.name.clone(),
            device_type: u32::try_from(self.device.platform as i32).unwrap_or_default(),
            client_type,
            companion: CompanionPlatform::new(client_type, &self.device.name),
        }
    }
}

/// How a device presents itself, in the four places that must not contradict each other (payload chapter,
/// section 4; pairing chapter, A.2, B.4, C.5).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Presentation {
    /// Name in the registration, shown in the phone's list.
    pub name: String,
    /// Number of the platform in the registration, and in the keys of a passkey ceremony.
    pub device_type: u32,
    /// Client type in the QR text.
    pub client_type: ClientType,
    /// Client type and display name of a code request.
    pub companion: CompanionPlatform,
}

/// Version of the web client, `primary.secondary.tertiary`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientVersion {
    /// First number, 2 since ever.
    pub primary: u32,
    /// Second number, 3000 for a long time.
    pub secondary: u32,
    /// Third number; moves several times a day.
    pub tertiary: u32,
}

/// Where the client version comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum VersionChoice {
    /// This one. If the server refuses it, the state is `outdated` at once: whoever pinned it decides.
    Pinned(ClientVersion),
    /// The larger of the compiled-in one and the one a source has given before. If the server refuses it, the
    /// driver is asked for the current one ([`Output::FetchVersion`](crate::Output::FetchVersion)).
    #[default]
    Auto,
}

impl VersionChoice {
    /// The version to begin with, when `cached` is the one a source has given before.
    #[must_use]
    pub fn resolve(self, cached: Option<ClientVersion>) -> ClientVersion {
        match self {
            Self::Pinned(version) => version,
            Self::Auto => cached.map_or(ClientVersion::COMPILED_IN, |cached| {
                cached.max(ClientVersion::COMPILED_IN)
            }),
        }
    }
}

impl From<ClientVersion> for VersionChoice {
    fn from(version: ClientVersion) -> Self {
        Self::Pinned(version)
    }
}

/// A version as a source gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchedVersion {
    /// The version.
    pub version: ClientVersion,
    /// Where it was found, for people; at most [`MAX_VERSION_SOURCE_LEN`] bytes are kept.
    pub source: String,
}

/// Longest text kept about where a version came from.
pub const MAX_VERSION_SOURCE_LEN: usize = 256;

/// Why a text is not a [`ClientVersion`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a client version is three numbers with dots between them, like 2.3000.1045649367")]
pub struct ParseVersionError;

impl ClientVersion {
    /// The newest version known when this was built (payload chapter, section 5).
    pub const COMPILED_IN: Self = Self::new(2, 3000, 1_045_649_367);

    /// Joins the three numbers.
    #[must_use]
    pub const fn new(primary: u32, secondary: u32, tertiary: u32) -> Self {
        Self {
            primary,
            secondary,
            tertiary,
        }
    }
}

impl std::fmt::Display for ClientVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.primary, self.secondary, self.tertiary)
    }
}

impl std::str::FromStr for ClientVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u32>().ok()).flatten()
        });
        let mut next = || parts.next().flatten().ok_or(ParseVersionError);
        let version = Self::new(next()?, next()?, next()?);
        match parts.next() {
            None => Ok(version),
            Some(_) => Err(ParseVersionError),
        }
    }
}

/// How this device presents itself (payload chapter, sections 2 and 4).
///
/// It is sent once, at registration: a later change shows only after pairing anew.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DeviceConfig {
    /// Name in the phone's list of linked devices.
    pub name: String,
    /// Version belonging to `name`; left out when `None`.
    pub version: Option<(u32, u32, u32)>,
    /// Kind of client; chooses the icon in the phone's list.
    pub platform: PlatformType,
    /// Ask the phone for the whole history.
    pub full_history: bool,
    /// What kinds of history the application can take.
    pub history: HistorySupport,
    /// ISO 639-1 code in lower case.
    pub language: String,
    /// ISO 3166-1 alpha-2 code in upper case.
    pub country: String,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            name: "wa".to_owned(),
            version: Some((0, 1, 0)),
            platform: PlatformType::Chrome,
            full_history: false,
            history: HistorySupport::Nothing,
            language: "en".to_owned(),
            country: "US".to_owned(),
        }
    }
}

/// What history the device claims to handle (payload chapter, section 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HistorySupport {
    /// Nothing beyond the storage quota: the phone sends the basic kinds only.
    Nothing,
    /// Every kind the web client of the compiled-in version claims.
    WebClient,
}

/// Optional fields of the login payload (payload chapter, section 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Hold waiting stanzas back until we say that we are active.
    pub passive: bool,
    /// Ask for waiting stanzas to be sent.
    pub pull: bool,
    /// Say that sessions are keyed by LID.
    pub lid_migrated: bool,
    /// Send how often this link has logged in.
    pub login_count: bool,
    /// Send how often this process has connected.
    pub connect_count: bool,
    /// Send the weekly session id after login.
    pub unified_session: bool,
}

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            passive: true,
            pull: true,
            lid_migrated: true,
            login_count: true,
            connect_count: true,
            unified_session: true,
        }
    }
}

/// Every bound on waiting. The defaults are the protocol's; tests shorten none of them, they move time.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Timings {
    /// From `Open` to `Opened`: 20 s (transport chapter, section 1).
    pub connect: Duration,
    /// From ClientHello to ServerHello: 20 s (transport chapter, section 1).
    pub handshake: Duration,
    /// From the end of a registration handshake to `pair-device`: 20 s, ours; the server sends it at once.
    pub pair_device: Duration,
    /// The clocks of the pairing itself: life of the codes, time to approve.
    pub pairing: PairTimings,
    /// From the pairing reply to the restart: 10 s (pairing chapter, A.10).
    pub restart: Duration,
    /// From the end of a login handshake to `success`: 20 s, ours.
    pub login: Duration,
    /// For the answer to a request: 75 s (login chapter, section 3).
    pub request: Duration,
    /// Shortest pause between two pings: 20 s (login chapter, section 8).
    pub ping_min: Duration,
    /// Longest pause between two pings: 30 s (login chapter, section 8).
    pub ping_max: Duration,
    /// From a ping to any frame at all: 20 s (login chapter, section 8).
    pub ping_answer: Duration,
    /// Longest time without an answered ping although frames arrive: 3 min (login chapter, section 8).
    pub ping_silence: Duration,
    /// For the answer to a logout: 3 s (login chapter, section 13).
    pub logout: Duration,
    /// Without a stanza that waited, until the waiting ones count as over: 60 s (login chapter, section 6).
    pub drain: Duration,
    /// For the answer about the current client version: 30 s, ours.
    pub version_fetch: Duration,
    /// For what the store is asked for: 60 s, ours.
    pub store: Duration,
    /// From `xmlstreamend` to the close: 5 s, ours.
    pub stream_end: Duration,
    /// A removal this soon after pairing gets its own reason: 60 s, ours.
    pub removed_after_pairing: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            handshake: Duration::from_secs(20),
            pair_device: Duration::from_secs(20),
            pairing: PairTimings::default(),
            restart: Duration::from_secs(10),
            login: Duration::from_secs(20),
            request: Duration::from_secs(75),
            ping_min: Duration::from_secs(20),
            ping_max: Duration::from_secs(30),
            ping_answer: Duration::from_secs(20),
            ping_silence: Duration::from_secs(180),
            logout: Duration::from_secs(3),
            drain: Duration::from_secs(60),
            version_fetch: Duration::from_secs(30),
            store: Duration::from_secs(60),
            stream_end: Duration::from_secs(5),
            removed_after_pairing: Duration::from_secs(60),
        }
    }
}

/// When and how often to connect again (login chapter, section 14).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReconnectPolicy {
    /// Unit of the Fibonacci sequence of pauses: 1 s.
    pub base: Duration,
    /// Longest pause before jitter: 900 s.
    pub cap: Duration,
    /// Jitter in percent to either side: 10.
    pub jitter_percent: u32,
    /// Steps to skip after the server said that we are too fast: 5.
    pub rate_limit_steps: u32,
    /// Attempts in a row before a linked device gives up; `None`: never.
    pub budget: Option<u32>,
    /// Attempts in a row before a device that is not linked yet gives up: 8.
    pub pairing_budget: u32,
    /// Attempts in a row to finish a logout that the server has not confirmed, before the next start or logout
    /// takes it up: 8.
    pub unlink_budget: u32,
    /// One single attempt this long after another connection has taken over; `None`: wait for a start.
    pub conflict_retry: Option<Duration>,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(900),
            jitter_percent: 10,
            rate_limit_steps: 5,
            budget: None,
            pairing_budget: 8,
            unlink_budget: 8,
            conflict_retry: None,
        }
    }
}
