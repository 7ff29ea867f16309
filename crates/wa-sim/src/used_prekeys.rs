//! Which one-time prekeys a device has ever uploaded.

use std::collections::{BTreeMap, VecDeque};

use wa_crypto::PublicKey as _;
use wa_signal::PublicPrekey;

/// Most uploaded prekeys remembered of a device, those that are used up included; the oldest are forgotten first.
pub const MAX_REMEMBERED_PREKEYS: usize = 16_384;

/// The ids a device has uploaded, each with the beginning of its key.
#[derive(Debug, Default)]
pub(crate) struct UsedPrekeys {
    keys: BTreeMap<u32, u64>,
    order: VecDeque<u32>,
}

impl UsedPrekeys {
    /// Notes an uploaded key. `false` when its id was another key's before: whoever was handed that one writes
    /// messages the device cannot read any more.
    pub(crate) fn note(&mut self, prekey: &PublicPrekey) -> bool {
        let [a, b, c, d, e, f, g, h, ..] = *prekey.key.as_bytes();
        self.note_start(
            prekey.id.get(),
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        )
    }

    /// The same with the beginning of the key alone.
    pub(crate) fn note_start(&mut self, id: u32, start: u64) -> bool {
        match self.keys.insert(id, start) {
            Some(before) => before == start,
            None => {
                self.order.push_back(id);
                if self.order.len() > MAX_REMEMBERED_PREKEYS
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.keys.remove(&oldest);
                }
                true
            }
        }
    }

    /// All that are remembered, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        self.order
            .iter()
            .filter_map(|id| Some((*id, *self.keys.get(id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut used = UsedPrekeys::default();
        let last = u32::try_from(MAX_REMEMBERED_PREKEYS).unwrap();
        assert!((1..=last).all(|id| used.note_start(id, 7)));
        assert!(!used.note_start(1, 8));
        assert!(used.note_start(1, 8));
        assert!(used.note_start(last + 1, 7));
        assert_eq!(used.iter().count(), MAX_REMEMBERED_PREKEYS);
        assert!(used.note_start(1, 9), "the oldest is forgotten");
    }
}
