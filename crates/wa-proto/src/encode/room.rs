//! Room in the output that has been measured.

use crate::packed::load_little_endian;

/// What a store of whole words may touch beyond the last byte.
const SLACK: usize = 8;

/// The rest of the measured room. Handed from one item to the next by value, so that it stays in registers.
pub(super) struct Room<'o>(&'o mut [u8]);

/// Appends up to `bound` bytes, which `write` puts into the room.
#[inline]
pub(super) fn append(
    out: &mut Vec<u8>,
    bound: usize,
    write: impl for<'o> FnOnce(Room<'o>) -> Room<'o>,
) {
    let start = out.len();
    out.resize(start + bound + SLACK, 0);
    let (_, room) = out.split_at_mut(start);
    let unused = write(Room(room)).0.len();
    debug_assert!(unused >= SLACK, "a stanza is longer than measured");
    out.truncate(out.len() - unused);
}

impl Room<'_> {
    /// Appends one to eight bytes, the first one lowest.
    #[inline]
    pub(super) fn put(self, bytes: u64, len: u32) -> Self {
        let place = self.0.first_chunk_mut::<8>().expect("room was measured");
        *place = bytes.to_le_bytes();
        let (_, rest) = self.0.split_at_mut((len as usize).min(8));
        Self(rest)
    }

    #[inline]
    pub(super) fn extend(self, bytes: &[u8]) -> Self {
        if (1..=8).contains(&bytes.len()) {
            return self.put(load_little_endian(bytes), bytes.len() as u32);
        }
        let (place, rest) = self.0.split_at_mut(bytes.len());
        place.copy_from_slice(bytes);
        Self(rest)
    }
}
