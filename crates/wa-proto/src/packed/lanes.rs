//! Eight characters at a time, as the bytes of one word.

use super::Alphabet;

/// The same byte in every lane.
#[inline]
pub(super) const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight characters out of four bytes; the first character is the high nibble of the lowest byte.
#[inline]
pub(super) fn unpack_8(word: u32, alphabet: Alphabet) -> [u8; 8] {
    let mut spread = u64::from(word);
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let codes = (spread >> 4 | spread << 8) & lanes(0x0f);
    let letters = (codes + lanes(0x76)) >> 7 & lanes(1);
    let text = codes + lanes(b'0');
    match alphabet {
        // '-' and '.' lie 13 below where they would follow '9'.
        Alphabet::Nibble => text - letters * 13,
        // 'A' lies 7 above where it would.
        Alphabet::Hex => text + letters * 7,
    }
    .to_le_bytes()
}

/// The codes of eight characters of the nibble alphabet.
#[inline]
pub(super) fn codes_of_nibbles(text: u64) -> Option<u64> {
    // Digits become 0..=9; '-' and '.' become 1D and 1E, the only valid ones with bit 4 set.
    let flipped = text ^ lanes(b'0');
    let signs = flipped >> 4 & lanes(1);
    let codes = flipped.wrapping_sub(signs * 0x13);
    // A lane whose subtraction borrows is wrong itself, whatever it does to the next.
    let wrong = (flipped & lanes(0xe0))
        | (codes & lanes(0xf0))
        | ((codes.wrapping_add(lanes(0x76)) ^ signs << 7) & lanes(0x80))
        | (codes.wrapping_add(lanes(0x74)) & lanes(0x80));
    (wrong == 0).then_some(codes)
}

/// The codes of eight characters of the hex alphabet.
#[inline]
pub(super) fn codes_of_hex(text: u64) -> Option<u64> {
    let letters = text >> 6 & lanes(1);
    let codes = (text & lanes(0x0f)) + letters * 9;
    let wrong = ((text & lanes(0xf0)) ^ lanes(0x30) ^ (letters * 0x70))
        | (codes & lanes(0xf0))
        | ((codes + lanes(0x76)) ^ letters << 7) & lanes(0x80);
    (wrong == 0).then_some(codes)
}

/// Two codes per byte, the first one high.
#[inline]
pub(super) fn join(codes: u64) -> u64 {
    let mut word = (codes << 4 | codes >> 8) & 0x00ff_00ff_00ff_00ff;
    word = (word | word >> 8) & 0x0000_ffff_0000_ffff;
    (word | word >> 16) & 0xffff_ffff
}

/// Up to eight bytes as a number, without a loop over them.
#[inline]
pub(super) fn load_big_endian(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let Some(all) = bytes.first_chunk::<8>() {
        u64::from_be_bytes(*all)
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // The two overlap, and agree where they do.
        u64::from(u32::from_be_bytes(*head)) << (8 * (len - 4))
            | u64::from(u32::from_be_bytes(*tail))
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        u64::from(u16::from_be_bytes(*head)) << (8 * (len - 2))
            | u64::from(u16::from_be_bytes(*tail))
    } else {
        bytes.first().copied().map_or(0, u64::from)
    }
}
