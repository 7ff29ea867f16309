//! What a primary signs when it links a companion (pairing chapter, D.2).

use prost::Message as _;
use wa_crypto::{AdvSecret, IdentityPublic, PublicKey as _, Signature};
use wa_proto::pb;

/// Before the details and the companion's identity key, under the account signature.
const ACCOUNT_SIGNATURE_PREFIX: [u8; 2] = [6, 0];
/// Before the details, the companion's identity key and the account key, under the device signature.
pub(crate) const DEVICE_SIGNATURE_PREFIX: [u8; 2] = [6, 1];
/// Before the details of a key index list, under its signature.
const KEY_INDEX_LIST_PREFIX: [u8; 2] = [6, 2];

/// The primary's signing, with its key and its randomness inside.
pub(crate) trait Sign {
    fn public(&self) -> IdentityPublic;
    fn sign(&mut self, message: &[&[u8]]) -> Signature;
}

/// A companion's identity in its layers, so that a fault can be put into any of them.
pub(crate) struct SignedIdentity {
    /// The encoded `ADVDeviceIdentity`.
    pub(crate) details: Vec<u8>,
    pub(crate) account_key: Vec<u8>,
    pub(crate) account_signature: Vec<u8>,
}

impl SignedIdentity {
    /// Signs `details` for the companion.
    pub(crate) fn new(
        details: pb::AdvDeviceIdentity,
        companion: &IdentityPublic,
        signer: &mut dyn Sign,
    ) -> Self {
        Self::over(details.encode_to_vec(), companion, signer)
    }

    /// Signs bytes as they are, whatever they hold.
    pub(crate) fn over(
        details: Vec<u8>,
        companion: &IdentityPublic,
        signer: &mut dyn Sign,
    ) -> Self {
        let signature = signer.sign(&[&ACCOUNT_SIGNATURE_PREFIX, &details, companion.as_bytes()]);
        Self {
            details,
            account_key: signer.public().as_bytes().to_vec(),
            account_signature: signature.as_bytes().to_vec(),
        }
    }

    /// The encoded `ADVSignedDeviceIdentity`, without the companion's signature.
    pub(crate) fn encode(&self) -> Vec<u8> {
        pb::AdvSignedDeviceIdentity {
            details: Some(self.details.clone()),
            account_signature_key: Some(self.account_key.clone()),
            account_signature: Some(self.account_signature.clone()),
            device_signature: None,
        }
        .encode_to_vec()
    }
}

/// The encoded `ADVSignedDeviceIdentityHMAC` around a signed identity.
pub(crate) fn container(signed: Vec<u8>, secret: &AdvSecret) -> Vec<u8> {
    let hmac = secret.mac(&[&signed]);
    container_with(signed, Some(hmac.to_vec()))
}

/// The same with an HMAC as given.
pub(crate) fn container_with(signed: Vec<u8>, hmac: Option<Vec<u8>>) -> Vec<u8> {
    pb::AdvSignedDeviceIdentityHmac {
        details: Some(signed),
        hmac,
        account_type: None,
    }
    .encode_to_vec()
}

/// The details of a companion. The enums stay out for an end-to-end encrypted account.
pub(crate) fn identity_details(
    raw_id: u32,
    timestamp: u64,
    key_index: u32,
) -> pb::AdvDeviceIdentity {
    pb::AdvDeviceIdentity {
        raw_id: Some(raw_id),
        timestamp: Some(timestamp),
        key_index: Some(key_index),
        account_type: None,
        device_type: None,
    }
}

