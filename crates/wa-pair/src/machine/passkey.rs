//! The passkey ceremony (pairing chapter, C).

use std::time::Instant;

use wa_crypto::CryptoRng;

use super::Pairing;
use crate::{PasskeyAssertion, PasskeyError};

impl Pairing {
    /// The assertion of the owner's authenticator.
    ///
    /// # Errors
    /// [`PasskeyError::NotAsked`] when none is awaited.
    pub fn respond_passkey(
        &mut self,
        _now: Instant,
        _assertion: PasskeyAssertion,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PasskeyError> {
        Err(PasskeyError::NotAsked)
    }

    /// The user's word on the code of a [`PairOutput::PasskeyConfirmation`](crate::PairOutput).
    ///
    /// # Errors
    /// [`PasskeyError::NotAsked`] when none is awaited.
    pub fn confirm_passkey(
        &mut self,
        _now: Instant,
        _accept: bool,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PasskeyError> {
        Err(PasskeyError::NotAsked)
    }

    /// Whether a ceremony is at a point where a restart of the connection would destroy it: a 515 has
    /// to wait.
    pub fn holds_restart(&self) -> bool {
        false
    }

    /// The server asked for a restart. [`PairOutput::RestartNow`](crate::PairOutput::RestartNow) comes
    /// when it can be made, which may be at once.
    pub fn restart_asked(&mut self, _now: Instant) {}

    /// Whether a ceremony runs.
    pub fn is_awaiting_passkey(&self) -> bool {
        false
    }
}
