//! The tag bytes of the format. (Node chapter, 2.)

pub(crate) const LIST_EMPTY: u8 = 0;
/// Dictionary 0; the other three follow.
pub(crate) const DICTIONARY_0: u8 = 236;
/// The first byte after the dictionaries.
pub(crate) const DICTIONARY_END: u8 = 240;
pub(crate) const INTEROP_JID: u8 = 245;
pub(crate) const FB_JID: u8 = 246;
pub(crate) const AD_JID: u8 = 247;
pub(crate) const LIST_8: u8 = 248;
pub(crate) const LIST_16: u8 = 249;
pub(crate) const JID_PAIR: u8 = 250;
pub(crate) const HEX_8: u8 = 251;
pub(crate) const BINARY_8: u8 = 252;
pub(crate) const BINARY_20: u8 = 253;
pub(crate) const BINARY_32: u8 = 254;
pub(crate) const NIBBLE_8: u8 = 255;

/// Whether the byte alone is a token: 1..=235.
#[inline]
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.wrapping_sub(1) < DICTIONARY_0 - 1
}
