use std::fmt;

use prost::Message as _;
use thiserror::Error;
use wa_crypto::{IdentityPublic, PublicKey as _, Signature, SignatureError};
use wa_proto::pb::AdvSignedDeviceIdentity;

use crate::adv::AdvFamily;

/// A device identity with both signatures: ours is part of what is stored at pairing and goes along
/// with first messages; those of other devices come with their key bundles.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIdentity {
    pub(crate) details: Vec<u8>,
    pub(crate) account_key: IdentityPublic,
    pub(crate) account_signature: Signature,
    pub(crate) device_signature: Signature,
}

impl SignedIdentity {
    /// Reads an encoded identity with all four fields: the stored one, or one from a bundle that
    /// carries its account key.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignedIdentityError> {
        Self::decode_for(bytes, None)
    }

    /// Reads an identity from a bundle. `stored` is the identity key we hold of that user's device 0:
    /// it stands in where the blob omits the account key, as blobs of contacts do.
    pub fn decode_for(
        bytes: &[u8],
        stored: Option<&IdentityPublic>,
    ) -> Result<Self, SignedIdentityError> {
        let message =
            AdvSignedDeviceIdentity::decode(bytes).map_err(|_| SignedIdentityError::Undecodable)?;
        let account_key = match (
            message.account_signature_key.filter(|key| !key.is_empty()),
            stored,
        ) {
            (Some(key), _) => <[u8; 32]>::try_from(key.as_slice())
                .map(IdentityPublic::from_bytes)
                .map_err(|_| SignedIdentityError::AccountKeyLength { got: key.len() })?,
            (None, Some(stored)) => *stored,
            (None, None) => return Err(SignedIdentityError::AccountKeyLength { got: 0 }),
        };
        Ok(Self {
            details: message.details.ok_or(SignedIdentityError::DetailsMissing)?,
            account_key,
            account_signature: signature(message.account_signature)?,
            device_signature: signature(message.device_signature)?,
        })
    }

    /// Checks that account and device both signed, under one family, for the device with this
    /// identity key; says which family it was (pairing chapter, A.7).
    ///
    /// Our own stored identity of a hosted account mixes the families and is not meant for this.
    pub fn verify(&self, device: &IdentityPublic) -> Result<AdvFamily, SignatureError> {
        let device_key = device.as_bytes();
        let mut refusal = SignatureError;
        for family in AdvFamily::ALL {
            let account = [family.account_prefix(), &self.details, device_key];
            let by_device = [
                family.device_prefix(),
                &self.details,
                device_key,
                self.account_key.as_bytes(),
            ];
            let verified = self
                .account_key
                .verify(&account, &self.account_signature)
                .and_then(|()| device.verify(&by_device, &self.device_signature));
            match verified {
                Ok(()) => return Ok(family),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// All four fields: the form to store.
    pub fn encode(&self) -> Vec<u8> {
        self.message(Some(self.account_key.as_bytes().to_vec()))
            .encode_to_vec()
    }

    /// Fields 1, 3 and 4: the form the server gets back at pairing. It knows the account key.
    pub fn encode_for_reply(&self) -> Vec<u8> {
        self.message(None).encode_to_vec()
    }

    /// The encoded details, as the account signed them.
    pub fn details(&self) -> &[u8] {
        &self.details
    }

    /// The account's key: the identity of the primary.
    pub const fn account_key(&self) -> &IdentityPublic {
        &self.account_key
    }

    /// The account's signature.
    pub const fn account_signature(&self) -> &Signature {
        &self.account_signature
    }

    /// The device's signature.
    pub const fn device_signature(&self) -> &Signature {
        &self.device_signature
    }

    fn message(&self, account_signature_key: Option<Vec<u8>>) -> AdvSignedDeviceIdentity {
        AdvSignedDeviceIdentity {
            details: Some(self.details.clone()),
            account_signature_key,
            account_signature: Some(self.account_signature.as_bytes().to_vec()),
            device_signature: Some(self.device_signature.as_bytes().to_vec()),
        }
    }
}

impl fmt::Debug for SignedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIdentity")
            .field("details_len", &self.details.len())
            .finish_non_exhaustive()
    }
}

/// Why bytes are no signed device identity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignedIdentityError {
    /// No protobuf of that shape.
    #[error("the signed device identity does not decode")]
    Undecodable,
    /// The details are missing.
    #[error("the signed device identity has no details")]
    DetailsMissing,
    /// The account key has the wrong length, or there is none.
    #[error("account key of {got} bytes, expected 32")]
    AccountKeyLength {
        /// Bytes found.
        got: usize,
    },
    /// A signature has the wrong length, or there is none.
    #[error("signature of {got} bytes, expected 64")]
    SignatureLength {
        /// Bytes found.
        got: usize,
    },
}

fn signature(bytes: Option<Vec<u8>>) -> Result<Signature, SignedIdentityError> {
    let bytes = bytes.unwrap_or_default();
    <[u8; 64]>::try_from(bytes.as_slice())
        .map(Signature::from_bytes)
        .map_err(|_| SignedIdentityError::SignatureLength { got: bytes.len() })
}
