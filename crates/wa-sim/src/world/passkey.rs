//! Linking guarded by a passkey (pairing chapter, C and D.5).

use thiserror::Error;

use super::World;
use crate::authenticator::AssertError;
use crate::names::{Now, PhoneNumber};

/// Why nothing was confirmed on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// No phone has this number.
    #[error("no phone has the number {0}")]
    NoPhone(PhoneNumber),
    /// The phone shows no code.
    #[error("the phone {0} shows no code to confirm")]
    NothingShown(PhoneNumber),
}

impl World {
    /// The owner lets their passkey sign for what a companion asks: takes the options of
    /// `navigator.credentials.get` as JSON, returns the assertion as JSON. Which account's passkey it is say
    /// the options; if they leave it open, their challenge does.
    ///
    /// # Errors
    /// See [`AssertError`].
    pub fn assert_passkey(&mut self, now: Now, options: &str) -> Result<String, AssertError> {
        self.now = now;
        let _ = options;
        Err(AssertError::NoPasskey)
    }

    /// The confirmation code a phone shows, as `XXXX-XXXX`.
    pub fn passkey_code(&self, number: PhoneNumber) -> Option<String> {
        let _ = number;
        None
    }

    /// The owner says on the phone whether the companion shows the same code.
    ///
    /// # Errors
    /// When there is no such phone, or it shows no code.
    pub fn confirm_on_phone(
        &mut self,
        now: Now,
        number: PhoneNumber,
        accept: bool,
    ) -> Result<(), ConfirmError> {
        self.now = now;
        let _ = accept;
        Err(ConfirmError::NothingShown(number))
    }
}
