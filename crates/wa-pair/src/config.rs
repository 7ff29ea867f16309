use std::fmt;
use std::time::Duration;

use wa_crypto::{AdvSecret, IdentitySecret, NoiseStaticPublic};
use wa_proto::pb::device_props::PlatformType;

use crate::{ClientType, CompanionPlatform, QrForm};

/// Life of the first ref of a pair-device (pairing chapter, A.3).
pub const FIRST_REF_TTL: Duration = Duration::from_secs(60);

/// Life of every ref after the first (pairing chapter, A.3).
pub const NEXT_REF_TTL: Duration = Duration::from_secs(20);

/// How long the application may think before a veto is assumed. The phone gives up after 32 s
/// (pairing chapter, D.2); this leaves time for the answer to arrive.
pub const APPROVAL_WINDOW: Duration = Duration::from_secs(28);

/// Life of a pairing code, from the moment it was drawn (pairing chapter, B.6).
pub const CODE_TTL: Duration = Duration::from_secs(180);

/// From an accepted primary_hello to pair-success (pairing chapter, B.6).
pub const AFTER_PRIMARY_HELLO: Duration = Duration::from_secs(60);

/// For the answer to companion_hello (pairing chapter, B.6).
pub const HELLO_ANSWER: Duration = Duration::from_secs(30);

/// For the answer to companion_finish (pairing chapter, B.6).
pub const FINISH_ANSWER: Duration = Duration::from_secs(30);

/// How long the owner's authenticator may take: the `timeout` of the options seen live (pairing
/// chapter, C.3). Options that name a shorter one are obeyed.
pub const PASSKEY_ASSERTION: Duration = Duration::from_secs(600);

/// How long the proof that ties a ceremony to the scan is good for (pairing chapter, C.4). Later the
/// user compares codes instead.
pub const PASSKEY_HANDOFF: Duration = Duration::from_secs(300);

/// For the answer to a request of a ceremony: that of a code's requests, ours.
pub const PASSKEY_ANSWER: Duration = Duration::from_secs(30);

/// From the accepted assertion to the phone's key, for which its owner may have to open it: that of a
/// code, ours.
pub const PASSKEY_PRIMARY: Duration = Duration::from_secs(180);

/// For the answer to the last request of a ceremony once the server has asked for a restart: it is about to
/// close the connection, and the phone may have the keys already. Ours.
pub const PASSKEY_RECEIPT_GRACE: Duration = Duration::from_secs(3);

/// For the user to compare the codes: that of a code, ours.
pub const PASSKEY_CONFIRMATION: Duration = Duration::from_secs(180);

/// From the accepted pairing request to pair-success: that of a code's watchdog, ours.
pub const PASSKEY_PAIR_SUCCESS: Duration = Duration::from_secs(60);

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

/// Whether a passkey ceremony proves to the phone that it follows from the scan or the code before
/// it (pairing chapter, C.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Handoff {
    /// Send the proof. It stands for the comparison of the codes, which nobody is asked for then.
    #[default]
    Send,
    /// Do not: the user always compares the codes.
    Withhold,
}

/// Choices of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairConfig {
    /// The last field of the QR text.
    pub client_type: ClientType,
    /// How the QR text is written.
    pub qr_form: QrForm,
    /// Ask before a verified pair-success is accepted.
    pub require_approval: bool,
    /// What a code request says about this device.
    pub companion: CompanionPlatform,
    /// The number of `DeviceProps.platformType`, which goes into the keys of a passkey ceremony
    /// (pairing chapter, C.5). It must be the one the device registers with.
    pub device_type: u32,
    /// Whether a ceremony is tied to what was before it.
    pub handoff: Handoff,
    /// The clocks. The default is the protocol's.
    pub timings: PairTimings,
}

impl Default for PairConfig {
    /// A Chrome of today on Linux.
    fn default() -> Self {
        Self {
            client_type: ClientType::default(),
            qr_form: QrForm::default(),
            require_approval: false,
            companion: CompanionPlatform::default(),
            device_type: PlatformType::Chrome as u32,
            handoff: Handoff::default(),
            timings: PairTimings::default(),
        }
    }
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
    /// [`CODE_TTL`].
    pub code: Duration,
    /// [`AFTER_PRIMARY_HELLO`].
    pub after_primary_hello: Duration,
    /// [`HELLO_ANSWER`].
    pub hello_answer: Duration,
    /// [`FINISH_ANSWER`].
    pub finish_answer: Duration,
    /// [`PASSKEY_ASSERTION`].
    pub passkey_assertion: Duration,
    /// [`PASSKEY_HANDOFF`].
    pub passkey_handoff: Duration,
    /// [`PASSKEY_ANSWER`].
    pub passkey_answer: Duration,
    /// [`PASSKEY_RECEIPT_GRACE`].
    pub passkey_receipt_grace: Duration,
    /// [`PASSKEY_PRIMARY`].
    pub passkey_primary: Duration,
    /// [`PASSKEY_CONFIRMATION`].
    pub passkey_confirmation: Duration,
    /// [`PASSKEY_PAIR_SUCCESS`].
    pub passkey_pair_success: Duration,
}

impl Default for PairTimings {
    fn default() -> Self {
        Self {
            first_ref: FIRST_REF_TTL,
            next_ref: NEXT_REF_TTL,
            approval: APPROVAL_WINDOW,
            code: CODE_TTL,
            after_primary_hello: AFTER_PRIMARY_HELLO,
            hello_answer: HELLO_ANSWER,
            finish_answer: FINISH_ANSWER,
            passkey_assertion: PASSKEY_ASSERTION,
            passkey_handoff: PASSKEY_HANDOFF,
            passkey_answer: PASSKEY_ANSWER,
            passkey_receipt_grace: PASSKEY_RECEIPT_GRACE,
            passkey_primary: PASSKEY_PRIMARY,
            passkey_confirmation: PASSKEY_CONFIRMATION,
            passkey_pair_success: PASSKEY_PAIR_SUCCESS,
        }
    }
}
