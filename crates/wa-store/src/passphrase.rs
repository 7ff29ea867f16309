use argon2::{Algorithm, Argon2, Params, Version};

use crate::codec::Reader;
use crate::error::RandomError;
use crate::random;
use crate::secret::{SecretText, StoreKey};

/// Fewest characters of a new passphrase. Source: NIST SP 800-63B, 5.1.1.2.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// Least memory of Argon2id in KiB that is accepted, 19 MiB. Source: OWASP password storage, Argon2id.
pub const MIN_ARGON2_MEMORY_KIB: u32 = 19 * 1024;

/// Most memory of Argon2id in KiB that is accepted, 256 MiB: what a stranger's export may make us spend.
pub const MAX_ARGON2_MEMORY_KIB: u32 = 256 * 1024;

/// Fewest passes of Argon2id that are accepted. Source: OWASP password storage, Argon2id.
pub const MIN_ARGON2_PASSES: u32 = 2;

/// Most passes of Argon2id that are accepted: what a stranger's export may make us spend.
pub const MAX_ARGON2_PASSES: u32 = 10;

/// Most lanes of Argon2id that are accepted.
pub const MAX_ARGON2_LANES: u32 = 8;

const SALT_LEN: usize = 16;

/// How a passphrase becomes a key: the costs of Argon2id and the salt. Stored in clear beside what the key seals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT_LEN],
}

impl Stretch {
    /// Bytes of the encoded form.
    pub(crate) const LEN: usize = 12 + SALT_LEN;

    /// Today's costs (RFC 9106, 4, second choice: 64 MiB, 3 passes, 4 lanes) and a fresh salt.
    pub(crate) fn fresh() -> Result<Self, RandomError> {
        Ok(Self {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 4,
            salt: random::array()?,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        for cost in [self.memory_kib, self.passes, self.lanes] {
            out.extend_from_slice(&cost.to_be_bytes());
        }
        out.extend_from_slice(&self.salt);
        out
    }

    /// Reads the encoded form; `Err` holds costs that are out of bounds, `None` is a text cut short.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Result<Self, StretchError>> {
        let stretch = Self {
            memory_kib: reader.u32()?,
            passes: reader.u32()?,
            lanes: reader.u32()?,
            salt: reader.array()?,
        };
        Some(stretch.check())
    }

    /// Takes a good part of a second and the memory the costs name.
    pub(crate) fn derive(&self, passphrase: &SecretText) -> Result<StoreKey, StretchError> {
        let refused = || self.refused();
        let params = Params::new(
            self.memory_kib,
            self.passes,
            self.lanes,
            Some(StoreKey::LEN),
        )
        .map_err(|_| refused())?;
        let mut key = Box::new([0; StoreKey::LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(
                passphrase.expose().as_bytes(),
                &self.salt,
                key.as_mut_slice(),
            )
            .map_err(|_| refused())?;
        Ok(StoreKey::from_derived(key))
    }

    fn check(self) -> Result<Self, StretchError> {
        let fits = (MIN_ARGON2_MEMORY_KIB..=MAX_ARGON2_MEMORY_KIB).contains(&self.memory_kib)
            && (MIN_ARGON2_PASSES..=MAX_ARGON2_PASSES).contains(&self.passes)
            && (1..=MAX_ARGON2_LANES).contains(&self.lanes);
        if fits { Ok(self) } else { Err(self.refused()) }
    }

    fn refused(&self) -> StretchError {
        StretchError {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }
}

/// Costs of Argon2id that are out of bounds: too weak to trust, or too dear to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the passphrase costs of {memory_kib} KiB, {passes} passes, {lanes} lanes are out of bounds \
     ({MIN_ARGON2_MEMORY_KIB} to {MAX_ARGON2_MEMORY_KIB} KiB, {MIN_ARGON2_PASSES} to {MAX_ARGON2_PASSES} passes, \
     1 to {MAX_ARGON2_LANES} lanes): the file was not made by this program, or was changed"
)]
pub struct StretchError {
    /// Memory asked for, in KiB.
    pub memory_kib: u32,
    /// Passes asked for.
    pub passes: u32,
    /// Lanes asked for.
    pub lanes: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(memory_kib: u32, passes: u32, lanes: u32) -> Result<Stretch, StretchError> {
        let stretch = Stretch {
            memory_kib,
            passes,
            lanes,
            salt: [7; SALT_LEN],
        };
        let decoded = Stretch::decode(&mut Reader::new(&stretch.encode())).unwrap();
        assert!(decoded.as_ref().is_ok_and(|decoded| *decoded == stretch) || decoded.is_err());
        decoded
    }

    #[test]
    fn costs_are_taken_up_to_their_bounds_and_not_beyond() {
        for (memory, passes, lanes) in [
            (MIN_ARGON2_MEMORY_KIB, MIN_ARGON2_PASSES, 1),
            (MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_PASSES, MAX_ARGON2_LANES),
        ] {
            assert!(decode(memory, passes, lanes).is_ok());
        }
        for (memory_kib, passes, lanes) in [
            (MIN_ARGON2_MEMORY_KIB - 1, 3, 4),
            (MAX_ARGON2_MEMORY_KIB + 1, 3, 4),
            (65536, MIN_ARGON2_PASSES - 1, 4),
            (65536, MAX_ARGON2_PASSES + 1, 4),
            (65536, 3, 0),
            (65536, 3, MAX_ARGON2_LANES + 1),
        ] {
            let refused = StretchError {
                memory_kib,
                passes,
                lanes,
            };
            assert_eq!(decode(memory_kib, passes, lanes), Err(refused));
        }
    }

    #[test]
    fn the_same_passphrase_and_salt_give_the_same_key_and_others_do_not() {
        let stretch = decode(MIN_ARGON2_MEMORY_KIB, MIN_ARGON2_PASSES, 1).unwrap();
        let key = stretch.derive(&"a long sentence".into()).unwrap();
        assert_eq!(stretch.derive(&"a long sentence".into()).unwrap(), key);
        assert_ne!(stretch.derive(&"a long Sentence".into()).unwrap(), key);
        let salted = Stretch {
            salt: [8; SALT_LEN],
            ..stretch
        };
        assert_ne!(salted.derive(&"a long sentence".into()).unwrap(), key);
    }
}
