//! What a person sees: lines of progress, and below them what is live: a pairing code, a QR code, the time they have left.

mod glyphs;
mod panel;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub(crate) use self::panel::{CodeKind, CodeOffer};
use crate::qr::image::Pictures;
use crate::qr::text::{Look, extent, half_blocks};
use crate::qr::{Matrix, QUIET_ZONE};

/// Quiet zone for terminals too narrow for the standard one; scanners take it.
const NARROW_QUIET_ZONE: usize = 2;

/// Clears the screen and what has scrolled off it, and starts at the top.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Lines written again after the screen was cleared: all that are said around a link, and room for trouble.
const KEPT_LINES: usize = 20;

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

/// A QR code on offer.
pub(crate) struct Offer {
    pub(crate) text: Zeroizing<String>,
    pub(crate) seq: u32,
    pub(crate) deadline: Instant,
}

/// Draws on one output.
pub(crate) struct Screen<W> {
    out: W,
    surface: fn() -> Surface,
    invert: bool,
    pictures: Pictures,
    live: Live,
    /// How what is live came onto the output; `None`: it is not there.
    drawn: Option<Drawn>,
    /// The latest lines, oldest first.
    said: VecDeque<String>,
}

/// What is on offer now.
#[derive(Default)]
struct Live {
    code: Option<CodeOffer>,
    qr: Option<(Matrix, Offer)>,
}

impl Live {
    fn is_empty(&self) -> bool {
        self.code.is_none() && self.qr.is_none()
    }

    /// The time everything has left, in one line.
    fn countdown(&self) -> String {
        let code = self.code.as_ref().map(CodeOffer::countdown);
        let qr = self.qr.as_ref().map(|(_, offer)| {
            let name = match code {
                Some(_) => "QR code",
                None => "Code",
            };
            format!("{name} {}, {}.", offer.seq, valid_for(offer.deadline))
        });
        let both: Vec<String> = code.into_iter().chain(qr).collect();
        both.join(" ")
    }
}

/// A drawing on a terminal; on any other output what is written stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawn {
    terminal: Extent,
    /// Rows from the top of the drawing to the cursor.
    height: usize,
}

impl<W: Write> Screen<W> {
    /// `surface` is asked anew for every drawing: people widen their terminals when told to.
    pub(crate) fn new(out: W, surface: fn() -> Surface, invert: bool, pictures: Pictures) -> Self {
        Self {
            out,
            surface,
            invert,
            pictures,
            live: Live::default(),
            drawn: None,
            said: VecDeque::new(),
        }
    }

