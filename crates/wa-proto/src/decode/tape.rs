//! One pass over the input that checks all of it and notes where things are.

use super::{DecodeError, MAX_ATTRIBUTES, MAX_ELEMENTS, MAX_NODE_DEPTH};
use crate::packed::valid_nibbles;
use crate::text_ref::text_at;
use crate::wire;

/// A text or value: a token, or the place of its first byte in the input.
///
/// Inputs are at most 16 MiB long, so the upper bit is free to tell the two apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

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

impl Slot {
    const TOKEN: u32 = 1 << 31;

    /// The value of an attribute that was given as LIST_EMPTY.
    pub(crate) const EMPTY: Self = Self(Self::TOKEN);

    #[inline]
    fn token(id: u16) -> Self {
        Self(Self::TOKEN | u32::from(id))
    }

    #[inline]
    fn place(offset: usize) -> Self {
        Self(offset as u32)
    }

    /// The token id, or the offset.
    #[inline]
    pub(crate) fn get(self) -> Result<u16, usize> {
        if self.0 & Self::TOKEN != 0 {
            Ok(self.0 as u16)
        } else {
            Err(self.0 as usize)
        }
    }
}

impl Tape {
    /// Reads one node, which must be all of the input.
    pub(crate) fn fill(&mut self, input: &[u8]) -> Result<(), DecodeError> {
        recycle(&mut self.nodes);
        recycle(&mut self.attributes);
        self.open.clear();
        let mut scan = Scan { input, position: 0 };
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
        match input.len() - scan.position {
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
        let start = scan.position;
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
        let tag_start = scan.position;
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
            let place = scan.position;
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

/// A position in the input; everything it passes has been checked.
struct Scan<'a> {
    input: &'a [u8],
    position: usize,
}

impl Scan<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.input.len() - self.position
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated {
            offset: self.position as u32,
        }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let Some(byte) = self.input.get(self.position) else {
            return Err(self.truncated());
        };
        self.position += 1;
        Ok(*byte)
    }

    #[inline]
    fn u16(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from(self.byte()?) << 8 | u32::from(self.byte()?))
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), DecodeError> {
        if count > self.remaining() {
            return Err(self.truncated());
        }
        self.position += count;
        Ok(())
    }

    #[inline]
    fn text(&mut self) -> Result<Slot, DecodeError> {
        let start = self.position;
        let byte = self.byte()?;
        if wire::is_token(byte) {
            return Ok(Slot::token(u16::from(byte)));
        }
        self.long_text(start, byte)
    }

    /// A text that is no single-byte token.
    #[inline]
    fn long_text(&mut self, start: usize, byte: u8) -> Result<Slot, DecodeError> {
        match byte {
            wire::NIBBLE_8 => self.packed(start, true)?,
            wire::BINARY_8 => {
                let len = self.byte()?;
                self.skip(usize::from(len))?;
            }
            wire::DICTIONARY_0..wire::DICTIONARY_END => {
                let index = self.byte()?;
                return Ok(Slot::token(
                    u16::from(byte - (wire::DICTIONARY_0 - 1)) << 8 | u16::from(index),
                ));
            }
            wire::HEX_8 => self.packed(start, false)?,
            wire::BINARY_20 => self.binary_20()?,
            wire::BINARY_32 => self.binary_32()?,
            byte => {
                return Err(DecodeError::NotText {
                    offset: start as u32,
                    byte,
                });
            }
        }
        Ok(Slot::place(start))
    }

    #[inline]
    fn packed(&mut self, start: usize, nibbles: bool) -> Result<(), DecodeError> {
        let head = self.byte()?;
        let odd = head & 0x80 != 0;
        let at = self.position;
        self.skip(usize::from(head & 0x7f))?;
        let bytes = self.input.get(at..self.position).unwrap_or_default();
        if (odd && bytes.is_empty()) || (nibbles && !valid_nibbles(bytes, odd)) {
            return Err(DecodeError::Packed {
                offset: start as u32,
            });
        }
        Ok(())
    }

    fn binary_20(&mut self) -> Result<(), DecodeError> {
        let len = (u32::from(self.byte()?) & 0x0f) << 16 | self.u16()?;
        self.skip(len as usize)
    }

    fn binary_32(&mut self) -> Result<(), DecodeError> {
        let len = self.u16()? << 16 | self.u16()?;
        self.skip(len as usize)
    }

    /// A text or a JID; LIST_EMPTY counts as the empty text.
    #[inline]
    fn value(&mut self) -> Result<Slot, DecodeError> {
        let start = self.position;
        let byte = self.byte()?;
        if wire::is_token(byte) {
            return Ok(Slot::token(u16::from(byte)));
        }
        self.long_value(start, byte)
    }

    #[inline]
    fn long_value(&mut self, start: usize, byte: u8) -> Result<Slot, DecodeError> {
        match byte {
            wire::JID_PAIR => {
                if self.input.get(self.position) == Some(&wire::LIST_EMPTY) {
                    self.position += 1;
                } else {
                    self.text()?;
                }
                if self.input.get(self.position) == Some(&wire::LIST_EMPTY) {
                    return Err(DecodeError::JidServer {
                        offset: start as u32,
                    });
                }
                let server = self.text()?;
                if self.is_empty_text(server) {
                    return Err(DecodeError::JidServer {
                        offset: start as u32,
                    });
                }
            }
            wire::AD_JID => {
                self.skip(2)?;
                self.text()?;
            }
            wire::FB_JID => self.foreign_jid(start, 2, "msgr")?,
            wire::INTEROP_JID => self.foreign_jid(start, 4, "interop")?,
            wire::LIST_EMPTY => return Ok(Slot::EMPTY),
            byte => return self.long_text(start, byte),
        }
        Ok(Slot::place(start))
    }

    fn foreign_jid(&mut self, start: usize, fixed: usize, name: &str) -> Result<(), DecodeError> {
        self.text()?;
        self.skip(fixed)?;
        let server = self.text()?;
        if text_at(self.input, server) == *name {
            Ok(())
        } else {
            Err(DecodeError::JidServer {
                offset: start as u32,
            })
        }
    }

    /// Reads a content that is no list, or the head of a list: the place of the content, and the number of nodes
    /// that follow.
    #[inline]
    fn content(&mut self) -> Result<(u32, u32), DecodeError> {
        let start = self.position;
        let byte = self.byte()?;
        let children = match byte {
            wire::LIST_8 => u32::from(self.byte()?),
            wire::LIST_16 => self.u16()?,
            wire::LIST_EMPTY => 0,
            byte if wire::is_token(byte) => return Ok((start as u32, 0)),
            byte => {
                self.long_value(start, byte)?;
                return Ok((start as u32, 0));
            }
        };
        if children as usize > self.remaining() / 2 {
            return Err(DecodeError::ListTooLong {
                count: children,
                remaining: self.remaining() as u32,
            });
        }
        Ok((0, children))
    }

    /// Whether a text that was just read has no characters. No token is empty.
    #[inline]
    fn is_empty_text(&self, text: Slot) -> bool {
        match text.get() {
            Ok(_) => false,
            Err(_) => text_at(self.input, text).is_empty(),
        }
    }
}
