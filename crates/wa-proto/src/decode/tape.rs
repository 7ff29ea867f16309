//! One pass over the input that checks all of it and notes where things are.

use super::scan::{Scan, Slot};
use super::{DecodeError, MAX_ATTRIBUTES, MAX_ELEMENTS, MAX_NODE_DEPTH};
use crate::wire;

/// A node: 16 bytes for at least 3 bytes of input.
#[derive(Clone, Copy)]
pub(crate) struct NodeEntry {
    pub(crate) tag: Slot,
    /// Its attributes reach from here to where those of the next node begin.
    pub(crate) attributes: u32,
    /// Where its content begins; 0 if there is none. No content begins at 0.
    pub(crate) content: u32,
    /// The index of the first node that is not inside this one.
    pub(crate) end: u32,
}

/// An attribute: 8 bytes for at least 2 bytes of input.
#[derive(Clone, Copy)]
pub(crate) struct AttributeEntry {
    pub(crate) key: Slot,
    pub(crate) value: Slot,
}

/// The flat form of a stanza: nodes in document order, their attributes likewise.
#[derive(Default)]
pub(crate) struct Tape {
    pub(crate) nodes: Vec<NodeEntry>,
    pub(crate) attributes: Vec<AttributeEntry>,
    /// Nodes whose children are being read.
    open: Vec<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    node: u32,
    children_left: u32,
}

/// Vectors that one large stanza made longer than this are given back before the next.
const RETAINED_ENTRIES: usize = 16 * 1024;

impl Tape {
    /// Reads one node, which must be all of the input.
    pub(crate) fn fill(&mut self, input: &[u8]) -> Result<(), DecodeError> {
        recycle(&mut self.nodes);
        recycle(&mut self.attributes);
        self.open.clear();
        let mut scan = Scan::new(input);
        loop {
            let node = self.nodes.len() as u32;
            let children = self.node(&mut scan)?;
            if children > 0 {
                if self.open.len() + 1 >= MAX_NODE_DEPTH {
                    return Err(DecodeError::TooDeep {
                        limit: MAX_NODE_DEPTH as u32,
                    });
                }
                self.open.push(Open {
                    node,
                    children_left: children,
                });
            } else if self.close() {
                break;
            }
        }
        match scan.remaining() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes {
                count: count as u32,
            }),
        }
    }

    /// A node without children has been read; closes what ends with it. Whether the root was.
    #[inline]
    fn close(&mut self) -> bool {
        let end = self.nodes.len() as u32;
        while let Some(parent) = self.open.last_mut() {
            parent.children_left -= 1;
            if parent.children_left > 0 {
                return false;
            }
            if let Some(entry) = self.nodes.get_mut(parent.node as usize) {
                entry.end = end;
            }
            self.open.pop();
        }
        true
    }

    /// Reads a node up to its children, and returns how many of them follow.
    #[inline]
    fn node(&mut self, scan: &mut Scan<'_>) -> Result<u32, DecodeError> {
        let start = scan.position();
        let size = match scan.byte()? {
            wire::LIST_8 => u32::from(scan.byte()?),
            wire::LIST_16 => scan.u16()?,
            wire::LIST_EMPTY => 0,
            byte => {
                return Err(DecodeError::NotANode {
                    offset: start as u32,
                    byte,
                });
            }
        };
        if size == 0 {
            return Err(DecodeError::EmptyNode {
                offset: start as u32,
            });
        }
        let tag_start = scan.position();
        let tag = scan.text()?;
        if scan.is_empty_text(tag) {
            return Err(DecodeError::EmptyTag {
                offset: tag_start as u32,
            });
        }

        let count = (size - 1) / 2;
        let attributes = self.attributes.len();
        self.reserve(count as usize, scan)?;
        for _ in 0..count {
            let key = scan.text()?;
            let value = scan.value()?;
            self.attributes.push(AttributeEntry { key, value });
        }

        let mut content = 0;
        let mut children = 0;
        if size % 2 == 0 {
            let place = scan.position();
            (content, children) = scan.content()?;
            debug_assert!(content == 0 || content as usize == place);
        }
        let node = self.nodes.len() as u32;
        self.nodes.push(NodeEntry {
            tag,
            attributes: attributes as u32,
            content,
            end: node + 1,
        });
        Ok(children)
    }

    /// Makes room for a node and its attributes, after checking that they can be there.
    #[inline]
    fn reserve(&mut self, count: usize, scan: &Scan<'_>) -> Result<(), DecodeError> {
        let remaining = scan.remaining();
        if count > MAX_ATTRIBUTES {
            return Err(DecodeError::TooManyAttributes {
                count: count as u32,
                limit: MAX_ATTRIBUTES as u32,
            });
        }
        if count > remaining / 2 {
            return Err(DecodeError::ListTooLong {
                count: count as u32,
                remaining: remaining as u32,
            });
        }
        if self.nodes.len() + self.attributes.len() + count >= MAX_ELEMENTS {
            return Err(DecodeError::TooManyElements {
                limit: MAX_ELEMENTS as u32,
            });
        }
        // Beyond what is read already, the rest of the input bounds what can come.
        if self.attributes.capacity() - self.attributes.len() < count {
            grow(&mut self.attributes, count, remaining / 2);
        }
        if self.nodes.capacity() == self.nodes.len() {
            grow(&mut self.nodes, 1, remaining / 3 + 1);
        }
        Ok(())
    }
}

/// Doubles a vector, but not beyond what can still come.
#[cold]
fn grow<T>(entries: &mut Vec<T>, needed: usize, possible: usize) {
    const FIRST: usize = 32;
    let wanted = entries.len().max(FIRST).min(possible);
    entries.reserve_exact(wanted.max(needed));
}

fn recycle<T>(entries: &mut Vec<T>) {
    entries.clear();
    entries.shrink_to(RETAINED_ENTRIES);
}
