use std::collections::VecDeque;
use std::time::Instant;

use tracing::{debug, info, warn};
use wa_proto::Node;
use wa_signal::{
    CountAnswer, DigestAnswer, FIRST_UPLOAD, LATER_UPLOAD, PrekeyId, PrekeyLedger, PrekeyRange,
    PublicPrekey, RotateRefusal, SignedPrekeyId, UploadPlan, count_stanza_child,
    digest_stanza_child, needs_refill, rotate_stanza_child, upload_backoff, upload_stanza_children,
};

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::stage::Answer;
use crate::device::{MAX_STORED_PREKEYS, public_prekeys};
use crate::error::Trouble;
use crate::event::Event;
use crate::io::Output;
use crate::iq::{Purpose, request};
use crate::record::{Query, Record};
use crate::state::Step;
use crate::time::Now;

/// What is left of the one-time prekeys in a full store: room for the refill and for one more batch, so that a
/// bundle that differs can be uploaded again without dropping anything.
const KEPT_WHEN_FULL: usize = MAX_STORED_PREKEYS - 2 * LATER_UPLOAD;

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
    AwaitBatch,
    AwaitUpload(PrekeyRange),
    AwaitRotation(SignedPrekeyId),
    AwaitDigest,
    /// The store is asked for the keys to compare.
    AwaitKeys(Box<DigestAnswer>),
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
            UpkeepStep::AwaitBatch => self.offer(core, line, now, public_prekeys(records)),
            UpkeepStep::AwaitKeys(digest) => {
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
            UpkeepStep::Pause(until) => Some(until),
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
            UpkeepStep::AwaitBatch | UpkeepStep::AwaitUpload(_)
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

    /// Asks the store for the keys that are there, unless there are none yet. Keys that were made and never
    /// confirmed may have reached the server, so its digest comes before them.
    fn upload(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        let Some(device) = &core.device else {
            return Ok(());
        };
        let ledger = device.ledger();
        if self.listed.is_none() && !ledger.pending().is_empty() {
            self.digest_first();
            return Ok(());
        }
        let first = ledger.next_id() == PrekeyId::FIRST;
        core.progress(Step::UploadingKeys);
        if first {
            return self.offer(core, line, now, Vec::new());
        }
        self.step = UpkeepStep::AwaitBatch;
        core.outputs.push_back(Output::Load(Query::Prekeys));
        Ok(())
    }

    /// Puts an upload off until the server has said what it holds.
    fn digest_first(&mut self) {
        self.next(Task::Upload);
        self.next(Task::Digest);
    }

    /// Makes what is missing, persists it, and sends the batch. `stored` are the keys in the store.
    fn offer(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        stored: Vec<PublicPrekey>,
    ) -> Result<(), End> {
        let Some(device) = &mut core.device else {
            return Ok(());
        };
        let mut ledger = device.ledger().clone();
        let plan = plan(&ledger);
        let mut dropped = Vec::new();
        if !fits(stored.len(), &plan) {
            let Some(listed) = &self.listed else {
                self.digest_first();
                return Ok(());
            };
            dropped = ledger.droppable(stored.iter().map(|key| key.id), listed, KEPT_WHEN_FULL);
            if !fits(stored.len() - dropped.len(), &plan) {
                warn!(
                    stored = stored.len(),
                    "no room for more prekeys: the server lists most of those in the store"
                );
                return Ok(());
            }
        }
        let fresh = ledger.generate_missing(&plan, device.provider(), &mut *core.rng);
        let batch = plan.upload();
        let mut keys: Vec<PublicPrekey> = stored
            .into_iter()
            .filter(|key| batch.contains(key.id))
            .collect();
        keys.extend(fresh.iter().map(PublicPrekey::from));
        let signed = device.signed_prekey().public();
        let children = upload_stanza_children(
            device.registration_id(),
            &device.identity_public(),
            keys,
            signed,
        );
        let changes = device.add_prekeys(ledger, &fresh, &dropped);
        info!(
            count = batch.len(),
            dropped = dropped.len(),
            "uploading prekeys"
        );
        core.persist(changes);
        self.listed = None;
        self.step = UpkeepStep::AwaitUpload(batch);
        line.request(core, now, Purpose::Upload, |id| {
            request("set", "encrypt", id).children(children)
        })
    }

    fn uploaded(&mut self, core: &mut Core, now: Now, batch: PrekeyRange, answer: Answer<'_>) {
        let code = match answer {
            Answer::Result(_) => {
                self.upload_failures = 0;
                // The server has just been given everything.
                self.tasks.retain(|task| *task == Task::Rotate);
                return mark_uploaded(core, batch);
            }
            Answer::Error(code) => code,
        };
        warn!(code, "the server does not take the prekeys");
        core.tell(Event::Trouble(Trouble::PrekeysRefused { code }));
        self.pause(now);
    }

    /// Waits before the next upload, longer every time.
    fn pause(&mut self, now: Now) {
        self.upload_failures = self.upload_failures.saturating_add(1);
        let pause = upload_backoff(self.upload_failures);
        debug!(pause_secs = pause.as_secs(), "uploading later");
        self.step = UpkeepStep::Pause(now.instant + pause);
    }

    /// Makes the next signed prekey durable and offers it.
    fn rotate(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        let Some(device) = &mut core.device else {
            return Ok(());
        };
        let (next, changes) = device.next_signed_prekey(&mut *core.rng, now.unix_secs());
        core.persist(changes);
        self.step = UpkeepStep::AwaitRotation(next.id);
        let child: Node = rotate_stanza_child(&next);
        line.request(core, now, Purpose::Rotate, |id| {
            request("set", "encrypt", id).child(child)
        })
    }

    fn rotated(&mut self, core: &mut Core, now: Now, id: SignedPrekeyId, answer: Answer<'_>) {
        let Some(device) = &mut core.device else {
            return;
        };
        let code = match answer {
            Answer::Result(_) => {
                info!("signed prekey rotated");
                let changes = device.use_signed_prekey(id);
                return core.persist(changes);
            }
            Answer::Error(code) => code,
        };
        warn!(code, "the server does not take the new signed prekey");
        let mut changes = device.put_rotation_off(now.unix_secs());
        match RotateRefusal::from_code(code) {
            RotateRefusal::Malformed => changes = changes.and(device.drop_signed_prekey(id)),
            // It tells whether the server has the new key all the same.
            RotateRefusal::Mismatch => self.add(Task::Digest),
            _ => {}
        }
        core.persist(changes);
        core.tell(Event::Trouble(Trouble::RotationRefused { code }));
    }

    fn digest(&mut self, core: &mut Core, now: Now, answer: Answer<'_>) {
        match answer {
            Answer::Result(iq) => match DigestAnswer::parse(iq) {
                Ok(digest) => {
                    settle(core, &digest);
                    let on_server = u32::try_from(digest.prekeys.len()).unwrap_or(u32::MAX);
                    if !needs_refill(on_server) {
                        self.tasks.retain(|task| *task != Task::Upload);
                    }
                    self.listed = Some(digest.prekeys.clone());
                    self.step = UpkeepStep::AwaitKeys(Box::new(digest));
                    core.outputs.push_back(Output::Load(Query::Prekeys));
                    return;
                }
                Err(error) => warn!(%error, "the server's digest cannot be read"),
            },
            Answer::Error(404) => {
                info!("the server has no bundle of ours");
                self.listed = Some(Vec::new());
                return self.add(Task::Upload);
            }
            Answer::Error(code) => debug!(code, "the server has no digest to offer"),
        }
        if self.tasks.contains(&Task::Upload) {
            self.pause(now);
        }
    }

    fn compare(&mut self, core: &Core, digest: &DigestAnswer, keys: &[PublicPrekey]) {
        let Some(device) = &core.device else {
            return;
        };
        let key_of = |id: PrekeyId| keys.iter().find(|key| key.id == id).map(|key| key.key);
        let compared = digest.compare(
            device.registration_id(),
            &device.identity_public(),
            device.signed_prekey(),
            key_of,
        );
        match compared {
            Ok(()) => debug!("the bundle on the server is ours"),
            // A server that keeps forgetting or inventing keys must not push out those that were handed out.
            Err(error) if !fits(keys.len(), &plan(device.ledger())) => {
                warn!(%error, "the bundle on the server differs, and it has been uploaded often enough");
            }
            Err(error) => {
                warn!(%error, "the bundle on the server differs; uploading it again");
                self.add(Task::Upload);
            }
        }
    }
}

