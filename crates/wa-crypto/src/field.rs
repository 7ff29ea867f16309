//! Just enough of the field of 2²⁵⁵ − 19 to turn a public Montgomery key into the Edwards y that signatures hash.
//!
//! Verification needs the encoded y and the point. The curve library gives the point from u, and its encoding by
//! a second inversion; with y made here, the point comes from y and the second inversion is saved. Public values
//! only: nothing here is meant to resist timing.

const MASK: u64 = (1 << 51) - 1;

/// p − 1 in limbs: adding it subtracts one.
const MINUS_ONE: Element = Element([MASK - 19, MASK, MASK, MASK, MASK]);

/// −1 encoded: the only y that [`edwards_y`] gives (for u = 0) whose point has x = 0.
pub(crate) const Y_OF_X_ZERO: [u8; 32] = {
    let mut bytes = [0xFF; 32];
    bytes[0] = 0xEC;
    bytes[31] = 0x7F;
    bytes
};

const ONE: Element = Element([1, 0, 0, 0, 0]);

/// y = (u − 1) / (u + 1), encoded, with its top bit clear. `u` is read with its top bit cleared.
///
/// `None` for u = −1, which has no image.
pub(crate) fn edwards_y(u: &[u8; 32]) -> Option<[u8; 32]> {
    let u = Element::from_bytes(u);
    let denominator = u.add(ONE);
    if denominator.to_bytes() == [0; 32] {
        return None;
    }
    let numerator = u.add(MINUS_ONE);
    Some(numerator.mul(denominator.invert()).to_bytes())
}

/// Five limbs of 51 bits. Products take limbs of up to 54 bits and leave at most 52.
#[derive(Clone, Copy)]
struct Element([u64; 5]);

impl Element {
    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0u64; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        let [a, b, c, d] = words;
        Self([
            a & MASK,
            (a >> 51 | b << 13) & MASK,
            (b >> 38 | c << 26) & MASK,
            (c >> 25 | d << 39) & MASK,
            (d >> 12) & MASK,
        ])
    }

    /// The one encoding below p.
    fn to_bytes(self) -> [u8; 32] {
        let Self([mut a, mut b, mut c, mut d, mut e]) = self.carried().carried();
        // The value is below 2p now; `over` is 1 when it reaches p.
        let mut over = (a + 19) >> 51;
        for limb in [b, c, d, e] {
            over = (limb + over) >> 51;
        }
        a += 19 * over;
        b += a >> 51;
        c += b >> 51;
        d += c >> 51;
        e += d >> 51;
        [a, b, c, d, e] = [a, b, c, d, e].map(|limb| limb & MASK);

        let words = [
            a | b << 51,
            b >> 13 | c << 38,
            c >> 26 | d << 25,
            d >> 39 | e << 12,
        ];
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn add(self, other: Self) -> Self {
        let (Self([a, b, c, d, e]), Self([f, g, h, i, j])) = (self, other);
        Self([a + f, b + g, c + h, d + i, e + j])
    }

    fn mul(self, other: Self) -> Self {
        let (Self([a0, a1, a2, a3, a4]), Self([b0, b1, b2, b3, b4])) = (self, other);
        let (c1, c2, c3, c4) = (19 * b1, 19 * b2, 19 * b3, 19 * b4);
        Self::reduced([
            wide(a0, b0) + wide(a4, c1) + wide(a3, c2) + wide(a2, c3) + wide(a1, c4),
            wide(a1, b0) + wide(a0, b1) + wide(a4, c2) + wide(a3, c3) + wide(a2, c4),
            wide(a2, b0) + wide(a1, b1) + wide(a0, b2) + wide(a4, c3) + wide(a3, c4),
            wide(a3, b0) + wide(a2, b1) + wide(a1, b2) + wide(a0, b3) + wide(a4, c4),
            wide(a4, b0) + wide(a3, b1) + wide(a2, b2) + wide(a1, b3) + wide(a0, b4),
        ])
    }

    fn square(self) -> Self {
        let Self([a0, a1, a2, a3, a4]) = self;
        let (d0, d1, d2) = (2 * a0, 2 * a1, 2 * a2);
        let (c3, c4) = (19 * a3, 19 * a4);
        Self::reduced([
            wide(a0, a0) + wide(d1, c4) + wide(d2, c3),
            wide(d0, a1) + wide(d2, c4) + wide(a3, c3),
            wide(d0, a2) + wide(a1, a1) + wide(2 * a3, c4),
            wide(d0, a3) + wide(d1, a2) + wide(a4, c4),
            wide(d0, a4) + wide(d1, a3) + wide(a2, a2),
        ])
    }

    fn square_times(self, times: u32) -> Self {
        (0..times).fold(self, |value, _| value.square())
    }

    /// By Fermat: the power p − 2 = 2²⁵⁵ − 21. Names count the ones at the top of the exponent so far.
    fn invert(self) -> Self {
        let two = self.square();
        let nine = two.square_times(2).mul(self);
        let eleven = nine.mul(two);
        let ones5 = eleven.square().mul(nine);
        let ones10 = ones5.square_times(5).mul(ones5);
        let ones20 = ones10.square_times(10).mul(ones10);
        let ones40 = ones20.square_times(20).mul(ones20);
        let ones50 = ones40.square_times(10).mul(ones10);
        let ones100 = ones50.square_times(50).mul(ones50);
        let ones200 = ones100.square_times(100).mul(ones100);
        let ones250 = ones200.square_times(50).mul(ones50);
        ones250.square_times(5).mul(eleven)
    }

    fn carried(self) -> Self {
        let Self([a, b, c, d, e]) = self;
        Self([
            (a & MASK) + 19 * (e >> 51),
            (b & MASK) + (a >> 51),
            (c & MASK) + (b >> 51),
            (d & MASK) + (c >> 51),
            (e & MASK) + (d >> 51),
        ])
    }

    fn reduced([c0, c1, c2, c3, c4]: [u128; 5]) -> Self {
        let c1 = c1 + (c0 >> 51);
        let c2 = c2 + (c1 >> 51);
        let c3 = c3 + (c2 >> 51);
        let c4 = c4 + (c3 >> 51);
        let a = low(c0) + 19 * (c4 >> 51) as u64;
        Self([a & MASK, low(c1) + (a >> 51), low(c2), low(c3), low(c4)])
    }
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

fn low(column: u128) -> u64 {
    column as u64 & MASK
}

#[cfg(test)]
mod tests;
