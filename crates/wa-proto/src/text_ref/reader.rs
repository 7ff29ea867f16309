//! From the places that the decoder noted to what is there.

use super::{JidRef, Repr, TextRef, ValueRef};
use crate::decode::Slot;
use crate::packed::{Alphabet, Packed};
use crate::{Token, wire};

/// The text of a slot that the decoder checked.
#[inline]
pub(crate) fn text_at<'a>(input: &'a [u8], slot: Slot) -> TextRef<'a> {
    match slot.get() {
        Ok(0) => TextRef::EMPTY,
        Ok(id) => TextRef(Repr::Token(Token::from_id(id))),
        Err(offset) => Reader(input.get(offset..).unwrap_or_default()).text(),
    }
}

/// The value of a slot that the decoder checked.
#[inline]
pub(crate) fn value_at<'a>(input: &'a [u8], slot: Slot) -> ValueRef<'a> {
    match slot.get() {
        Ok(0) => ValueRef::Text(TextRef::EMPTY),
        Ok(id) => ValueRef::Text(TextRef(Repr::Token(Token::from_id(id)))),
        Err(offset) => value_of(input.get(offset..).unwrap_or_default()),
    }
}

#[inline]
fn value_of(wire: &[u8]) -> ValueRef<'_> {
    match wire.first() {
        Some(&(wire::JID_PAIR | wire::AD_JID | wire::FB_JID | wire::INTEROP_JID)) => {
            ValueRef::Jid(JidRef { wire })
        }
        _ => ValueRef::Text(Reader(wire).text()),
    }
}

/// What a content is, apart from nodes.
pub(crate) enum ContentRef<'a> {
    Bytes(&'a [u8]),
    Value(ValueRef<'a>),
}

/// The content at an offset that the decoder noted.
#[inline]
pub(crate) fn content_at(input: &[u8], offset: usize) -> ContentRef<'_> {
    let wire = input.get(offset..).unwrap_or_default();
    match (wire.first(), value_of(wire)) {
        (
            Some(&(wire::BINARY_8 | wire::BINARY_20 | wire::BINARY_32)),
            ValueRef::Text(TextRef(Repr::Raw(bytes))),
        ) => ContentRef::Bytes(bytes),
        (_, value) => ContentRef::Value(value),
    }
}

/// Reads again what the decoder has checked, so nothing here can be missing.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *byte
    }

    #[inline]
    pub(super) fn u16(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    #[inline]
    fn take(&mut self, len: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.0.split_at_checked(len) else {
            return &[];
        };
        self.0 = rest;
        bytes
    }

    #[inline]
    pub(super) fn text(&mut self) -> TextRef<'a> {
        let byte = self.byte();
        TextRef(match byte {
            wire::NIBBLE_8 => Repr::Packed(self.packed(Alphabet::Nibble)),
            wire::HEX_8 => Repr::Packed(self.packed(Alphabet::Hex)),
            wire::BINARY_8 => {
                let len = self.byte();
                Repr::Raw(self.take(usize::from(len)))
            }
            wire::DICTIONARY_0..wire::DICTIONARY_END => {
                Repr::Token(Token::double(byte, self.byte()))
            }
            wire::BINARY_20 => {
                let high = usize::from(self.byte() & 0x0f);
                let len = high << 16 | usize::from(self.u16());
                Repr::Raw(self.take(len))
            }
            wire::BINARY_32 => {
                let high = usize::from(self.u16());
                let len = high << 16 | usize::from(self.u16());
                Repr::Raw(self.take(len))
            }
            wire::LIST_EMPTY => Repr::Raw(&[]),
            byte => Repr::Token(Token::single(byte)),
        })
    }

    #[inline]
    fn packed(&mut self, alphabet: Alphabet) -> Packed<'a> {
        let head = self.byte();
        Packed {
            bytes: self.take(usize::from(head & 0x7f)),
            alphabet,
            odd: head & 0x80 != 0,
        }
    }
}
