//! A phone: the primary of one account, with the state a real one keeps (pairing chapter, D.1 and D.2).
//!
//! Scanning a code, entering an eight-character code (D.3) and confirming a passkey (D.5) come to the same
//! [`Upload`].

mod adv;
mod code;
mod entered;
mod passkey;
mod policy;
mod qr;
mod tamper;

use prost::Message as _;
use serde::{Deserialize, Serialize};
use wa_crypto::{
    CryptoRng, IdentityPublic, IdentitySecret, NoiseStaticPublic, Provider, Signature,
};
use wa_proto::pb;
use wa_signal::{RegistrationId, SignedPrekey, SignedPrekeyId};

pub(crate) use self::adv::{DEVICE_SIGNATURE_PREFIX, Sign};
pub(crate) use self::code::{
    BUNDLE_LEN, BundleError, WRAPPED_LEN, agreed, displayed, open_bundle, unwrap_ephemeral,
    wrap_ephemeral,
};
pub use self::entered::{CODE_LEN, EnteredCode, EnteredCodeError};
pub(crate) use self::passkey::{Exchange, Prologue, proof_holds};
pub use self::policy::{PasskeyPolicy, ProofPolicy};
pub use self::qr::{
    DEEP_LINK_PREFIX, MAX_QR_LEN, QrField, QrForms, QrParseError, ScannedQr, parse_qr,
};
pub(crate) use self::tamper::Tamper;
use crate::names::{Now, PhoneNumber};

/// How a phone presents itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneConfig {
    /// The platform named in pair-success, such as `android`.
    pub platform: String,
    /// The name in `biz`, for a business account.
    pub business_name: Option<String>,
    /// The name its owner is shown by, told to companions in `success`.
    pub push_name: Option<String>,
    /// Whether the account keeps its chats by LID; told to companions in client-props.
    pub lid_migrated: bool,
    /// Which links the account guards with its passkey.
    pub passkey: PasskeyPolicy,
}

impl Default for PhoneConfig {
    fn default() -> Self {
        Self {
            platform: "android".to_owned(),
            business_name: None,
            push_name: None,
            lid_migrated: true,
            passkey: PasskeyPolicy::default(),
        }
    }
}

/// A companion as its phone remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Companion {
    /// The device number.
    pub device: u16,
    /// The key index the phone gave it.
    pub key_index: u32,
    /// The companion's identity key.
    pub identity: IdentityPublic,
    /// When it was linked, Unix seconds.
    pub added_at: u64,
}

/// What a phone sends to the server to link a companion.
pub(crate) struct Upload {
    pub(crate) noise: NoiseStaticPublic,
    /// The companion's identity key, which only the phone and the companion know at this point.
    pub(crate) identity: IdentityPublic,
    pub(crate) key_index: u32,
    /// The container; `None` only under a fault.
    pub(crate) device_identity: Option<Vec<u8>>,
    pub(crate) key_list: KeyList,
    pub(crate) client_props: Option<Vec<u8>>,
}

/// A signed key index list and the seconds it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyList {
    pub(crate) timestamp: u64,
    pub(crate) signed: Vec<u8>,
}

/// The primary of one account.
pub(crate) struct Phone {
    pub(crate) number: PhoneNumber,
    pub(crate) config: PhoneConfig,
    pub(crate) identity: IdentitySecret,
    pub(crate) registration: RegistrationId,
    pub(crate) signed_prekey: SignedPrekey,
    pub(crate) raw_id: u32,
    pub(crate) current_key_index: u32,
    pub(crate) companions: Vec<Companion>,
}

impl Phone {
    pub(crate) fn new(
        number: PhoneNumber,
        config: PhoneConfig,
        provider: Provider,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let identity = IdentitySecret::generate(provider, rng);
        let raw_id = rng.next_u32() >> 1;
        Self::with_identity(number, config, identity, raw_id, provider, now, rng)
    }

    pub(crate) fn with_identity(
        number: PhoneNumber,
        config: PhoneConfig,
        identity: IdentitySecret,
        raw_id: u32,
        provider: Provider,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let signed_prekey = SignedPrekey::generate(
            provider,
            SignedPrekeyId::FIRST,
            &identity,
            now.unix_secs(),
            rng,
        );
        Self {
            number,
            config,
            registration: RegistrationId::generate(rng),
            identity,
            signed_prekey,
            raw_id,
            current_key_index: 0,
            companions: Vec::new(),
        }
    }

    /// Signs for the companion whose code was scanned. The key index is used up, whatever comes of it.
    pub(crate) fn scan(
        &mut self,
        qr: &ScannedQr,
        now: Now,
        tamper: Option<Tamper>,
        rng: &mut dyn CryptoRng,
    ) -> Upload {
        let key_index = self.next_key_index();
        self.current_key_index = key_index;
        let timestamp = now.unix_secs();
        let details = adv::identity_details(self.raw_id, timestamp, key_index);
        let mut signer = Signer {
            identity: &self.identity,
            rng,
        };
        let device_identity = tamper::device_identity(details, qr, tamper, &mut signer);
        let mut valid = self.valid_indexes();
        valid.push(key_index);
        let signed = adv::key_index_list(self.raw_id, timestamp, key_index, valid, &mut signer);
        Upload {
            noise: qr.noise,
            identity: qr.identity,
            key_index,
            device_identity,
            key_list: KeyList { timestamp, signed },
            client_props: self.client_props(),
        }
    }

    /// The server took the companion: it is linked.
    pub(crate) fn linked(&mut self, companion: Companion) {
        self.companions
            .retain(|known| known.device != companion.device);
        self.companions.push(companion);
        self.companions.sort_by_key(|known| known.device);
    }

    /// Forgets companions and signs the list of those that remain. Its current index is the highest
    /// valid one; the phone's own high-water mark stays.
    pub(crate) fn forget(
        &mut self,
        gone: impl Fn(&Companion) -> bool,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> KeyList {
        self.companions.retain(|companion| !gone(companion));
        let valid = self.valid_indexes();
        let highest = valid.iter().copied().max().unwrap_or(0);
        let timestamp = now.unix_secs();
        let mut signer = Signer {
            identity: &self.identity,
            rng,
        };
        KeyList {
            timestamp,
            signed: adv::key_index_list(self.raw_id, timestamp, highest, valid, &mut signer),
        }
    }

    /// One more than every index that was ever given or is valid.
    pub(crate) fn next_key_index(&self) -> u32 {
        let highest = self.valid_indexes().into_iter().max().unwrap_or(0);
        self.current_key_index.max(highest).saturating_add(1)
    }

    /// 0 and the indexes of the companions, ascending.
    pub(crate) fn valid_indexes(&self) -> Vec<u32> {
        let mut valid: Vec<u32> = std::iter::once(0)
            .chain(self.companions.iter().map(|companion| companion.key_index))
            .collect();
        valid.sort_unstable();
        valid.dedup();
        valid
    }

    fn client_props(&self) -> Option<Vec<u8>> {
        self.config.lid_migrated.then(|| {
            pb::ClientPairingProps {
                is_chat_db_lid_migrated: Some(true),
                is_syncd_pure_lid_session: Some(true),
                is_syncd_snapshot_recovery_enabled: Some(false),
                ..Default::default()
            }
            .encode_to_vec()
        })
    }
}

struct Signer<'a> {
    identity: &'a IdentitySecret,
    rng: &'a mut dyn CryptoRng,
}

impl Sign for Signer<'_> {
    fn public(&self) -> IdentityPublic {
        self.identity.public()
    }

    fn sign(&mut self, message: &[&[u8]]) -> Signature {
        self.identity.sign(self.rng, message)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;
