use std::fmt;
use std::time::Duration;

use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticPublic};

use crate::{ClientType, QrForm};

/// Life of the first ref of a pair-device (pairing chapter, A.3).
pub const FIRST_REF_TTL: Duration = Duration::from_secs(60);

/// Life of every ref after the first (pairing chapter, A.3).
pub const NEXT_REF_TTL: Duration = Duration::from_secs(20);

/// How long the application may think before a veto is assumed. The phone gives up after 32 s
/// (pairing chapter, D.2); this leaves time for the answer to arrive.
pub const APPROVAL_WINDOW: Duration = Duration::from_secs(28);

/// The keys a pairing is about. They are the device's own: persist them before the first connect.
pub struct PairKeys {
    /// Public half of the key of the Noise handshake.
    pub noise: NoiseStaticPublic,
    /// The identity that signs the device identity.
    pub identity: IdentitySecret,
    /// The secret the phone learns from the QR code. [`PairOutput::PersistAdvSecret`] replaces it.
    ///
    /// [`PairOutput::PersistAdvSecret`]: crate::PairOutput::PersistAdvSecret
    pub adv: AdvSecret,
}

impl fmt::Debug for PairKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairKeys(..)")
    }
}

/// Choices of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairConfig {
    /// The last field of the QR text.
    pub client_type: ClientType,
    /// How the QR text is written.
    pub qr_form: QrForm,
    /// Ask before a verified pair-success is accepted.
    pub require_approval: bool,
    /// The clocks. The default is the protocol's.
    pub timings: PairTimings,
}

/// Durations of a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairTimings {
    /// [`FIRST_REF_TTL`].
    pub first_ref: Duration,
    /// [`NEXT_REF_TTL`].
    pub next_ref: Duration,
    /// [`APPROVAL_WINDOW`].
    pub approval: Duration,
}

impl Default for PairTimings {
    fn default() -> Self {
        Self {
            first_ref: FIRST_REF_TTL,
            next_ref: NEXT_REF_TTL,
            approval: APPROVAL_WINDOW,
        }
    }
}
