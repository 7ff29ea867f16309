use tracing::{debug, info, warn};
use wa_proto::Node;
use wa_signal::{
    DigestAnswer, PrekeyId, PublicPrekey, RotateRefusal, SignedPrekeyId, needs_refill,
    rotate_stanza_child,
};

use super::upload::{fits, plan};
use super::{Task, Upkeep, UpkeepStep};
use crate::engine::connected::Line;
use crate::engine::core::Core;
use crate::engine::end::End;
use crate::engine::stage::Answer;
use crate::error::Trouble;
use crate::event::Event;
use crate::io::Output;
use crate::iq::{Purpose, request};
use crate::record::Query;
use crate::time::Now;

impl Upkeep {
    /// Makes the next signed prekey durable and offers it.
    pub(super) fn rotate(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
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

    pub(super) fn rotated(
        &mut self,
        core: &mut Core,
        now: Now,
        id: SignedPrekeyId,
        answer: Answer<'_>,
    ) {
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

    pub(super) fn digest(&mut self, core: &mut Core, now: Now, answer: Answer<'_>) {
        match answer {
            Answer::Result(iq) => match DigestAnswer::parse(iq) {
                Ok(digest) => {
                    settle(core, &digest);
                    let on_server = u32::try_from(digest.prekeys.len()).unwrap_or(u32::MAX);
                    if !needs_refill(on_server) {
                        self.tasks.retain(|task| *task != Task::Upload);
                    }
                    self.listed = Some(digest.prekeys.clone());
                    let deadline = now.instant + core.config.timings.store;
                    self.step = UpkeepStep::AwaitKeys(Box::new(digest), deadline);
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

    pub(super) fn compare(&mut self, core: &Core, digest: &DigestAnswer, keys: &[PublicPrekey]) {
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
