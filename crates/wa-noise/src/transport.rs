use std::fmt;

use thiserror::Error;
use wa_crypto::AeadKey;

use crate::frame::{HEADER_LEN, MAX_FRAME_LEN, length_bytes};

/// Bytes that sealing adds to a plaintext.
pub const TAG_LEN: usize = 16;

/// Longest plaintext whose sealed form still fits a frame (transport chapter, section 7).
pub const MAX_PLAINTEXT_LEN: usize = MAX_FRAME_LEN - TAG_LEN;

/// A frame that could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The plaintext does not fit a frame.
    #[error("a plaintext of {got} bytes is over the limit of {limit}")]
    TooLong {
        /// Length of the plaintext.
        got: usize,
        /// [`MAX_PLAINTEXT_LEN`].
        limit: usize,
    },
    /// All 2^32 counters of this direction are used; the connection has to be opened anew.
    #[error("this direction has used all its 2^32 frame counters: reconnect")]
    CounterExhausted,
    /// The body is shorter than a tag.
    #[error("a frame body of {got} bytes cannot hold a tag of {expected}")]
    TooShort {
        /// Length of the body.
        got: usize,
        /// [`TAG_LEN`].
        expected: usize,
    },
    /// The body is not what the peer sealed as its frame number `counter`: forged, repeated, lost, or sealed with
    /// another key.
    #[error("frame {counter} did not open")]
    NotAuthentic {
        /// Number of the frame, from 0.
        counter: u32,
    },
    /// The caller's writer left the buffer shorter than it was.
    #[error("the writer removed bytes from the buffer it was to append to")]
    BufferCut,
}

impl TransportError {
    /// Whether the very first frame did not open: the two sides hold different keys, so treat it as a failed handshake
    /// (transport chapter, section 9).
    pub fn is_key_mismatch(&self) -> bool {
        matches!(self, Self::NotAuthentic { counter: 0 })
    }
}

/// Why [`Sealer::seal_frame_with`] wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError<E> {
    /// The plaintext's writer failed.
    #[error("{0}")]
    Write(E),
    /// The plaintext cannot be sealed.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Both directions of an established connection.
pub struct Transport {
    sealer: Sealer,
    opener: Opener,
}

impl Transport {
    pub(crate) fn new(write: AeadKey, read: AeadKey) -> Self {
        Self {
            sealer: Sealer::new(write),
            opener: Opener::new(read),
        }
    }

    /// See [`Sealer::seal_frame`].
    pub fn seal_frame(
        &mut self,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        self.sealer.seal_frame(plaintext, out)
    }

    /// See [`Sealer::seal_frame_with`].
    pub fn seal_frame_with<E>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), SealError<E>> {
        self.sealer.seal_frame_with(out, write)
    }

    /// See [`Opener::open_frame`].
    pub fn open_frame<'b>(&mut self, body: &'b mut [u8]) -> Result<&'b [u8], TransportError> {
        self.opener.open_frame(body)
    }

    /// The two directions, for whoever reads and writes in different places.
    pub fn split(self) -> (Sealer, Opener) {
        (self.sealer, self.opener)
    }
}

/// The sending direction. Frames have to reach the wire in the order in which they were sealed.
pub struct Sealer {
    key: AeadKey,
    counter: Counter,
}

impl Sealer {
    fn new(key: AeadKey) -> Self {
        Self {
            key,
            counter: Counter::START,
        }
    }

    /// Appends a whole frame (length, ciphertext, tag) that carries `plaintext`: flag byte and node.
    ///
    /// After an error `out` is as it was and no counter is used.
    pub fn seal_frame(
        &mut self,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let length = sealed_length(plaintext.len())?;
        let nonce = self.counter.nonce()?;
        out.reserve(HEADER_LEN + plaintext.len() + TAG_LEN);
        out.extend_from_slice(&length);
        self.key.seal_append(&nonce, &[], plaintext, out);
        self.counter.step();
        Ok(())
    }

    /// Appends a whole frame whose plaintext `write` appends to the buffer it is given, which is `out` itself: the
    /// plaintext is sealed where it was written.
    ///
    /// After an error `out` is as it was and no counter is used.
    pub fn seal_frame_with<E>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), SealError<E>> {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LEN]);
        let sealed = match write(out) {
            Ok(()) => self.seal_written(start, out).map_err(SealError::Transport),
            Err(error) => Err(SealError::Write(error)),
        };
        if sealed.is_err() {
            out.truncate(start);
        }
        sealed
    }

    /// Makes a frame of `out[start..]` in place: three bytes of any value, which become the length, and the plaintext
    /// after them. The tag is appended.
    ///
    /// After an error those bytes are as they were and no counter is used.
    pub fn seal_written(&mut self, start: usize, out: &mut Vec<u8>) -> Result<(), TransportError> {
        out.reserve(TAG_LEN);
        let frame = out
            .get_mut(start..)
            .and_then(<[u8]>::split_first_chunk_mut::<HEADER_LEN>);
        let (header, plaintext) = frame.ok_or(TransportError::BufferCut)?;
        let length = sealed_length(plaintext.len())?;
        let nonce = self.counter.nonce()?;
        *header = length;
        let tag = self.key.seal_in_place(&nonce, &[], plaintext);
        out.extend_from_slice(&tag);
        self.counter.step();
        Ok(())
    }
}

/// The receiving direction.
pub struct Opener {
    key: AeadKey,
    counter: Counter,
}

impl Opener {
    fn new(key: AeadKey) -> Self {
        Self {
            key,
            counter: Counter::START,
        }
    }

    /// Opens the next frame's body where it lies: flag byte and node.
    ///
    /// Counters are implicit, so a frame that does not open is the end of the stream: close the connection.
    pub fn open_frame<'b>(&mut self, body: &'b mut [u8]) -> Result<&'b [u8], TransportError> {
        if body.len() < TAG_LEN {
            return Err(TransportError::TooShort {
                got: body.len(),
                expected: TAG_LEN,
            });
        }
        let nonce = self.counter.nonce()?;
        let counter = self.counter.next.unwrap_or(u32::MAX);
        let opened = self.key.open_in_place(&nonce, &[], body);
        let plaintext = opened.map_err(|_| TransportError::NotAuthentic { counter })?;
        self.counter.step();
        Ok(plaintext)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

/// The number of a direction's next frame; none is left after the last.
struct Counter {
    next: Option<u32>,
}

impl Counter {
    const START: Self = Self { next: Some(0) };

    fn nonce(&self) -> Result<[u8; 12], TransportError> {
        self.next.map(nonce).ok_or(TransportError::CounterExhausted)
    }

    fn step(&mut self) {
        self.next = self.next.and_then(|used| used.checked_add(1));
    }
}

/// Eight zero bytes and the counter, most significant byte first: the whole protocol's nonce.
pub(crate) fn nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some(end) = nonce.last_chunk_mut() {
        *end = counter.to_be_bytes();
    }
    nonce
}

fn sealed_length(plaintext: usize) -> Result<[u8; HEADER_LEN], TransportError> {
    plaintext
        .checked_add(TAG_LEN)
        .and_then(length_bytes)
        .ok_or(TransportError::TooLong {
            got: plaintext,
            limit: MAX_PLAINTEXT_LEN,
        })
}

#[cfg(test)]
mod tests;
