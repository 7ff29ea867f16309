use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use wa_proto::NodeRef;
use wa_signal::{CountAnswer, needs_refill};

use super::connected::Line;
use super::core::Core;
use super::drain::Drain;
use super::end::End;
use super::keepalive::{Due, Keepalive};
use super::ops::Waits;
use super::own_devices::{self, DeviceList, Mark};
use super::stage::{Answer, Stage, dead};
use super::upkeep::{Task, Upkeep};
use crate::config::Timings;
use crate::error::{CommandError, DisconnectReason, LogoutReason, Trouble};
use crate::event::Event;
use crate::io::{OpId, OpOutcome};
use crate::iq::{Answered, Purpose};
use crate::record::Record;
use crate::stanza;
use crate::state::{ConnectionState, Step};
use crate::time::{Now, earlier};

/// What a request that gets no answer counts as: a server that is not able to give one, for now.
const NO_ANSWER: u16 = 504;

/// A logged-in connection.
pub(super) struct Session {
    keepalive: Keepalive,
    upkeep: Upkeep,
    readiness: Readiness,
    waiting: Waiting,
    drain: Drain,
    devices: DeviceList,
    expiry: Expiry,
}

/// How far a login is from being usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Readiness {
    /// Prekeys are put in order first, so that the first waiting message can be answered.
    Keys,
    /// The server is told that we are active.
    Activating,
    /// It has refused to hear it once.
    ActivatingAgain,
    Online,
}

/// Whether the application knows that the client version expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expiry {
    NotTold,
    Told,
}

/// Whether waiting stanzas have been asked for on this connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waiting {
    NotAskedFor,
    AskedFor,
}

impl Session {
    pub(super) fn begin(core: &mut Core, line: &mut Line, now: Now) -> Result<Stage, End> {
        let keepalive = Keepalive::new(&core.config.timings, now.instant, &mut *core.rng);
        let session = Box::new(Self {
            keepalive,
            upkeep: Upkeep::at_login(core, now),
            readiness: Readiness::Keys,
            waiting: Waiting::NotAskedFor,
            drain: Drain::new(),
            devices: DeviceList::default(),
            expiry: Expiry::NotTold,
        });
        session.advance(core, line, now)
    }

    pub(super) const fn frame_came(&mut self) {
        self.keepalive.frame_came();
    }

    pub(super) fn answer(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        answered: Answered,
        answer: Answer<'_>,
    ) -> Result<Stage, End> {
        match answered.purpose {
            Purpose::KeepAlive => self.pong(core, now, answered.round_trip, answer),
            Purpose::Ping(op) => {
                self.pong(core, now, answered.round_trip, answer);
                core.done(op, answer.to_ping(answered.round_trip));
            }
            Purpose::Count | Purpose::Upload | Purpose::Digest | Purpose::Rotate => {
                self.upkeep.answer(core, now, answered.purpose, answer);
            }
            Purpose::Active => {
                if let Answer::Error(code) = answer
                    && core.config.login.passive
                {
                    warn!(code, "the server does not want to know that we are active");
                    return self.refused_activity(core, line, now, code);
                }
                self.go_online(core);
                self.drain.begin(core, now);
                if core.own_devices.is_none() {
                    self.devices.ask(core, line, now)?;
                }
            }
            Purpose::Devices => self.devices.answer(core, line, now, answer)?,
            Purpose::Clean | Purpose::Unlink | Purpose::Pair(_) => {}
        }
        self.advance(core, line, now)
    }

    /// A request of the upkeep that the login need not wait for has got no answer.
    pub(super) fn unanswered(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        purpose: Purpose,
    ) -> Result<Stage, End> {
        warn!(?purpose, "the server does not answer; going on without");
        let answer = Answer::Error(NO_ANSWER);
        if purpose == Purpose::Devices {
            self.devices.answer(core, line, now, answer)?;
        } else {
            self.upkeep.answer(core, now, purpose, answer);
        }
        self.advance(core, line, now)
    }

