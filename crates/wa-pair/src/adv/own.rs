use prost::Message as _;
use thiserror::Error;
use wa_crypto::{IdentityPublic, PublicKey as _};
use wa_proto::pb::AdvDeviceIdentity;

use crate::adv::{AdvFamily, SignedIdentity};

/// What the signed details of our own identity say of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnIdentity {
    /// Index of this device's key at the phone.
    pub key_index: u32,
    /// Unix seconds at which the phone made the link; 0 if it does not say.
    pub timestamp: u64,
}

impl SignedIdentity {
    /// Checks an identity of our own that was made elsewhere: that the account signed it for the device with this
    /// identity key, under the family its details name, and that the device signed it under the ordinary one
    /// (pairing chapter, A.6 and A.7).
    pub fn verify_own(&self, own: &IdentityPublic) -> Result<OwnIdentity, OwnIdentityError> {
        let device = AdvDeviceIdentity::decode(self.details.as_slice())
            .map_err(|_| OwnIdentityError::Details)?;
        let prefix = AdvFamily::of(device.device_type).account_prefix();
        self.account_key
            .verify(
                &[prefix, &self.details, own.as_bytes()],
                &self.account_signature,
            )
            .map_err(|_| OwnIdentityError::AccountSignature)?;
        let signed = [
            AdvFamily::E2ee.device_prefix(),
            &self.details,
            own.as_bytes(),
            self.account_key.as_bytes(),
        ];
        own.verify(&signed, &self.device_signature)
            .map_err(|_| OwnIdentityError::DeviceSignature)?;
        Ok(OwnIdentity {
            key_index: device.key_index.ok_or(OwnIdentityError::KeyIndexMissing)?,
            timestamp: device.timestamp.unwrap_or_default(),
        })
    }
}

/// Why a signed identity is not one of the device with our key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OwnIdentityError {
    /// The details are no protobuf of that shape.
    #[error("the details of the signed device identity do not decode")]
    Details,
    /// The account did not sign this identity key.
    #[error("the account's signature does not verify for this identity key")]
    AccountSignature,
    /// The device did not sign.
    #[error("the device's signature does not verify for this identity key")]
    DeviceSignature,
    /// The details do not say which key of the account it is.
    #[error("the signed device identity has no key index")]
    KeyIndexMissing,
}
