use std::collections::VecDeque;
use std::time::Instant;

use tracing::{debug, info, warn};
use wa_proto::Node;
use wa_signal::{
    CountAnswer, DigestAnswer, FIRST_UPLOAD, LATER_UPLOAD, PrekeyId, PrekeyRange, PublicPrekey,
    RotateRefusal, SignedPrekeyId, UploadPlan, count_stanza_child, digest_stanza_child,
    needs_refill, rotate_stanza_child, upload_backoff, upload_stanza_children,
};

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::stage::Answer;
use crate::device::public_prekeys;
use crate::error::Trouble;
use crate::event::Event;
use crate::io::Output;
use crate::iq::{Purpose, request};
use crate::record::{Query, Record};
use crate::state::Step;
use crate::time::Now;

/// With this many one-time prekeys in the store a bundle that differs is not uploaded once more: the server
/// keeps forgetting or inventing keys, and making new ones for ever would only fill the store.
const MAX_STORED_PREKEYS: usize = 4096;

/// Keeps the prekeys on the server in order (login chapter, section 4): one task at a time.
pub(super) struct Upkeep {
    tasks: VecDeque<Task>,
    step: UpkeepStep,
    upload_failures: u32,
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
    /// The last upload was refused.
    Pause(Instant),
}

impl Upkeep {
    /// Counts, then rotates if it is time, then compares.
    pub(super) fn at_login(core: &Core, now: Now) -> Self {
        let mut upkeep = Self {
            tasks: VecDeque::from([Task::Count]),
            step: UpkeepStep::Idle,
            upload_failures: 0,
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
            self.tasks.push_front(Task::Upload);
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
            (UpkeepStep::AwaitDigest, Purpose::Digest) => self.digest(core, answer),
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
                        self.tasks.push_front(Task::Upload);
                    }
                }
                Err(error) => {
                    warn!(%error, "the server does not say how many prekeys it has; uploading");
                    self.tasks.push_front(Task::Upload);
                }
            },
            Answer::Error(code) => warn!(code, "the server does not count the prekeys"),
        }
    }

    /// Makes the keys of the next batch, or asks the store for those that were made before.
    fn upload(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        core.progress(Step::UploadingKeys);
        let Some(device) = &core.device else {
            return Ok(());
        };
        if device.ledger().pending().is_empty() {
            return self.offer(core, line, now, Vec::new());
        }
        self.step = UpkeepStep::AwaitBatch;
        core.outputs.push_back(Output::Load(Query::Prekeys));
        Ok(())
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
        let changes = device.add_prekeys(ledger, &fresh);
        info!(count = batch.len(), "uploading prekeys");
        core.persist(changes);
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
                self.tasks.retain(|task| !matches!(task, Task::Digest));
                return mark_uploaded(core, batch);
            }
            Answer::Error(code) => code,
        };
        self.upload_failures = self.upload_failures.saturating_add(1);
        let pause = upload_backoff(self.upload_failures);
        warn!(
            code,
            pause_secs = pause.as_secs(),
            "the server does not take the prekeys"
        );
        core.tell(Event::Trouble(Trouble::PrekeysRefused { code }));
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

    fn digest(&mut self, core: &mut Core, answer: Answer<'_>) {
        match answer {
            Answer::Result(iq) => match DigestAnswer::parse(iq) {
                Ok(digest) => {
                    settle(core, &digest);
                    self.step = UpkeepStep::AwaitKeys(Box::new(digest));
                    core.outputs.push_back(Output::Load(Query::Prekeys));
                }
                Err(error) => warn!(%error, "the server's digest cannot be read"),
            },
            Answer::Error(404) => {
                info!("the server has no bundle of ours");
                self.add(Task::Upload);
            }
            Answer::Error(code) => debug!(code, "the server has no digest to offer"),
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
            Err(error) if keys.len() >= MAX_STORED_PREKEYS => {
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
fn plan(ledger: &wa_signal::PrekeyLedger) -> UploadPlan {
    let first = ledger.first_not_uploaded() == PrekeyId::FIRST;
    ledger.plan(if first { FIRST_UPLOAD } else { LATER_UPLOAD })
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
