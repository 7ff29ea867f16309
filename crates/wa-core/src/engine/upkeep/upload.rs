use tracing::{debug, info, warn};
use wa_signal::{
    FIRST_UPLOAD, LATER_UPLOAD, PrekeyId, PrekeyLedger, PrekeyRange, PublicPrekey, UploadPlan,
    upload_backoff, upload_stanza_children,
};

use super::{Task, Upkeep, UpkeepStep};
use crate::device::MAX_STORED_PREKEYS;
use crate::engine::connected::Line;
use crate::engine::core::Core;
use crate::engine::end::End;
use crate::engine::stage::Answer;
use crate::error::Trouble;
use crate::event::Event;
use crate::io::Output;
use crate::iq::{Purpose, request};
use crate::record::Query;
use crate::state::Step;
use crate::time::Now;

/// What is left of the one-time prekeys in a full store: room for the refill and for one more batch, so that a
/// bundle that differs can be uploaded again without dropping anything.
const KEPT_WHEN_FULL: usize = MAX_STORED_PREKEYS - 2 * LATER_UPLOAD;

impl Upkeep {
    /// Asks the store for the keys that are there, unless there are none yet. Keys that were made and never
    /// confirmed may have reached the server, so its digest comes before them.
    pub(super) fn upload(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
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
        self.step = UpkeepStep::AwaitBatch(now.instant + core.config.timings.store);
        core.outputs.push_back(Output::Load(Query::Prekeys));
        Ok(())
    }

    /// Puts an upload off until the server has said what it holds.
    pub(super) fn digest_first(&mut self) {
        self.next(Task::Upload);
        self.next(Task::Digest);
    }

    /// Makes what is missing, persists it, and sends the batch. `stored` are the keys in the store.
    pub(super) fn offer(
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

    pub(super) fn uploaded(
        &mut self,
        core: &mut Core,
        now: Now,
        batch: PrekeyRange,
        answer: Answer<'_>,
    ) {
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
    pub(super) fn pause(&mut self, now: Now) {
        self.upload_failures = self.upload_failures.saturating_add(1);
        let pause = upload_backoff(self.upload_failures);
        debug!(pause_secs = pause.as_secs(), "uploading later");
        self.step = UpkeepStep::Pause(now.instant + pause);
    }
}

/// The first batch, or a later one.
pub(super) fn plan(ledger: &PrekeyLedger) -> UploadPlan {
    let first = ledger.first_not_uploaded() == PrekeyId::FIRST;
    ledger.plan(if first { FIRST_UPLOAD } else { LATER_UPLOAD })
}

/// Whether the keys that are still to be made have a place beside those that are stored.
pub(super) fn fits(stored: usize, plan: &UploadPlan) -> bool {
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
