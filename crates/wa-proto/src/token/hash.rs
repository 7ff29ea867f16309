//! The hash under the token table. The generator of the table compiles this very file, so the two cannot differ.

/// Buckets of the first level; each holds the displacement that scatters its tokens without a collision.
pub(crate) const BUCKETS: usize = 512;

/// Slots of the second level.
pub(crate) const SLOTS: usize = 2048;

/// Mixes the length with the first, middle and last bytes, which tell all tokens apart.
#[inline]
pub(crate) const fn hash(text: &[u8]) -> u64 {
    let len = text.len();
    let (head, tail) =
        if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (
                u32::from_le_bytes(*head) as u64,
                u32::from_le_bytes(*tail) as u64,
            )
        } else if let (Some(head), Some(tail)) = (text.first_chunk::<2>(), text.last_chunk::<2>()) {
            (
                u16::from_le_bytes(*head) as u64,
                u16::from_le_bytes(*tail) as u64,
            )
        } else if let Some(only) = text.first() {
            (*only as u64, 0)
        } else {
            (0, 0)
        };
    let mut mixed = (head ^ ((len as u64) << 56)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if len > 16 {
        let (_, upper) = text.split_at(len / 2 - 4);
        if let Some(middle) = upper.first_chunk::<8>() {
            mixed = (mixed ^ u64::from_le_bytes(*middle)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
    }
    mixed = (mixed ^ (mixed >> 32) ^ tail.rotate_left(29)).wrapping_mul(0xa076_1d64_78bd_642f);
    mixed ^ (mixed >> 32)
}

/// The bucket of a hash.
#[inline]
pub(crate) const fn bucket(hash: u64) -> usize {
    (hash >> 48) as usize % BUCKETS
}

/// The slot of a hash whose bucket has this displacement.
#[inline]
pub(crate) const fn slot(hash: u64, displacement: u16) -> usize {
    ((hash >> 16) as usize ^ displacement as usize) % SLOTS
}

/// What a slot keeps of the hash, so that most other texts are turned away without comparing them.
#[inline]
pub(crate) const fn mark(hash: u64) -> u16 {
    hash as u16
}
