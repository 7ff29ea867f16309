//! The world over real sockets: loopback WebSockets, plain and over TLS, and the control API.

mod ceremonies;
mod control;
mod control_client;
mod http;
mod shared;
mod sim;
mod socket;
mod state_file;
mod tls;

pub use self::ceremonies::{
    AssertReply, AssertRequest, CodeNoticeRequest, CodeRequest, ConfirmRequest, PasskeyCodeReply,
    PolicyRequest,
};
pub use self::control::{
    FaultReply, Health, NewPhone, PrekeysRequest, RefreshRequest, ScanReply, ScanRequest,
    UnlinkRequest,
};
pub use self::control_client::{ControlClient, ControlError};
pub use self::http::{MAX_BODY_LEN, MAX_HEAD_LEN};
pub use self::sim::{Sim, SimError, SimOptions};
pub use self::socket::MAX_QUEUED_MESSAGES;
