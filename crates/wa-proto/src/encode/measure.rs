//! What can go wrong with a stanza, and how long it can get: found out before the first byte is written.

use super::{EncodeError, MAX_CHILDREN};
use crate::jid::{DeviceForm, User};
use crate::node::Content;
use crate::text::Word;
use crate::{Jid, MAX_ATTRIBUTES, MAX_NODE_DEPTH, Node, Str, Value};

/// The head of a list: a tag byte and a count.
const LIST: usize = 3;

/// A token.
const TOKEN: usize = 2;

/// Twenty digits, packed, with tag and length.
const DIGITS: usize = 12;

/// The tag byte of a JID, and its device and integrator.
const JID: usize = 5;

/// Tag byte and length of bytes.
const BYTES: usize = 5;

/// An upper bound for the length of nodes at one depth, or why they cannot be written.
pub(super) fn nodes(nodes: &[Node], depth: usize) -> Result<usize, EncodeError> {
    let mut bound = 0;
    for node in nodes {
        bound += head(&node.tag, &node.attributes, depth)?;
        match &node.content {
            Content::None => {}
            Content::Bytes(content) => bound += bytes(content.len())?,
            Content::Children(inner) => {
                bound += children(inner.len())?;
                bound += self::nodes(inner, depth + 1)?;
            }
        }
    }
    Ok(bound)
}

/// Everything of a node but its content.
#[inline]
pub(super) fn head(
    tag: &Str,
    attributes: &[(Str, Value)],
    depth: usize,
) -> Result<usize, EncodeError> {
    if depth > MAX_NODE_DEPTH {
        return Err(EncodeError::TooDeep {
            limit: MAX_NODE_DEPTH,
        });
    }
    if let Word::Plain("") = tag.word() {
        return Err(EncodeError::EmptyTag);
    }
    let bound = LIST + word(tag.word())?;
    if attributes.is_empty() {
        return Ok(bound);
    }
    Ok(bound + self::attributes(attributes)?)
}

fn attributes(attributes: &[(Str, Value)]) -> Result<usize, EncodeError> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(EncodeError::TooManyAttributes {
            count: attributes.len(),
            limit: MAX_ATTRIBUTES,
        });
    }
    let mut bound = 0;
    for (key, value) in attributes {
        bound += word(key.word())?;
        bound += match value {
            Value::Text(text) => word(text.word())?,
            Value::Number(_) => DIGITS,
            Value::Jid(jid) => self::jid(jid)?,
        };
    }
    Ok(bound)
}

/// The head of a content that is nodes.
#[inline]
pub(super) fn children(count: usize) -> Result<usize, EncodeError> {
    if count > MAX_CHILDREN {
        return Err(EncodeError::TooManyChildren {
            count,
            limit: MAX_CHILDREN,
        });
    }
    Ok(LIST)
}

/// A content that is bytes. Raw text is the same, and packed text is shorter.
#[inline]
pub(super) fn bytes(len: usize) -> Result<usize, EncodeError> {
    if u32::try_from(len).is_err() {
        return Err(EncodeError::TooLong { len });
    }
    Ok(BYTES + len)
}

#[inline]
fn word(word: Word<'_>) -> Result<usize, EncodeError> {
    match word {
        Word::Token(_) => Ok(TOKEN),
        Word::Plain(text) => bytes(text.len()),
    }
}

#[inline]
fn jid(jid: &Jid) -> Result<usize, EncodeError> {
    let place = jid.place();
    if place.device > 0 {
        let device = place.device;
        match place.server.device_form() {
            DeviceForm::Domain(_) if u8::try_from(device).is_err() => {
                return Err(EncodeError::Device { device });
            }
            DeviceForm::None => return Err(EncodeError::DeviceNotAllowed { device }),
            _ => {}
        }
    }
    let user = match jid.user_part() {
        User::Digits(_) | User::None => DIGITS,
        User::Token(_) => TOKEN,
        User::Text(text) => bytes(text.len())?,
    };
    let server = match place.server.common_token() {
        Some(_) => TOKEN,
        None => match jid.server_name() {
            "" => return Err(EncodeError::NoServer),
            name => bytes(name.len())?,
        },
    };
    Ok(JID + user + server)
}