    /// What an acked stanza means for the connection itself.
    pub(super) fn delivery(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stanza: &NodeRef<'_>,
    ) -> Result<Stage, End> {
        self.drain.stanza(core, now, stanza);
        if is_about_keys(stanza) {
            self.about_keys(stanza);
        } else if stanza.tag() == "notification" {
            self.devices.notice(core, line, now, stanza)?;
        }
        self.advance(core, line, now)
    }

    pub(super) fn ib(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        ib: &NodeRef<'_>,
    ) -> Result<Stage, End> {
        if ib.child("offline_preview").is_some() && self.waiting == Waiting::NotAskedFor {
            self.waiting = Waiting::AskedFor;
            line.send(core, &stanza::offline_batch())?;
        }
        if ib.child("offline").is_some() {
            self.drain.end(core);
        }
        if let Some(at_unix_secs) = ib
            .child("client_expiration")
            .and_then(|expiration| expiration.attr_u64("t"))
            && std::mem::replace(&mut self.expiry, Expiry::Told) == Expiry::NotTold
        {
            core.tell(Event::Trouble(Trouble::VersionExpires { at_unix_secs }));
        }
        for dirty in ib.children().filter(|child| child.tag() == "dirty") {
            self.dirty(core, line, now, &dirty)?;
        }
        Ok(Stage::Session(self))
    }

    /// Cleans a mark on what is not kept here at all, and on the device list once it was fetched. A mark on
    /// anything unknown stays: nothing was fetched (login chapter, section 7).
    fn dirty(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        dirty: &NodeRef<'_>,
    ) -> Result<(), End> {
        let Some(mark) = Mark::read(dirty) else {
            return Ok(());
        };
        match mark.kind.as_str() {
            "account_sync" if !dirty.has_children() || dirty.child("devices").is_some() => {
                self.devices.ask_for(core, line, now, mark)
            }
            "account_sync" | "groups" | "syncd_app_state" | "newsletter_metadata" => {
                own_devices::clean(core, line, now, &mark)
            }
            _ => {
                debug!("left a dirty mark of an unknown type");
                Ok(())
            }
        }
    }

    pub(super) fn timeout(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        let due = self
            .keepalive
            .poll(&core.config.timings, now.instant, &mut *core.rng);
        match due {
            Due::Nothing => {}
            Due::Ping => {
                self.upkeep.check_age(core, now);
                line.request(core, now, Purpose::KeepAlive, stanza::ping)?;
            }
            Due::Dead => return Err(dead()),
        }
        self.drain.timeout(core, now);
        self.advance(core, line, now)
    }

    /// The one-time prekeys in the store, which the upkeep has asked for.
    pub(super) fn prekeys(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        records: &[Record],
    ) -> Result<Stage, End> {
        self.upkeep.prekeys(core, line, now, records)?;
        self.advance(core, line, now)
    }

    /// Measures a round trip for an operation.
    pub(super) fn ping(
        self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        op: OpId,
    ) -> Result<Stage, End> {
        if line.requests.has_room() {
            core.park(op, Waits::ForPong);
            line.request(core, now, Purpose::Ping(op), stanza::ping)?;
        } else {
            let limit = crate::iq::MAX_PENDING_REQUESTS;
            core.done(op, Err(CommandError::TooManyRequests { limit }));
        }
        Ok(Stage::Session(self))
    }

    pub(super) fn deadline(&self, timings: &Timings) -> Option<Instant> {
        let connection = earlier(self.keepalive.deadline(timings), self.drain.deadline());
        earlier(connection, self.upkeep.deadline())
    }

    pub(super) fn state(&self, core: &Core) -> ConnectionState {
        match self.readiness {
            Readiness::Online => ConnectionState::Online,
            Readiness::Keys if self.upkeep.is_uploading() => core.state_during(Step::UploadingKeys),
            Readiness::Keys | Readiness::Activating | Readiness::ActivatingAgain => {
                core.state_during(Step::LoggingIn)
            }
        }
    }

