//! What a person sees: lines of progress, and below them the QR code while there is one.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::qr::image::Pictures;
use crate::qr::text::{Look, extent, half_blocks};
use crate::qr::{Matrix, QUIET_ZONE};

/// Quiet zone for terminals too narrow for the standard one; scanners take it.
const NARROW_QUIET_ZONE: usize = 2;

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Where the output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// A terminal: colours, and drawing over what was drawn.
    Terminal(Extent),
    /// A pipe or a file: text only, never an escape code.
    Plain,
}

/// A code on offer.
pub(crate) struct Offer {
    pub(crate) text: String,
    pub(crate) seq: u32,
    pub(crate) deadline: Instant,
}

/// Draws on one output.
pub(crate) struct Screen<W> {
    out: W,
    surface: fn() -> Surface,
    invert: bool,
    pictures: Pictures,
    shown: Option<Shown>,
}

struct Shown {
    matrix: Matrix,
    offer: Offer,
    /// Lines from the top of the drawing to the cursor; `None` when it cannot be drawn over.
    height: Option<usize>,
}

impl<W: Write> Screen<W> {
    /// `surface` is asked anew for every drawing: people widen their terminals when told to.
    pub(crate) fn new(out: W, surface: fn() -> Surface, invert: bool, pictures: Pictures) -> Self {
        Self {
            out,
            surface,
            invert,
            pictures,
            shown: None,
        }
    }

