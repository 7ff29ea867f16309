//! Standard input, line by line, without holding anything else up.

use std::io::{BufRead as _, Read as _};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Longest line taken, in bytes; our own bound. A command has under a hundred, an assertion two thousand.
pub(crate) const MAX_LINE_LEN: usize = 64 * 1024;

/// A line, or why what came is none.
pub(crate) type Line = Result<Zeroizing<String>, &'static str>;

/// Lines of standard input, read by a thread of their own: a blocking read must hold nothing else up, and it may
/// never end. The thread ends with the input or with the process.
pub(crate) fn lines() -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(16);
    let limit = u64::try_from(MAX_LINE_LEN + 1).unwrap_or(u64::MAX);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let complete = line.ends_with(b"\n");
            let line = if line.len() > MAX_LINE_LEN && !complete {
                if input.skip_until(b'\n').is_err() {
                    return;
                }
                Err("the command is too long")
            } else {
                String::from_utf8(line)
                    .map(Zeroizing::new)
                    .map_err(|_| "the command is not UTF-8")
            };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
