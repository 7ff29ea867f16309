use thiserror::Error;

/// Longest body that three length bytes can announce (transport chapter, section 2).
pub const MAX_FRAME_LEN: usize = 0xFF_FFFF;

/// Longest body worth waiting for before the handshake is over. A real `ServerHello` has a few hundred bytes, one with
/// the padding and post-quantum members of newer schemas a few thousand; nobody has authenticated the peer yet.
pub const MAX_HANDSHAKE_FRAME_LEN: usize = 64 * 1024;

/// Most memory taken for announced bytes that have not come. A length is only a claim.
pub const MAX_RESERVED_AHEAD: usize = 64 * 1024;

/// Largest buffer kept between frames: what a 64 KiB frame needs, twice over. A larger one is given back.
pub const MAX_RETAINED_CAPACITY: usize = 128 * 1024;

/// Bytes in front of a body.
pub(crate) const HEADER_LEN: usize = 3;

/// First allocation of a decoder, so that a stream coming byte by byte does not allocate for each.
const MIN_CAPACITY: usize = 1024;

/// A frame that may not be written, or is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The body to write does not fit three length bytes.
    #[error("a frame body of {got} bytes is over the format's limit of {limit}")]
    TooLong {
        /// Length of the body.
        got: usize,
        /// [`MAX_FRAME_LEN`].
        limit: usize,
    },
    /// The peer announced a longer body than this decoder was told to accept.
    #[error("the peer announced a frame of {announced} bytes, {limit} are accepted here")]
    Refused {
        /// The announced length.
        announced: usize,
        /// The limit in force, see [`FrameDecoder::set_limit`].
        limit: usize,
    },
    /// The routing bytes to write do not fit three length bytes.
    #[error("routing info of {got} bytes is over the format's limit of {limit}")]
    RoutingTooLong {
        /// Length of the routing info.
        got: usize,
        /// [`MAX_FRAME_LEN`].
        limit: usize,
    },
}

/// Appends one frame: three length bytes, most significant first, then `body`.
///
/// `out` is unchanged when the body is refused.
pub fn write_frame(body: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = length_bytes(body.len()).ok_or(FrameError::TooLong {
        got: body.len(),
        limit: MAX_FRAME_LEN,
    })?;
    out.reserve(HEADER_LEN + body.len());
    out.extend_from_slice(&length);
    out.extend_from_slice(body);
    Ok(())
}

/// `length` as three bytes, most significant first, if it fits.
pub(crate) fn length_bytes(length: usize) -> Option<[u8; HEADER_LEN]> {
    if length > MAX_FRAME_LEN {
        return None;
    }
    let [.., a, b, c] = length.to_be_bytes();
    Some([a, b, c])
}

/// Cuts a byte stream into frame bodies.
///
/// Bytes go in as they come, in pieces of any size; bodies come out as slices of the decoder's own buffer, mutable, so
/// that [`Transport::open_frame`](crate::Transport::open_frame) can work where they lie. In the steady state nothing is
/// allocated and every byte is copied once.
///
/// The buffer grows with the bytes that came, never by the announced length alone: at most [`MAX_RESERVED_AHEAD`] ahead
/// of them. A buffer that had to grow over [`MAX_RETAINED_CAPACITY`] is given back once the long frame is consumed.
///
/// An engine that needs `&mut self` while it handles a body can `std::mem::take` its decoder for the loop: an empty
/// decoder owns no memory.
///
/// ```
/// use wa_noise::{FrameDecoder, write_frame};
///
/// let mut wire = Vec::new();
/// write_frame(b"one", &mut wire)?;
/// write_frame(b"", &mut wire)?;
///
/// let mut frames = FrameDecoder::new();
/// frames.push(&wire[..4]);
/// assert_eq!(frames.next_frame()?, None);
/// frames.push(&wire[4..]);
/// assert_eq!(frames.next_frame()?.as_deref(), Some(&b"one"[..]));
/// assert_eq!(frames.next_frame()?.as_deref(), Some(&b""[..]));
/// assert_eq!(frames.next_frame()?, None);
/// # Ok::<(), wa_noise::FrameError>(())
/// ```
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Where the first frame not handed out yet starts.
    consumed: usize,
    limit: usize,
}

