//! The items that nodes are made of, written into measured room. (Node chapter, 4 to 6.)

use super::room::Room;
use crate::jid::{DeviceForm, User};
use crate::node::Content;
use crate::packed::{Alphabet, Digits, alphabet_of, pack};
use crate::text::Word;
use crate::{Jid, Node, Server, Str, Token, Value, wire};

/// Numbers of up to four digits may have a token; no longer one has.
const MAX_NUMERIC_TOKEN_LEN: u32 = 4;

impl Room<'_> {
    /// Nodes, one after the other. Only those with nodes inside take a call.
    pub(super) fn nodes(mut self, nodes: &[Node]) -> Self {
        for node in nodes {
            let has_content = !matches!(node.content, Content::None);
            self = self.head(&node.tag, &node.attributes, has_content);
            self = match &node.content {
                Content::None => self,
                Content::Bytes(bytes) => self.bytes(bytes),
                Content::Children(children) => self.list(children.len()).nodes(children),
            };
        }
        self
    }

    /// Everything of a node but its content.
    #[inline(always)]
    pub(super) fn head(self, tag: &Str, attributes: &[(Str, Value)], has_content: bool) -> Self {
        let size = 1 + 2 * attributes.len() + usize::from(has_content);
        let room = self.list(size).word(tag.word());
        if attributes.is_empty() {
            return room;
        }
        room.attributes(attributes)
    }

    fn attributes(mut self, attributes: &[(Str, Value)]) -> Self {
        for (key, value) in attributes {
            self = self.word(key.word());
            self = match value {
                Value::Text(text) => self.word(text.word()),
                Value::Number(number) => self.digits(Digits::from_number(*number)),
                Value::Jid(jid) => self.jid(jid),
            };
        }
        self
    }

    #[inline]
    pub(super) fn list(self, count: usize) -> Self {
        match count {
            0 => self.put(u64::from(wire::LIST_EMPTY), 1),
            1..=0xff => self.put(u64::from(wire::LIST_8) | (count as u64) << 8, 2),
            _ => {
                let count = u64::from((count as u16).swap_bytes());
                self.put(u64::from(wire::LIST_16) | count << 8, 3)
            }
        }
    }

    /// A content, or a text that neither has a token nor can be packed.
    #[inline(always)]
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let len = bytes.len() as u32;
        let big_endian = u64::from(len.swap_bytes());
        let room = match len {
            0..=0xff => self.put(u64::from(wire::BINARY_8) | u64::from(len) << 8, 2),
            // The lowest byte of the length in four bytes is the highest one here, and 0.
            0x100..=0xf_ffff => self.put(big_endian | u64::from(wire::BINARY_20), 4),
            _ => self.put(big_endian << 8 | u64::from(wire::BINARY_32), 5),
        };
        room.extend(bytes)
    }

    #[inline]
    fn word(self, word: Word<'_>) -> Self {
        match word {
            Word::Token(token) => self.token(token),
            Word::Plain(text) => self.plain(text),
        }
    }

    #[inline]
    fn token(self, token: Token) -> Self {
        let (bytes, len) = token.wire();
        self.put(u64::from(bytes), len)
    }

    /// A text that is not in the dictionaries.
    fn plain(self, text: &str) -> Self {
        let text = text.as_bytes();
        let Some(alphabet) = alphabet_of(text) else {
            return self.bytes(text);
        };
        let tag = match alphabet {
            Alphabet::Nibble => wire::NIBBLE_8,
            Alphabet::Hex => wire::HEX_8,
        };
        let count = text.len().div_ceil(2) | (text.len() % 2) << 7;
        let room = self.put(u64::from(tag) | (count as u64) << 8, 2);
        pack(text, alphabet, room, Room::put)
    }

    #[inline]
    fn digits(self, digits: Digits) -> Self {
        if digits.len() <= MAX_NUMERIC_TOKEN_LEN
            && let Some(token) = digits.with(Token::find)
        {
            return self.token(token);
        }
        let packed = digits.packed();
        let head = u64::from(wire::NIBBLE_8) | u64::from(packed.count) << 8;
        let room = self.put(head, 2).put(packed.first, packed.first_len);
        if packed.rest_len == 0 {
            return room;
        }
        room.put(packed.rest, packed.rest_len)
    }

    #[inline]
    fn jid(self, jid: &Jid) -> Self {
        let place = jid.place();
        match place.server.device_form() {
            DeviceForm::Domain(domain) if place.device > 0 => {
                let [domain, device] = [u64::from(domain), u64::from(place.device)];
                self.put(u64::from(wire::AD_JID) | domain << 8 | device << 16, 3)
                    .user(jid.user_part())
            }
            DeviceForm::Messenger | DeviceForm::Interop => self.foreign_jid(jid),
            DeviceForm::Domain(_) | DeviceForm::None => {
                let room = self.put(u64::from(wire::JID_PAIR), 1);
                let room = match jid.user_part() {
                    User::None => room.put(u64::from(wire::LIST_EMPTY), 1),
                    user => room.user(user),
                };
                room.server(jid)
            }
        }
    }

    #[cold]
    fn foreign_jid(self, jid: &Jid) -> Self {
        let place = jid.place();
        let device = u64::from(place.device.swap_bytes());
        if place.server == Server::Interop {
            self.put(u64::from(wire::INTEROP_JID), 1)
                .user(jid.user_part())
                .put(device, 2)
                .put(u64::from(place.integrator.swap_bytes()), 2)
                .server(jid)
        } else {
            self.put(u64::from(wire::FB_JID), 1)
                .user(jid.user_part())
                .put(device, 2)
                .server(jid)
        }
    }

    #[inline]
    fn user(self, user: User<'_>) -> Self {
        match user {
            User::Digits(digits) => self.digits(digits),
            User::Token(token) => self.token(token),
            User::Text(text) => self.plain(text),
            User::None => self.bytes(&[]),
        }
    }

    #[inline]
    fn server(self, jid: &Jid) -> Self {
        if let Some(token) = jid.server().common_token() {
            return self.token(token);
        }
        let name = jid.server_name();
        match Token::find(name) {
            Some(token) => self.token(token),
            None => self.plain(name),
        }
    }
}