/// The first batch, or a later one.
fn plan(ledger: &PrekeyLedger) -> UploadPlan {
    let first = ledger.first_not_uploaded() == PrekeyId::FIRST;
    ledger.plan(if first { FIRST_UPLOAD } else { LATER_UPLOAD })
}

/// Whether the keys that are still to be made have a place beside those that are stored.
fn fits(stored: usize, plan: &UploadPlan) -> bool {
    stored + plan.missing().len() as usize <= MAX_STORED_PREKEYS
}

fn mark_uploaded(core: &mut Core, batch: PrekeyRange) {
    let Some(device) = &mut core.device else {
        return;
    };
    let mut ledger = device.ledger().clone();
    match ledger.mark_uploaded(batch) {
        Ok(()) => {
            let changes = device.set_ledger(ledger);
            core.persist(changes);
        }
        Err(error) => tracing::error!(%error, "the uploaded batch does not fit the counters"),
    }
}

/// Settles an upload and a rotation whose answers were lost.
fn settle(core: &mut Core, digest: &DigestAnswer) {
    let Some(device) = &mut core.device else {
        return;
    };
    let mut changes = device.settle_rotation(&digest.signed);
    let mut ledger = device.ledger().clone();
    if ledger.reconcile(digest.prekeys.iter().copied()) {
        changes = changes.and(device.set_ledger(ledger));
    }
    core.persist(changes);
}
