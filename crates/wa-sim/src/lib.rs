//! A simulated server and phone that any client can link against.

mod account;
mod config;
mod dhash;
mod fault;
mod names;
mod net;
mod phone;
mod world;

pub use account::{MAX_STORED_PREKEYS, MAX_WAITING_STANZAS};
pub use config::{AccountKeyInReply, PhoneAnswer, UnknownIq, WorldConfig};
pub use fault::{
    BadCertificate, BadFrame, BadIdentity, Fault, FaultRule, IqKind, MAX_FAULTS, RefreshChild,
    Step, StreamError,
};
pub use names::{
    ConnId, MAX_NUMBER_DIGITS, MIN_NUMBER_DIGITS, Now, PhoneNumber, PhoneNumberError, ScanId,
};
pub use net::{
    ControlClient, ControlError, FaultReply, Health, MAX_BODY_LEN, MAX_HEAD_LEN,
    MAX_QUEUED_MESSAGES, NewPhone, PrekeysRequest, RefreshRequest, ScanReply, ScanRequest, Sim,
    SimError, SimOptions, UnlinkRequest,
};
pub use phone::{
    Companion, DEEP_LINK_PREFIX, MAX_QR_LEN, PhoneConfig, QrField, QrForms, QrParseError,
    ScannedQr, parse_qr,
};
pub use world::{
    AccountView, AddPhoneError, CompanionView, ConnInfo, DeviceView, ImportError, MAX_ACCOUNTS,
    MAX_REMARKS, Misbehaviour, PhoneView, Remark, STATE_VERSION, ScanError, ScanFailure,
    ScanOutcome, SignedReplyError, UnlinkError, World, WorldOutput, WorldState,
};
