use thiserror::Error;

use crate::frame::{FrameError, MAX_FRAME_LEN, length_bytes};

/// What every stream starts with, and the Noise prologue: "WA", protocol version 6, token dictionary version 3.
pub const PROLOGUE: [u8; 4] = *b"WA\x06\x03";

/// What routing info is announced with: "ED", then its version.
const ROUTING_TAG: [u8; 4] = *b"ED\x00\x01";

/// Appends what precedes a client's first frame: the routing preamble, if any is stored, and the header.
///
/// Empty routing info is the same as none. `out` is unchanged when the routing info is refused.
pub fn write_preamble(routing: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    if let Some(routing) = routing.filter(|routing| !routing.is_empty()) {
        let got = routing.len();
        let length = length_bytes(got).ok_or(FrameError::RoutingTooLong {
            got,
            limit: MAX_FRAME_LEN,
        })?;
        out.extend_from_slice(&ROUTING_TAG);
        out.extend_from_slice(&length);
        out.extend_from_slice(routing);
    }
    out.extend_from_slice(&PROLOGUE);
    Ok(())
}

/// What a server reads before a client's first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPreamble {
    /// The routing info that the client was given on an earlier connection.
    pub routing: Option<Vec<u8>>,
    /// The four header bytes: the prologue of the handshake.
    pub prologue: [u8; 4],
}

/// A stream that is no client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PreambleError {
    /// Neither a header nor routing info.
    #[error("the stream starts with {got:02x?}, which is no header")]
    NotAHeader {
        /// The four bytes that are none.
        got: [u8; 4],
    },
}

/// Reads the routing preamble and the header from the start of a client's stream, in pieces of any size.
///
/// ```
/// use wa_noise::{PreambleDecoder, write_preamble};
///
/// let mut wire = Vec::new();
/// write_preamble(Some(&[8, 2]), &mut wire)?;
/// wire.extend_from_slice(b"frames");
///
/// let mut decoder = PreambleDecoder::new();
/// assert_eq!(decoder.read(&wire[..5])?, None);
/// let (preamble, rest) = decoder.read(&wire[5..])?.ok_or("not whole")?;
/// assert_eq!(preamble.routing.as_deref(), Some(&[8, 2][..]));
/// assert_eq!(rest, b"frames");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct PreambleDecoder {
    seen: Vec<u8>,
}

impl PreambleDecoder {
    /// A decoder at the start of a stream.
    pub const fn new() -> Self {
        Self { seen: Vec::new() }
    }

    /// Takes the next bytes of the stream. `None` until the preamble is whole; then it and the bytes that follow, which
    /// belong to a [`FrameDecoder`](crate::FrameDecoder). The decoder is then back at the start of a stream.
    ///
    /// Memory grows with the bytes that came, not with the announced length.
    pub fn read<'b>(
        &mut self,
        bytes: &'b [u8],
    ) -> Result<Option<(ServerPreamble, &'b [u8])>, PreambleError> {
        let mut rest = bytes;
        loop {
            let wanted = match self.progress()? {
                Progress::Whole(preamble) => {
                    self.seen = Vec::new();
                    return Ok(Some((preamble, rest)));
                }
                Progress::Wants(wanted) => wanted,
            };
            let (taken, left) = rest.split_at(wanted.min(rest.len()));
            if taken.is_empty() {
                return Ok(None);
            }
            self.seen.extend_from_slice(taken);
            rest = left;
        }
    }

    fn progress(&self) -> Result<Progress, PreambleError> {
        let Some((first, after)) = self.seen.split_first_chunk::<4>() else {
            return Ok(Progress::Wants(4 - self.seen.len()));
        };
        if *first != ROUTING_TAG {
            return header(*first, None);
        }
        let Some((length, after)) = after.split_first_chunk::<3>() else {
            return Ok(Progress::Wants(3 - after.len()));
        };
        let length = length
            .iter()
            .fold(0, |length, &byte| length << 8 | usize::from(byte));
        let Some((routing, after)) = after.split_at_checked(length) else {
            return Ok(Progress::Wants(length - after.len()));
        };
        match after.first_chunk::<4>() {
            Some(found) => header(*found, Some(routing.to_vec())),
            None => Ok(Progress::Wants(4 - after.len())),
        }
    }
}

enum Progress {
    Wants(usize),
    Whole(ServerPreamble),
}

fn header(found: [u8; 4], routing: Option<Vec<u8>>) -> Result<Progress, PreambleError> {
    if found.starts_with(b"WA") {
        Ok(Progress::Whole(ServerPreamble {
            routing,
            prologue: found,
        }))
    } else {
        Err(PreambleError::NotAHeader { got: found })
    }
}
