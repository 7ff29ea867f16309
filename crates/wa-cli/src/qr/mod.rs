//! A QR code as modules, and the ways to show it.

pub(crate) mod image;
pub(crate) mod text;

use fast_qr::{ECL, QRBuilder};

/// Light modules around the code that scanners rely on (ISO/IEC 18004, 9.1).
pub(crate) const QUIET_ZONE: usize = 4;

/// The square of dark and light modules for one text.
pub(crate) struct Matrix {
    size: usize,
    dark: Vec<bool>,
}

/// The text does not fit into the largest QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text of {len} bytes does not fit into a QR code")]
pub(crate) struct TooLong {
    len: usize,
}

impl Matrix {
    /// Encodes with the lowest redundancy: a screen is clean, and fewer modules are easier to show and to scan.
    pub(crate) fn encode(text: &str) -> Result<Self, TooLong> {
        let code = QRBuilder::new(text)
            .ecl(ECL::L)
            .build()
            .map_err(|_| TooLong { len: text.len() })?;
        Ok(Self {
            size: code.size,
            dark: code
                .data
                .iter()
                .take(code.size * code.size)
                .map(|module| module.value())
                .collect(),
        })
    }

    /// Modules per side, without the quiet zone.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether the module is dark, counted from the top left corner of a quiet zone of `quiet` modules.
    pub(crate) fn is_dark(&self, quiet: usize, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(quiet).filter(|at| *at < self.size);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.dark.get(y * self.size + x).copied().unwrap_or(false),
            _ => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As long as a real code: a deep link with a ref of about a hundred characters and three keys.
    pub(crate) fn long_text() -> String {
        format!(
            "https://wa.me/settings/linked_devices#2@{}",
            "aB3/+=,".repeat(36)
        )
    }

    /// What a scanner sees in a picture given by its dark pixels.
    pub(crate) fn scanned(
        width: usize,
        height: usize,
        dark: impl Fn(usize, usize) -> bool,
    ) -> String {
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(width * 3, height * 3, |x, y| {
                if dark(x / 3, y / 3) { 0 } else { 255 }
            });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one code is visible");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_scanner_reads_the_text_back() {
        for text in ["x".to_owned(), long_text()] {
            let matrix = Matrix::encode(&text).unwrap();
            let side = matrix.size() + 2 * QUIET_ZONE;
            assert_eq!(
                scanned(side, side, |x, y| matrix.is_dark(QUIET_ZONE, x, y)),
                text
            );
        }
    }

    #[test]
    fn the_capacity_of_the_largest_code_is_the_limit() {
        assert!(Matrix::encode(&"x".repeat(2953)).is_ok());
        assert_eq!(
            Matrix::encode(&"x".repeat(2954)).err(),
            Some(TooLong { len: 2954 })
        );
    }
}
