//! The rows of a device, checked and put together.

use wa_core::{ImportedDevice, Jid};
use wa_crypto::{
    AdvSecret, IdentityPublic, IdentitySecret, NoiseStaticSecret, OneTimePrekeySecret, Signature,
    SignedPrekeySecret,
};
use wa_pair::MAX_DEVICE_IDENTITY_LEN;
use wa_proto::Server;
use wa_signal::{MAX_PREKEY_ID, OneTimePrekey, PrekeyId, SignedPrekey};

use super::rows::{DeviceRow, PeerRow, PrekeyRows};
use crate::ReadError;
use crate::link::{
    Report, Service, fixed, jid, own_lid, prekey_id, registration, signed_identity,
    signed_prekey_id, told, wrong,
};

/// Ids left out above the highest prekey there is.
///
/// The database keeps no counter, and a key that was used is deleted, so the highest one given out can be gone. The
/// library uploads fewer keys than this at a time, and uploads anew before it runs out of them.
pub const PREKEY_ID_GAP: u32 = 1024;

/// The next id where no prekey is left at all.
///
/// Nothing says then how far the ids went, and one that was used must not come again. So it goes on in the middle of
/// the 24-bit range: millions of ids above whatever a device has used in its life, with as many to go.
pub const PREKEY_ID_WITHOUT_TRACE: u32 = 0x0080_0000;

pub(super) fn link(
    device: DeviceRow,
    prekeys: PrekeyRows,
    peers: Vec<PeerRow>,
    service: &Service,
    report: &mut Report,
) -> Result<ImportedDevice, ReadError> {
    let provider = service.provider;
    let own: Jid = jid("jid", &device.jid)?;
    let lid = own_lid("lid", device.lid.as_deref(), &own)?;
    let keys = read_prekeys(&prekeys, service)?;
    report.leave("prekeys, the oldest", prekeys.older);
    let (peers, unread) = read_peers(peers)?;
    report.leave("identity keys of other services", unread);
    if device.adv_details.len() > MAX_DEVICE_IDENTITY_LEN {
        return Err(wrong("adv_details", "too long"));
    }
    let signed_prekey = SignedPrekey {
        id: signed_prekey_id("signed_pre_key_id", positive(device.signed_pre_key_id))?,
        secret: SignedPrekeySecret::from_bytes(
            provider,
            &*fixed("signed_pre_key", &device.signed_pre_key)?,
        ),
        signature: Signature::from_bytes(*fixed("signed_pre_key_sig", &device.signed_pre_key_sig)?),
        created_at: 0,
    };
    Ok(ImportedDevice {
        provider,
        root: service.root,
        registration: registration("registration_id", positive(device.registration_id))?,
        noise: NoiseStaticSecret::from_bytes(provider, &*fixed("noise_key", &device.noise_key)?),
        identity: IdentitySecret::from_bytes(
            provider,
            &*fixed("identity_key", &device.identity_key)?,
        ),
        adv: AdvSecret::from_bytes(*fixed("adv_key", &device.adv_key)?),
        signed_prekey,
        next_prekey: next_prekey(&keys)?,
        prekeys: keys,
        jid: own,
        lid,
        account: signed_identity(
            "adv_details",
            &device.adv_details,
            &device.adv_account_sig_key,
            &device.adv_account_sig,
            &device.adv_device_sig,
        )?,
        platform: told(device.platform),
        business_name: told(device.business_name),
        push_name: told(device.push_name),
        lid_migrated: (device.lid_migration_ts > 0).then_some(true),
        routing: None,
        peers,
    })
}

/// No id below 0 is one, and 0 is none either.
fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn read_prekeys(rows: &PrekeyRows, service: &Service) -> Result<Vec<OneTimePrekey>, ReadError> {
    rows.keys
        .iter()
        .map(|(id, key)| {
            let id = prekey_id("key_id", positive(*id))?;
            let secret = fixed(&format!("prekey {id}"), key)?;
            Ok(OneTimePrekey {
                id,
                secret: OneTimePrekeySecret::from_bytes(service.provider, &secret),
            })
        })
        .collect()
}

fn next_prekey(keys: &[OneTimePrekey]) -> Result<PrekeyId, ReadError> {
    let Some(highest) = keys.iter().map(|key| key.id.get()).max() else {
        return prekey_id("key_id", u64::from(PREKEY_ID_WITHOUT_TRACE));
    };
    if highest == MAX_PREKEY_ID {
        return Err(ReadError::PrekeyIdsUsedUp);
    }
    let next = (highest + 1 + PREKEY_ID_GAP).min(MAX_PREKEY_ID);
    prekey_id("key_id", u64::from(next))
}

/// The identity keys, and how many belong to services we do not know.
fn read_peers(rows: Vec<PeerRow>) -> Result<(Vec<(Jid, IdentityPublic)>, usize), ReadError> {
    let mut peers = Vec::with_capacity(rows.len());
    let mut unread = 0;
    for (address, key) in rows {
        match peer(&address) {
            Some(jid) => {
                let key = fixed::<32>("identity", &key)?;
                peers.push((jid, IdentityPublic::from_bytes(*key)));
            }
            None => unread += 1,
        }
    }
    Ok((peers, unread))
}

/// The JID behind a Signal address: `user[_domain]:device`.
fn peer(address: &str) -> Option<Jid> {
    let (name, device) = address.rsplit_once(':')?;
    let (user, server) = match name.split_once('_') {
        None => (name, Server::Pn),
        Some((user, "1")) => (user, Server::Lid),
        Some((user, "128")) => (user, Server::Hosted),
        Some((user, "129")) => (user, Server::HostedLid),
        Some(_) => return None,
    };
    let user: u64 = user.parse().ok()?;
    Some(Jid::number(user, server).with_device(device.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_addresses_become_jids() {
        let text = |address| peer(address).map(|jid| jid.to_string());
        for (address, jid) in [
            ("12025550123:0", "12025550123@s.whatsapp.net"),
            ("12025550123:7", "12025550123:7@s.whatsapp.net"),
            ("186303081611421_1:0", "186303081611421@lid"),
            ("186303081611421_1:99", "186303081611421:99@lid"),
            ("12025550123_128:99", "12025550123:99@hosted"),
        ] {
            assert_eq!(text(address).as_deref(), Some(jid));
        }
        for address in [
            "",
            ":",
            "12025550123",
            "12025550123:x",
            "1_2:0",
            "name:0",
            "1:65536",
        ] {
            assert_eq!(text(address), None, "{address}");
        }
    }
}
