//! A decoded stanza, borrowed.

use std::borrow::Cow;
use std::fmt;

use crate::decode::{AttributeEntry, Slot, Tape};
use crate::text_ref::{ContentRef, content_at, text_at, value_at};
use crate::{Jid, Node, TextRef, ValueRef};

/// A node of a decoded stanza. Copying it is free; it lives as long as the decoder is not used again.
#[derive(Clone, Copy)]
pub struct NodeRef<'a> {
    tape: &'a Tape,
    input: &'a [u8],
    index: u32,
}

impl<'a> NodeRef<'a> {
    pub(crate) fn new(tape: &'a Tape, input: &'a [u8]) -> Self {
        Self {
            tape,
            input,
            index: 0,
        }
    }

    /// The tag.
    #[inline]
    #[must_use]
    pub fn tag(&self) -> TextRef<'a> {
        match self.tape.nodes.get(self.index as usize) {
            Some(entry) => text_at(self.input, entry.tag),
            None => text_at(self.input, Slot::EMPTY),
        }
    }

    /// The value of an attribute. Of several with one key it is the last. (Node chapter, 7.)
    #[inline]
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<ValueRef<'a>> {
        let input = self.input;
        self.entries()
            .iter()
            .rev()
            .find(|entry| text_at(input, entry.key) == *key)
            .map(|entry| value_at(input, entry.value))
    }

    /// The value of an attribute as text.
    #[must_use]
    pub fn attr_text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.attr(key).map(ValueRef::to_cow)
    }

    /// The value of an attribute as a decimal number; `None` also if it is no number.
    #[must_use]
    pub fn attr_u64(&self, key: &str) -> Option<u64> {
        self.attr(key).and_then(ValueRef::to_u64)
    }

    /// The value of an attribute as a JID; `None` also if it is none.
    #[must_use]
    pub fn attr_jid(&self, key: &str) -> Option<Jid> {
        self.attr(key).and_then(ValueRef::to_jid)
    }

    /// All attributes in the order of the wire.
    #[inline]
    pub fn attrs(&self) -> impl ExactSizeIterator<Item = (TextRef<'a>, ValueRef<'a>)> + use<'a> {
        let input = self.input;
        self.entries()
            .iter()
            .map(move |entry| (text_at(input, entry.key), value_at(input, entry.value)))
    }

    /// The nodes directly inside.
    #[inline]
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children {
            parent: *self,
            next: self.index + 1,
            end: self.end(),
        }
    }

    /// The first child with this tag.
    #[inline]
    #[must_use]
    pub fn child(&self, tag: &str) -> Option<NodeRef<'a>> {
        self.children().find(|child| child.tag() == *tag)
    }

    /// The first child.
    #[must_use]
    pub fn first_child(&self) -> Option<NodeRef<'a>> {
        self.children().next()
    }

    /// Whether there are nodes inside.
    #[must_use]
    pub fn has_children(&self) -> bool {
        self.end() > self.index + 1
    }

    /// The content, unless it is nodes or none. A text counts as its UTF-8 bytes. (Node chapter, 3.)
    #[must_use]
    pub fn bytes(&self) -> Option<Cow<'a, [u8]>> {
        Some(match self.content()? {
            ContentRef::Bytes(bytes) => Cow::Borrowed(bytes),
            ContentRef::Value(value) => match value.to_cow() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        })
    }

    /// The content as text, unless it is nodes or none.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self.content()? {
            ContentRef::Bytes(bytes) => String::from_utf8_lossy(bytes),
            ContentRef::Value(value) => value.to_cow(),
        })
    }

    /// A copy that owns all it needs.
    #[must_use]
    pub fn to_owned(&self) -> Node {
        Node::from_ref(self)
    }

    #[inline]
    fn content(&self) -> Option<ContentRef<'a>> {
        match self.tape.nodes.get(self.index as usize)?.content {
            0 => None,
            offset => Some(content_at(self.input, offset as usize)),
        }
    }

    #[inline]
    fn entries(&self) -> &'a [AttributeEntry] {
        let index = self.index as usize;
        let Some(entry) = self.tape.nodes.get(index) else {
            return &[];
        };
        let end = match self.tape.nodes.get(index + 1) {
            Some(next) => next.attributes as usize,
            None => self.tape.attributes.len(),
        };
        self.tape
            .attributes
            .get(entry.attributes as usize..end)
            .unwrap_or_default()
    }

    #[inline]
    fn end(&self) -> u32 {
        self.tape
            .nodes
            .get(self.index as usize)
            .map_or(0, |entry| entry.end)
    }
}

/// Shows tags and attributes; of contents, only how long they are.
impl fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.tag())?;
        for (key, value) in self.attrs() {
            write!(f, " {key}=\"{value}\"")?;
        }
        f.write_str(">")?;
        for child in self.children() {
            fmt::Debug::fmt(&child, f)?;
        }
        if let Some(bytes) = self.bytes() {
            write!(f, "({} bytes)", bytes.len())?;
        }
        write!(f, "</{}>", self.tag())
    }
}

/// The nodes directly inside a node.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    parent: NodeRef<'a>,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = NodeRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let child = NodeRef {
            index: self.next,
            ..self.parent
        };
        // A child ends after it begins; if it did not, this would be the last one.
        self.next = child.end().max(self.next + 1);
        Some(child)
    }
}
