use tracing::warn;
use wa_crypto::{
    AdvSecret, CertificatePublic, IdentityPublic, IdentitySecret, NoiseStaticSecret, Provider,
    Signature, SignedPrekeySecret,
};
use wa_noise::{NoiseRoot, ServerStatic};
use wa_pair::SignedIdentity;
use wa_proto::Jid;
use wa_signal::{PrekeyId, PrekeyLedger, RegistrationId, SignedPrekey, SignedPrekeyId};

use super::pickle::{
    ConnectionPickle, DEVICE_VERSION, DevicePickle, LedgerPickle, LinkPickle, ServerPickle,
    SignedPrekeyPickle, decode, decode_up_to,
};
use super::{Credentials, Device, Origin, Registered};
use crate::error::RestoreError;
use crate::record::{Record, RecordKind};

/// A missing part means "no device" (`Ok(None)`), an unreadable one is an error.
pub(super) fn device(
    provider: Provider,
    records: &[Record],
) -> Result<Option<Device>, RestoreError> {
    let Some(record) = find(records, RecordKind::Device) else {
        return Ok(None);
    };
    let pickle: DevicePickle = decode_up_to(record, "device record", DEVICE_VERSION)?;
    let mut signed_prekeys = signed_prekeys(provider, records)?;
    let ledger = ledger(records)?;
    let (routing, server) = connection(records)?;
    let credentials = match pickle.link.as_ref().map(link).transpose()? {
        None => Some(Credentials::Unregistered),
        Some(Some(registered)) => Some(Credentials::Registered(Box::new(registered))),
        Some(None) => None,
    };

    let Some(registration) = RegistrationId::new(pickle.registration_id) else {
        return half("registration id");
    };
    let Some(noise) = secret(&pickle.noise_secret)? else {
        return half("Noise key");
    };
    let Some(identity) = secret(&pickle.identity_secret)? else {
        return half("identity key");
    };
    let Some(adv) = secret(&pickle.adv_secret)? else {
        return half("ADV secret");
    };
    let current = signed_prekey_id(pickle.signed_prekey_id)?;
    let Some(current) = current.filter(|id| signed_prekeys.iter().any(|key| key.id == *id)) else {
        return half("signed prekey");
    };
    let newest = signed_prekey_id(pickle.newest_signed_prekey_id)?.unwrap_or(current);
    // Oldest first: ids count up, and those above the newest are from before the wrap.
    signed_prekeys.sort_by_key(|key| (key.id <= newest, key.id));
    let Some(ledger) = ledger else {
        return half("prekey counters");
    };
    let Some(credentials) = credentials else {
        return half("JID, signed identity or primary's key");
    };
    let root = root(pickle.root.as_deref(), "device record")?;
    Ok(Some(Device {
        provider,
        registration,
        noise: NoiseStaticSecret::from_bytes(provider, &noise),
        identity: IdentitySecret::from_bytes(provider, &identity),
        adv: AdvSecret::from_bytes(*adv),
        signed_prekeys,
        current,
        newest,
        rotate_after: pickle.rotate_after,
        ledger,
        credentials,
        routing,
        server,
        root,
        origin: Origin::Stored,
    }))
}

fn half(missing: &'static str) -> Result<Option<Device>, RestoreError> {
    warn!(
        missing,
        "the stored device is incomplete; it is replaced by a new one"
    );
    Ok(None)
}

pub(super) fn find(records: &[Record], kind: RecordKind) -> Option<&Record> {
    records.iter().find(|record| record.kind == kind)
}

pub(super) fn damaged(what: &'static str, detail: &'static str) -> RestoreError {
    RestoreError::Damaged { what, detail }
}

/// `None` for a root that is not known, an error for one of the wrong size.
pub(super) fn root(
    bytes: Option<&[u8]>,
    what: &'static str,
) -> Result<Option<NoiseRoot>, RestoreError> {
    bytes
        .map(|bytes| {
            let key = CertificatePublic::try_from(bytes)
                .map_err(|_| damaged(what, "the root is not 32 bytes long"))?;
            Ok(NoiseRoot::from_public(key))
        })
        .transpose()
}

