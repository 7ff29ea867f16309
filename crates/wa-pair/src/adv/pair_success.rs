use prost::Message as _;
use wa_crypto::{AdvSecret, CryptoRng, IdentityPublic, IdentitySecret, PublicKey as _, Signature};
use wa_proto::pb::{AdvDeviceIdentity, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};

use crate::PairError;
use crate::adv::{AdvFamily, SignedIdentity};

/// Longest content of `device-identity` that is looked at (pairing chapter, A.5).
pub const MAX_DEVICE_IDENTITY_LEN: usize = 500;

/// A device identity that the account made for us, checked, and not yet signed by us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    details: Vec<u8>,
    account_key: IdentityPublic,
    account_signature: Signature,
    key_index: u32,
}

/// Checks the content of `device-identity` in the order of pairing chapter, A.6, steps 1 to 4.
///
/// `adv` is the secret of the QR code on show, `identity` our own public identity key.
pub fn verify_pair_success(
    content: &[u8],
    adv: &AdvSecret,
    identity: &IdentityPublic,
) -> Result<Verified, PairError> {
    if content.is_empty() || content.len() > MAX_DEVICE_IDENTITY_LEN {
        return Err(PairError::DeviceIdentityLength {
            got: content.len(),
            limit: MAX_DEVICE_IDENTITY_LEN,
        });
    }
    let container =
        AdvSignedDeviceIdentityHmac::decode(content).map_err(|_| PairError::Container)?;
    let signed = container.details.unwrap_or_default();
    let hmac = container.hmac.unwrap_or_default();
    let prefix = AdvFamily::of(container.account_type).hmac_prefix();
    adv.verify_mac(&[prefix, &signed], &hmac)
        .map_err(|_| PairError::Hmac)?;

    let signed =
        AdvSignedDeviceIdentity::decode(signed.as_slice()).map_err(|_| PairError::Identity)?;
    let details = signed.details.unwrap_or_default();
    let device = AdvDeviceIdentity::decode(details.as_slice()).map_err(|_| PairError::Details)?;

    let account_key = signed.account_signature_key.unwrap_or_default();
    let account_key = <[u8; 32]>::try_from(account_key.as_slice())
        .map(IdentityPublic::from_bytes)
        .map_err(|_| PairError::AccountKeyLength {
            got: account_key.len(),
        })?;
    let account_signature = signed.account_signature.unwrap_or_default();
    let account_signature = <[u8; 64]>::try_from(account_signature.as_slice())
        .map(Signature::from_bytes)
        .map_err(|_| PairError::AccountSignatureLength {
            got: account_signature.len(),
        })?;
    let prefix = AdvFamily::of(device.device_type).account_prefix();
    account_key
        .verify(&[prefix, &details, identity.as_bytes()], &account_signature)
        .map_err(|_| PairError::AccountSignature)?;

    let key_index = device.key_index.ok_or(PairError::KeyIndexMissing)?;
    Ok(Verified {
        details,
        account_key,
        account_signature,
        key_index,
    })
}

impl Verified {
    /// Adds our own signature (step 6). `identity` is the secret of the key that was verified for.
    pub fn sign(
        self,
        identity: &IdentitySecret,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> SignedIdentity {
        let prefix = AdvFamily::E2ee.device_prefix();
        let public = identity.public();
        let device_signature = identity.sign(
            rng,
            &[
                prefix,
                &self.details,
                public.as_bytes(),
                self.account_key.as_bytes(),
            ],
        );
        SignedIdentity {
            details: self.details,
            account_key: self.account_key,
            account_signature: self.account_signature,
            device_signature,
        }
    }

    /// The key index the account gave this device.
    pub const fn key_index(&self) -> u32 {
        self.key_index
    }

    /// The account's key: the identity of the primary.
    pub const fn account_key(&self) -> &IdentityPublic {
        &self.account_key
    }
}
