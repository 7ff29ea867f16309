//! A QR code in a terminal: two modules per character cell.

use super::Matrix;

/// Black on white and white on black out of the fixed part of the 256-colour table, which themes do not change.
const DARK_ON_LIGHT: &str = "\x1b[38;5;16;48;5;231m";
const LIGHT_ON_DARK: &str = "\x1b[38;5;231;48;5;16m";
const RESET: &str = "\x1b[0m";

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Force black and white with escape codes. Without, light modules are drawn and dark ones left empty,
    /// which is right on a dark background.
    pub(crate) colour: bool,
    /// Exchange dark and light.
    pub(crate) invert: bool,
    /// Width of the quiet zone in modules.
    pub(crate) quiet: usize,
}

/// Columns and rows the drawing takes.
pub(crate) fn extent(matrix: &Matrix, quiet: usize) -> (usize, usize) {
    let side = matrix.size() + 2 * quiet;
    (side, side.div_ceil(2))
}

/// One line of text per two rows of modules, without line ends.
pub(crate) fn half_blocks(matrix: &Matrix, look: Look) -> Vec<String> {
    let (columns, rows) = extent(matrix, look.quiet);
    (0..rows)
        .map(|row| line(matrix, look, columns, row))
        .collect()
}

fn line(matrix: &Matrix, look: Look, columns: usize, row: usize) -> String {
    // With colours the ink is the foreground, and dark modules get it; without, light modules do.
    let inked = |x: usize, y: usize| matrix.is_dark(look.quiet, x, y) == look.colour;
    let inked = |x: usize, y: usize| inked(x, y) != (look.invert && !look.colour);
    let mut line = String::with_capacity(columns * 3 + 32);
    if look.colour {
        line.push_str(if look.invert {
            LIGHT_ON_DARK
        } else {
            DARK_ON_LIGHT
        });
    }
    for x in 0..columns {
        line.push(match (inked(x, 2 * row), inked(x, 2 * row + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
    }
    if look.colour {
        line.push_str(RESET);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::tests::{long_text, scanned};
    use super::super::{Matrix, QUIET_ZONE};
    use super::*;

    const PLAIN: Look = Look {
        colour: false,
        invert: false,
        quiet: QUIET_ZONE,
    };

    fn pixels(lines: &[String]) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in lines {
            let cells = || line.chars().filter(|c| " █▀▄".contains(*c));
            rows.push(cells().map(|c| c == '█' || c == '▀').collect());
            rows.push(cells().map(|c| c == '█' || c == '▄').collect());
        }
        rows
    }

    fn strip(lines: Vec<String>, colours: &str) -> Vec<String> {
        let strip = |line: &String| {
            let inner = line
                .strip_prefix(colours)
                .and_then(|line| line.strip_suffix(RESET));
            inner
                .expect("every line sets and resets its colours")
                .to_owned()
        };
        lines.iter().map(strip).collect()
    }

    fn read(rows: &[Vec<bool>], ink_is_dark: bool) -> String {
        scanned(rows[0].len(), rows.len(), |x, y| rows[y][x] == ink_is_dark)
    }

    #[test]
    fn every_look_is_read_back_by_a_scanner() {
        let text = long_text();
        let matrix = Matrix::encode(&text).unwrap();
        assert_eq!(read(&pixels(&half_blocks(&matrix, PLAIN)), false), text);
        let inverted = Look {
            invert: true,
            ..PLAIN
        };
        assert_eq!(read(&pixels(&half_blocks(&matrix, inverted)), true), text);

        let forced = Look {
            colour: true,
            ..PLAIN
        };
        let lines = strip(half_blocks(&matrix, forced), DARK_ON_LIGHT);
        assert_eq!(read(&pixels(&lines), true), text);
        let inverted = Look {
            invert: true,
            ..forced
        };
        let lines = strip(half_blocks(&matrix, inverted), LIGHT_ON_DARK);
        assert_eq!(
            read(&pixels(&lines), true),
            text,
            "the inverted picture has exchanged colours, not modules"
        );
    }

    #[test]
    fn the_extent_is_what_is_drawn() {
        let matrix = Matrix::encode(&long_text()).unwrap();
        let (columns, rows) = extent(&matrix, QUIET_ZONE);
        let lines = half_blocks(&matrix, PLAIN);
        assert_eq!(lines.len(), rows);
        assert!(lines.iter().all(|line| line.chars().count() == columns));
        assert!(!lines.concat().contains('\x1b'));
    }
}
