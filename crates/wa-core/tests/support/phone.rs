use prost::Message;
use rand_chacha::ChaCha20Rng;
use wa_crypto::{AdvSecret, IdentityPublic, IdentitySecret, Provider, PublicKey as _, Signature};
use wa_pair::parse_qr;
use wa_proto::pb::{
    AdvDeviceIdentity, AdvKeyIndexList, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac,
    AdvSignedKeyIndexList,
};

use super::rng;

/// The primary of the simulated account.
pub struct Phone {
    identity: IdentitySecret,
    rng: ChaCha20Rng,
    next_key_index: u32,
    /// Of its account.
    pub raw_id: u32,
    /// When its lists of live keys are made.
    pub lists_made: u64,
}

/// What a phone or somebody between does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tamper {
    Nothing,
    Hmac,
    Signature,
}

/// What a phone read in a code and answers to it.
pub struct Scan {
    pub reference: String,
    /// Content of `device-identity`.
    pub container: Vec<u8>,
}

impl Phone {
    pub fn new(seed: u64) -> Self {
        let mut rng = rng(seed);
        Self {
            identity: IdentitySecret::generate(Provider::rust(), &mut rng),
            rng,
            next_key_index: 1,
            raw_id: 0x1234_5678,
            lists_made: 1_787_184_000,
        }
    }

    pub fn identity(&self) -> IdentityPublic {
        self.identity.public()
    }

    pub fn secret(&self) -> &IdentitySecret {
        &self.identity
    }

    /// The key index the last link has got.
    pub fn key_index(&self) -> u32 {
        self.next_key_index - 1
    }

    /// A signed list of the live key indexes.
    pub fn key_index_list(&mut self, indexes: &[u32]) -> Vec<u8> {
        let details = AdvKeyIndexList {
            raw_id: Some(self.raw_id),
            timestamp: Some(self.lists_made),
            current_index: Some(self.key_index()),
            valid_indexes: indexes.to_vec(),
            ..AdvKeyIndexList::default()
        }
        .encode_to_vec();
        let signature = self
            .identity
            .sign(&mut self.rng, &[&[6, 2], &details])
            .as_bytes()
            .to_vec();
        AdvSignedKeyIndexList {
            details: Some(details),
            account_signature: Some(signature),
            ..AdvSignedKeyIndexList::default()
        }
        .encode_to_vec()
    }

    pub fn scan(&mut self, qr: &str, tamper: Tamper) -> Scan {
        let scanned = parse_qr(qr).expect("the code on show can be read");
        Scan {
            container: self.endorse(&scanned.identity, &scanned.adv, tamper),
            reference: scanned.reference,
        }
    }

    /// Content of `device-identity` for a companion whose secret the phone has learned.
    pub fn endorse(
        &mut self,
        companion: &IdentityPublic,
        adv: &AdvSecret,
        tamper: Tamper,
    ) -> Vec<u8> {
        let key_index = self.next_key_index;
        self.next_key_index += 1;
        let details = AdvDeviceIdentity {
            raw_id: Some(0x1234_5678),
            timestamp: Some(1_787_184_000),
            key_index: Some(key_index),
            ..AdvDeviceIdentity::default()
        }
        .encode_to_vec();
        let mut signature = *self
            .identity
            .sign(&mut self.rng, &[&[6, 0], &details, companion.as_bytes()])
            .as_bytes();
        if tamper == Tamper::Signature {
            signature[5] ^= 1;
        }
        let signed = AdvSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: Some(self.identity().as_bytes().to_vec()),
            account_signature: Some(signature.to_vec()),
            device_signature: None,
        }
        .encode_to_vec();
        let mut mac = mac(adv, &signed);
        if tamper == Tamper::Hmac {
            mac[0] ^= 1;
        }
        let container = AdvSignedDeviceIdentityHmac {
            details: Some(signed),
            hmac: Some(mac.to_vec()),
            account_type: None,
        };
        container.encode_to_vec()
    }

    /// Whether the companion's reply proves that it holds the identity it registered with.
    pub fn accepts(&self, reply: &[u8], companion: &IdentityPublic) -> bool {
        let Ok(signed) = AdvSignedDeviceIdentity::decode(reply) else {
            return false;
        };
        let (Some(details), Some(signature)) = (&signed.details, &signed.device_signature) else {
            return false;
        };
        let Ok(signature) = Signature::try_from(signature.as_slice()) else {
            return false;
        };
        companion
            .verify(
                &[
                    &[6, 1],
                    details,
                    companion.as_bytes(),
                    self.identity().as_bytes(),
                ],
                &signature,
            )
            .is_ok()
    }
}

fn mac(adv: &AdvSecret, signed: &[u8]) -> [u8; 32] {
    adv.mac(&[signed])
}
