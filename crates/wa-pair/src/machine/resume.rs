//! What outlives a connection: the phone has all it needs, and its pair-success may come on the next.

use std::time::Instant;

use super::Pairing;
use super::link_code::LinkCode;
use super::passkey::Ceremony;
use crate::clocks::Clock;
use crate::passkey::HandoffKey;

/// A pair-success that may still come, keyed with the ADV secret of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwaitedLink {
    /// What the phone was asked by.
    pub via: AwaitedVia,
    /// When it is given up.
    pub deadline: Instant,
}

/// Ways to link that can be answered on a later connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AwaitedVia {
    /// A pairing code that was typed, and companion_finish has left.
    Code,
    /// A passkey ceremony whose last request has left.
    Passkey,
}

impl Pairing {
    /// What the next connection has to know if this one ends now: the phone was sent what it needs to
    /// endorse this device, so its pair-success may come there.
    pub fn awaited_link(&self) -> Option<AwaitedLink> {
        let code = self.code.as_deref();
        let handed_over = code.is_none_or(LinkCode::is_handed_over);
        let (clock, via) = if self.clocks.holds_secret(Clock::Passkey) {
            (Clock::Passkey, AwaitedVia::Passkey)
        } else if self.clocks.holds_secret(Clock::Code) && handed_over {
            (Clock::Code, AwaitedVia::Code)
        } else {
            return None;
        };
        let deadline = self.clocks.deadline(clock)?;
        Some(AwaitedLink { via, deadline })
    }

    /// Goes on, on a new connection, with what the one before still awaited: nothing replaces the secret
    /// before the deadline; then it is told and a fresh secret is drawn, as it would have been there.
    pub fn resume(&mut self, awaited: AwaitedLink) {
        match awaited.via {
            AwaitedVia::Code => self.clocks.resume(Clock::Code, awaited.deadline),
            AwaitedVia::Passkey => {
                let handoff = HandoffKey::derive(&self.keys.adv);
                self.ceremony = Some(Box::new(Ceremony::over(handoff, awaited.deadline)));
                self.clocks.resume(Clock::Passkey, awaited.deadline);
            }
        }
    }
}
