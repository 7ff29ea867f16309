//! Protobuf messages of the handshake, the login payload and pairing.
//!
//! Generated from `proto/transport.proto` and `proto/pairing.proto`, whose comments name the chapters. Every
//! singular field is an `Option`: present or not is part of the meaning.

#![allow(
    missing_docs,
    clippy::enum_variant_names,
    clippy::doc_markdown,
    reason = "generated; the fields are documented where the chapter says something about them"
)]

use std::fmt;

#[path = "generated/pairing.rs"]
mod pairing;
#[path = "generated/transport.rs"]
mod transport;

pub use pairing::*;
pub use transport::*;

impl fmt::Debug for PairingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingRequest").finish_non_exhaustive()
    }
}