    pub(super) fn is_online(&self) -> bool {
        self.readiness == Readiness::Online
    }

    /// Goes on with whatever can go on.
    fn advance(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
    ) -> Result<Stage, End> {
        self.upkeep.run(core, line, now)?;
        if self.readiness == Readiness::Keys && self.upkeep.is_settled() {
            self.readiness = Readiness::Activating;
            line.request(core, now, Purpose::Active, stanza::active)?;
        }
        Ok(Stage::Session(self))
    }

    /// Without `active` the server keeps the waiting stanzas back (login chapter, section 5): it is told once more, and
    /// then on another connection.
    fn refused_activity(
        mut self: Box<Self>,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        code: u16,
    ) -> Result<Stage, End> {
        if self.readiness != Readiness::Activating {
            return Err(End::lost(DisconnectReason::Refused { reason: code }));
        }
        self.readiness = Readiness::ActivatingAgain;
        line.request(core, now, Purpose::Active, stanza::active)?;
        Ok(Stage::Session(self))
    }

    fn go_online(&mut self, core: &mut Core) {
        self.readiness = Readiness::Online;
        if core.paired_in.take().is_some() {
            // The restart that belongs to every pairing.
            core.restarts = 0;
        }
        if let Some(link) = core.registered() {
            info!(jid = %link.jid.redacted(), "online");
            let event = Event::Online {
                jid: link.jid.clone(),
                lid: link.lid.clone(),
                push_name: link.push_name.clone(),
            };
            core.tell_after(event);
        }
        core.done_all(Waits::ForOnline, &Ok(OpOutcome::Online));
    }

    fn pong(&mut self, core: &mut Core, now: Now, round_trip: Duration, answer: Answer<'_>) {
        self.keepalive.pong_came(now.instant);
        core.proved();
        core.health.last_pong_unix_ms = Some(now.unix_ms);
        core.health.last_round_trip_ms = u64::try_from(round_trip.as_millis()).ok();
        if let Answer::Result(iq) = answer
            && let Some(secs) = iq.attr_u64("t")
        {
            core.clock.set(now, secs, round_trip);
        }
    }

    /// A notification of type `encrypt` (login chapter, section 4; pairing chapter, F.5).
    fn about_keys(&mut self, notification: &NodeRef<'_>) {
        if let Ok(CountAnswer { count }) = CountAnswer::parse(notification) {
            if needs_refill(count) {
                self.upkeep.add(Task::Upload);
            }
        } else if notification.child("digest").is_some() {
            self.upkeep.add(Task::Digest);
        } else {
            debug!("a note about the keys of somebody else");
        }
    }
}

/// Whether a stanza is a notification of type `encrypt`.
fn is_about_keys(stanza: &NodeRef<'_>) -> bool {
    stanza.tag() == "notification" && stanza.attr_text("type").as_deref() == Some("encrypt")
}

/// The end of the link, when a stanza says that the own phone has another identity now.
pub(super) fn voided(core: &Core, stanza: &NodeRef<'_>) -> Option<End> {
    let changed = is_about_keys(stanza)
        && CountAnswer::parse(stanza).is_err()
        && stanza.child("digest").is_none()
        && stanza.child("identity").is_some()
        && is_own_primary(core, stanza);
    changed.then_some(End::LogOut {
        reason: LogoutReason::PrimaryIdentityChanged,
        server_unlinked: None,
    })
}

/// Whether a notification comes from device 0 of the own account.
fn is_own_primary(core: &Core, notification: &NodeRef<'_>) -> bool {
    let (Some(link), Some(from)) = (core.registered(), notification.attr_jid("from")) else {
        return false;
    };
    from.device() == 0 && link.is_own(&from)
}
