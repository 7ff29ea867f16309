//! A code of eight characters, big enough to be read from the phone in the other hand.

use std::time::Instant;

use zeroize::Zeroizing;

use super::{glyphs, valid_for};

/// Columns to the left of a big code.
const MARGIN: usize = 2;

/// Keep digits and letters in their order where the terminal writes from right to left (Unicode Bidirectional
/// Algorithm, isolates).
const LEFT_TO_RIGHT: char = '\u{2066}';
const END_OF_ISOLATE: char = '\u{2069}';

/// A code on offer.
pub(crate) struct CodeOffer {
    pub(crate) kind: CodeKind,
    /// `ABCD-1234`.
    pub(crate) text: Zeroizing<String>,
    pub(crate) deadline: Instant,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeKind {
    /// To be typed on the phone.
    Pairing,
    /// To be compared with the phone's.
    Confirmation,
}

impl CodeKind {
    fn name(self) -> &'static str {
        match self {
            Self::Pairing => "Pairing code",
            Self::Confirmation => "Confirmation code",
        }
    }

    fn hint(self) -> &'static [&'static str] {
        match self {
            Self::Pairing => &[
                "On the phone: WhatsApp, Settings, Linked devices, Link a device,",
                "Link with phone number instead. Type the code there.",
            ],
            Self::Confirmation => &["The phone must show the same code."],
        }
    }
}

impl CodeOffer {
    pub(super) fn countdown(&self) -> String {
        format!("{}, {}.", self.kind.name(), valid_for(self.deadline))
    }

    /// For an output that is no terminal.
    pub(super) fn plain(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{}, {}:", self.kind.name(), valid_for(self.deadline)),
            self.text.to_string(),
        ];
        lines.extend(self.hint());
        lines
    }

    fn hint(&self) -> impl Iterator<Item = String> {
        self.kind.hint().iter().map(|line| (*line).to_owned())
    }

    /// For a terminal this wide.
    pub(super) fn panel(&self, columns: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        let big = glyphs::big(&self.text);
        let width = big.iter().map(|line| line.chars().count()).max();
        if width.is_some_and(|width| width + MARGIN <= columns) {
            let margin = " ".repeat(MARGIN);
            lines.extend(
                big.iter()
                    .map(|line| left_to_right(&format!("{margin}{line}"))),
            );
            lines.push(String::new());
        }
        lines.push(format!(
            "{}: {}",
            self.kind.name(),
            left_to_right(&self.text)
        ));
        lines.extend(self.hint());
        lines
    }
}

/// Whether this only keeps an order, and takes no room.
pub(super) fn is_isolate(character: char) -> bool {
    matches!(character, LEFT_TO_RIGHT | END_OF_ISOLATE)
}

/// The text, in its order whatever surrounds it.
pub(crate) fn left_to_right(text: &str) -> String {
    format!("{LEFT_TO_RIGHT}{text}{END_OF_ISOLATE}")
}
