//! Why a plaintext was refused.

/// Why a plaintext is no stanza. The frame is dropped; the connection can go on. (Node chapter, 9.)
///
/// Offsets count from the first byte after the flag byte, after inflating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not even a flag byte.
    #[error("empty frame")]
    Empty,
    /// The input ends too early.
    #[error("input ends before what should follow at byte {offset}")]
    Truncated {
        /// Where the missing bytes would begin, or the cut ones do.
        offset: u32,
    },
    /// Bytes follow the node.
    #[error("{count} bytes after the node")]
    TrailingBytes {
        /// How many.
        count: u32,
    },
    /// A node without a tag.
    #[error("node without a tag at byte {offset}")]
    EmptyNode {
        /// Where the node begins.
        offset: u32,
    },
    /// The tag is an empty text.
    #[error("empty tag at byte {offset}")]
    EmptyTag {
        /// Where the tag begins.
        offset: u32,
    },
    /// A node was due, and this byte begins none.
    #[error("byte {byte:#04x} at {offset} does not begin a node")]
    NotANode {
        /// Where it is.
        offset: u32,
        /// What it is.
        byte: u8,
    },
    /// A text was due, and this byte begins none.
    #[error("byte {byte:#04x} at {offset} does not begin a text")]
    NotText {
        /// Where it is.
        offset: u32,
        /// What it is.
        byte: u8,
    },
    /// A list announces more than the rest of the input can hold.
    #[error("list of {count} in {remaining} bytes")]
    ListTooLong {
        /// What it announces.
        count: u32,
        /// Bytes that are left.
        remaining: u32,
    },
    /// More attributes than [`MAX_ATTRIBUTES`](crate::MAX_ATTRIBUTES).
    #[error("{count} attributes, at most {limit} are allowed")]
    TooManyAttributes {
        /// How many.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// Nodes nested deeper than [`MAX_NODE_DEPTH`](crate::MAX_NODE_DEPTH).
    #[error("nodes nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: u32,
    },
    /// More nodes and attributes than [`MAX_ELEMENTS`](crate::MAX_ELEMENTS).
    #[error("more than {limit} nodes and attributes")]
    TooManyElements {
        /// The limit.
        limit: u32,
    },
    /// A packed text with a code that means no character, or that is odd and empty.
    #[error("malformed packed text at byte {offset}")]
    Packed {
        /// Where the text begins.
        offset: u32,
    },
    /// A JID whose server is missing, or not the one its form demands.
    #[error("wrong server in the JID at byte {offset}")]
    JidServer {
        /// Where the JID begins.
        offset: u32,
    },
    /// The compressed form is broken, cut, or something follows it.
    #[error("malformed zlib stream")]
    Inflate,
    /// More inflated bytes than [`MAX_INFLATED_LEN`](crate::MAX_INFLATED_LEN).
    #[error("inflates to more than {limit} bytes")]
    InflatedTooLong {
        /// The limit.
        limit: u32,
    },
    /// The plaintext is longer than any frame.
    #[error("plaintext of {len} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        len: u64,
        /// The limit.
        limit: u32,
    },
}
