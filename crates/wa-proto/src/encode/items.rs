//! The items that nodes are made of. (Node chapter, 4 to 6.)

use super::{EncodeError, MAX_CHILDREN, check_attributes};
use crate::jid::{DeviceForm, User};
use crate::packed::{Digits, pack};
use crate::text::Word;
use crate::{Jid, Server, Str, Token, Value, wire};

/// Numbers of up to four digits may have a token; no longer one has.
const MAX_NUMERIC_TOKEN_LEN: u32 = 4;

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

    /// Appends the first bytes of an array: a copy of a fixed length is one or two moves.
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        self.0.extend_from_slice(&bytes);
        let end = self.0.len() - (N - len);
        self.0.truncate(end);
    }

    #[inline]
    fn list(&mut self, count: usize) {
        match count {
            0 => self.0.push(wire::LIST_EMPTY),
            1..=0xff => self.put([wire::LIST_8, count as u8], 2),
            _ => {
                let [high, low] = (count as u16).to_be_bytes();
                self.put([wire::LIST_16, high, low], 3);
            }
        }
    }

    /// A content, or a text that neither has a token nor can be packed.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let len = bytes.len();
        if len <= 0xff {
            self.put([wire::BINARY_8, len as u8], 2);
        } else {
            self.long_bytes_head(len)?;
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn long_bytes_head(&mut self, len: usize) -> Result<(), EncodeError> {
        let Ok(wide) = u32::try_from(len) else {
            return Err(EncodeError::TooLong { len });
        };
        let [highest, high, middle, low] = wide.to_be_bytes();
        self.0.reserve(len + 5);
        if wide <= 0xf_ffff {
            self.put([wire::BINARY_20, high, middle, low], 4);
        } else {
            self.put([wire::BINARY_32, highest, high, middle, low], 5);
        }
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
        let (bytes, len) = token.wire();
        self.put(bytes, len);
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
                self.digits(Digits::from_number(*number));
                Ok(())
            }
            Value::Jid(jid) => self.jid(jid),
        }
    }

    #[inline]
    fn digits(&mut self, digits: Digits) {
        if digits.len() <= MAX_NUMERIC_TOKEN_LEN
            && let Some(token) = digits.with(Token::find)
        {
            return self.token(token);
        }
        let (count, [a, b, c, d, e, f, g, h, i, j], len) = digits.packed();
        self.put(
            [wire::NIBBLE_8, count, a, b, c, d, e, f, g, h, i, j],
            2 + len,
        );
    }

    #[inline]
    fn jid(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        let (server, device) = (jid.server(), jid.device());
        match server.device_form() {
            DeviceForm::Domain(domain) if device > 0 => {
                let device = u8::try_from(device).map_err(|_| EncodeError::Device { device })?;
                self.put([wire::AD_JID, domain, device], 3);
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
            User::Digits(digits) => {
                self.digits(digits);
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
        match jid.server().common_token() {
            Some(token) => {
                self.token(token);
                Ok(())
            }
            None => match jid.server_name() {
                "" => Err(EncodeError::NoServer),
                name => match Token::find(name) {
                    Some(token) => self.word(Word::Token(token)),
                    None => self.plain(name),
                },
            },
        }
    }
}
