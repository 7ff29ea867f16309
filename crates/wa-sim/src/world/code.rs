//! Linking by an eight-character code (pairing chapter, B, D.3 and D.4).

use super::World;
use super::phones::ScanError;
use crate::names::{Now, PhoneNumber, ScanId};
use crate::phone::EnteredCode;

impl World {
    /// The owner types a pairing code into the phone. It is entered after
    /// [`WorldConfig::scan_delay`](crate::WorldConfig); ask [`World::scan_outcome`] what came of it.
    ///
    /// # Errors
    /// When the text is no pairing code, or there is no such phone.
    pub fn enter_code(
        &mut self,
        now: Now,
        number: PhoneNumber,
        code: &str,
    ) -> Result<ScanId, ScanError> {
        self.now = now;
        let _code = EnteredCode::parse(code)?;
        Err(ScanError::NoPhone(number))
    }

    /// Tells the companion whose code waits for this phone that the code is to be renewed. `false` when none
    /// waits.
    pub fn refresh_pairing_code(&mut self, now: Now, number: PhoneNumber, manual: bool) -> bool {
        self.now = now;
        let _ = (number, manual);
        false
    }

    /// Sends the companion whose code waits for this phone the notification without keys that can precede a
    /// passkey. `false` when none waits.
    pub fn send_passkey_precursor(&mut self, now: Now, number: PhoneNumber) -> bool {
        self.now = now;
        let _ = number;
        false
    }
}
