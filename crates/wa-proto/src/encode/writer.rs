//! Writing a stanza without building it first.

use super::room::append;
use super::{EncodeError, FLAGS_PLAIN, measure};
use crate::{Node, Str, Value};

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
    let start = out.len();
    out.push(FLAGS_PLAIN);
    let mut writer = NodeWriter {
        out,
        depth: 1,
        written: 0,
    };
    let outcome = write(&mut writer).and_then(|()| writer.expect(1));
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

impl NodeWriter<'_> {
    /// A node without content.
    #[inline]
    pub fn empty(&mut self, tag: &Str, attributes: &[(Str, Value)]) -> Result<(), EncodeError> {
        let bound = measure::head(tag, attributes, self.depth)?;
        append(self.out, bound, |room| room.head(tag, attributes, false));
        self.written += 1;
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
        let bound = measure::head(tag, attributes, self.depth)? + measure::bytes(bytes.len())?;
        append(self.out, bound, |room| {
            room.head(tag, attributes, true).bytes(bytes)
        });
        self.written += 1;
        Ok(())
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
        let bound = measure::head(tag, attributes, self.depth)? + measure::children(count)?;
        append(self.out, bound, |room| {
            room.head(tag, attributes, true).list(count)
        });
        self.written += 1;
        let mut inner = NodeWriter {
            out: self.out,
            depth: self.depth + 1,
            written: 0,
        };
        children(&mut inner)?;
        inner.expect(count)
    }

    /// A node that is built already.
    pub fn node(&mut self, node: &Node) -> Result<(), EncodeError> {
        let node = std::slice::from_ref(node);
        let bound = measure::nodes(node, self.depth)?;
        append(self.out, bound, |room| room.nodes(node));
        self.written += 1;
        Ok(())
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
