//! The items that nodes are made of. (Node chapter, 4 to 6.)

use super::{EncodeError, MAX_CHILDREN, check_attributes};
use crate::jid::{DeviceForm, User};
use crate::packed::{pack, pack_number};
use crate::text::Word;
use crate::{Jid, Server, Str, Token, Value, wire};

/// Numbers of up to four digits may have a token; no longer one has.
const MAX_NUMERIC_TOKEN: u64 = 9_999;

/// Appends items to the caller's buffer.
pub(super) struct Items<'o>(&'o mut Vec<u8>);

impl<'o> Items<'o> {
    #[inline]
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self(out)
    }

    /// Everything of a node but its content.
    #[inline]
    pub(super) fn head(
        &mut self,
        tag: &Str,
        attributes: &[(Str, Value)],
        has_content: bool,
    ) -> Result<(), EncodeError> {
        check_attributes(attributes.len())?;
        self.list(1 + 2 * attributes.len() + usize::from(has_content));
        match tag.word() {
            Word::Plain("") => return Err(EncodeError::EmptyTag),
            word => self.word(word)?,
        }
        for (key, value) in attributes {
            self.word(key.word())?;
            self.value(value)?;
        }
        Ok(())
    }

    /// The head of a content that is nodes.
    #[inline]
    pub(super) fn children(&mut self, count: usize) -> Result<(), EncodeError> {
        if count > MAX_CHILDREN {
            return Err(EncodeError::TooManyChildren {
                count,
                limit: MAX_CHILDREN,
            });
        }
        self.list(count);
        Ok(())
    }

    #[inline]
    fn list(&mut self, count: usize) {
        match count {
            0 => self.0.push(wire::LIST_EMPTY),
            1..=0xff => self.0.extend_from_slice(&[wire::LIST_8, count as u8]),
            _ => {
                let [high, low] = (count as u16).to_be_bytes();
                self.0.extend_from_slice(&[wire::LIST_16, high, low]);
            }
        }
    }

    /// A content, or a text that neither has a token nor can be packed.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let len = bytes.len();
        self.0.reserve(len + 5);
        match len {
            0..=0xff => self.0.extend_from_slice(&[wire::BINARY_8, len as u8]),
            0x100..=0xf_ffff => {
                let [_, high, middle, low] = (len as u32).to_be_bytes();
                self.0
                    .extend_from_slice(&[wire::BINARY_20, high, middle, low]);
            }
            _ => {
                let len = u32::try_from(len).map_err(|_| EncodeError::TooLong { len })?;
                self.0.push(wire::BINARY_32);
                self.0.extend_from_slice(&len.to_be_bytes());
            }
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn word(&mut self, word: Word<'_>) -> Result<(), EncodeError> {
        match word {
            Word::Token(token) => {
                self.token(token);
                Ok(())
            }
            Word::Plain(text) => self.plain(text),
        }
    }

    #[inline]
    fn token(&mut self, token: Token) {
        match token.wire() {
            (byte, None) => self.0.push(byte),
            (dictionary, Some(index)) => self.0.extend_from_slice(&[dictionary, index]),
        }
    }

    /// A text that is not in the dictionaries.
    #[inline]
    fn plain(&mut self, text: &str) -> Result<(), EncodeError> {
        if pack(text.as_bytes(), self.0, wire::NIBBLE_8, wire::HEX_8) {
            return Ok(());
        }
        self.bytes(text.as_bytes())
    }

    #[inline]
    fn value(&mut self, value: &Value) -> Result<(), EncodeError> {
        match value {
            Value::Text(text) => self.word(text.word()),
            Value::Number(number) => {
                self.number(*number);
                Ok(())
            }
            Value::Jid(jid) => self.jid(jid),
        }
    }

    #[inline]
    fn number(&mut self, number: u64) {
        if number <= MAX_NUMERIC_TOKEN
            && let Some(token) = numeric_token(number)
        {
            self.token(token);
        } else {
            pack_number(number, self.0, wire::NIBBLE_8);
        }
    }

    #[inline]
    fn jid(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        let (server, device) = (jid.server(), jid.device());
        match server.device_form() {
            DeviceForm::Domain(domain) if device > 0 => {
                let device = u8::try_from(device).map_err(|_| EncodeError::Device { device })?;
                self.0.extend_from_slice(&[wire::AD_JID, domain, device]);
                self.user(jid.user_part())
            }
            DeviceForm::Messenger | DeviceForm::Interop => self.foreign_jid(jid),
            DeviceForm::None if device > 0 => Err(EncodeError::DeviceNotAllowed { device }),
            DeviceForm::Domain(_) | DeviceForm::None => {
                self.0.push(wire::JID_PAIR);
                match jid.user_part() {
                    User::None => self.0.push(wire::LIST_EMPTY),
                    user => self.user(user)?,
                }
                self.server(jid)
            }
        }
    }

    fn foreign_jid(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        let interop = jid.server() == Server::Interop;
        self.0.push(if interop {
            wire::INTEROP_JID
        } else {
            wire::FB_JID
        });
        self.user(jid.user_part())?;
        self.0.extend_from_slice(&jid.device().to_be_bytes());
        if interop {
            self.0.extend_from_slice(&jid.integrator().to_be_bytes());
        }
        self.server(jid)
    }

    #[inline]
    fn user(&mut self, user: User<'_>) -> Result<(), EncodeError> {
        match user {
            User::Number(number) => {
                self.number(number);
                Ok(())
            }
            User::Token(token) => {
                self.token(token);
                Ok(())
            }
            User::Text(text) => self.plain(text),
            User::None => self.bytes(&[]),
        }
    }

    #[inline]
    fn server(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        const PN: Str = Str::literal("s.whatsapp.net");
        const LID: Str = Str::literal("lid");
        const GROUP: Str = Str::literal("g.us");
        match jid.server() {
            Server::Pn => self.word(PN.word()),
            Server::Lid => self.word(LID.word()),
            Server::Group => self.word(GROUP.word()),
            _ => match jid.server_name() {
                "" => Err(EncodeError::NoServer),
                name => match Token::find(name) {
                    Some(token) => self.word(Word::Token(token)),
                    None => self.plain(name),
                },
            },
        }
    }
}

fn numeric_token(number: u64) -> Option<Token> {
    let mut digits = [b'0'; 4];
    let mut rest = number;
    let mut len = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        len += 1;
        if rest == 0 {
            break;
        }
    }
    Token::find_bytes(digits.get(digits.len() - len..)?)
}
