use std::fmt;

use wa_crypto::pbkdf2_sha256;
use zeroize::Zeroizing;

use crate::PairingCode;

/// Rounds of PBKDF2 that stretch a pairing code (pairing chapter, B.3).
pub const CODE_ROUNDS: u32 = 1 << 17;

/// Length of the salt (pairing chapter, B.3).
pub(crate) const SALT_LEN: usize = 32;

/// The stretching of a pairing code: tens of milliseconds of work. Run it where nothing waits, and
/// hand the outcome to [`Pairing::handle_computed`](crate::Pairing::handle_computed).
pub struct PairJob {
    generation: u64,
    code: PairingCode,
    salt: [u8; SALT_LEN],
}

/// The outcome of a [`PairJob`]: a key, wiped on drop.
pub struct PairComputed {
    pub(crate) generation: u64,
    pub(crate) key: Zeroizing<[u8; 32]>,
}

impl PairJob {
    pub(crate) const fn new(generation: u64, code: PairingCode, salt: [u8; SALT_LEN]) -> Self {
        Self {
            generation,
            code,
            salt,
        }
    }

    /// Does the work. It depends on nothing but what the job holds.
    pub fn run(self) -> PairComputed {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2_sha256(
            self.code.expose().as_bytes(),
            &self.salt,
            CODE_ROUNDS,
            key.as_mut_slice(),
        );
        PairComputed {
            generation: self.generation,
            key,
        }
    }
}

impl fmt::Debug for PairJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairJob(..)")
    }
}

impl fmt::Debug for PairComputed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairComputed(..)")
    }
}
