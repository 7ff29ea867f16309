//! Packed text: two characters of a small alphabet in each byte. (Node chapter, 4.)

mod digits;
mod lanes;

pub(crate) use digits::Digits;
use lanes::{codes_of_hex, codes_of_nibbles, join, lanes, load_big_endian, unpack_8};

/// The longest text that is packed, in characters.
const MAX_PACKED_CHARS: usize = 127;

/// What a packed text can unpack to: its length byte counts up to 127 bytes.
const MAX_UNPACKED_CHARS: usize = 254;

/// Packed texts of up to this many bytes, nearly all of them, are unpacked as one word.
const SHORT_LEN: usize = 8;

/// The two alphabets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// `0`–`9`, `-`, `.`
    Nibble,
    /// `0`–`9`, `A`–`F`
    Hex,
}

/// Packed text inside the input, its codes known to be valid.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) alphabet: Alphabet,
    /// The last low nibble is padding.
    pub(crate) odd: bool,
}

/// Sixteen bytes where checking them for UTF-8 takes two steps instead of sixteen.
#[repr(align(16))]
pub(crate) struct Block(pub(crate) [u8; 16]);

impl Packed<'_> {
    /// Number of characters.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.bytes.len() * 2).saturating_sub(usize::from(self.odd))
    }

    /// Hands out the characters.
    #[inline]
    pub(crate) fn with<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        if self.bytes.len() <= SHORT_LEN {
            read(self.short().text(self.len()))
        } else {
            let mut buffer = [0; MAX_UNPACKED_CHARS + 2];
            read(self.long(&mut buffer))
        }
    }

    #[inline]
    fn short(&self) -> Block {
        let unused = 64 - 8 * self.bytes.len() as u32;
        let word = load_big_endian(self.bytes)
            .checked_shl(unused)
            .unwrap_or(0)
            .swap_bytes();
        let mut block = Block([0; 16]);
        let (low, high) = block.0.split_at_mut(8);
        low.copy_from_slice(&unpack_8(word as u32, self.alphabet));
        high.copy_from_slice(&unpack_8((word >> 32) as u32, self.alphabet));
        block
    }

    fn long<'b>(&self, buffer: &'b mut [u8; MAX_UNPACKED_CHARS + 2]) -> &'b str {
        let (groups, rest) = self.bytes.as_chunks::<4>();
        let (places, _) = buffer.as_chunks_mut::<8>();
        let mut places = places.iter_mut();
        for (group, place) in groups.iter().zip(&mut places) {
            *place = unpack_8(u32::from_le_bytes(*group), self.alphabet);
        }
        if let (false, Some(place)) = (rest.is_empty(), places.next()) {
            let word = rest
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u32::from(*byte));
            *place = unpack_8(word, self.alphabet);
        }
        // All characters of both alphabets are ASCII.
        str::from_utf8(buffer.get(..self.len()).unwrap_or_default()).unwrap_or_default()
    }
}

impl Block {
    /// The first characters, if all sixteen are UTF-8.
    #[inline]
    pub(crate) fn text(&self, len: usize) -> &str {
        str::from_utf8(&self.0)
            .ok()
            .and_then(|text| text.get(..len))
            .unwrap_or_default()
    }
}

/// Whether all codes of packed nibbles mean a character; the padding of an odd text may be anything.
#[inline]
pub(crate) fn valid_nibbles(bytes: &[u8], odd: bool) -> bool {
    // 12..=15 are the codes whose two upper bits are both set.
    const fn bad(word: u64) -> bool {
        word & (word << 1) & lanes(0x88) != 0
    }
    let padding = if odd { 0x0f } else { 0 };
    let (words, rest) = bytes.as_chunks::<8>();
    if rest.is_empty() {
        let Some((last, words)) = words.split_last() else {
            return true;
        };
        words.iter().all(|word| !bad(u64::from_be_bytes(*word)))
            && !bad(u64::from_be_bytes(*last) & !padding)
    } else {
        words.iter().all(|word| !bad(u64::from_be_bytes(*word)))
            && !bad(load_big_endian(rest) & !padding)
    }
}

/// Appends the text packed, if an alphabet has all of it and it has 1 to 127 characters.
#[inline]
pub(crate) fn pack(text: &[u8], out: &mut Vec<u8>, nibble_tag: u8, hex_tag: u8) -> bool {
    // Both alphabets lie below 'G', and most other texts do not begin there.
    let Some(first @ b'-'..=b'F') = text.first() else {
        return false;
    };
    if text.len() > MAX_PACKED_CHARS {
        return false;
    }
    (*first < b'A' && pack_as(text, out, nibble_tag, codes_of_nibbles))
        || pack_as(text, out, hex_tag, codes_of_hex)
}

#[inline]
fn pack_as(text: &[u8], out: &mut Vec<u8>, tag: u8, codes: fn(u64) -> Option<u64>) -> bool {
    let start = out.len();
    let len = text.len().div_ceil(2);
    out.extend_from_slice(&[tag, len as u8 | ((text.len() % 2) as u8) << 7]);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        let Some(codes) = codes(u64::from_le_bytes(*word)) else {
            out.truncate(start);
            return false;
        };
        out.extend_from_slice(&join(codes).to_le_bytes());
    }
    if !rest.is_empty() {
        // Fill with a character of both alphabets, then turn the first of the fill into the padding code.
        let used = 8 * rest.len() as u32;
        let Some(codes) = codes(load_rest(text, rest) | lanes(b'0') >> used << used) else {
            out.truncate(start);
            return false;
        };
        let padding = if rest.len() % 2 == 1 { 0x0f << used } else { 0 };
        out.extend_from_slice(&join(codes | padding).to_le_bytes());
        out.truncate(start + 2 + len);
    }
    true
}

/// The last one to seven bytes of a text, the first of them in the lowest lane.
#[inline]
fn load_rest(text: &[u8], rest: &[u8]) -> u64 {
    let unused = 64 - 8 * rest.len() as u32;
    match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> unused,
        None => load_big_endian(rest).swap_bytes() >> unused,
    }
}

#[cfg(test)]
mod tests;
