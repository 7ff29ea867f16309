use prost::Message as _;
use thiserror::Error;
use wa_crypto::{IdentityPublic, PublicKey as _, Signature};
use wa_proto::pb::{AdvKeyIndexList, AdvSignedKeyIndexList};

use crate::adv::AdvFamily;

/// Longest encoded key index list that is looked at. An account has a handful of companions; a list
/// this long could name a thousand key indexes.
pub const MAX_KEY_INDEX_LIST_LEN: usize = 4096;

/// A key index list whose signature was not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedKeyIndexList {
    details: Vec<u8>,
    family: AdvFamily,
    list: KeyIndexList,
    signature: Signature,
    account_key: Option<IdentityPublic>,
}

/// Which companions of an account are live (pairing chapter, D.1 and F.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIndexList {
    /// The account's epoch. Another one than the stored: the account changed its identity.
    pub raw_id: u32,
    /// Unix seconds of its making.
    pub timestamp: u64,
    /// The highest key index ever given out.
    pub current_index: u32,
    /// The key indexes that are live.
    pub valid_indexes: Vec<u32>,
}

impl SignedKeyIndexList {
    /// Reads the content of a `key-index-list` node.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyIndexListError> {
        if bytes.len() > MAX_KEY_INDEX_LIST_LEN {
            return Err(KeyIndexListError::Length {
                got: bytes.len(),
                limit: MAX_KEY_INDEX_LIST_LEN,
            });
        }
        let signed =
            AdvSignedKeyIndexList::decode(bytes).map_err(|_| KeyIndexListError::Undecodable)?;
        let details = signed.details.unwrap_or_default();
        let list = AdvKeyIndexList::decode(details.as_slice())
            .map_err(|_| KeyIndexListError::Undecodable)?;
        let signature = signed.account_signature.unwrap_or_default();
        let signature = <[u8; 64]>::try_from(signature.as_slice())
            .map(Signature::from_bytes)
            .map_err(|_| KeyIndexListError::SignatureLength {
                got: signature.len(),
            })?;
        let account_key = signed
            .account_signature_key
            .map(|key| {
                <[u8; 32]>::try_from(key.as_slice())
                    .map(IdentityPublic::from_bytes)
                    .map_err(|_| KeyIndexListError::AccountKeyLength { got: key.len() })
            })
            .transpose()?;
        let family = AdvFamily::of(list.account_type);
        let list = KeyIndexList {
            raw_id: list.raw_id.ok_or(KeyIndexListError::RawIdMissing)?,
            timestamp: list.timestamp.unwrap_or_default(),
            current_index: list.current_index.unwrap_or_default(),
            valid_indexes: list.valid_indexes,
        };
        Ok(Self {
            details,
            family,
            list,
            signature,
            account_key,
        })
    }

    /// Checks the signature with the identity key we hold of the account's device 0, and hands out
    /// the list.
    pub fn verify(self, primary: &IdentityPublic) -> Result<KeyIndexList, KeyIndexListError> {
        if self
            .account_key
            .is_some_and(|key| key.as_bytes() != primary.as_bytes())
        {
            return Err(KeyIndexListError::OtherAccountKey);
        }
        primary
            .verify(
                &[self.family.key_index_list_prefix(), &self.details],
                &self.signature,
            )
            .map_err(|_| KeyIndexListError::Signature)?;
        Ok(self.list)
    }
}

impl KeyIndexList {
    /// Whether a device of the account stays on its device list: device 0 always; a companion if its
    /// key index is live or newer than this list.
    pub fn keeps(&self, device: u16, key_index: Option<u32>) -> bool {
        device == 0
            || key_index.is_some_and(|index| {
                index > self.current_index || self.valid_indexes.contains(&index)
            })
    }
}

/// Why a key index list was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyIndexListError {
    /// Longer than we look at.
    #[error("key index list of {got} bytes, at most {limit}")]
    Length {
        /// Bytes received.
        got: usize,
        /// [`MAX_KEY_INDEX_LIST_LEN`].
        limit: usize,
    },
    /// No protobuf of that shape.
    #[error("the key index list does not decode")]
    Undecodable,
    /// It names no epoch.
    #[error("the key index list has no raw id")]
    RawIdMissing,
    /// The signature is missing or has the wrong length.
    #[error("signature of {got} bytes, expected 64")]
    SignatureLength {
        /// Bytes received.
        got: usize,
    },
    /// The key it carries has the wrong length.
    #[error("account key of {got} bytes, expected 32")]
    AccountKeyLength {
        /// Bytes received.
        got: usize,
    },
    /// It carries another key than the one we hold of the account.
    #[error("the key index list was signed with another account key")]
    OtherAccountKey,
    /// The account did not sign it.
    #[error("the signature of the key index list does not verify")]
    Signature,
}
