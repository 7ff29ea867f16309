use thiserror::Error;
use wa_crypto::{IdentityPublic, OneTimePrekeyPublic, Signature, SignedPrekeyPublic};
use wa_proto::NodeRef;

use crate::stanza::{KEY_TYPE_CURVE25519, bundle_digest};
use crate::{PrekeyId, PublicSignedPrekey, RegistrationId, SignedPrekeyId};

/// Largest count believed: a device cannot have more keys than there are ids.
pub const MAX_COUNT: u32 = crate::MAX_PREKEY_ID;

/// Most prekeys read from a digest answer. The server holds one or two batches of 812; this leaves
/// room for five.
pub const MAX_LISTED_PREKEYS: usize = 4096;

const MAX_HASH_LEN: usize = 20;

/// The answer to a count request, or the body of the server's "running low" notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountAnswer {
    /// One-time prekeys the server holds for this device.
    pub count: u32,
}

impl CountAnswer {
    /// Reads the `count` child of an iq result or of an `encrypt` notification.
    pub fn parse(stanza: &NodeRef<'_>) -> Result<Self, AnswerError> {
        let node = stanza.child("count").ok_or(AnswerError::Missing("count"))?;
        let value = node
            .attr_u64("value")
            .ok_or(AnswerError::Missing("value"))?;
        match u32::try_from(value) {
            Ok(count) if count <= MAX_COUNT => Ok(Self { count }),
            _ => Err(AnswerError::Count {
                got: value,
                limit: MAX_COUNT,
            }),
        }
    }
}

/// The bundle as the server holds it, without the one-time keys themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestAnswer {
    /// The registration id, as sent.
    pub registration: u32,
    /// The identity key.
    pub identity: IdentityPublic,
    /// The signed prekey.
    pub signed: PublicSignedPrekey,
    /// Ids of the one-time prekeys, in the server's order.
    pub prekeys: Vec<PrekeyId>,
    hash: Vec<u8>,
}

impl DigestAnswer {
    /// Reads the `digest` child of an iq result.
    pub fn parse(stanza: &NodeRef<'_>) -> Result<Self, AnswerError> {
        let digest = stanza
            .child("digest")
            .ok_or(AnswerError::Missing("digest"))?;
        if let Some(key_type) = digest.child("type") {
            let [key_type] = content::<1>(&key_type, "type")?;
            if key_type != KEY_TYPE_CURVE25519 {
                return Err(AnswerError::KeyType { got: key_type });
            }
        }
        let skey = digest.child("skey").ok_or(AnswerError::Missing("skey"))?;
        let signed = PublicSignedPrekey {
            id: SignedPrekeyId::from_be_bytes(child(&skey, "id")?).ok_or(AnswerError::ZeroId)?,
            key: SignedPrekeyPublic::from_bytes(child(&skey, "value")?),
            signature: Signature::from_bytes(child(&skey, "signature")?),
        };
        Ok(Self {
            registration: u32::from_be_bytes(child(&digest, "registration")?),
            identity: IdentityPublic::from_bytes(child(&digest, "identity")?),
            signed,
            prekeys: listed(&digest)?,
            hash: hash(&digest)?,
        })
    }

    /// Compares what the server holds with what we hold; `prekey` finds the public key of one of our
    /// ids. `Ok` means that nothing needs uploading.
    pub fn compare(
        &self,
        registration: RegistrationId,
        identity: &IdentityPublic,
        signed: impl Into<PublicSignedPrekey>,
        mut prekey: impl FnMut(PrekeyId) -> Option<OneTimePrekeyPublic>,
    ) -> Result<(), DigestMismatch> {
        let signed = signed.into();
        if self.registration != registration.get() {
            return Err(DigestMismatch::Registration {
                expected: registration.get(),
                got: self.registration,
            });
        }
        if self.identity != *identity {
            return Err(DigestMismatch::Identity);
        }
        if self.signed != signed {
            return Err(DigestMismatch::SignedPrekey {
                expected: signed.id,
                got: self.signed.id,
            });
        }
        let keys: Result<Vec<_>, _> = self
            .prekeys
            .iter()
            .map(|id| prekey(*id).ok_or(DigestMismatch::UnknownPrekey { id: *id }))
            .collect();
        let ours = bundle_digest(identity, signed, keys?);
        // `hash` may be shorter than SHA-1; the parser has seen to it that it is not longer or empty.
        if ours.starts_with(&self.hash) {
            Ok(())
        } else {
            Err(DigestMismatch::Hash)
        }
    }
}

