use super::{Alphabet, Digits, Packed, alphabet_of, pack, valid_nibbles};

const NIBBLES: &[u8] = b"0123456789-.";
const HEXES: &[u8] = b"0123456789ABCDEF";

fn packed_of(text: &[u8]) -> Option<Vec<u8>> {
    let alphabet = alphabet_of(text)?;
    let tag = if alphabet == Alphabet::Nibble {
        0xff
    } else {
        0xfb
    };
    let mut out = vec![
        tag,
        text.len().div_ceil(2) as u8 | (text.len() as u8 % 2) << 7,
    ];
    out = pack(text, alphabet, out, |mut out: Vec<u8>, bytes, len| {
        assert_eq!(bytes >> (8 * len), 0);
        out.extend_from_slice(&bytes.to_le_bytes()[..len as usize]);
        out
    });
    Some(out)
}

/// The chapter's words, one character at a time.
fn expected(text: &[u8]) -> Option<Vec<u8>> {
    let (tag, alphabet) = [(0xff, NIBBLES), (0xfb, HEXES)]
        .into_iter()
        .find(|(_, alphabet)| text.iter().all(|byte| alphabet.contains(byte)))?;
    if text.is_empty() || text.len() > 127 {
        return None;
    }
    let mut codes: Vec<u8> = text
        .iter()
        .map(|byte| alphabet.iter().position(|other| other == byte).unwrap() as u8)
        .collect();
    let odd = codes.len() % 2 == 1;
    if odd {
        codes.push(15);
    }
    let mut out = vec![tag, (codes.len() / 2) as u8 | u8::from(odd) << 7];
    out.extend(codes.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    Some(out)
}

fn unpack(packed: &[u8]) -> String {
    let alphabet = if packed[0] == 0xff {
        Alphabet::Nibble
    } else {
        Alphabet::Hex
    };
    let packed = Packed {
        bytes: &packed[2..],
        alphabet,
        odd: packed[1] & 0x80 != 0,
    };
    packed.with(str::to_owned)
}

#[test]
fn packs_every_byte_at_every_place_as_the_chapter_says() {
    for len in 1..=17 {
        for filler in [b'7', b'-', b'C'] {
            for place in 0..len {
                for byte in 0..=255 {
                    let mut text = vec![filler; len];
                    text[place] = byte;
                    assert_eq!(packed_of(&text), expected(&text), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn packs_every_length_and_unpacks_it_again() {
    for alphabet in [NIBBLES, HEXES] {
        for len in 0..=130 {
            let text: Vec<u8> = alphabet.iter().rev().cycle().take(len).copied().collect();
            let packed = packed_of(&text);
            assert_eq!(packed, expected(&text), "{len}");
            if let Some(packed) = packed {
                assert_eq!(unpack(&packed).as_bytes(), text);
            }
        }
    }
}

#[test]
fn finds_the_codes_that_mean_nothing() {
    for len in 1..=17 {
        for place in 0..2 * len {
            for code in 0..16_u8 {
                let mut bytes = vec![0x1b; len];
                let shift = if place % 2 == 0 { 4 } else { 0 };
                bytes[place / 2] = bytes[place / 2] & !(0x0f << shift) | code << shift;
                let is_padding = place + 1 == 2 * len;
                assert_eq!(valid_nibbles(&bytes, false), code < 12);
                assert_eq!(valid_nibbles(&bytes, true), code < 12 || is_padding);
            }
        }
    }
}

#[test]
fn digits_are_the_number_the_text_and_the_packed_form() {
    let mut numbers: Vec<u64> = (0..=64)
        .map(|shift| u64::MAX.checked_shr(shift).unwrap_or(0))
        .collect();
    for power in 0..20 {
        let ten = 10_u64.pow(power);
        numbers.extend([ten - 1, ten, ten + 1, ten / 3 * 2, 12_025_550_123 % ten]);
    }
    for number in numbers {
        let text = number.to_string();
        let digits = Digits::from_number(number);
        assert_eq!(digits.number(), Some(number));
        assert_eq!(digits.with(str::to_owned), text);
        assert!(Digits::from_text(text.as_bytes()) == Some(digits), "{text}");
        let packed = expected(text.as_bytes()).unwrap();
        let got = digits.packed();
        let mut bytes = vec![got.count];
        bytes.extend_from_slice(&got.first.to_le_bytes()[..got.first_len as usize]);
        bytes.extend_from_slice(&got.rest.to_le_bytes()[..got.rest_len as usize]);
        assert_eq!(bytes, packed[1..], "{text}");
        let unused = got.first.checked_shr(8 * got.first_len).unwrap_or(0);
        assert_eq!(unused | got.rest >> (8 * got.rest_len), 0, "{text}");
        let back = Digits::from_packed(Packed {
            bytes: &packed[2..],
            alphabet: Alphabet::Nibble,
            odd: packed[1] & 0x80 != 0,
        });
        assert!(back == Some(digits), "{text}");
    }
}

#[test]
fn what_would_not_print_the_same_is_no_number() {
    for text in [
        "",
        "00",
        "007",
        "-1",
        "1.5",
        "1A",
        "123456789012345678901",
        "0123456789012345678",
    ] {
        assert!(Digits::from_text(text.as_bytes()).is_none(), "{text}");
        if let Some(packed) = expected(text.as_bytes()).filter(|packed| packed[0] == 0xff) {
            let back = Digits::from_packed(Packed {
                bytes: &packed[2..],
                alphabet: Alphabet::Nibble,
                odd: packed[1] & 0x80 != 0,
            });
            assert!(back.is_none(), "{text}");
        }
    }
    // Twenty digits fit, and need not fit a u64.
    let digits = Digits::from_text(b"99999999999999999999").unwrap();
    assert_eq!(digits.number(), None);
    assert_eq!(digits.with(str::to_owned), "99999999999999999999");
}
