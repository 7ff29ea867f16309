//! Which links an account guards with its passkey, and how its owner behaves (pairing chapter, C and D.5).

use serde::{Deserialize, Serialize};

/// Which links an account guards with its passkey, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasskeyPolicy {
    /// After a scanned code.
    pub after_qr: bool,
    /// After an entered code.
    pub after_code: bool,
    /// Whether the options come with the request. Otherwise the companion has to fetch them.
    pub inline_options: bool,
    /// Whether a notification without keys comes first, as since the middle of 2026.
    pub precursor: bool,
    /// Whether the options leave open which passkey it is, instead of naming the account's.
    pub discoverable: bool,
    /// What the phone makes of the handoff proof.
    pub proof: ProofPolicy,
    /// How long the owner takes to confirm the code on the phone, in milliseconds; without it the phone waits
    /// for [`World::confirm_on_phone`](crate::World::confirm_on_phone).
    pub confirm_ms: Option<u64>,
}

/// What a phone makes of the handoff proof (pairing chapter, C.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProofPolicy {
    /// One that is there has to verify, and then stands for the confirmation.
    #[default]
    Accepted,
    /// One that is there has to verify, and the owner confirms all the same.
    Confirmed,
    /// As [`Self::Accepted`], and without one there is no link.
    Required,
}

impl Default for PasskeyPolicy {
    fn default() -> Self {
        Self {
            after_qr: false,
            after_code: false,
            inline_options: true,
            precursor: false,
            discoverable: false,
            proof: ProofPolicy::default(),
            confirm_ms: Some(0),
        }
    }
}