impl FrameDecoder {
    /// An empty decoder that accepts every length the format can announce.
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            consumed: 0,
            limit: MAX_FRAME_LEN,
        }
    }

    /// An empty decoder that refuses longer bodies than `limit`.
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            consumed: 0,
            limit,
        }
    }

    /// Accepts bodies up to `limit` from now on, in what is buffered as well: a stream starts with
    /// [`MAX_HANDSHAKE_FRAME_LEN`] and goes on with [`MAX_FRAME_LEN`].
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes the next bytes of the stream. Call [`next_frame`](Self::next_frame) until it has no more, then push again.
    pub fn push(&mut self, bytes: &[u8]) {
        self.compact();
        let wanted = self.buffer.len() + bytes.len();
        if wanted > self.buffer.capacity() {
            let missing = self
                .announced_end(bytes)
                .saturating_sub(wanted)
                .min(MAX_RESERVED_AHEAD);
            let capacity = (wanted + missing).max(MIN_CAPACITY);
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole body, or `None` until more bytes come.
    ///
    /// An error is final: the stream cannot be cut any more.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        let Some(length) = self.pending_bytes().first_chunk().map(announced_length) else {
            self.release();
            return Ok(None);
        };
        if length > self.limit {
            return Err(FrameError::Refused {
                announced: length,
                limit: self.limit,
            });
        }
        let start = self.consumed + HEADER_LEN;
        let end = start + length;
        if end > self.buffer.len() {
            self.release();
            return Ok(None);
        }
        self.consumed = end;
        Ok(self.buffer.get_mut(start..end))
    }

    /// How many bytes wait for the rest of their frame, or for [`next_frame`](Self::next_frame).
    pub fn pending(&self) -> usize {
        self.pending_bytes().len()
    }

    /// Gives the buffer back if nothing waits in it, for a stream that has fallen silent. The next bytes allocate again.
    pub fn rest(&mut self) {
        if self.pending() == 0 {
            self.buffer = Vec::new();
            self.consumed = 0;
        }
    }

    /// How many bytes of memory the buffer holds.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn pending_bytes(&self) -> &[u8] {
        self.buffer.get(self.consumed..).unwrap_or_default()
    }

    /// Where the frame begun in the buffer (or in `bytes`, which follow it) will end, by its announcement.
    fn announced_end(&self, bytes: &[u8]) -> usize {
        let mut header = self.buffer.iter().chain(bytes).copied();
        match (header.next(), header.next(), header.next()) {
            (Some(a), Some(b), Some(c)) => HEADER_LEN + announced_length(&[a, b, c]),
            _ => 0,
        }
    }

    fn compact(&mut self) {
        self.buffer.drain(..self.consumed.min(self.buffer.len()));
        self.consumed = 0;
    }

    /// Gives memory back that only a long frame needed. Half of the bound has to be free, so that a frame still coming
    /// in does not make it shrink and grow in turns.
    fn release(&mut self) {
        if self.buffer.capacity() > MAX_RETAINED_CAPACITY
            && self.pending() <= MAX_RETAINED_CAPACITY / 2
        {
            self.compact();
            self.buffer.shrink_to(if self.buffer.is_empty() {
                0
            } else {
                MAX_RETAINED_CAPACITY
            });
        }
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameDecoder")
            .field("pending", &self.pending())
            .finish_non_exhaustive()
    }
}

fn announced_length(header: &[u8; HEADER_LEN]) -> usize {
    header
        .iter()
        .fold(0, |length, &byte| length << 8 | usize::from(byte))
}
