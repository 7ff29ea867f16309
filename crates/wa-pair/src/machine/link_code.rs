//! The pairing code flow (pairing chapter, B).

use std::time::Instant;

use wa_crypto::CryptoRng;

use super::Pairing;
use crate::{CodeError, CodeRequest, PairAnswer, PairComputed, PairRequest};

/// Most attempts of the phone with one code (pairing chapter, B.5).
pub const MAX_PRIMARY_HELLOS: u8 = 3;

impl Pairing {
    /// Asks for a pairing code. It waits for the server's pair-device if that has not come.
    ///
    /// # Errors
    /// [`CodeError`] when a code lives already, or none can be asked for.
    pub fn request_code(
        &mut self,
        _now: Instant,
        _request: CodeRequest,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), CodeError> {
        Err(CodeError::NotNow)
    }

    /// Ends the code that lives or is asked for. Says whether there was one.
    pub fn cancel_code(&mut self, _now: Instant, _rng: &mut (impl CryptoRng + ?Sized)) -> bool {
        false
    }

    /// What became of a [`PairOutput::Request`](crate::PairOutput::Request).
    pub fn handle_answer(
        &mut self,
        _now: Instant,
        _request: PairRequest,
        _answer: PairAnswer<'_>,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) {
    }

    /// What became of a [`PairOutput::Compute`](crate::PairOutput::Compute).
    pub fn handle_computed(
        &mut self,
        _now: Instant,
        _computed: PairComputed,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) {
    }
}