    /// Prints a line above what is live.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.erase()?;
        self.say(text)?;
        self.draw()?;
        self.out.flush()
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.said.len() == KEPT_LINES {
            self.said.pop_front();
        }
        self.said.push_back(text.to_owned());
        writeln!(self.out, "{text}")
    }

    /// Shows a QR code in place of the one before.
    pub(crate) fn show(&mut self, offer: Offer) -> io::Result<()> {
        self.erase()?;
        let matrix = match Matrix::encode(&offer.text) {
            Ok(matrix) => matrix,
            Err(error) => return self.line(&format!("The code cannot be shown: {error}.")),
        };
        for problem in self.pictures.show(&matrix) {
            self.say(&problem)?;
        }
        if (self.surface)() == Surface::Plain {
            self.write_plain(&matrix, &offer)?;
        }
        self.live.qr = Some((matrix, offer));
        self.draw()?;
        self.out.flush()
    }

    /// Shows a code of eight characters in place of the one before.
    pub(crate) fn show_code(&mut self, offer: CodeOffer) -> io::Result<()> {
        self.erase()?;
        if (self.surface)() == Surface::Plain {
            for line in offer.plain() {
                writeln!(self.out, "{line}")?;
            }
        }
        self.live.code = Some(offer);
        self.draw()?;
        self.out.flush()
    }

    /// Brings the countdown up to date, and the drawing if the terminal has another size now. A code whose time is
    /// over goes, whether another one follows or not.
    pub(crate) fn tick(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if let Some((_, qr)) = &self.live.qr
            && qr.deadline <= now
        {
            self.blank()?;
        }
        if let Some(code) = &self.live.code
            && code.deadline <= now
        {
            self.blank_code()?;
        }
        let Some(drawn) = self.drawn else {
            return Ok(());
        };
        if (self.surface)() == Surface::Terminal(drawn.terminal) {
            write!(self.out, "\x1b[1A\r\x1b[2K")?;
            writeln!(self.out, "{}", self.live.countdown())?;
        } else {
            self.erase()?;
            self.draw()?;
        }
        self.out.flush()
    }

    /// Takes the QR code off the screen and its pictures off the disk.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.erase()?;
        self.live.qr = None;
        self.pictures.remove();
        self.draw()?;
        self.out.flush()
    }

    /// Takes the code of eight characters off the screen.
    pub(crate) fn blank_code(&mut self) -> io::Result<()> {
        self.erase()?;
        self.live.code = None;
        self.draw()?;
        self.out.flush()
    }

    /// Whether a code is on show.
    pub(crate) fn is_showing(&self) -> bool {
        !self.live.is_empty()
    }

    /// Leaves nothing of what is live on a terminal.
    fn erase(&mut self) -> io::Result<()> {
        let Some(Drawn { terminal, height }) = self.drawn.take() else {
            return Ok(());
        };
        // What has scrolled away cannot be drawn over, and a new width has broken the lines anew.
        if height < terminal.rows && (self.surface)() == Surface::Terminal(terminal) {
            write!(self.out, "\x1b[{height}A\r\x1b[J")
        } else {
            self.clear()
        }
    }

    /// Leaves nothing but the lines.
    fn clear(&mut self) -> io::Result<()> {
        write!(self.out, "{CLEAR}")?;
        for line in &self.said {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Draws what is live, if this is a terminal.
    fn draw(&mut self) -> io::Result<()> {
        if let Surface::Terminal(terminal) = (self.surface)()
            && !self.live.is_empty()
        {
            let height = self.draw_terminal(terminal)?;
            self.drawn = Some(Drawn { terminal, height });
        }
        Ok(())
    }

    fn write_plain(&mut self, matrix: &Matrix, offer: &Offer) -> io::Result<()> {
        let look = Look {
            colour: false,
            invert: self.invert,
            quiet: QUIET_ZONE,
        };
        writeln!(
            self.out,
            "QR code {}, {}:",
            offer.seq,
            valid_for(offer.deadline)
        )?;
        writeln!(self.out, "{}", *offer.text)?;
        for line in half_blocks(matrix, look) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Returns the rows from the top of the drawing to the cursor.
    fn draw_terminal(&mut self, terminal: Extent) -> io::Result<usize> {
        let mut lines = match &self.live.code {
            Some(code) => code.panel(terminal.columns),
            None => Vec::new(),
        };
        if let Some((matrix, _)) = &self.live.qr {
            lines.extend(self.qr_lines(matrix, terminal.columns));
        }
        let rows = lines
            .iter()
            .map(|line| rows_taken(line, terminal.columns))
            .sum::<usize>();
        // The row of the countdown; the cursor needs one more below it.
        let mut height = rows + 1;
        if height >= terminal.rows {
            if self.live.qr.is_some() {
                lines.push(format!(
                    "The terminal has {} rows, the QR code needs {}: enlarge the window or make its font smaller to see all \
                     of it, or use --qr-png FILE.",
                    terminal.rows,
                    height + 1
                ));
                height += 1;
            }
            self.clear()?;
        }
        for line in &lines {
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out, "{}", self.live.countdown())?;
        Ok(height)
    }

    fn qr_lines(&self, matrix: &Matrix, columns: usize) -> Vec<String> {
        let fits = |quiet: &usize| extent(matrix, *quiet).0 <= columns;
        match [QUIET_ZONE, NARROW_QUIET_ZONE].into_iter().find(fits) {
            Some(quiet) => half_blocks(
                matrix,
                Look {
                    colour: true,
                    invert: self.invert,
                    quiet,
                },
            ),
            None => vec![format!(
                "The terminal is {columns} columns wide, the QR code needs {}: widen the terminal or make its font smaller, or \
                 use --qr-png FILE. The code is shown as soon as it fits.",
                extent(matrix, NARROW_QUIET_ZONE).0
            )],
        }
    }
}

/// Rows a line takes on a terminal that breaks it. Lines of a code always fit, and their escape codes take no room.
fn rows_taken(line: &str, columns: usize) -> usize {
    if line.contains('\x1b') {
        return 1;
    }
    let shown = line.chars().filter(|c| !panel::is_isolate(*c)).count();
    shown.div_ceil(columns.max(1)).max(1)
}

fn valid_for(deadline: Instant) -> String {
    let left = deadline.saturating_duration_since(Instant::now());
    // Rounded up: a code is never shown as dead while it lives.
    format!(
        "valid for {} s",
        left.saturating_add(Duration::from_millis(999)).as_secs()
    )
}
