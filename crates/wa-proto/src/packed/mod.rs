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

/// Sixteen ASCII characters, aligned: checking them for UTF-8 takes two steps instead of sixteen.
#[repr(align(16))]
pub(crate) struct Block([u8; 16]);

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
        let word = if self.bytes.is_empty() {
            0
        } else {
            load_little_endian(self.bytes)
        };
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
    /// A copy of 4 to 16 bytes, if all of them are ASCII; shorter ones are as fast without.
    #[inline]
    pub(crate) fn of_ascii(bytes: &[u8]) -> Option<Self> {
        let (low, high) = match bytes.len() {
            4..=8 => (load_little_endian(bytes), 0),
            9..=16 => {
                let (low, high) = bytes.split_first_chunk::<8>()?;
                (u64::from_le_bytes(*low), load_little_endian(high))
            }
            _ => return None,
        };
        if (low | high) & lanes(0x80) != 0 {
            return None;
        }
        let both = u128::from(high) << 64 | u128::from(low);
        Some(Self(both.to_le_bytes()))
    }

    /// The first characters.
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

/// The alphabet that a text of 1 to 127 characters can be packed with; digits alone are nibbles.
#[inline]
pub(crate) fn alphabet_of(text: &[u8]) -> Option<Alphabet> {
    // Both alphabets lie from '-' to 'F', and most other texts begin elsewhere.
    let Some(first @ b'-'..=b'F') = text.first() else {
        return None;
    };
    if text.len() > MAX_PACKED_CHARS {
        return None;
    }
    if *first < b'A' && is_all(text, codes_of_nibbles) {
        return Some(Alphabet::Nibble);
    }
    is_all(text, codes_of_hex).then_some(Alphabet::Hex)
}

#[inline]
fn is_all(text: &[u8], codes: impl Fn(u64) -> Option<u64>) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    words
        .iter()
        .all(|word| codes(u64::from_le_bytes(*word)).is_some())
        && (rest.is_empty() || codes(filled(rest)).is_some())
}

/// Hands the packed bytes of a text of this alphabet to `put`, up to four at a time, the first of them lowest.
#[inline]
pub(crate) fn pack<T>(
    text: &[u8],
    alphabet: Alphabet,
    out: T,
    put: impl Fn(T, u64, u32) -> T,
) -> T {
    let codes = |word| {
        match alphabet {
            Alphabet::Nibble => codes_of_nibbles(word),
            Alphabet::Hex => codes_of_hex(word),
        }
        .unwrap_or_default()
    };
    let (words, rest) = text.as_chunks::<8>();
    let out = words.iter().fold(out, |out, word| {
        put(out, join(codes(u64::from_le_bytes(*word))), 4)
    });
    if rest.is_empty() {
        return out;
    }
    // The first character of the fill becomes the padding, the others are cut off.
    let used = rest.len() as u32;
    let padding = if used % 2 == 1 { 0x0f << (8 * used) } else { 0 };
    let len = used.div_ceil(2);
    let bytes = join(codes(filled(rest)) | padding);
    put(out, bytes & (u64::MAX >> (64 - 8 * len)), len)
}

/// One to seven characters, and a character of both alphabets after them.
#[inline]
fn filled(rest: &[u8]) -> u64 {
    let used = 8 * rest.len() as u32;
    load_little_endian(rest) | lanes(b'0') >> used << used
}

/// One to eight bytes, the first one lowest; 0 after them.
#[inline]
pub(crate) fn load_little_endian(bytes: &[u8]) -> u64 {
    load_big_endian(bytes).swap_bytes() >> (64 - 8 * bytes.len() as u32)
}

#[cfg(test)]
mod tests;
