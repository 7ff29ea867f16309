//! Writing a stanza without building it first.

use super::items::Items;
use super::{EncodeError, undo_on_error};
use crate::{MAX_NODE_DEPTH, Str, Value};

/// Writes nodes one after the other, for stanzas that are not worth a tree: an upload of 812 keys, say.
///
/// The format counts before it lists, so a parent announces how many nodes it will hold, and is held to it.
pub struct NodeWriter<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
    written: usize,
}

/// Appends the plaintext of a frame whose node is written by `write`: exactly one. On an error nothing is
/// appended.
///
/// ```
/// use wa_proto::{encode_with, tok};
///
/// let keys = [[1_u8; 32], [2; 32]];
/// let mut frame = Vec::new();
/// encode_with(&mut frame, |writer| {
///     writer.parent(&tok!("list"), &[], keys.len(), |writer| {
///         keys.iter()
///             .try_for_each(|key| writer.leaf(&tok!("value"), &[], key))
///     })
/// })?;
/// assert_eq!(frame.len(), 1 + 5 + 2 * 37);
/// # Ok::<(), wa_proto::EncodeError>(())
/// ```
pub fn encode_with(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut NodeWriter<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    undo_on_error(out, |out| {
        let mut writer = NodeWriter {
            out,
            depth: 1,
            written: 0,
        };
        write(&mut writer)?;
        writer.expect(1)
    })
}

impl NodeWriter<'_> {
    /// A node without content.
    #[inline]
    pub fn empty(&mut self, tag: &Str, attributes: &[(Str, Value)]) -> Result<(), EncodeError> {
        self.head(tag, attributes, false)?;
        Ok(())
    }

    /// A node with bytes in it.
    #[inline]
    pub fn leaf(
        &mut self,
        tag: &Str,
        attributes: &[(Str, Value)],
        bytes: &[u8],
    ) -> Result<(), EncodeError> {
        self.head(tag, attributes, true)?.bytes(bytes)
    }

    /// A node with `count` nodes in it, which `children` writes.
    #[inline]
    pub fn parent(
        &mut self,
        tag: &Str,
        attributes: &[(Str, Value)],
        count: usize,
        children: impl FnOnce(&mut NodeWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.head(tag, attributes, true)?.children(count)?;
        let mut inner = NodeWriter {
            out: self.out,
            depth: self.depth + 1,
            written: 0,
        };
        children(&mut inner)?;
        inner.expect(count)
    }

    /// A node that is built already.
    pub fn node(&mut self, node: &crate::Node) -> Result<(), EncodeError> {
        self.written += 1;
        super::write_node(node, self.out, self.depth)
    }

    #[inline]
    fn head(
        &mut self,
        tag: &Str,
        attributes: &[(Str, Value)],
        has_content: bool,
    ) -> Result<Items<'_>, EncodeError> {
        if self.depth > MAX_NODE_DEPTH {
            return Err(EncodeError::TooDeep {
                limit: MAX_NODE_DEPTH,
            });
        }
        self.written += 1;
        let mut items = Items::new(self.out);
        items.head(tag, attributes, has_content)?;
        Ok(items)
    }

    fn expect(&self, expected: usize) -> Result<(), EncodeError> {
        if self.written == expected {
            return Ok(());
        }
        Err(EncodeError::ChildCount {
            expected,
            got: self.written,
        })
    }
}

impl std::fmt::Debug for NodeWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeWriter")
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}
