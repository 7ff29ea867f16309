//! The items of a node, passed over and checked.

use super::DecodeError;
use crate::packed::valid_nibbles;
use crate::text_ref::text_at;
use crate::wire;

/// A text or value: a token, or the place of its first byte in the input.
///
/// Inputs are at most 16 MiB long, so the upper bit is free to tell the two apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// A position in the input; everything it passes has been checked.
pub(super) struct Scan<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    #[inline]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(super) fn remaining(&self) -> usize {
        self.input.len() - self.position
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated {
            offset: self.position as u32,
        }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let Some(byte) = self.input.get(self.position) else {
            return Err(self.truncated());
        };
        self.position += 1;
        Ok(*byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u32, DecodeError> {
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
    pub(super) fn text(&mut self) -> Result<Slot, DecodeError> {
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
    pub(super) fn value(&mut self) -> Result<Slot, DecodeError> {
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
    pub(super) fn content(&mut self) -> Result<(u32, u32), DecodeError> {
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
    pub(super) fn is_empty_text(&self, text: Slot) -> bool {
        match text.get() {
            Ok(_) => false,
            Err(_) => text_at(self.input, text).is_empty(),
        }
    }
}

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
