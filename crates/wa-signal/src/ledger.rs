use thiserror::Error;
use wa_crypto::{CryptoRng, Provider, generate_one_time_prekeys};

use crate::{MAX_PREKEY_ID, OneTimePrekey, PrekeyId};

/// Keys in the first upload (signal chapter, section 3).
pub const FIRST_UPLOAD: usize = 812;

/// Keys in a later upload: the official client offers as many again (login chapter, section 4).
pub const LATER_UPLOAD: usize = 812;

/// Most keys in one upload stanza. No client sends a larger batch than the official 812.
pub const MAX_BATCH: usize = 812;

/// Most keys that can lie between the two watermarks: planning fills one batch and no more.
pub const MAX_PENDING: u32 = 812;

/// Fewer keys than this on the server call for an upload (signal chapter, section 3).
pub const REFILL_THRESHOLD: u32 = 5;

/// Whether a server that holds `count` of our one-time prekeys needs more.
pub const fn needs_refill(count: u32) -> bool {
    count < REFILL_THRESHOLD
}

/// A run of prekey ids, in ring order. It does not borrow the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrekeyRange {
    first: PrekeyId,
    len: u32,
}

impl PrekeyRange {
    /// The first id of the run (of an empty run: where it would start).
    pub const fn first(&self) -> PrekeyId {
        self.first
    }

    /// The id behind the last one.
    pub fn end(&self) -> PrekeyId {
        self.first.advance(self.len)
    }

    /// Number of ids.
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether it holds no id.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `id` is one of the run.
    pub const fn contains(&self, id: PrekeyId) -> bool {
        self.first.steps_to(id) < self.len
    }

    /// The ids, in order, across the wrap.
    pub fn iter(&self) -> impl Iterator<Item = PrekeyId> + use<> {
        std::iter::successors(Some(self.first), |id| Some(id.next())).take(self.len as usize)
    }
}

/// What one upload offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct UploadPlan {
    upload: PrekeyRange,
    missing: u32,
}

impl UploadPlan {
    /// The ids the stanza offers. An id whose private key the store no longer has was used by a peer
    /// already: leave it out, it is not made again.
    pub const fn upload(&self) -> PrekeyRange {
        self.upload
    }

    /// The tail of [`upload`](Self::upload) that has no keys yet.
    pub fn missing(&self) -> PrekeyRange {
        PrekeyRange {
            first: self.upload.first.advance(self.upload.len - self.missing),
            len: self.missing,
        }
    }
}

/// The two watermarks over the ring of prekey ids: NEXT to generate, and FIRST NOT UPLOADED
/// (signal chapter, section 3).
///
/// Ids below NEXT are never generated again, whatever happened to their keys; ids below the second
/// mark are never offered again. Between a persisted batch and the server's `result` both marks hold
/// still, so a crash there leads to the same plan and the same keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrekeyLedger {
    next: PrekeyId,
    first_not_uploaded: PrekeyId,
}

impl PrekeyLedger {
    /// The ledger of a new device.
    pub const fn new() -> Self {
        Self {
            next: PrekeyId::FIRST,
            first_not_uploaded: PrekeyId::FIRST,
        }
    }

    /// The ledger with these watermarks, as stored.
    pub fn restore(next: PrekeyId, first_not_uploaded: PrekeyId) -> Result<Self, LedgerError> {
        let pending = first_not_uploaded.steps_to(next);
        if pending > MAX_PENDING {
            return Err(LedgerError::PendingTooMany {
                got: pending,
                limit: MAX_PENDING,
            });
        }
        Ok(Self {
            next,
            first_not_uploaded,
        })
    }

    /// Moves FIRST NOT UPLOADED behind `batch`, once the server answered its upload with a `result`.
    /// A batch that was marked before changes nothing.
    ///
    /// A key handed out directly, in a retry receipt, counts as uploaded: with no upload on its way,
    /// plan one key, generate it if it is missing, and mark it.
    pub fn mark_uploaded(&mut self, batch: PrekeyRange) -> Result<(), LedgerError> {
        let pending = self.pending().len;
        let to_end = self.first_not_uploaded.steps_to(batch.end());
        if to_end > pending {
            // Behind the mark rather than ahead of it: an answer that came twice.
            let behind = batch.end().steps_to(self.first_not_uploaded);
            return if behind <= MAX_PREKEY_ID / 2 {
                Ok(())
            } else {
                Err(LedgerError::NotGenerated {
                    end: batch.end(),
                    next: self.next,
                })
            };
        }
        if to_end > batch.len {
            return Err(LedgerError::Gap {
                expected: self.first_not_uploaded,
                got: batch.first,
            });
        }
        self.first_not_uploaded = batch.end();
        Ok(())
    }

