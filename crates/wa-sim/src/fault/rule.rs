//! A fault, and when it applies.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{BadFrame, Fault, StanzaKind, Step};
use crate::account::MAX_WAITING_STANZAS;
use crate::names::PhoneNumber;

/// Longest time a fault can name: a day.
pub const MAX_FAULT_MS: u64 = 24 * 3_600 * 1_000;
/// Most routing info a fault can hand out, in bytes. Real routing info has a few (transport chapter, 2).
pub const MAX_ROUTING_LEN: u16 = 1_024;

/// Deepest nesting a fault can build, in levels. Clients that read any further have no bound.
pub const MAX_DEPTH: u32 = 100_000;
/// Longest content a compressed frame can announce, in bytes: many times what clients take.
pub const MAX_INFLATED: u32 = 64 << 20;

/// A fault with the rule when it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often; without it for ever.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How many chances are let pass first.
    #[serde(default)]
    pub skip: u32,
    /// Only on connections of this account. A connection belongs to none before its payload names one, a pairing
    /// code of its number is asked for or a phone has scanned its code: faults that strike before need this empty.
    #[serde(default)]
    pub account: Option<PhoneNumber>,
}

/// Why a rule can never do what it says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleError {
    /// It strikes no times.
    #[error("times is 0: it would never strike; null is for ever")]
    NoTimes,
    /// A number is out of its bounds.
    #[error("{field} is {got}, it may be {least} to {most}")]
    OutOfBounds {
        /// Which one.
        field: &'static str,
        /// What it is.
        got: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// The fault needs a connection whose handshake is over.
    #[error(
        "it cannot strike during the handshake; the first step it can strike at is client_finish"
    )]
    InHandshake,
    /// The fault needs a companion that is logged in.
    #[error("it needs a companion that is logged in; the first step it can strike at is login")]
    BeforeLogin,
    /// The account of a connection is not known at that point.
    #[error("the account of a connection is not known at that point; leave account out")]
    AccountUnknown,
}

impl FaultRule {
    /// The fault at its next chance, once.
    pub fn once(fault: Fault) -> Self {
        Self {
            fault,
            times: Some(1),
            skip: 0,
            account: None,
        }
    }

    /// The fault at every chance.
    pub fn always(fault: Fault) -> Self {
        Self {
            times: None,
            ..Self::once(fault)
        }
    }

    /// Whether the rule can do what it says.
    ///
    /// # Errors
    /// See [`RuleError`].
    pub fn check(&self) -> Result<(), RuleError> {
        if self.times == Some(0) {
            return Err(RuleError::NoTimes);
        }
        if let Some((field, got, least, most)) = self.fault.number()
            && !(least..=most).contains(&got)
        {
            return Err(RuleError::OutOfBounds {
                field,
                got,
                least,
                most,
            });
        }
        match &self.fault {
            Fault::StreamErrorAt { step, .. } | Fault::Push { step, .. } if step.in_handshake() => {
                return Err(RuleError::InHandshake);
            }
            Fault::Push { step, stanza } if stanza.needs_ack() && !step.in_login() => {
                return Err(RuleError::BeforeLogin);
            }
            Fault::UsePrekeys { step, .. } if !step.in_login() => {
                return Err(RuleError::BeforeLogin);
            }
            Fault::RemoveDevice { step, .. } if !step.in_login() && *step != Step::PairSign => {
                return Err(RuleError::BeforeLogin);
            }
            _ => {}
        }
        if self.account.is_some() && self.fault.before_account() {
            return Err(RuleError::AccountUnknown);
        }
        Ok(())
    }
}

impl Fault {
    /// The number in it that has bounds: its name, its value, and the least and the most it may be.
    fn number(&self) -> Option<(&'static str, u64, u64, u64)> {
        let limit = |field, got: usize, least, most: usize| {
            let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
            Some((field, wide(got), least, wide(most)))
        };
        match self {
            Self::DelayAt { ms, .. }
            | Self::RefWindow { ms }
            | Self::RestartDelay { ms }
            | Self::AckLimit { ms } => Some(("ms", *ms, 0, MAX_FAULT_MS)),
            Self::BadFrameAt {
                frame: BadFrame::Deep { depth },
                ..
            } => Some(("depth", u64::from(*depth), 1, u64::from(MAX_DEPTH))),
            Self::BadFrameAt {
                frame: BadFrame::ZipBomb { inflated },
                ..
            } => Some(("inflated", u64::from(*inflated), 1, u64::from(MAX_INFLATED))),
            Self::SplitFrames { chunk } => limit("chunk", *chunk, 1, usize::MAX),
            Self::Refs { count } => limit("count", *count, 0, super::MAX_REFS),
            Self::OfflineBatch { count, .. } => limit("count", *count, 1, MAX_WAITING_STANZAS),
            Self::Push {
                stanza: super::Extra::EdgeRouting { bytes },
                ..
            } => Some(("bytes", u64::from(*bytes), 1, u64::from(MAX_ROUTING_LEN))),
            _ => None,
        }
    }

    /// Whether it strikes before the account of a connection is known.
    fn before_account(&self) -> bool {
        match self {
            Self::CloseAt { step }
            | Self::SilentAt { step }
            | Self::DelayAt { step, .. }
            | Self::BadFrameAt { step, .. }
            | Self::StreamErrorAt { step, .. }
            | Self::Push { step, .. } => step.before_account(),
            Self::Drop { stanza, .. }
            | Self::Hold { stanza, .. }
            | Self::Duplicate { stanza, .. } => *stanza == StanzaKind::PairDevice,
            Self::Certificate { .. }
            | Self::Refs { .. }
            | Self::RefWindow { .. }
            | Self::RefuseIk
            | Self::SplitFrames { .. }
            | Self::JoinFrames => true,
            _ => false,
        }
    }
}

/// A time a fault names, within its bound.
pub(crate) fn pause(ms: u64) -> Duration {
    Duration::from_millis(ms.min(MAX_FAULT_MS))
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::once(fault)
    }
}

fn once() -> Option<u32> {
    Some(1)
}
