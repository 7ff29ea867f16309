//! From a stanza to the plaintext of a frame, in one pass over the output.

mod items;
mod measure;
mod room;
mod writer;

use crate::Node;
use room::append;
pub use writer::{NodeWriter, encode_with};

/// The flag byte of everything a client sends: not compressed. (Node chapter, 1.)
const FLAGS_PLAIN: u8 = 0x00;

/// The most nodes directly inside one: LIST_16 counts with two bytes. (Node chapter, 2.)
pub const MAX_CHILDREN: usize = 0xffff;

/// Why a stanza cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A tag without characters.
    #[error("a node needs a tag")]
    EmptyTag,
    /// More attributes than [`MAX_ATTRIBUTES`](crate::MAX_ATTRIBUTES).
    #[error("{count} attributes, at most {limit} are allowed")]
    TooManyAttributes {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// More nodes in one than [`MAX_CHILDREN`].
    #[error("{count} nodes inside one, at most {limit} are allowed")]
    TooManyChildren {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A writer was told of a number of nodes, and wrote another.
    #[error("{expected} nodes were announced and {got} written")]
    ChildCount {
        /// How many were announced.
        expected: usize,
        /// How many were written.
        got: usize,
    },
    /// Nodes nested deeper than [`MAX_NODE_DEPTH`](crate::MAX_NODE_DEPTH).
    #[error("nodes nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A text or content too long for the format.
    #[error("{len} bytes are too long for one item")]
    TooLong {
        /// How long.
        len: usize,
    },
    /// The device does not fit the binary form of the JID, which has one byte for it. (Node chapter, 5.2.)
    #[error("device {device} does not fit one byte")]
    Device {
        /// The device.
        device: u16,
    },
    /// A JID of a server without devices has one.
    #[error("JIDs of this server have no device, this one has {device}")]
    DeviceNotAllowed {
        /// The device.
        device: u16,
    },
    /// The server of a JID is unknown and has no name.
    #[error("the JID has no server")]
    NoServer,
}

/// Appends the flag byte and the node; nothing on an error.
pub(crate) fn encode(node: &Node, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let node = std::slice::from_ref(node);
    let bound = 1 + measure::nodes(node, 1)?;
    append(out, bound, |room| {
        room.put(u64::from(FLAGS_PLAIN), 1).nodes(node)
    });
    Ok(())
}
