use curve25519_dalek::MontgomeryPoint;
use proptest::prelude::*;

use super::{Element, MINUS_ONE, ONE, edwards_y};

/// p, little-endian, plus `offset`.
fn prime(offset: i8) -> [u8; 32] {
    let mut bytes = [0xFF; 32];
    bytes[0] = 0xED_u8.wrapping_add_signed(offset);
    bytes[31] = 0x7F;
    bytes
}

fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

/// The library's own map, where it has an image.
fn reference(u: [u8; 32]) -> Option<[u8; 32]> {
    let mut y = MontgomeryPoint(u).to_edwards(0)?.compress().to_bytes();
    y[31] &= 0x7F;
    Some(y)
}

#[test]
fn encodings_are_reduced() {
    for (offset, reduced) in [(0, 0), (1, 1), (18, 18)] {
        let value = Element::from_bytes(&prime(offset));
        assert_eq!(value.to_bytes(), small(reduced));
    }
    assert_eq!(Element::from_bytes(&prime(-1)).to_bytes(), prime(-1));
    assert_eq!(MINUS_ONE.to_bytes(), prime(-1));
    assert_eq!(MINUS_ONE.add(ONE).to_bytes(), [0; 32]);
    let top_bit = Element::from_bytes(&[0xFF; 32]);
    assert_eq!(top_bit.to_bytes(), small(18));
}

#[test]
fn minus_one_has_no_image() {
    assert_eq!(edwards_y(&prime(-1)), None);
    let mut with_top_bit = prime(-1);
    with_top_bit[31] |= 0x80;
    assert_eq!(edwards_y(&with_top_bit), None);
}

#[test]
fn edges_map_as_in_the_library() {
    // u = 0 gives y = -1, u = 1 gives y = 0, u = 9 is the base point with y = 4/5.
    assert_eq!(edwards_y(&small(0)), Some(prime(-1)));
    assert_eq!(edwards_y(&small(1)), Some(small(0)));
    for u in [small(0), small(9), prime(0), prime(9), prime(18)] {
        assert_eq!(edwards_y(&u), reference(u));
    }
}

proptest! {
    #[test]
    fn any_key_maps_as_in_the_library(u in any::<[u8; 32]>()) {
        let y = edwards_y(&u);
        prop_assert!(y.is_some_and(|y| y[31] & 0x80 == 0));
        if let Some(reference) = reference(u) {
            prop_assert_eq!(y, Some(reference));
        }
    }

    #[test]
    fn an_inverse_undoes_a_product(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
        let (a, b) = (Element::from_bytes(&a), Element::from_bytes(&b));
        prop_assert_eq!(a.mul(b).mul(b.invert()).to_bytes(), a.to_bytes());
        prop_assert_eq!(a.square().to_bytes(), a.mul(a).to_bytes());
        prop_assert_eq!(a.mul(b).to_bytes(), b.mul(a).to_bytes());
        // Unreduced limbs, as they come out of an addition.
        let sum = a.add(b);
        prop_assert_eq!(
            sum.square().to_bytes(),
            a.square().add(b.square()).add(a.mul(b)).add(a.mul(b)).to_bytes()
        );
    }
}
