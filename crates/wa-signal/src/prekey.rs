use wa_crypto::{OneTimePrekeyPublic, OneTimePrekeySecret};

use crate::PrekeyId;

/// A one-time prekey of ours, private half included. Its secret is wiped when it is dropped.
///
/// It may be deleted only after the message that used it was decrypted and the new session is
/// durable (signal chapter, section 3).
#[derive(Clone, Debug)]
pub struct OneTimePrekey {
    /// Its id.
    pub id: PrekeyId,
    /// Its private half.
    pub secret: OneTimePrekeySecret,
}

impl OneTimePrekey {
    /// What the server and peers see of it.
    pub fn public(&self) -> PublicPrekey {
        PublicPrekey {
            id: self.id,
            key: self.secret.public(),
        }
    }
}

/// The public half of a one-time prekey under its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicPrekey {
    /// Its id.
    pub id: PrekeyId,
    /// Its public key.
    pub key: OneTimePrekeyPublic,
}

impl From<&OneTimePrekey> for PublicPrekey {
    fn from(prekey: &OneTimePrekey) -> Self {
        prekey.public()
    }
}

impl From<&PublicPrekey> for PublicPrekey {
    fn from(prekey: &PublicPrekey) -> Self {
        *prekey
    }
}
