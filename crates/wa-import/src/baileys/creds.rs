//! `creds.json`: the fields that make a link, and what they are checked for.

use serde::Deserialize;
use wa_core::{ImportedDevice, Jid};
use wa_crypto::{
    AdvSecret, IdentitySecret, NoiseStaticSecret, OneTimePrekeySecret, Signature,
    SignedPrekeySecret,
};
use wa_signal::{OneTimePrekey, PrekeyId, SignedPrekey};

use super::blob::Blob;
use crate::ReadError;
use crate::link::{
    Service, fixed, jid, own_lid, prekey_id, registration, signed_identity, signed_prekey_id, told,
    wrong,
};

/// Of a link half made, fields are absent; so each is optional here, and [`Creds::missing`] names those that matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creds {
    noise_key: Option<KeyPair>,
    signed_identity_key: Option<KeyPair>,
    signed_pre_key: Option<SignedKeyPair>,
    registration_id: Option<u64>,
    adv_secret_key: Option<Blob>,
    pub(super) next_pre_key_id: Option<u64>,
    #[serde(default)]
    first_unuploaded_pre_key_id: Option<u64>,
    account: Option<Account>,
    me: Option<Me>,
    platform: Option<String>,
    routing_info: Option<Blob>,
}

#[derive(Deserialize)]
pub(super) struct KeyPair {
    public: Option<Blob>,
    private: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedKeyPair {
    key_pair: Option<KeyPair>,
    signature: Option<Blob>,
    key_id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    details: Option<Blob>,
    account_signature_key: Option<Blob>,
    account_signature: Option<Blob>,
    device_signature: Option<Blob>,
}

#[derive(Deserialize)]
struct Me {
    id: Option<String>,
    lid: Option<String>,
    name: Option<String>,
}

impl KeyPair {
    /// The private half, if the public one is its own.
    fn verify<S, P: wa_crypto::PublicKey>(
        &self,
        part: &str,
        secret: impl FnOnce(&[u8; 32]) -> S,
        public: impl FnOnce(&S) -> P,
    ) -> Result<S, ReadError> {
        let (Some(private), Some(own_public)) = (&self.private, &self.public) else {
            return Err(wrong(part, "a half is missing"));
        };
        let secret = secret(&*fixed::<32>(part, private.bytes())?);
        // With the type byte in front or without it: both were written.
        let bare = match own_public.bytes() {
            [5, bare @ ..] if bare.len() == 32 => bare,
            bare => bare,
        };
        if public(&secret).as_bytes().as_slice() != bare {
            return Err(wrong(
                part,
                "the public half is not that of the private half",
            ));
        }
        Ok(secret)
    }

    /// A one-time prekey.
    pub(super) fn prekey(
        &self,
        part: &str,
        id: PrekeyId,
        service: &Service,
    ) -> Result<OneTimePrekey, ReadError> {
        let secret = self.verify(
            part,
            |bytes| OneTimePrekeySecret::from_bytes(service.provider, bytes),
            OneTimePrekeySecret::public,
        )?;
        Ok(OneTimePrekey { id, secret })
    }
}

impl Creds {
    /// What a link cannot be without and these lack.
    fn missing(&self) -> Vec<&'static str> {
        let me = self.me.as_ref();
        let account = self.account.as_ref();
        let of_account = |field: fn(&Account) -> &Option<Blob>| {
            account.is_some_and(|account| field(account).is_some())
        };
        [
            ("noiseKey", self.noise_key.is_some()),
            ("signedIdentityKey", self.signed_identity_key.is_some()),
            ("signedPreKey", self.signed_pre_key.is_some()),
            ("registrationId", self.registration_id.is_some()),
            ("advSecretKey", self.adv_secret_key.is_some()),
            ("nextPreKeyId", self.next_pre_key_id.is_some()),
            ("me.id", me.is_some_and(|me| me.id.is_some())),
            ("account.details", of_account(|of| &of.details)),
            (
                "account.accountSignatureKey",
                of_account(|of| &of.account_signature_key),
            ),
            (
                "account.accountSignature",
                of_account(|of| &of.account_signature),
            ),
            (
                "account.deviceSignature",
                of_account(|of| &of.device_signature),
            ),
        ]
        .into_iter()
        .filter_map(|(name, is_there)| (!is_there).then_some(name))
        .collect()
    }

