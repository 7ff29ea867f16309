//! What a well-behaved companion comes to under each fault.

mod frames;
mod linking;
mod refusals;
mod unasked;

use crate::fault::{FaultScript, ScriptError};

/// What the companion is doing while the faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Story {
    /// It is linked by QR code and comes online.
    Link,
    /// It shows codes that nobody scans.
    Unscanned,
    /// It is linked by pairing code and comes online; nobody scans the QR code beside it.
    Code,
    /// It is linked by QR code to an account that is guarded by a passkey.
    Passkey,
    /// The same by pairing code.
    CodeAndPasskey,
    /// It was linked before, without any fault, and logs in.
    Login,
}

/// A fault, or a few that belong together, and where a well-behaved companion ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What the companion is doing.
    pub story: Story,
    /// The faults, as a script.
    pub faults: &'static str,
    /// Name of the state it ends in (manual, chapter 9).
    pub ends: &'static str,
    /// What must be told on the way: the reason of a loss, of a logout or of a trouble, and its code.
    pub tells: &'static [&'static str],
}

impl Scenario {
    /// The faults.
    ///
    /// # Errors
    /// Never for [`scenarios`]: a test reads them all.
    pub fn script(&self) -> Result<FaultScript, ScriptError> {
        FaultScript::parse(self.faults)
    }
}

const fn scenario(
    name: &'static str,
    story: Story,
    faults: &'static str,
    ends: &'static str,
    tells: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        story,
        faults,
        ends,
        tells,
    }
}

/// At least one for every fault there is.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    [
        frames::SCENARIOS,
        linking::SCENARIOS,
        refusals::SCENARIOS,
        unasked::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}
