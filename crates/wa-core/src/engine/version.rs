use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::core::Core;
use super::phase::Phase;
use crate::config::{ClientVersion, FetchedVersion, VersionChoice};
use crate::device::KnownVersion;
use crate::error::{CommandError, DisconnectReason};
use crate::io::Output;
use crate::state::ConnectionState;
use crate::time::Now;

/// A source that has answered for a refused version is asked about it again only after this long.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// The driver is asked for the current client version.
pub(super) struct AwaitVersion {
    pub(super) deadline: Instant,
}

/// What is known about refused versions.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Refusals {
    /// The last version that was refused.
    pub(super) last: Option<ClientVersion>,
    /// The version a source has answered for, and when.
    answered: Option<(ClientVersion, Instant)>,
    /// Whether a source was asked since the last login, start or choice of a version.
    asked: bool,
}

impl Refusals {
    /// Somebody starts, logs in or chooses: a source may be asked again.
    pub(super) const fn new_round(&mut self) {
        self.asked = false;
    }

    fn may_ask(&self, version: ClientVersion, now: Instant) -> bool {
        let answered = self.answered.is_some_and(|(answered, at)| {
            answered == version && now.saturating_duration_since(at) < ASK_AGAIN_AFTER
        });
        !self.asked && !answered
    }
}

impl Core {
    /// The server refuses the version. One that was not pinned is replaced by a newer one, once.
    pub(super) fn outdated(&mut self, now: Now) -> Phase {
        warn!(version = %self.version, "the server refuses this client version as too old");
        self.refusals.last = Some(self.version);
        self.disconnected(DisconnectReason::Refused { reason: 405 }, None);
        let pinned = self.config.version != VersionChoice::Auto;
        if pinned || !self.refusals.may_ask(self.version, now.instant) {
            return self.stay_outdated();
        }
        self.refusals.asked = true;
        self.outputs.push_back(Output::FetchVersion);
        Phase::Fetching(AwaitVersion {
            deadline: now.instant + self.config.timings.version_fetch,
        })
    }

    /// A newer version may, and so may an older one that is not older than the program, if what was refused came
    /// from a source: it may have been no version at all.
    fn may_replace_the_refused(&self, fetched: ClientVersion) -> bool {
        let known = self.known_version.as_ref();
        let was_fetched = known.is_some_and(|known| known.version == self.version);
        fetched > self.version
            || (was_fetched && fetched != self.version && fetched >= ClientVersion::COMPILED_IN)
    }

    fn stay_outdated(&mut self) -> Phase {
        self.fail_all(&CommandError::Outdated);
        Phase::rest(ConnectionState::Outdated)
    }

    /// What a source has answered.
    fn version_fetched(&mut self, now: Now, fetched: Result<FetchedVersion, String>) -> Phase {
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(why) => {
                warn!(why, "no current client version");
                return self.stay_outdated();
            }
        };
        self.refusals.answered = Some((self.version, now.instant));
        if !self.may_replace_the_refused(fetched.version) {
            warn!(version = %fetched.version, "the source knows no newer client version");
            return self.stay_outdated();
        }
        info!(version = %fetched.version, source = fetched.source, "another client version");
        self.version = fetched.version;
        let known = KnownVersion::new(fetched, now.unix_secs());
        self.persist(known.keep());
        self.known_version = Some(known);
        self.begin(now)
    }
}

impl Phase {
    pub(super) fn version_fetched(
        self,
        core: &mut Core,
        now: Now,
        fetched: Result<FetchedVersion, String>,
    ) -> Self {
        match self {
            Self::Fetching(_) => core.version_fetched(now, fetched),
            other => other,
        }
    }
}

impl AwaitVersion {
    pub(super) fn timeout(self, core: &mut Core, now: Now) -> Phase {
        if now.instant < self.deadline {
            Phase::Fetching(self)
        } else {
            warn!("no answer about the current client version");
            core.stay_outdated()
        }
    }
}
