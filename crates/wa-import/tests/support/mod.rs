//! Links made for the occasion, and writers of the other libraries' formats.
#![allow(dead_code)]

pub(crate) mod baileys;
pub(crate) mod pickles;
pub(crate) mod whatsmeow;

use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use wa_core::Provider;
use wa_crypto::{IdentitySecret, NoiseStaticSecret, OneTimePrekeySecret, PublicKey as _};
use wa_proto::pb::AdvDeviceIdentity;
use wa_signal::{SignedPrekey, SignedPrekeyId};

pub(crate) const JID: &str = "12025550123:48@s.whatsapp.net";
pub(crate) const LID: &str = "186303081611421:48@lid";
pub(crate) const PAIRED_AT: u64 = 1_787_184_000;

/// A private key and its public half.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) private: [u8; 32],
    pub(crate) public: [u8; 32],
}

/// All there is to a link, as any library keeps it.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) jid: String,
    pub(crate) lid: Option<String>,
    pub(crate) registration: u32,
    pub(crate) noise: Pair,
    pub(crate) identity: Pair,
    pub(crate) signed: Pair,
    pub(crate) signed_id: u32,
    pub(crate) signed_signature: Vec<u8>,
    pub(crate) adv: [u8; 32],
    pub(crate) details: Vec<u8>,
    pub(crate) account_key: Vec<u8>,
    pub(crate) account_signature: Vec<u8>,
    pub(crate) device_signature: Vec<u8>,
    pub(crate) prekeys: Vec<(u32, Pair)>,
    pub(crate) next_prekey: u32,
    pub(crate) routing: Option<Vec<u8>>,
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn provider() -> Provider {
    Provider::default()
}

pub(crate) fn prekey_pair(private: &[u8; 32]) -> Pair {
    let secret = OneTimePrekeySecret::from_bytes(provider(), private);
    Pair {
        private: *secret.expose_bytes(),
        public: *secret.public().as_bytes(),
    }
}

impl Link {
    /// Fresh keys, signed as a phone and a device sign them. Prekeys 3 to 7 are there, 1 and 2 were used.
    pub(crate) fn fresh(seed: u64) -> Self {
        let rng = &mut rng(seed);
        let provider = provider();
        let account = IdentitySecret::generate(provider, rng);
        let identity = IdentitySecret::generate(provider, rng);
        let noise = NoiseStaticSecret::generate(provider, rng);
        let signed_id = SignedPrekeyId::new(2).unwrap();
        let signed = SignedPrekey::generate(provider, signed_id, &identity, PAIRED_AT, rng);
        let details = AdvDeviceIdentity {
            raw_id: Some(77),
            timestamp: Some(PAIRED_AT),
            key_index: Some(9),
            ..AdvDeviceIdentity::default()
        }
        .encode_to_vec();
        let own = identity.public();
        let phone = account.public();
        let account_signature = account.sign(rng, &[&[6, 0], &details, own.as_bytes()]);
        let device_signature =
            identity.sign(rng, &[&[6, 1], &details, own.as_bytes(), phone.as_bytes()]);
        let prekeys = (3..8)
            .map(|id| {
                let secret = OneTimePrekeySecret::generate(provider, rng);
                (id, prekey_pair(secret.expose_bytes()))
            })
            .collect();
        Self {
            jid: JID.to_owned(),
            lid: Some(LID.to_owned()),
            // Larger than any we mint: whatsmeow draws all 32 bits.
            registration: 0x8000_1234,
            noise: Pair {
                private: *noise.expose_bytes(),
                public: *noise.public().as_bytes(),
            },
            identity: Pair {
                private: *identity.expose_bytes(),
                public: *own.as_bytes(),
            },
            signed: Pair {
                private: *signed.secret.expose_bytes(),
                public: *signed.secret.public().as_bytes(),
            },
            signed_id: signed.id.get(),
            signed_signature: signed.signature.as_bytes().to_vec(),
            adv: [7; 32],
            details,
            account_key: phone.as_bytes().to_vec(),
            account_signature: account_signature.as_bytes().to_vec(),
            device_signature: device_signature.as_bytes().to_vec(),
            prekeys,
            next_prekey: 8,
            routing: Some(vec![8, 8, 8, 5, 8, 2]),
        }
    }
}