/// The encoded `ADVSignedKeyIndexList`, without the account key.
pub(crate) fn key_index_list(
    raw_id: u32,
    timestamp: u64,
    current_index: u32,
    valid_indexes: Vec<u32>,
    signer: &mut dyn Sign,
) -> Vec<u8> {
    let details = pb::AdvKeyIndexList {
        raw_id: Some(raw_id),
        timestamp: Some(timestamp),
        current_index: Some(current_index),
        valid_indexes,
        account_type: None,
    }
    .encode_to_vec();
    let signature = signer.sign(&[&KEY_INDEX_LIST_PREFIX, &details]);
    pb::AdvSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.as_bytes().to_vec()),
        account_signature_key: None,
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use wa_crypto::{IdentitySecret, Provider};

    use super::*;

    /// Copied from the pairing vectors; made by an independent script with a fixed signing nonce.
    const VECTORS: &str = include_str!("../../tests/vectors/adv.json");

    #[derive(Deserialize)]
    struct Vectors {
        primary_identity_private: String,
        companion_identity_public: String,
        adv_identity: Vec<IdentityVector>,
        key_index_list: Vec<ListVector>,
    }

    #[derive(Deserialize)]
    struct IdentityVector {
        raw_id: u32,
        timestamp: u64,
        key_index: u32,
        details: String,
        signed_device_identity: String,
        hmac_key: String,
        container: String,
        xeddsa_random_z: String,
    }

    #[derive(Deserialize)]
    struct ListVector {
        raw_id: u32,
        timestamp: u64,
        current_index: u32,
        valid_indexes: Vec<u32>,
        details: String,
        signature_message: String,
        account_signature: String,
        signed_list_without_key: String,
    }

    struct Fixed {
        identity: IdentitySecret,
        nonce: [u8; 64],
    }

    impl Sign for Fixed {
        fn public(&self) -> IdentityPublic {
            self.identity.public()
        }

        fn sign(&mut self, message: &[&[u8]]) -> Signature {
            self.identity.sign_with_nonce(&self.nonce, message)
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    fn signer(vectors: &Vectors, nonce: &str) -> Fixed {
        let private = hex(&vectors.primary_identity_private).try_into().unwrap();
        Fixed {
            identity: IdentitySecret::from_bytes(Provider::rust(), &private),
            nonce: hex(nonce).try_into().unwrap(),
        }
    }

    #[test]
    fn identities_equal_the_vectors() {
        let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
        let companion: [u8; 32] = hex(&vectors.companion_identity_public).try_into().unwrap();
        let companion = IdentityPublic::from_bytes(companion);
        assert!(!vectors.adv_identity.is_empty());
        for vector in &vectors.adv_identity {
            let mut signer = signer(&vectors, &vector.xeddsa_random_z);
            let details = identity_details(vector.raw_id, vector.timestamp, vector.key_index);
            let signed = SignedIdentity::new(details, &companion, &mut signer);
            assert_eq!(signed.details, hex(&vector.details));
            assert_eq!(signed.encode(), hex(&vector.signed_device_identity));
            let secret = AdvSecret::from_bytes(hex(&vector.hmac_key).try_into().unwrap());
            assert_eq!(container(signed.encode(), &secret), hex(&vector.container));
        }
    }

    /// The vector's signature has no fixed nonce, so it is handed in instead of made.
    struct Known {
        key: IdentityPublic,
        message: Vec<u8>,
        signature: Signature,
    }

    impl Sign for Known {
        fn public(&self) -> IdentityPublic {
            self.key
        }

        fn sign(&mut self, message: &[&[u8]]) -> Signature {
            assert_eq!(message.concat(), self.message);
            self.key.verify(message, &self.signature).unwrap();
            self.signature
        }
    }

    #[test]
    fn key_index_lists_equal_the_vectors() {
        let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
        assert!(!vectors.key_index_list.is_empty());
        for vector in &vectors.key_index_list {
            let private = hex(&vectors.primary_identity_private).try_into().unwrap();
            let mut signer = Known {
                key: IdentitySecret::from_bytes(Provider::rust(), &private).public(),
                message: hex(&vector.signature_message),
                signature: Signature::try_from(hex(&vector.account_signature).as_slice()).unwrap(),
            };
            let list = key_index_list(
                vector.raw_id,
                vector.timestamp,
                vector.current_index,
                vector.valid_indexes.clone(),
                &mut signer,
            );
            assert_eq!(list, hex(&vector.signed_list_without_key));
            let decoded = pb::AdvSignedKeyIndexList::decode(list.as_slice()).unwrap();
            assert_eq!(decoded.details, Some(hex(&vector.details)));
        }
    }
}