/// `None` for an absent key, an error for one of the wrong size.
fn secret(bytes: &[u8]) -> Result<Option<zeroize::Zeroizing<[u8; 32]>>, RestoreError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = <[u8; 32]>::try_from(bytes)
        .map_err(|_| damaged("device record", "a key is not 32 bytes long"))?;
    Ok(Some(zeroize::Zeroizing::new(key)))
}

/// `None` for an absent id, an error for one that cannot be.
fn signed_prekey_id(id: u32) -> Result<Option<SignedPrekeyId>, RestoreError> {
    match id {
        0 => Ok(None),
        id => SignedPrekeyId::new(id)
            .map(Some)
            .ok_or(damaged("device record", "signed prekey id out of range")),
    }
}

/// `Ok(None)` when the link lacks what makes it one. What is there and cannot be read is damage.
fn link(pickle: &LinkPickle) -> Result<Option<Registered>, RestoreError> {
    let (Some(jid), Some(account), Some(primary)) =
        (&pickle.jid, &pickle.account, &pickle.primary_identity)
    else {
        return Ok(None);
    };
    let parse = |text: &String| {
        text.parse::<Jid>()
            .map_err(|_| damaged("device record", "a JID is malformed"))
    };
    let primary_identity = IdentityPublic::try_from(primary.as_slice())
        .map_err(|_| damaged("device record", "the primary's key is not 32 bytes long"))?;
    let account = SignedIdentity::decode(account)
        .map_err(|_| damaged("device record", "the signed identity cannot be read"))?;
    Ok(Some(Registered {
        jid: parse(jid)?,
        lid: pickle.lid.as_ref().map(parse).transpose()?,
        account,
        key_index: pickle.key_index,
        platform: pickle.platform.clone(),
        business_name: pickle.business_name.clone(),
        push_name: pickle.push_name.clone(),
        primary_identity,
        lid_migrated: pickle.lid_migrated,
        logins: pickle.logins,
        paired_at: pickle.paired_at,
    }))
}

fn signed_prekeys(
    provider: Provider,
    records: &[Record],
) -> Result<Vec<SignedPrekey>, RestoreError> {
    const WHAT: &str = "signed prekey";
    let mut keys = Vec::new();
    for record in records {
        if record.kind != RecordKind::SignedPrekey {
            continue;
        }
        let pickle: SignedPrekeyPickle = decode(record, WHAT)?;
        let secret = secret(&pickle.secret)?.ok_or(damaged(WHAT, "no key"))?;
        keys.push(SignedPrekey {
            id: SignedPrekeyId::new(pickle.id).ok_or(damaged(WHAT, "id out of range"))?,
            secret: SignedPrekeySecret::from_bytes(provider, &secret),
            signature: Signature::try_from(pickle.signature.as_slice())
                .map_err(|_| damaged(WHAT, "the signature is not 64 bytes long"))?,
            created_at: pickle.created_at,
        });
    }
    Ok(keys)
}

fn ledger(records: &[Record]) -> Result<Option<PrekeyLedger>, RestoreError> {
    const WHAT: &str = "prekey counters";
    let Some(record) = find(records, RecordKind::PrekeyLedger) else {
        return Ok(None);
    };
    let pickle: LedgerPickle = decode(record, WHAT)?;
    let id = |value| PrekeyId::new(value).ok_or(damaged(WHAT, "id out of range"));
    PrekeyLedger::restore(id(pickle.next)?, id(pickle.first_not_uploaded)?)
        .map(Some)
        .map_err(|_| damaged(WHAT, "the counters contradict each other"))
}

/// Routing info and cached server key: convenience only, so an unreadable one is forgotten. A newer
/// version is still an error: an older program must not overwrite what a newer one wrote.
fn connection(records: &[Record]) -> Result<(Option<Vec<u8>>, Option<ServerStatic>), RestoreError> {
    let Some(record) = find(records, RecordKind::Connection) else {
        return Ok((None, None));
    };
    match decode::<ConnectionPickle>(record, "connection record") {
        Ok(pickle) => {
            let server = pickle.server.as_ref().and_then(ServerPickle::restore);
            Ok((pickle.routing, server))
        }
        Err(error @ RestoreError::Newer { .. }) => Err(error),
        Err(_) => Ok((None, None)),
    }
}
