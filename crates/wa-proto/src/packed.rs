//! Packed text: two characters of a small alphabet in each byte. (Node chapter, 4.)
//!
//! Eight characters at a time, as lanes of one word.

/// The longest text that is packed, in characters.
pub(crate) const MAX_PACKED_CHARS: usize = 127;

/// What a packed text can unpack to: the length byte counts up to 127 bytes.
pub(crate) const MAX_UNPACKED_CHARS: usize = 254;

/// The two alphabets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// `0`–`9`, `-`, `.`
    Nibble,
    /// `0`–`9`, `A`–`F`
    Hex,
}

/// Packed text inside the input, its digits known to be valid.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) alphabet: Alphabet,
    /// The last low nibble is padding.
    pub(crate) odd: bool,
}

const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

impl Packed<'_> {
    /// Number of characters.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.bytes.len() * 2).saturating_sub(usize::from(self.odd))
    }

    /// Unpacks into the buffer and returns the characters, all ASCII.
    #[inline]
    pub(crate) fn unpack<'b>(&self, buffer: &'b mut [u8; MAX_UNPACKED_CHARS + 2]) -> &'b [u8] {
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
        buffer.get(..self.len()).unwrap_or_default()
    }

    /// The number, if this is how it would be written: digits only, no leading zero, at most 19 of them.
    #[inline]
    pub(crate) fn number(&self) -> Option<u64> {
        if self.alphabet != Alphabet::Nibble {
            return None;
        }
        let (head, tail) = match self.bytes.split_at_checked(8) {
            Some((head, tail)) => (head, tail),
            None => (self.bytes, &[][..]),
        };
        let len = self.len();
        if len == 0 || len > 19 || (len > 1 && self.bytes.first()? >> 4 == 0) {
            return None;
        }
        let mut digits = load_big_endian(head);
        if tail.is_empty() {
            return from_digits(digits >> (u32::from(self.odd) * 4));
        }
        let mut value = from_digits(digits)?;
        digits = load_big_endian(tail) >> (u32::from(self.odd) * 4);
        let scale = [1, 10, 100, 1_000].get(len - 16)?;
        value = value * scale + from_digits(digits)?;
        Some(value)
    }
}

/// Whether all codes of packed nibbles mean a character; the padding of an odd text may be anything.
#[inline]
pub(crate) fn valid_nibbles(bytes: &[u8], odd: bool) -> bool {
    // 12..=15 are the codes whose two upper bits are both set.
    const fn bad(word: u64) -> bool {
        word & (word << 1) & lanes(0x88) != 0
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let mask = |last: u64| if odd { last & !0x0f } else { last };
    match (words, rest) {
        ([words @ .., last], []) => {
            words.iter().all(|word| !bad(u64::from_be_bytes(*word)))
                && !bad(mask(u64::from_be_bytes(*last)))
        }
        (words, rest) => {
            words.iter().all(|word| !bad(u64::from_be_bytes(*word)))
                && !bad(mask(load_big_endian(rest)))
        }
    }
}

/// Appends the text packed, if its alphabet allows it and it has 1 to 127 characters.
#[inline]
pub(crate) fn pack(text: &[u8], out: &mut Vec<u8>, nibble_tag: u8, hex_tag: u8) -> bool {
    if text.is_empty() || text.len() > MAX_PACKED_CHARS {
        return false;
    }
    pack_as(text, out, nibble_tag, nibbles) || pack_as(text, out, hex_tag, hexes)
}

#[inline]
fn pack_as(text: &[u8], out: &mut Vec<u8>, tag: u8, codes: fn(u64) -> Option<u64>) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let mut packed = [0_u8; 2 + 64];
    let (head, body) = packed.split_at_mut(2);
    let (places, _) = body.as_chunks_mut::<4>();
    let mut places = places.iter_mut();
    for (word, place) in words.iter().zip(&mut places) {
        let Some(codes) = codes(u64::from_le_bytes(*word)) else {
            return false;
        };
        *place = join(codes).to_le_bytes();
    }
    if let (false, Some(place)) = (rest.is_empty(), places.next()) {
        // Fill with a character of both alphabets, then turn the first of the fill into the padding code.
        let unused = 64 - 8 * rest.len() as u32;
        let word = load_little_endian(text, rest) | (lanes(b'0') >> (64 - unused) << (64 - unused));
        let Some(codes) = codes(word) else {
            return false;
        };
        let padding = 0x0f_u64 << (64 - unused);
        *place = join(if rest.len() % 2 == 1 {
            codes | padding
        } else {
            codes
        })
        .to_le_bytes();
    }
    let len = text.len().div_ceil(2);
    head.copy_from_slice(&[tag, len as u8 | ((text.len() % 2) as u8) << 7]);
    out.extend_from_slice(packed.get(..2 + len).unwrap_or_default());
    true
}

