//! Big letters for codes: five by five pixels each, two pixels above each other in one character.

/// Pixels of a glyph, row by row, the leftmost the highest of five bits.
type Glyph = [u8; 5];

const SIDE: usize = 5;
const GAP: &str = "  ";

/// Every symbol of a pairing code (pairing chapter, B.2), and the dash between its halves.
const GLYPHS: [(char, Glyph); 33] = [
    ('-', [0b00000, 0b00000, 0b01110, 0b00000, 0b00000]),
    ('1', [0b00100, 0b01100, 0b00100, 0b00100, 0b01110]),
    ('2', [0b11110, 0b00001, 0b01110, 0b10000, 0b11111]),
    ('3', [0b11110, 0b00001, 0b01110, 0b00001, 0b11110]),
    ('4', [0b10010, 0b10010, 0b11111, 0b00010, 0b00010]),
    ('5', [0b11111, 0b10000, 0b11110, 0b00001, 0b11110]),
    ('6', [0b01110, 0b10000, 0b11110, 0b10001, 0b01110]),
    ('7', [0b11111, 0b00001, 0b00010, 0b00100, 0b00100]),
    ('8', [0b01110, 0b10001, 0b01110, 0b10001, 0b01110]),
    ('9', [0b01110, 0b10001, 0b01111, 0b00001, 0b01110]),
    ('A', [0b01110, 0b10001, 0b11111, 0b10001, 0b10001]),
    ('B', [0b11110, 0b10001, 0b11110, 0b10001, 0b11110]),
    ('C', [0b01111, 0b10000, 0b10000, 0b10000, 0b01111]),
    ('D', [0b11110, 0b10001, 0b10001, 0b10001, 0b11110]),
    ('E', [0b11111, 0b10000, 0b11110, 0b10000, 0b11111]),
    ('F', [0b11111, 0b10000, 0b11110, 0b10000, 0b10000]),
    ('G', [0b01111, 0b10000, 0b10011, 0b10001, 0b01111]),
    ('H', [0b10001, 0b10001, 0b11111, 0b10001, 0b10001]),
    ('J', [0b00111, 0b00010, 0b00010, 0b10010, 0b01100]),
    ('K', [0b10001, 0b10010, 0b11100, 0b10010, 0b10001]),
    ('L', [0b10000, 0b10000, 0b10000, 0b10000, 0b11111]),
    ('M', [0b10001, 0b11011, 0b10101, 0b10001, 0b10001]),
    ('N', [0b10001, 0b11001, 0b10101, 0b10011, 0b10001]),
    ('P', [0b11110, 0b10001, 0b11110, 0b10000, 0b10000]),
    ('Q', [0b01110, 0b10001, 0b10101, 0b10010, 0b01101]),
    ('R', [0b11110, 0b10001, 0b11110, 0b10010, 0b10001]),
    ('S', [0b01111, 0b10000, 0b01110, 0b00001, 0b11110]),
    ('T', [0b11111, 0b00100, 0b00100, 0b00100, 0b00100]),
    ('V', [0b10001, 0b10001, 0b10001, 0b01010, 0b00100]),
    ('W', [0b10001, 0b10001, 0b10101, 0b11011, 0b10001]),
    ('X', [0b10001, 0b01010, 0b00100, 0b01010, 0b10001]),
    ('Y', [0b10001, 0b01010, 0b00100, 0b00100, 0b00100]),
    ('Z', [0b11111, 0b00010, 0b00100, 0b01000, 0b11111]),
];

/// The text in three lines. What has no glyph is left out.
pub(super) fn big(text: &str) -> [String; SIDE.div_ceil(2)] {
    let glyphs: Vec<Glyph> = text.chars().filter_map(glyph).collect();
    std::array::from_fn(|line| {
        let drawn: Vec<String> = glyphs
            .iter()
            .map(|glyph| {
                let row = |index: usize| glyph.get(index).copied().unwrap_or_default();
                pixels(row(2 * line), row(2 * line + 1))
            })
            .collect();
        drawn.join(GAP).trim_end().to_owned()
    })
}

fn glyph(symbol: char) -> Option<Glyph> {
    GLYPHS
        .iter()
        .find(|(known, _)| *known == symbol)
        .map(|(_, glyph)| *glyph)
}

/// Two rows of a glyph as one row of characters.
fn pixels(upper: u8, lower: u8) -> String {
    (0..SIDE)
        .rev()
        .map(|bit| match ((upper >> bit) & 1, (lower >> bit) & 1) {
            (0, 0) => ' ',
            (1, 0) => '▀',
            (0, _) => '▄',
            _ => '█',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_symbol_of_a_code_has_a_glyph_of_its_own() {
        let symbols = "123456789ABCDEFGHJKLMNPQRSTVWXYZ-";
        let drawn: BTreeSet<Glyph> = symbols
            .chars()
            .map(|symbol| glyph(symbol).unwrap())
            .collect();
        assert_eq!(drawn.len(), symbols.len());
    }

    #[test]
    fn letters_stand_beside_each_other() {
        assert_eq!(big("L1"), ["█       ▄█", "█        █", "▀▀▀▀▀   ▀▀▀"]);
        assert_eq!(
            big("ABCD-1234")
                .iter()
                .map(|line| line.chars().count())
                .max(),
            Some(61)
        );
    }
}
