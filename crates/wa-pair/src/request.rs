use std::fmt;

use wa_proto::NodeRef;

/// A request of the machine on its way. Hand it back with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairRequest {
    step: PairStep,
    generation: u64,
}

impl PairRequest {
    pub(crate) const fn new(step: PairStep, generation: u64) -> Self {
        Self { step, generation }
    }

    /// What it asks.
    pub const fn step(self) -> PairStep {
        self.step
    }
}

/// What a [`PairRequest`] asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PairStep {
    /// For a pairing code to be accepted (pairing chapter, B.4).
    CompanionHello,
    /// To hand the phone our keys (B.5).
    CompanionFinish,
    /// For the passkey options (C.2, step 2).
    PasskeyOptions,
    /// For the ref of the attempt (C.2, step 4).
    PasskeyRef,
    /// To check the assertion (C.2, step 5).
    PasskeyPrologue,
    /// To hand the phone our nonce (C.2, step 7).
    PasskeyNonce,
    /// To hand the phone our keys (C.2, step 9).
    PasskeyPairingRequest,
}

impl fmt::Display for PairStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CompanionHello => "code request",
            Self::CompanionFinish => "key bundle",
            Self::PasskeyOptions => "request for passkey options",
            Self::PasskeyRef => "request for a pairing ref",
            Self::PasskeyPrologue => "passkey assertion",
            Self::PasskeyNonce => "passkey nonce",
            Self::PasskeyPairingRequest => "passkey pairing request",
        })
    }
}

/// What became of a [`PairRequest`].
#[derive(Clone, Copy)]
pub enum PairAnswer<'a> {
    /// An iq of type `result`.
    Result(&'a NodeRef<'a>),
    /// An iq of type `error`.
    Error(&'a NodeRef<'a>),
    /// None came in the time the request named.
    TimedOut,
}

impl fmt::Debug for PairAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Result(_) => "Result(..)",
            Self::Error(_) => "Error(..)",
            Self::TimedOut => "TimedOut",
        })
    }
}