/// Appends the decimal digits of a number, packed.
#[inline]
pub(crate) fn pack_number(number: u64, out: &mut Vec<u8>, nibble_tag: u8) {
    const TEN_16: u64 = 10_000_000_000_000_000;
    let (high, low) = if number < TEN_16 {
        (0, number)
    } else {
        (number / TEN_16, number % TEN_16)
    };
    let low = to_digits(low);
    if high == 0 {
        let digits = (16 - low.leading_zeros() / 4).max(1);
        let mut packed = [nibble_tag, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let odd = digits % 2;
        let len = digits.div_ceil(2);
        let aligned = low << (64 - 4 * digits);
        // One nibble of padding follows the digits of an odd text.
        let padding = if odd == 1 { 0x0f << (64 - 8 * len) } else { 0 };
        let [_, count, body @ ..] = &mut packed;
        *count = len as u8 | (odd as u8) << 7;
        *body = (aligned | padding).to_be_bytes();
        out.extend_from_slice(packed.get(..2 + len as usize).unwrap_or_default());
    } else {
        let all = u128::from(to_digits(high)) << 64 | u128::from(low);
        let digits = 32 - all.leading_zeros() / 4;
        let (odd, len) = (digits % 2, digits.div_ceil(2));
        let aligned = all << (128 - 4 * digits);
        let padding = if odd == 1 { 0x0f << (128 - 8 * len) } else { 0 };
        out.extend_from_slice(&[nibble_tag, len as u8 | (odd as u8) << 7]);
        let bytes = (aligned | padding).to_be_bytes();
        out.extend_from_slice(bytes.get(..len as usize).unwrap_or_default());
    }
}

/// Eight characters out of four bytes; the first character is the high nibble of the first byte.
#[inline]
fn unpack_8(word: u32, alphabet: Alphabet) -> [u8; 8] {
    let mut spread = u64::from(word);
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let codes = (spread >> 4 | spread << 8) & lanes(0x0f);
    let letters = (codes + lanes(0x76)) >> 7 & lanes(1);
    let text = codes + lanes(b'0');
    match alphabet {
        // The code after '9' is '-', 13 below it in ASCII.
        Alphabet::Nibble => text - letters * 13,
        Alphabet::Hex => text + letters * 7,
    }
    .to_le_bytes()
}

/// The codes of eight characters of the nibble alphabet.
#[inline]
fn nibbles(text: u64) -> Option<u64> {
    // Digits become 0..=9; '-' and '.' become 1D and 1E, the only valid ones with bit 4 set.
    let flipped = text ^ lanes(b'0');
    let signs = flipped >> 4 & lanes(1);
    let codes = flipped.wrapping_sub(signs * 0x13);
    let wrong = (flipped & lanes(0xe0))
        | (codes & lanes(0xf0))
        | ((codes.wrapping_add(lanes(0x76)) ^ signs << 7) & lanes(0x80))
        | (codes.wrapping_add(lanes(0x74)) & lanes(0x80));
    (wrong == 0).then_some(codes)
}

/// The codes of eight characters of the hex alphabet.
#[inline]
fn hexes(text: u64) -> Option<u64> {
    let letters = text >> 6 & lanes(1);
    let codes = (text & lanes(0x0f)) + letters * 9;
    let wrong = ((text & lanes(0xf0)) ^ lanes(0x30) ^ letters * 0x70)
        | (codes & lanes(0xf0))
        | (((codes + lanes(0x76)) ^ letters << 7) & lanes(0x80));
    (wrong == 0).then_some(codes)
}

/// Two codes per byte, the first one high.
#[inline]
fn join(codes: u64) -> u32 {
    let mut word = (codes << 4 | codes >> 8) & 0x00ff_00ff_00ff_00ff;
    word = (word | word >> 8) & 0x0000_ffff_0000_ffff;
    (word | word >> 16) as u32
}

/// The value of sixteen decimal digits, one per nibble.
#[inline]
fn from_digits(digits: u64) -> Option<u64> {
    if digits & (digits << 1 | digits << 2) & lanes(0x88) != 0 {
        return None;
    }
    let mut value = (digits & lanes(0x0f)) + 10 * (digits >> 4 & lanes(0x0f));
    value = (value & 0x00ff_00ff_00ff_00ff) + 100 * (value >> 8 & 0x00ff_00ff_00ff_00ff);
    value = (value & 0x0000_ffff_0000_ffff) + 10_000 * (value >> 16 & 0x0000_ffff_0000_ffff);
    Some((value & 0xffff_ffff) + 100_000_000 * (value >> 32))
}

/// Sixteen decimal digits of a number below 10^16, one per nibble.
#[inline]
fn to_digits(number: u64) -> u64 {
    let half = |number: u64| {
        let fours = (number / 10_000) << 32 | number % 10_000;
        // Division by 100 of values below 10^4, and by 10 of values below 100, by multiplication.
        let hundreds = (fours * 10_486) >> 20 & 0x7f_0000_007f;
        let twos = hundreds << 16 | (fours - 100 * hundreds);
        let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
        let pairs = tens << 4 | (twos - 10 * tens);
        let word = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        (word | word >> 16) & 0xffff_ffff
    };
    half(number / 100_000_000) << 32 | half(number % 100_000_000)
}

/// Up to eight bytes as a number, without a loop over them.
#[inline]
fn load_big_endian(bytes: &[u8]) -> u64 {
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

/// The last one to seven bytes of a text, the first of them in the lowest lane.
#[inline]
fn load_little_endian(text: &[u8], rest: &[u8]) -> u64 {
    match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        None => load_big_endian(rest).swap_bytes() >> (64 - 8 * rest.len()),
    }
}
