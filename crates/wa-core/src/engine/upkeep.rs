mod bundle;
mod upload;

use std::collections::VecDeque;
use std::time::Instant;

use tracing::{debug, warn};
use wa_signal::{
    CountAnswer, DigestAnswer, PrekeyId, PrekeyRange, SignedPrekeyId, count_stanza_child,
    digest_stanza_child, needs_refill,
};

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::phase::store_is_silent;
use super::stage::Answer;
use crate::device::public_prekeys;
use crate::iq::{Purpose, request};
use crate::record::Record;
use crate::time::Now;

/// Keeps the prekeys on the server in order (login chapter, section 4): one task at a time.
pub(super) struct Upkeep {
    tasks: VecDeque<Task>,
    step: UpkeepStep,
    upload_failures: u32,
    /// The one-time prekeys on the server, as its digest has told since the last upload was sent. Keys that
    /// may have been offered before are offered only when it is known.
    listed: Option<Vec<PrekeyId>>,
}

/// Something to be put in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Count,
    Upload,
    Rotate,
    Digest,
}

enum UpkeepStep {
    Idle,
    AwaitCount,
    /// The store is asked for the keys of a batch that was made and not uploaded.
    AwaitBatch(Instant),
    AwaitUpload(PrekeyRange),
    AwaitRotation(SignedPrekeyId),
    AwaitDigest,
    /// The store is asked for the keys to compare.
    AwaitKeys(Box<DigestAnswer>, Instant),
    /// The last upload was refused, or the digest it needs.
    Pause(Instant),
}

impl Upkeep {
    /// Counts, then rotates if it is time, then compares.
    pub(super) fn at_login(core: &Core, now: Now) -> Self {
        let mut upkeep = Self {
            tasks: VecDeque::from([Task::Count]),
            step: UpkeepStep::Idle,
            upload_failures: 0,
            listed: None,
        };
        upkeep.check_age(core, now);
        upkeep.add(Task::Digest);
        upkeep
    }

    pub(super) fn add(&mut self, task: Task) {
        if !self.tasks.contains(&task) {
            self.tasks.push_back(task);
        }
    }

    fn next(&mut self, task: Task) {
        self.tasks.retain(|queued| *queued != task);
        self.tasks.push_front(task);
    }

    /// Plans a rotation if the signed prekey is old enough.
    pub(super) fn check_age(&mut self, core: &Core, now: Now) {
        let due = core
            .device
            .as_ref()
            .is_some_and(|device| device.is_rotation_due(now.unix_secs()));
        if due && !matches!(self.step, UpkeepStep::AwaitRotation(_)) {
            self.add(Task::Rotate);
        }
    }

    /// Starts the next task if none is under way.
    pub(super) fn run(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        if let UpkeepStep::AwaitBatch(until) | UpkeepStep::AwaitKeys(_, until) = self.step
            && until <= now.instant
        {
            return Err(store_is_silent());
        }
        if let UpkeepStep::Pause(until) = self.step
            && until <= now.instant
        {
            self.step = UpkeepStep::Idle;
            self.next(Task::Upload);
        }
        while matches!(self.step, UpkeepStep::Idle) {
            let Some(task) = self.tasks.pop_front() else {
                break;
            };
            match task {
                Task::Count => {
                    self.step = UpkeepStep::AwaitCount;
                    line.request(core, now, Purpose::Count, |id| {
                        request("get", "encrypt", id).child(count_stanza_child())
                    })?;
                }
                Task::Upload => self.upload(core, line, now)?,
                Task::Rotate => self.rotate(core, line, now)?,
                Task::Digest => {
                    self.step = UpkeepStep::AwaitDigest;
                    line.request(core, now, Purpose::Digest, |id| {
                        request("get", "encrypt", id).child(digest_stanza_child())
                    })?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        core: &mut Core,
        now: Now,
        purpose: Purpose,
        answer: Answer<'_>,
    ) {
        match (std::mem::replace(&mut self.step, UpkeepStep::Idle), purpose) {
            (UpkeepStep::AwaitCount, Purpose::Count) => self.counted(answer),
            (UpkeepStep::AwaitUpload(batch), Purpose::Upload) => {
                self.uploaded(core, now, batch, answer);
            }
            (UpkeepStep::AwaitRotation(id), Purpose::Rotate) => self.rotated(core, now, id, answer),
            (UpkeepStep::AwaitDigest, Purpose::Digest) => self.digest(core, now, answer),
            (step, _) => self.step = step,
        }
    }

    /// The one-time prekeys in the store.
    pub(super) fn prekeys(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        records: &[Record],
    ) -> Result<(), End> {
        match std::mem::replace(&mut self.step, UpkeepStep::Idle) {
            UpkeepStep::AwaitBatch(_) => self.offer(core, line, now, public_prekeys(records)),
            UpkeepStep::AwaitKeys(digest, _) => {
                self.compare(core, &digest, &public_prekeys(records));
                Ok(())
            }
            step => {
                self.step = step;
                Ok(())
            }
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.step {
            UpkeepStep::Pause(until)
            | UpkeepStep::AwaitBatch(until)
            | UpkeepStep::AwaitKeys(_, until) => Some(until),
            _ => None,
        }
    }

    /// Whether nothing is under way that a login should wait for.
    pub(super) fn is_settled(&self) -> bool {
        match self.step {
            UpkeepStep::Idle => self.tasks.is_empty(),
            UpkeepStep::Pause(_) => true,
            _ => false,
        }
    }

    pub(super) const fn is_uploading(&self) -> bool {
        matches!(
            self.step,
            UpkeepStep::AwaitBatch(_) | UpkeepStep::AwaitUpload(_)
        )
    }

    fn counted(&mut self, answer: Answer<'_>) {
        match answer {
            Answer::Result(iq) => match CountAnswer::parse(iq) {
                Ok(CountAnswer { count }) => {
                    debug!(count, "prekeys on the server");
                    if needs_refill(count) {
                        self.next(Task::Upload);
                    }
                }
                Err(error) => {
                    warn!(%error, "the server does not say how many prekeys it has; uploading");
                    self.next(Task::Upload);
                }
            },
            Answer::Error(code) => warn!(code, "the server does not count the prekeys"),
        }
    }
}