    /// Settles an upload whose `result` was lost: if the server lists one id of the pending batch
    /// (its digest answer), it has taken the batch, and FIRST NOT UPLOADED moves behind all of it. Says
    /// whether that was so. Do it before that batch is offered again.
    ///
    /// A batch is one stanza and is taken whole, so what the server does not list of it any more was
    /// handed out already.
    pub fn reconcile(&mut self, listed: impl IntoIterator<Item = PrekeyId>) -> bool {
        let pending = self.pending();
        let taken = listed.into_iter().any(|id| pending.contains(id));
        if taken {
            self.first_not_uploaded = self.next;
        }
        taken
    }

    /// The private keys to delete so that of `stored` only `keep` are left, oldest first.
    ///
    /// Only keys that were uploaded and that the server does not list (its digest answer) can go: those
    /// were handed out, and the older they are, the longer ago. Any other may still be used, so fewer
    /// come back when the rest cannot be spared.
    pub fn droppable(
        &self,
        stored: impl IntoIterator<Item = PrekeyId>,
        listed: &[PrekeyId],
        keep: usize,
    ) -> Vec<PrekeyId> {
        let mut listed = listed.to_vec();
        listed.sort_unstable();
        let mut stored: Vec<PrekeyId> = stored.into_iter().collect();
        let excess = stored.len().saturating_sub(keep);
        let pending = self.pending();
        stored.retain(|id| !pending.contains(*id) && listed.binary_search(id).is_err());
        stored.sort_unstable_by_key(|id| std::cmp::Reverse(id.steps_to(self.first_not_uploaded)));
        stored.truncate(excess);
        stored
    }

    /// Generates the keys `plan` is missing and moves NEXT behind them. Persist the ledger and the
    /// keys in one transaction before anything of them is sent.
    ///
    /// Generating the same plan twice yields keys once.
    #[must_use]
    pub fn generate_missing(
        &mut self,
        plan: &UploadPlan,
        provider: Provider,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<OneTimePrekey> {
        let missing = plan.missing();
        if missing.first != self.next {
            return Vec::new();
        }
        self.next = missing.end();
        let secrets = generate_one_time_prekeys(provider, rng, missing.len as usize);
        missing
            .iter()
            .zip(secrets)
            .map(|(id, secret)| OneTimePrekey { id, secret })
            .collect()
    }

    /// The batch of the next upload: the oldest keys never offered, filled up to `count` (at most
    /// [`MAX_BATCH`]) with keys still to be generated.
    pub fn plan(&self, count: usize) -> UploadPlan {
        let len = u32::try_from(count.min(MAX_BATCH)).unwrap_or(0);
        let missing = len.saturating_sub(self.pending().len);
        UploadPlan {
            upload: PrekeyRange {
                first: self.first_not_uploaded,
                len,
            },
            missing,
        }
    }

    /// Ids generated and not known to be on the server.
    pub const fn pending(&self) -> PrekeyRange {
        PrekeyRange {
            first: self.first_not_uploaded,
            len: self.first_not_uploaded.steps_to(self.next),
        }
    }

    /// The id of the next key to be generated.
    pub const fn next_id(&self) -> PrekeyId {
        self.next
    }

    /// The oldest id never offered to the server.
    pub const fn first_not_uploaded(&self) -> PrekeyId {
        self.first_not_uploaded
    }
}

impl Default for PrekeyLedger {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a ledger refused. All of it is a caller's mistake or a damaged store, never the server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The stored watermarks lie further apart than we ever let them.
    #[error("{got} prekeys between the watermarks, at most {limit} can be")]
    PendingTooMany {
        /// Distance found.
        got: u32,
        /// [`MAX_PENDING`].
        limit: u32,
    },
    /// The batch ends behind the last generated key.
    #[error("batch ends before prekey {end}, but only those before {next} exist")]
    NotGenerated {
        /// The id behind the batch.
        end: PrekeyId,
        /// NEXT.
        next: PrekeyId,
    },
    /// The batch leaves out keys before it that were never offered.
    #[error("batch starts at prekey {got}, but {expected} was never uploaded")]
    Gap {
        /// FIRST NOT UPLOADED.
        expected: PrekeyId,
        /// First id of the batch.
        got: PrekeyId,
    },
}