    /// Prints a line above the code, if one is shown.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        match self.shown.take() {
            Some(shown) if shown.height.is_some() => {
                self.erase(&shown)?;
                writeln!(self.out, "{text}")?;
                self.draw(shown.matrix, shown.offer)?;
            }
            other => {
                self.shown = other;
                writeln!(self.out, "{text}")?;
            }
        }
        self.out.flush()
    }

    /// Shows a code in place of the one before.
    pub(crate) fn show(&mut self, offer: Offer) -> io::Result<()> {
        if let Some(before) = self.shown.take() {
            self.erase(&before)?;
        }
        let matrix = match Matrix::encode(&offer.text) {
            Ok(matrix) => matrix,
            Err(error) => return self.line(&format!("The code cannot be shown: {error}.")),
        };
        for problem in self.pictures.show(&matrix) {
            writeln!(self.out, "{problem}")?;
        }
        self.draw(matrix, offer)?;
        self.out.flush()
    }

    /// Brings the countdown up to date.
    pub(crate) fn tick(&mut self) -> io::Result<()> {
        let Some(shown) = &self.shown else {
            return Ok(());
        };
        if shown.height.is_some() {
            let countdown = countdown(&shown.offer);
            write!(self.out, "\x1b[1A\r\x1b[2K{countdown}\n")?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Takes the code off the screen and its pictures off the disk.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        if let Some(shown) = self.shown.take() {
            self.erase(&shown)?;
        }
        self.pictures.remove();
        self.out.flush()
    }

    /// Whether a code is on show.
    pub(crate) fn is_showing(&self) -> bool {
        self.shown.is_some()
    }

    fn erase(&mut self, shown: &Shown) -> io::Result<()> {
        match shown.height {
            Some(height) => write!(self.out, "\x1b[{height}A\r\x1b[J"),
            None => Ok(()),
        }
    }

    fn draw(&mut self, matrix: Matrix, offer: Offer) -> io::Result<()> {
        let height = match (self.surface)() {
            Surface::Plain => {
                self.draw_plain(&matrix, &offer)?;
                None
            }
            Surface::Terminal(terminal) => self.draw_terminal(&matrix, &offer, terminal)?,
        };
        self.shown = Some(Shown {
            matrix,
            offer,
            height,
        });
        Ok(())
    }

    fn draw_plain(&mut self, matrix: &Matrix, offer: &Offer) -> io::Result<()> {
        let look = Look {
            colour: false,
            invert: self.invert,
            quiet: QUIET_ZONE,
        };
        writeln!(self.out, "QR code {}, {}:", offer.seq, valid_for(offer))?;
        writeln!(self.out, "{}", offer.text)?;
        for line in half_blocks(matrix, look) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn draw_terminal(
        &mut self,
        matrix: &Matrix,
        offer: &Offer,
        terminal: Extent,
    ) -> io::Result<Option<usize>> {
        let fits = |quiet: &usize| extent(matrix, *quiet).0 <= terminal.columns;
        let Some(quiet) = [QUIET_ZONE, NARROW_QUIET_ZONE].into_iter().find(fits) else {
            let (needed, _) = extent(matrix, NARROW_QUIET_ZONE);
            writeln!(
                self.out,
                "The terminal is {} columns wide, the QR code needs {needed}: widen the terminal or make its font \
                 smaller, or use --qr-png FILE. The next code is shown as soon as it fits.",
                terminal.columns
            )?;
            writeln!(self.out, "{}", countdown(offer))?;
            return Ok(None);
        };
        let look = Look {
            colour: true,
            invert: self.invert,
            quiet,
        };
        let lines = half_blocks(matrix, look);
        for line in &lines {
            writeln!(self.out, "{line}")?;
        }
        let height = lines.len() + 1;
        // What has scrolled away cannot be drawn over.
        let in_place = height < terminal.rows;
        if !in_place {
            writeln!(
                self.out,
                "The terminal has {} rows, the QR code needs {}: make it higher or its font smaller to see all of it.",
                terminal.rows,
                height + 1
            )?;
        }
        writeln!(self.out, "{}", countdown(offer))?;
        Ok(in_place.then_some(height))
    }
}

fn countdown(offer: &Offer) -> String {
    format!("Code {}, {}.", offer.seq, valid_for(offer))
}

fn valid_for(offer: &Offer) -> String {
    let left = offer.deadline.saturating_duration_since(Instant::now());
    // Rounded up: a code is never shown as dead while it lives.
    format!(
        "valid for {} s",
        left.saturating_add(Duration::from_millis(999)).as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::QrArgs;
    use crate::qr::tests::long_text;

    fn terminal() -> Surface {
        Surface::Terminal(Extent {
            columns: 100,
            rows: 60,
        })
    }

    fn offer(seq: u32) -> Offer {
        Offer {
            text: long_text(),
            seq,
            deadline: Instant::now() + Duration::from_secs(20),
        }
    }

    fn drawn(surface: fn() -> Surface, act: impl FnOnce(&mut Screen<&mut Vec<u8>>)) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, surface, false, Pictures::default());
        act(&mut screen);
        String::from_utf8(out).unwrap()
    }

    /// A terminal that knows the few codes we use; returns the rows with their trailing spaces cut.
    fn rendered(text: &str) -> Vec<String> {
        let (mut rows, mut row) = (vec![String::new()], 0);
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix("\x1b[") {
                let end = tail.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (argument, code) = (&tail[..end], &tail[end..=end]);
                rest = &tail[end + 1..];
                match code {
                    "A" => row -= argument.parse::<usize>().unwrap(),
                    "J" => {
                        rows.truncate(row);
                        rows.push(String::new());
                    }
                    "K" => rows[row].clear(),
                    "m" => {}
                    other => panic!("unexpected escape code {other}"),
                }
                continue;
            }
            let c = rest.chars().next().unwrap();
            rest = &rest[c.len_utf8()..];
            match c {
                '\n' => {
                    row += 1;
                    if row == rows.len() {
                        rows.push(String::new());
                    }
                }
                '\r' => {}
                c => rows[row].push(c),
            }
        }
        rows.iter().map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_pipe_never_gets_an_escape_code_and_each_code_once() {
        let text = drawn(
            || Surface::Plain,
            |screen| {
                screen.line("Connecting").unwrap();
                screen.show(offer(1)).unwrap();
                screen.tick().unwrap();
                screen.line("more").unwrap();
                screen.show(offer(2)).unwrap();
                screen.blank().unwrap();
            },
        );
        assert!(!text.contains('\x1b') && !text.contains('\r'));
        assert_eq!(text.matches(&long_text()).count(), 2);
        assert!(
            text.contains("QR code 1, valid for 20 s:\n")
                && text.contains("QR code 2, valid for 20 s:\n")
        );
    }

    #[test]
    fn a_rotated_code_takes_the_place_of_the_one_before() {
        let once = rendered(&drawn(terminal, |screen| screen.show(offer(1)).unwrap()));
        let twice = rendered(&drawn(terminal, |screen| {
            screen.show(offer(7)).unwrap();
            screen.tick().unwrap();
            screen.show(offer(1)).unwrap();
            screen.tick().unwrap();
        }));
        assert_eq!(once, twice);
        assert!(once.iter().any(|row| row == "Code 1, valid for 20 s."));
    }

    #[test]
    fn lines_stay_above_the_code_and_blanking_leaves_only_them() {
        let rows = rendered(&drawn(terminal, |screen| {
            screen.line("one").unwrap();
            screen.show(offer(1)).unwrap();
            screen.line("two").unwrap();
        }));
        assert_eq!(&rows[..2], ["one", "two"]);
        assert!(rows.len() > 30);
        let rows = rendered(&drawn(terminal, |screen| {
            screen.line("one").unwrap();
            screen.show(offer(1)).unwrap();
            screen.blank().unwrap();
            screen.line("two").unwrap();
        }));
        assert_eq!(rows, ["one", "two", ""]);
    }

    #[test]
    fn a_narrow_terminal_gets_words_instead() {
        let narrow = || {
            Surface::Terminal(Extent {
                columns: 40,
                rows: 60,
            })
        };
        let text = drawn(narrow, |screen| screen.show(offer(1)).unwrap());
        assert!(text.contains("40 columns wide") && text.contains("--qr-png"));
        assert!(!text.contains('█'));
    }

    #[test]
    fn a_low_terminal_is_never_drawn_over() {
        let low = || {
            Surface::Terminal(Extent {
                columns: 100,
                rows: 24,
            })
        };
        let text = drawn(low, |screen| {
            screen.show(offer(1)).unwrap();
            screen.tick().unwrap();
            screen.show(offer(2)).unwrap();
        });
        assert!(text.contains("24 rows"));
        assert!(!text.contains("\x1b[J") && !text.contains('\r'));
    }

    #[test]
    fn pictures_follow_the_code_and_vanish_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        let pictures = |path: &std::path::Path| {
            Pictures::new(&QrArgs {
                qr_png: Some(path.to_owned()),
                ..QrArgs::default()
            })
        };
        let mut screen = Screen::new(Vec::new(), || Surface::Plain, false, pictures(&path));
        screen.show(offer(1)).unwrap();
        assert!(path.exists());
        screen.blank().unwrap();
        assert!(!path.exists());

        let impossible = pictures(&folder.path().join("no/code.png"));
        let mut screen = Screen::new(Vec::new(), || Surface::Plain, false, impossible);
        screen.show(offer(1)).unwrap();
        assert!(
            String::from_utf8(screen.out.clone())
                .unwrap()
                .contains("could not be written")
        );
    }
}