    /// The first id above `highest`, those that the counters name, and all ids ever used.
    pub(super) fn next_prekey_id(&self, highest: Option<PrekeyId>) -> Result<PrekeyId, ReadError> {
        let after_highest = highest.map_or(1, |id| u64::from(id.get()) + 1);
        let counted = [self.next_pre_key_id, self.first_unuploaded_pre_key_id];
        let next = counted.into_iter().flatten().fold(after_highest, u64::max);
        if next == u64::from(wa_signal::MAX_PREKEY_ID) + 1 {
            return Err(ReadError::PrekeyIdsUsedUp);
        }
        prekey_id("nextPreKeyId", next)
    }

    /// The link, without its prekeys.
    pub(super) fn link(self, service: &Service) -> Result<ImportedDevice, ReadError> {
        let missing = self.missing();
        let (
            Some(noise),
            Some(identity),
            Some(signed),
            Some(registration_id),
            Some(adv),
            Some(account),
            Some(me),
            true,
        ) = (
            &self.noise_key,
            &self.signed_identity_key,
            &self.signed_pre_key,
            self.registration_id,
            &self.adv_secret_key,
            &self.account,
            &self.me,
            missing.is_empty(),
        )
        else {
            return Err(ReadError::Incomplete { missing });
        };
        let provider = service.provider;
        let identity = identity.verify(
            "signedIdentityKey",
            |bytes| IdentitySecret::from_bytes(provider, bytes),
            IdentitySecret::public,
        )?;
        let noise = noise.verify(
            "noiseKey",
            |bytes| NoiseStaticSecret::from_bytes(provider, bytes),
            NoiseStaticSecret::public,
        )?;
        let jid: Jid = jid("me.id", me.id.as_deref().unwrap_or_default())?;
        Ok(ImportedDevice {
            provider,
            root: service.root,
            registration: registration("registrationId", registration_id)?,
            noise,
            identity,
            adv: AdvSecret::from_bytes(*fixed("advSecretKey", adv.bytes())?),
            signed_prekey: signed.read(service)?,
            prekeys: Vec::new(),
            next_prekey: PrekeyId::FIRST,
            lid: own_lid("me.lid", me.lid.as_deref(), &jid)?,
            jid,
            account: account.read()?,
            platform: told(self.platform.clone()),
            business_name: None,
            push_name: told(me.name.clone()),
            lid_migrated: None,
            routing: self
                .routing_info
                .as_ref()
                .map(|routing| routing.bytes().to_vec())
                .filter(|routing| !routing.is_empty()),
            peers: Vec::new(),
        })
    }
}

impl SignedKeyPair {
    fn read(&self, service: &Service) -> Result<SignedPrekey, ReadError> {
        const PART: &str = "signedPreKey";
        let (Some(pair), Some(signature), Some(id)) =
            (&self.key_pair, &self.signature, self.key_id)
        else {
            return Err(wrong(PART, "keyPair, signature or keyId is missing"));
        };
        let secret = pair.verify(
            PART,
            |bytes| SignedPrekeySecret::from_bytes(service.provider, bytes),
            SignedPrekeySecret::public,
        )?;
        Ok(SignedPrekey {
            id: signed_prekey_id(PART, id)?,
            secret,
            signature: Signature::from_bytes(*fixed(PART, signature.bytes())?),
            created_at: 0,
        })
    }
}

impl Account {
    fn read(&self) -> Result<wa_pair::SignedIdentity, ReadError> {
        let bytes = |field: &Option<Blob>| {
            field
                .as_ref()
                .map(|blob| blob.bytes().to_vec())
                .unwrap_or_default()
        };
        signed_identity(
            "account",
            &bytes(&self.details),
            &bytes(&self.account_signature_key),
            &bytes(&self.account_signature),
            &bytes(&self.device_signature),
        )
    }
}
