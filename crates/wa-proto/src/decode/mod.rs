//! From the plaintext of a transport frame to a stanza that borrows from it.

mod error;
mod inflate;
mod scan;
mod tape;

pub use error::DecodeError;
pub(crate) use scan::Slot;
pub(crate) use tape::{AttributeEntry, Tape};

use crate::NodeRef;
use inflate::Inflater;

/// The longest plaintext: what a frame with its 3-byte length can hold. (Node chapter, 9.)
pub const MAX_PLAINTEXT_LEN: usize = 0xff_ffff;

/// The longest node that a compressed frame may inflate to. (Node chapter, 9.)
pub const MAX_INFLATED_LEN: usize = 16 * 1024 * 1024;

/// The most levels of nodes, the root included; real stanzas stay below 10. (Node chapter, 9.)
pub const MAX_NODE_DEPTH: usize = 64;

/// The most attributes of one node, read or written. (Node chapter, 9.)
pub const MAX_ATTRIBUTES: usize = 512;

/// The most nodes and attributes of one stanza together; a group of 1,024 members has some 5,000. Our own limit:
/// it keeps what a compressed frame can make us index below 16 MiB.
pub const MAX_ELEMENTS: usize = 1 << 20;

/// The flag that says that the node is compressed; all others are ignored. (Node chapter, 1.)
const FLAG_COMPRESSED: u8 = 0x02;

/// A plaintext of this one byte is the end-of-stream mark of the old text format, and here the same as the node
/// `<xmlstreamend/>`.
const STREAM_END: u8 = 0x02;
const STREAM_END_NODE: [u8; 3] = [0xf8, 0x01, STREAM_END];

/// Decodes stanzas; keep one per connection, for its buffers.
///
/// One pass checks the whole stanza and notes where its nodes and attributes are. Texts, JIDs and contents stay
/// where they are until they are asked for, so a decoder that has seen a stanza of the same size allocates
/// nothing.
///
/// ```
/// use wa_proto::Decoder;
///
/// let mut decoder = Decoder::new();
/// let stanza = decoder.decode(&[0x00, 0xf8, 0x03, 0x19, 0x04, 0x14])?;
/// assert!(stanza.tag() == "iq");
/// assert_eq!(stanza.attr_text("type").as_deref(), Some("result"));
/// # Ok::<(), wa_proto::DecodeError>(())
/// ```
#[derive(Default)]
pub struct Decoder {
    tape: Tape,
    inflater: Inflater,
}

impl Decoder {
    /// A decoder without buffers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives all buffers back, for a stream that has fallen silent. The next stanza allocates again.
    pub fn rest(&mut self) {
        *self = Self::default();
    }

    /// Decodes a plaintext: a flag byte, then one node, compressed if the flag says so.
    pub fn decode<'a>(&'a mut self, plaintext: &'a [u8]) -> Result<NodeRef<'a>, DecodeError> {
        let Some((flags, body)) = plaintext.split_first() else {
            return Err(DecodeError::Empty);
        };
        if plaintext.len() > MAX_PLAINTEXT_LEN {
            return Err(DecodeError::TooLong {
                len: plaintext.len() as u64,
                limit: MAX_PLAINTEXT_LEN as u32,
            });
        }
        let input = if flags & FLAG_COMPRESSED == 0 {
            body
        } else if body.is_empty() {
            &STREAM_END_NODE
        } else {
            self.inflater.inflate(body)?;
            self.inflater.output()
        };
        self.tape.fill(input)?;
        Ok(NodeRef::new(&self.tape, input))
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}
