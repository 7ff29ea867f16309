//! The eight-character code as an owner types it (pairing chapter, B.2 and D.3).

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

/// Characters of a pairing code.
pub const CODE_LEN: usize = 8;
/// The alphabet in the order of its values.
pub(crate) const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";
/// Longest text a phone looks at: a code with something between all of its characters.
const MAX_TYPED_LEN: usize = 64;

/// A pairing code, as an owner types it into a phone.
#[derive(Clone)]
pub struct EnteredCode(Zeroizing<[u8; CODE_LEN]>);

/// Why a typed text is no pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnteredCodeError {
    /// Another count of letters and digits.
    #[error("it has {got} letters and digits, a pairing code has {CODE_LEN}")]
    Length {
        /// How many there are; counting stops at the longest text a phone looks at.
        got: usize,
    },
    /// A letter or digit that no code has.
    #[error("{0} stands in no pairing code: it has digits but 0, and letters but I, O and U")]
    Character(char),
}

impl EnteredCode {
    /// Everything but letters and digits goes, and letters become upper case.
    ///
    /// # Errors
    /// When what remains is no code.
    pub fn parse(typed: &str) -> Result<Self, EnteredCodeError> {
        let mut code = Zeroizing::new([0; CODE_LEN]);
        let mut got = 0;
        for character in typed.chars().take(MAX_TYPED_LEN) {
            if !character.is_alphanumeric() {
                continue;
            }
            let symbol = u8::try_from(character.to_ascii_uppercase())
                .ok()
                .filter(|symbol| ALPHABET.contains(symbol))
                .ok_or(EnteredCodeError::Character(character))?;
            if let Some(place) = code.get_mut(got) {
                *place = symbol;
            }
            got += 1;
        }
        if got == CODE_LEN {
            Ok(Self(code))
        } else {
            Err(EnteredCodeError::Length { got })
        }
    }

    /// The bare characters, which go into the key derivation.
    pub(crate) fn symbols(&self) -> &[u8; CODE_LEN] {
        &self.0
    }
}

/// The code is what links.
impl fmt::Debug for EnteredCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EnteredCode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str) -> Result<String, EnteredCodeError> {
        EnteredCode::parse(typed).map(|code| String::from_utf8(code.symbols().to_vec()).unwrap())
    }

    #[test]
    fn what_is_typed_is_cleaned_as_a_phone_does() {
        for typed in ["3C6F-VDRD", " 3c6fvdrd\n", "3c6f vdrd", "3C6F\u{2011}VDRD"] {
            assert_eq!(parsed(typed).as_deref(), Ok("3C6FVDRD"), "{typed:?}");
        }
    }

    #[test]
    fn a_code_has_eight_symbols_of_the_alphabet() {
        assert_eq!(parsed("ABCD123"), Err(EnteredCodeError::Length { got: 7 }));
        assert!(parsed("ABCD1234").is_ok());
        assert_eq!(
            parsed("ABCD12345"),
            Err(EnteredCodeError::Length { got: 9 })
        );
        assert_eq!(parsed(""), Err(EnteredCodeError::Length { got: 0 }));
        for wrong in ['0', 'I', 'o', 'U', 'é'] {
            let typed = format!("ABC{wrong}1234");
            assert_eq!(parsed(&typed), Err(EnteredCodeError::Character(wrong)));
        }
    }

    #[test]
    fn a_text_without_end_is_not_read_to_it() {
        let typed = "A".repeat(1 << 20);
        assert_eq!(
            parsed(&typed),
            Err(EnteredCodeError::Length { got: MAX_TYPED_LEN })
        );
    }
}
