//! The sans-IO engine of a companion device: everything between the bytes of a socket and the events of an
//! application.
//!
//! **What it does.** It makes a [`Device`] and its keys, links it to a phone by QR code, by pairing code and
//! through the ceremony of a passkey, logs it in, keeps
//! its prekeys on the server in order, keeps the connection alive, reconnects with back-off, unlinks it, and
//! says at every moment what it is doing ([`ConnectionState`], one enum). It acks what the server delivers, so
//! that the server does not end the stream over it; messages are not read yet.
//!
//! **What it does not.** It opens no socket, reads no clock, draws no randomness of its own and writes no
//! file: time and randomness are arguments, and the rest are [`Output`]s for a driver to act on. It does not
//! retry what its user decides: after a conflict, a refusal or an expired code it waits for a
//! [`Command::Start`].
//!
//! **Protocol.** The login chapter, whole; the client payload chapter; of the transport chapter the state
//! machine of section 9, on top of `wa-noise`; of the pairing chapter the persistence order (A.9), the
//! restart (A.10) and unlinking (F), on top of `wa-pair`.
//!
//! # How to drive it
//!
//! Feed what happens, act on what it asks for, in order, and come back when its timeout is due. The order
//! is what makes it safe against crashes: an [`Output::Persist`] is committed before anything after it is acted
//! on, so a phone never believes in a device whose keys are not stored.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use wa_core::{Command, Config, Device, Engine, Event, Input, Now, OpId, Output};
//!
//! // A driver takes these from the system.
//! let mut rng = ChaCha20Rng::seed_from_u64(7);
//! let now = Now::new(Instant::now(), 1_787_184_000_000);
//!
//! let config = Arc::new(Config::production());
//! // From the store, `Device::restore`; or a new one.
//! let device = Device::generate(config.provider, &mut rng, now.unix_secs());
//! let mut engine = Engine::new(config, device, Box::new(rng), now);
//!
//! engine.handle_input(now, Input::Command(OpId(1), Command::Start))?;
//! let mut epoch = None;
//! let mut asked = Vec::new();
//! while let Some(output) = engine.poll_output() {
//!     asked.push(match output {
//!         Output::Persist(changes) => {
//!             // Commit; on failure feed `Input::PersistFailed`.
//!             assert!(!changes.is_empty());
//!             "persist"
//!         }
//!         Output::Open(endpoint) => {
//!             epoch = Some(endpoint.epoch);
//!             "open"
//!         }
//!         Output::Event(Event::State(_)) => "state",
//!         Output::Event(_) => "event",
//!         _ => "more",
//!     });
//! }
//! assert_eq!(asked, ["persist", "event", "open", "state"]);
//! assert_eq!(engine.state().name(), "starting");
//!
//! // The socket is open: the engine speaks first.
//! let epoch = epoch.ok_or("an open")?;
//! engine.handle_input(now, Input::Opened(epoch))?;
//! let Some(Output::Transmit(hello)) = engine.poll_output() else { panic!("a hello") };
//! assert_eq!(hello[..4], *b"WA\x06\x03");
//!
//! // Nobody answers. A driver sleeps until then, or until bytes come.
//! let deadline = engine.poll_timeout().ok_or("a deadline")?;
//! let later = now.after(deadline - now.instant);
//! engine.handle_input(later, Input::Timeout)?;
//! assert!(matches!(engine.poll_output(), Some(Output::Close)));
//! assert_eq!(engine.state().name(), "reconnecting");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! The engine is one value in one phase: at rest, waiting, dialling, shaking hands, or connected, and a
//! connection is at one stage: pairing, restarting, logging in, logged in, unlinking, ending. Phases and stages
//! are structs named for what they await; a step consumes one and returns the next, or says why the
//! connection is over. What comes after the end of a connection is decided in one place.

mod backoff;
mod config;
mod device;
mod engine;
mod error;
mod event;
mod io;
mod iq;
mod payload;
mod record;
mod refusal;
mod stanza;
mod state;
mod time;

pub use config::{
    ClientVersion, Config, DeviceConfig, FetchedVersion, HistorySupport, LoginOptions,
    MAX_VERSION_SOURCE_LEN, PRODUCTION_URL, ParseVersionError, Presentation, ReconnectPolicy,
    Timings, VersionChoice,
};
pub use device::{
    Credentials, Device, ImportedDevice, ImportedDeviceError, KEPT_SIGNED_PREKEYS, KnownVersion,
    MAX_IMPORTED_TEXT_LEN, MAX_OWN_DEVICES, MAX_ROUTING_LEN, MAX_STORED_PREKEYS, Registered,
};
pub use engine::{Engine, FLAPPING_LOSSES, FLAPPING_WINDOW_MS, Health, MAX_OPS};
pub use error::{
    Awaited, CommandError, DisconnectReason, EngineError, FailReason, LogoutReason, PairingFailure,
    RestoreError, StreamFault, Trouble,
};
pub use event::{Event, LinkedDevice, LinkedDevices};
pub use io::{
    CloseCause, Command, Computed, Endpoint, Epoch, Input, Job, LogoutOptions, OpId, OpOutcome,
    OpenFailure, Output,
};
pub use iq::MAX_PENDING_REQUESTS;
pub use record::{
    AccountSummary, Changes, Desired, LinkState, Query, Record, RecordKind, SecretBytes, Wipe,
};
pub use state::{ConnectionState, Step};
pub use time::Now;

// Types of the layers below that appear in the types above.
pub use wa_crypto::Provider;
pub use wa_noise::NoiseRoot;
pub use wa_pair::{
    AssertionError, ClientType, CodeEnd, CodeRefusal, CodeRefusalKind, CodeRequest,
    CompanionPlatform, Handoff, PairCandidate, PairError, PairStep, PairTimings, PairingCode,
    PairingCodeError, PasskeyAssertion, PasskeyEnd, PasskeyOptions, PasskeyOptionsError,
    PasskeyStage, PhoneNumber, PhoneNumberError, QrForm, QrText,
};
pub use wa_proto::{Jid, pb::device_props::PlatformType};
