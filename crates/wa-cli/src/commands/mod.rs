//! One module per command.

mod answers;
mod linking;
pub(crate) mod logout;
pub(crate) mod pair;
pub(crate) mod phone;
pub(crate) mod run;
pub(crate) mod sim;
pub(crate) mod simulated;
pub(crate) mod status;
pub(crate) mod takeover;
pub(crate) mod transfer;
