//! Decimal numbers as they travel, one digit per nibble: what nearly all users of JIDs are.

use super::lanes::{lanes, load_big_endian, unpack_8};
use super::{Alphabet, Packed};

/// One to twenty digits, the first of them not 0 unless it is the only one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digits {
    /// The first four of twenty.
    pub(crate) high: u16,
    /// The last sixteen.
    pub(crate) low: u64,
}

/// The packed form: the length byte, then one to eight bytes and up to two more, the first ones lowest.
#[derive(Clone, Copy)]
pub(crate) struct PackedDigits {
    pub(crate) count: u8,
    pub(crate) first: u64,
    pub(crate) first_len: u32,
    pub(crate) rest: u64,
    pub(crate) rest_len: u32,
}

/// What fits ten bytes.
const MAX_DIGITS: usize = 20;

const TEN_16: u64 = 10_000_000_000_000_000;

impl Digits {
    /// The digits of a packed text, if it is nothing else.
    #[inline]
    pub(crate) fn from_packed(packed: Packed<'_>) -> Option<Self> {
        let len = packed.len();
        let leading_zero = *packed.bytes.first()? < 0x10;
        if packed.alphabet != Alphabet::Nibble || len > MAX_DIGITS || (leading_zero && len > 1) {
            return None;
        }
        let padding = u32::from(packed.odd) * 4;
        let digits = match packed.bytes.split_last_chunk::<8>() {
            None => Self {
                high: 0,
                low: load_big_endian(packed.bytes) >> padding,
            },
            Some((head, tail)) => {
                let (head, tail) = (load_big_endian(head), u64::from_be_bytes(*tail));
                if padding == 0 {
                    Self {
                        high: head as u16,
                        low: tail,
                    }
                } else {
                    Self {
                        high: (head >> 4) as u16,
                        low: head << 60 | tail >> 4,
                    }
                }
            }
        };
        digits.are_decimal().then_some(digits)
    }

    /// The digits of a text, if it is nothing else.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        match text {
            [] | [b'0', _, ..] => return None,
            _ if text.len() > MAX_DIGITS => return None,
            _ => {}
        }
        let all = text.iter().try_fold(0_u128, |all, byte| {
            byte.is_ascii_digit()
                .then(|| all << 4 | u128::from(byte - b'0'))
        })?;
        Some(Self {
            high: (all >> 64) as u16,
            low: all as u64,
        })
    }

    #[inline]
    pub(crate) const fn from_number(number: u64) -> Self {
        if number < TEN_16 {
            return Self {
                high: 0,
                low: sixteen_digits(number),
            };
        }
        Self {
            high: sixteen_digits(number / TEN_16) as u16,
            low: sixteen_digits(number % TEN_16),
        }
    }

    /// The number, unless it passes 2^64.
    #[inline]
    pub(crate) fn number(self) -> Option<u64> {
        let low = number_of(self.low);
        if self.high == 0 {
            return Some(low);
        }
        number_of(u64::from(self.high))
            .checked_mul(TEN_16)?
            .checked_add(low)
    }

    /// How many digits.
    #[inline]
    pub(crate) const fn len(self) -> u32 {
        match self {
            Self { high: 0, low: 0 } => 1,
            Self { high: 0, low } => 16 - low.leading_zeros() / 4,
            Self { high, .. } => 20 - high.leading_zeros() / 4,
        }
    }

    /// The packed form.
    #[inline]
    pub(crate) fn packed(self) -> PackedDigits {
        let len = self.len();
        let bytes = len.div_ceil(2);
        let count = bytes as u8 | ((len % 2) as u8) << 7;
        // Left-aligned, with a code of padding after an odd number of digits.
        if self.high == 0 {
            let padding = if len % 2 == 1 {
                0x0f << (60 - 4 * len)
            } else {
                0
            };
            let aligned = self.low << (64 - 4 * len) | padding;
            return PackedDigits {
                count,
                first: aligned.swap_bytes(),
                first_len: bytes,
                rest: 0,
                rest_len: 0,
            };
        }
        let padding = if len % 2 == 1 {
            0x0f << (124 - 4 * len)
        } else {
            0
        };
        let all = u128::from(self.high) << 64 | u128::from(self.low);
        let aligned = (all << (128 - 4 * len) | padding).swap_bytes();
        PackedDigits {
            count,
            first: aligned as u64,
            first_len: 8,
            rest: (aligned >> 64) as u64,
            rest_len: bytes - 8,
        }
    }

    /// Hands out the digits as text.
    #[inline]
    pub(crate) fn with<T>(self, read: impl FnOnce(&str) -> T) -> T {
        let mut text = [b'0'; 24];
        let word = |digits: u64| {
            let word = digits.swap_bytes();
            let (low, high) = (word as u32, (word >> 32) as u32);
            (
                unpack_8(low, Alphabet::Nibble),
                unpack_8(high, Alphabet::Nibble),
            )
        };
        let [first, second, third] = text.as_chunks_mut::<8>().0 else {
            return read("");
        };
        (*second, *third) = word(self.low);
        (_, *first) = word(u64::from(self.high));
        let start = text.len() - self.len() as usize;
        // Digits are ASCII.
        read(str::from_utf8(text.get(start..).unwrap_or_default()).unwrap_or_default())
    }

    #[inline]
    fn are_decimal(self) -> bool {
        // 10..=15 have the upper bit and one of the next two.
        const fn bad(digits: u64) -> u64 {
            digits & (digits << 1 | digits << 2) & lanes(0x88)
        }
        bad(self.low) | bad(self.high as u64) == 0
    }
}

/// The value of sixteen digits.
#[inline]
const fn number_of(digits: u64) -> u64 {
    let mut value = (digits & lanes(0x0f)) + 10 * (digits >> 4 & lanes(0x0f));
    value = (value & 0x00ff_00ff_00ff_00ff) + 100 * (value >> 8 & 0x00ff_00ff_00ff_00ff);
    value = (value & 0x0000_ffff_0000_ffff) + 10_000 * (value >> 16 & 0x0000_ffff_0000_ffff);
    (value & 0xffff_ffff) + 100_000_000 * (value >> 32)
}

/// The digits of a number below 10^16.
#[inline]
const fn sixteen_digits(number: u64) -> u64 {
    eight_digits(number / 100_000_000) << 32 | eight_digits(number % 100_000_000)
}

#[inline]
const fn eight_digits(number: u64) -> u64 {
    let fours = ((number / 10_000) << 32) | (number % 10_000);
    // Division by 100 of values below 10^4, and by 10 of values below 100, by multiplication.
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = hundreds << 16 | (fours - 100 * hundreds);
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    let pairs = tens << 4 | (twos - 10 * tens);
    let word = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (word | word >> 16) & 0xffff_ffff
}