/// What the server's error answer to a rotation asks for (signal chapter, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotateRefusal {
    /// 406: the key itself was refused. Make another one.
    Malformed,
    /// 409: the server's bundle differs from ours. Run the digest check.
    Mismatch,
    /// 5xx: try again after [`ROTATION_RETRY_AFTER`](crate::ROTATION_RETRY_AFTER).
    Later,
    /// Any other code.
    Other(u16),
}

impl RotateRefusal {
    /// Reads the code of the iq error.
    pub const fn from_code(code: u16) -> Self {
        match code {
            406 => Self::Malformed,
            409 => Self::Mismatch,
            500..=599 => Self::Later,
            other => Self::Other(other),
        }
    }
}

/// Where the server's bundle differs from ours. Upload a new batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DigestMismatch {
    /// Another registration id.
    #[error("the server knows registration id {got}, ours is {expected}")]
    Registration {
        /// Ours.
        expected: u32,
        /// The server's.
        got: u32,
    },
    /// Another identity key.
    #[error("the server knows another identity key")]
    Identity,
    /// Another signed prekey, or the same id with another key or signature.
    #[error("the server holds signed prekey {got}, ours is {expected}")]
    SignedPrekey {
        /// Our id.
        expected: SignedPrekeyId,
        /// The server's id.
        got: SignedPrekeyId,
    },
    /// The server would hand out a one-time prekey whose private half we no longer have.
    #[error("the server lists prekey {id}, which we do not hold")]
    UnknownPrekey {
        /// Its id.
        id: PrekeyId,
    },
    /// All ids agree and the hash does not: a key differs.
    #[error("the bundle hashes differ")]
    Hash,
}

/// Why an answer of the server could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A node or attribute is not there, or has no content.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A content has the wrong size.
    #[error("`{name}` has {got} bytes, expected {expected}")]
    Length {
        /// The node.
        name: &'static str,
        /// Size it must have.
        expected: usize,
        /// Size found.
        got: usize,
    },
    /// The keys are of a kind we do not know.
    #[error("key type {got:#04x}, expected 0x05")]
    KeyType {
        /// The type byte.
        got: u8,
    },
    /// An id is 0.
    #[error("a prekey id is 0")]
    ZeroId,
    /// More prekeys listed than we read.
    #[error("more than {limit} prekeys listed")]
    TooManyPrekeys {
        /// [`MAX_LISTED_PREKEYS`].
        limit: usize,
    },
    /// A count that cannot be.
    #[error("{got} prekeys counted, at most {limit} can be")]
    Count {
        /// The value sent.
        got: u64,
        /// [`MAX_COUNT`].
        limit: u32,
    },
}

fn listed(digest: &NodeRef<'_>) -> Result<Vec<PrekeyId>, AnswerError> {
    let Some(list) = digest.child("list") else {
        return Ok(Vec::new());
    };
    let mut ids = Vec::new();
    for node in list.children().filter(|node| node.tag() == "id") {
        if ids.len() == MAX_LISTED_PREKEYS {
            return Err(AnswerError::TooManyPrekeys {
                limit: MAX_LISTED_PREKEYS,
            });
        }
        ids.push(PrekeyId::from_be_bytes(content(&node, "id")?).ok_or(AnswerError::ZeroId)?);
    }
    Ok(ids)
}

fn hash(digest: &NodeRef<'_>) -> Result<Vec<u8>, AnswerError> {
    let node = digest.child("hash").ok_or(AnswerError::Missing("hash"))?;
    let bytes = node.bytes().ok_or(AnswerError::Missing("hash"))?;
    if bytes.is_empty() || bytes.len() > MAX_HASH_LEN {
        return Err(AnswerError::Length {
            name: "hash",
            expected: MAX_HASH_LEN,
            got: bytes.len(),
        });
    }
    Ok(bytes.into_owned())
}

fn child<const N: usize>(parent: &NodeRef<'_>, name: &'static str) -> Result<[u8; N], AnswerError> {
    content(&parent.child(name).ok_or(AnswerError::Missing(name))?, name)
}

fn content<const N: usize>(node: &NodeRef<'_>, name: &'static str) -> Result<[u8; N], AnswerError> {
    let bytes = node.bytes().ok_or(AnswerError::Missing(name))?;
    <[u8; N]>::try_from(bytes.as_ref()).map_err(|_| AnswerError::Length {
        name,
        expected: N,
        got: bytes.len(),
    })
}
