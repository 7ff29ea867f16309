//! Stanzas that own their parts.

use std::borrow::Cow;
use std::fmt;

use crate::encode::{EncodeError, encode};
use crate::{DecodeError, Decoder, Jid, NodeRef, Str, Value};

/// A stanza to be sent, or one that was kept.
///
/// ```
/// use wa_proto::{Jid, Node, tok};
///
/// let ping = Node::new(tok!("iq"))
///     .attr(tok!("to"), Jid::server_jid())
///     .attr(tok!("type"), tok!("get"))
///     .attr(tok!("xmlns"), tok!("w:p"))
///     .attr(tok!("id"), "25.77-12");
/// let mut frame = Vec::new();
/// ping.encode_into(&mut frame)?;
/// assert_eq!(frame.len(), 19);
/// # Ok::<(), wa_proto::EncodeError>(())
/// ```
#[derive(Clone)]
pub struct Node {
    pub(crate) tag: Str,
    pub(crate) attributes: Vec<(Str, Value)>,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    None,
    Bytes(Vec<u8>),
    Children(Vec<Node>),
}

impl Node {
    /// A node with nothing in it.
    #[must_use]
    pub fn new(tag: impl Into<Str>) -> Self {
        Self {
            tag: tag.into(),
            attributes: Vec::new(),
            content: Content::None,
        }
    }

    /// Adds an attribute, or replaces the one with this key.
    #[must_use]
    pub fn attr(mut self, key: impl Into<Str>, value: impl Into<Value>) -> Self {
        self.set_attr(key, value);
        self
    }

    /// Adds an attribute if there is a value for it.
    #[must_use]
    pub fn attr_if(self, key: impl Into<Str>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.attr(key, value),
            None => self,
        }
    }

    /// Adds a node to those inside; bytes that were inside are replaced.
    #[must_use]
    pub fn child(mut self, child: Node) -> Self {
        self.push_child(child);
        self
    }

    /// Adds a node if there is one.
    #[must_use]
    pub fn child_if(self, child: Option<Node>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds nodes to those inside. An empty list is written, but reads as no content.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        match &mut self.content {
            Content::Children(present) => present.extend(children),
            content => *content = Content::Children(children.into_iter().collect()),
        }
        self
    }

    /// Sets the content to these bytes. Text is given as its UTF-8. (Node chapter, 6.)
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content = Content::Bytes(bytes.into());
        self
    }

    /// [`Node::attr`] on a node that is built already.
    pub fn set_attr(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self
            .attributes
            .iter_mut()
            .find(|(present, _)| *present == key)
        {
            Some((_, present)) => *present = value,
            None => self.attributes.push((key, value)),
        }
    }

    /// [`Node::child`] on a node that is built already.
    pub fn push_child(&mut self, child: Node) {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            content => *content = Content::Children(vec![child]),
        }
    }

    /// The tag.
    #[must_use]
    pub fn tag_str(&self) -> &str {
        self.tag.as_str()
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get_attr(&self, key: &str) -> Option<&Value> {
        self.attributes
            .iter()
            .rev()
            .find(|(present, _)| *present == *key)
            .map(|(_, value)| value)
    }

    /// The value of an attribute as text.
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get_attr(key).map(Value::to_cow)
    }

    /// The value of an attribute as a decimal number.
    #[must_use]
    pub fn get_u64(&self, key: &str) -> Option<u64> {
        self.get_attr(key).and_then(Value::to_u64)
    }

    /// The value of an attribute as a JID.
    #[must_use]
    pub fn get_jid(&self, key: &str) -> Option<Jid> {
        self.get_attr(key).and_then(Value::to_jid)
    }

    /// All attributes in the order they will be written.
    pub fn get_attrs(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> {
        self.attributes.iter().map(|(key, value)| (key, value))
    }

    /// The nodes directly inside.
    #[must_use]
    pub fn get_children(&self) -> &[Node] {
        match &self.content {
            Content::Children(children) => children,
            _ => &[],
        }
    }

    /// The first child with this tag.
    #[must_use]
    pub fn get_child(&self, tag: &str) -> Option<&Node> {
        self.get_children().iter().find(|child| child.tag == *tag)
    }

    /// The content, unless it is nodes or none.
    #[must_use]
    pub fn get_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Appends the plaintext of a frame: the flag byte 00 and this node. On an error nothing is appended.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    /// The plaintext of a frame with this node.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        self.encode_into(&mut out)?;
        Ok(out)
    }

    /// Decodes a plaintext into a node of its own; a connection rather keeps a [`Decoder`].
    pub fn from_bytes(plaintext: &[u8]) -> Result<Self, DecodeError> {
        Ok(Decoder::new().decode(plaintext)?.to_owned())
    }

    /// Depth was bounded when the stanza was decoded.
    pub(crate) fn from_ref(node: &NodeRef<'_>) -> Self {
        let content = if node.has_children() {
            Content::Children(
                node.children()
                    .map(|child| Self::from_ref(&child))
                    .collect(),
            )
        } else {
            match node.bytes() {
                Some(bytes) => Content::Bytes(bytes.into_owned()),
                None => Content::None,
            }
        };
        Self {
            tag: node.tag().to_str(),
            attributes: node
                .attrs()
                .map(|(key, value)| (key.to_str(), value.to_value()))
                .collect(),
            content,
        }
    }
}

/// An empty list of nodes equals no content, as it does for every reader.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
            && self.attributes == other.attributes
            && self.get_bytes() == other.get_bytes()
            && self.get_children() == other.get_children()
    }
}

impl Eq for Node {}

/// Shows tags and attributes; of contents, only how long they are.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.tag)?;
        for (key, value) in &self.attributes {
            write!(f, " {key}=\"{value}\"")?;
        }
        f.write_str(">")?;
        match &self.content {
            Content::None => {}
            Content::Bytes(bytes) => write!(f, "({} bytes)", bytes.len())?,
            Content::Children(children) => {
                for child in children {
                    fmt::Debug::fmt(child, f)?;
                }
            }
        }
        write!(f, "</{}>", self.tag)
    }
}
