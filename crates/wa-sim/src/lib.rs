//! A simulated server and phone that any client can link against.
//!
//! **What it does.** It is the other end of everything a companion device does to be linked and to stay
//! logged in: the Noise handshakes XX, IK and XXfallback under a certificate root of its own, the refs of
//! an unregistered connection, the relay from the phone that scans the code, or has one typed into it, to the companion that signs, the passkey
//! that may guard it,
//! the restart, the login, key bundles, device lists, keep-alive, removal from either side. Many accounts
//! and connections live in one world. The phones keep key indexes and sign as real primaries do.
//!
//! It is strict where the protocol chapters decide, and says so where a client strays: see
//! [`World::remarks`]. Where no source settles what the real service does, [`WorldConfig`] has an option.
//! Everything that can go wrong on the way can be made to: see [`Fault`].
//!
//! **What it does not.** Messages are acknowledged and delivered to nobody; there is no history, no app
//! state, no media.
//!
//! **Protocol.** Transport chapter, section 10; client payload chapter, section 7; login chapter, section
//! 16; pairing chapter, parts A to D and F.
//!
//! # How to drive it
//!
//! [`World`] is the server and its phones without sockets and clocks: bytes, time and randomness come in,
//! outputs go out in order.
//!
//! ```
//! use std::time::Instant;
//! use wa_sim::{ConnInfo, Now, PhoneConfig, World, WorldConfig, WorldOutput};
//!
//! let now = Now { instant: Instant::now(), unix_ms: 1_789_000_000_000 };
//! let mut world = World::new(WorldConfig::default(), [7; 32], now);
//! let phone = world.add_next_phone(now, PhoneConfig::default())?;
//! assert_eq!(phone.to_string(), "+15551230001");
//!
//! let conn = world.open(now, ConnInfo::default());
//! world.handle_bytes(now, conn, b"no client speaks like this");
//! while let Some(output) = world.poll_output() {
//!     match output {
//!         WorldOutput::Transmit(conn, message) => println!("{conn:?}: {} bytes", message.len()),
//!         WorldOutput::Close(closed) => assert_eq!(closed, conn),
//!     }
//! }
//! let next = world.poll_timeout(); // call `handle_timeout` then
//! # assert!(next.is_some());
//! # Ok::<(), wa_sim::AddPhoneError>(())
//! ```
//!
//! [`Sim`] runs a world on tokio, over loopback WebSockets with and without TLS, with a control API that
//! [`ControlClient`] speaks:
//!
//! ```
//! use wa_sim::{ControlClient, Sim, SimOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::start(SimOptions::default()).await?;
//! println!("connect to {} with Noise root {}", sim.url(), sim.noise_root_hex());
//!
//! let api = sim.control_url().ok_or("no control API")?;
//! let health = tokio::task::spawn_blocking(move || ControlClient::new(&api)?.health()).await??;
//! assert_eq!(health.accounts, 1);
//! sim.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The control API
//!
//! HTTP/1.1 with JSON on loopback, one request per connection. It has no authentication; requests of web
//! pages (with an `Origin`, or for a host that is not loopback) are turned away.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `POST /scan` | [`ScanRequest`] | [`ScanReply`] |
//! | `POST /code` | [`CodeRequest`] | [`ScanReply`] |
//! | `GET /scans/ID` | | [`ScanReply`] |
//! | `POST /code/refresh`, `POST /code/precursor` | [`CodeNoticeRequest`] | how many connections were told |
//! | `POST /passkey/policy` | [`PolicyRequest`] | [`PhoneView`] |
//! | `POST /passkey/assert` | [`AssertRequest`] | [`AssertReply`] |
//! | `GET /passkey/code?phone=NUMBER` | | [`PasskeyCodeReply`] |
//! | `POST /passkey/confirm` | [`ConfirmRequest`] | [`PhoneView`] |
//! | `GET /phones`, `POST /phones` | [`NewPhone`] | [`PhoneView`] |
//! | `POST /unlink` | [`UnlinkRequest`] | [`PhoneView`] |
//! | `GET /accounts` | | [`AccountView`] |
//! | `POST /fault` | [`FaultRule`] | [`FaultReply`] |
//! | `POST /faults` | [`FaultScript`] | [`FaultReply`] |
//! | `GET /faults`, `DELETE /faults` | | [`FaultRule`], [`FaultReply`] |
//! | `POST /refresh`, `POST /refs` | [`RefreshRequest`], none | how many connections were told |
//! | `POST /prekeys` | [`PrekeysRequest`] | [`AccountView`] |
//! | `GET /remarks` | | [`Remark`] |
//! | `GET /health` | | [`Health`] |

mod account;
mod assertion;
mod authenticator;
mod config;
mod dhash;
mod fault;
mod names;
mod net;
mod phone;
mod scenario;
mod used_prekeys;
mod world;

pub use account::{MAX_STORED_PREKEYS, MAX_WAITING_STANZAS};
pub use assertion::{AssertionError, MAX_ASSERTION_LEN};
pub use authenticator::{AssertError, MAX_OPTIONS_LEN};
pub use config::{AccountKeyInReply, PhoneAnswer, UnknownIq, WorldConfig};
pub use fault::{
    BadCertificate, BadDeviceList, BadDigest, BadFrame, BadIdentity, Extra, FailureStanza, Fault,
    FaultRule, FaultScript, IqKind, MAX_DEPTH, MAX_FAULT_MS, MAX_FAULTS, MAX_INFLATED, MAX_REFS,
    MAX_ROUTING_LEN, MAX_SCRIPT_LEN, RefreshChild, RemovalNotice, RuleError, SCRIPT_VERSION,
    ScriptError, ScriptFileError, StanzaClass, StanzaKind, Step, StreamError,
};
pub use names::{
    ConnId, MAX_NUMBER_DIGITS, MIN_NUMBER_DIGITS, Now, PhoneNumber, PhoneNumberError, ScanId,
};
pub use net::{
    AssertReply, AssertRequest, CodeNoticeRequest, CodeRequest, ConfirmRequest, ControlClient,
    ControlError, FaultReply, Health, MAX_BODY_LEN, MAX_HEAD_LEN, MAX_QUEUED_MESSAGES, NewPhone,
    PasskeyCodeReply, PolicyRequest, PrekeysRequest, RefreshRequest, ScanReply, ScanRequest, Sim,
    SimError, SimOptions, UnlinkRequest,
};
pub use phone::{
    CODE_LEN, Companion, DEEP_LINK_PREFIX, EnteredCode, EnteredCodeError, MAX_QR_LEN,
    PasskeyPolicy, PhoneConfig, ProofPolicy, QrField, QrForms, QrParseError, ScannedQr, parse_qr,
};
pub use scenario::{Scenario, Story, scenarios};
pub use used_prekeys::MAX_REMEMBERED_PREKEYS;
pub use world::{
    AccountView, AddPhoneError, CeremonyError, CodeWanted, CompanionView, ConfirmError, ConnInfo,
    DeviceView, ImportError, MAX_ACCOUNTS, MAX_BACKLOG_LEN, MAX_CODES_PER_CONNECTION,
    MAX_QUOTE_LEN, MAX_REMARKS, Misbehaviour, PhoneView, Remark, STATE_VERSION, ScanError,
    ScanFailure, ScanOutcome, SignedReplyError, UnlinkError, World, WorldOutput, WorldState,
};
