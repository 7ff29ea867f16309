use std::collections::VecDeque;

use wa_proto::NodeRef;

/// Most refs taken from one pair-device; the server sends 6 (pairing chapter, A.1). The rest is
/// ignored.
pub const MAX_REFS: usize = 32;

/// Longest ref taken, in bytes. Together with three keys it still fits a QR code that a phone can
/// read.
pub const MAX_REF_LEN: usize = 1024;

/// The refs of the newest pair-device: the one on show and those waiting.
#[derive(Default)]
pub(crate) struct RefQueue {
    current: Option<String>,
    waiting: VecDeque<String>,
}

impl RefQueue {
    /// Reads the refs of a `pair-device` node and puts the first one on show. Children that are no
    /// printable ref of sane size are skipped.
    pub(crate) fn read(pair_device: &NodeRef<'_>) -> Self {
        let mut waiting: VecDeque<String> = pair_device
            .children()
            .filter_map(|child| reference(&child))
            .take(MAX_REFS)
            .collect();
        Self {
            current: waiting.pop_front(),
            waiting,
        }
    }

    /// Puts the next ref on show; `false` when there is none left.
    pub(crate) fn advance(&mut self) -> bool {
        self.current = self.waiting.pop_front();
        self.current.is_some()
    }

    /// The ref on show.
    pub(crate) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }
}

fn reference(child: &NodeRef<'_>) -> Option<String> {
    if !(child.tag() == "ref") {
        return None;
    }
    let bytes = child.bytes()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let usable =
        !text.is_empty() && text.len() <= MAX_REF_LEN && !text.chars().any(char::is_control);
    if usable {
        Some(text.to_owned())
    } else {
        tracing::warn!(bytes = text.len(), "skipped an unusable pairing ref");
        None
    }
}
