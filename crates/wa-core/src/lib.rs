//! The sans-IO engine: connection life cycle, requests, acks, keep-alive, back-off, prekey upkeep.

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
    ClientVersion, Config, DeviceConfig, HistorySupport, LoginOptions, PRODUCTION_URL,
    ParseVersionError, ReconnectPolicy, Timings,
};
pub use device::{Credentials, Device, KEPT_SIGNED_PREKEYS, MAX_ROUTING_LEN, Registered};
pub use engine::{Engine, Health, MAX_OPS};
pub use error::{
    Awaited, CommandError, DisconnectReason, EngineError, FailReason, LogoutReason, PairingFailure,
    RestoreError, StreamFault, Trouble,
};
pub use event::Event;
pub use io::{CloseCause, Command, Endpoint, Epoch, Input, OpId, OpOutcome, OpenFailure, Output};
pub use iq::MAX_PENDING_REQUESTS;
pub use record::{
    AccountSummary, Changes, Desired, LinkState, Query, Record, RecordKind, SecretBytes,
};
pub use state::{ConnectionState, Step};
pub use time::Now;

// Types of the layers below that appear in the types above.
pub use wa_crypto::Provider;
pub use wa_noise::NoiseRoot;
pub use wa_pair::{ClientType, PairCandidate, PairError, PairTimings, QrForm, QrText};
pub use wa_proto::{Jid, pb::device_props::PlatformType};
