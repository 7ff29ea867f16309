//! A link that was made elsewhere is verified, bounded, and then a device like any other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use wa_core::{
    Device, ImportedDevice, ImportedDeviceError, LinkState, MAX_IMPORTED_TEXT_LEN, MAX_ROUTING_LEN,
    MAX_STORED_PREKEYS, NoiseRoot, Provider, RecordKind,
};
use wa_crypto::{
    AdvSecret, IdentityPublic, IdentitySecret, NoiseStaticSecret, OneTimePrekeySecret,
    PublicKey as _,
};
use wa_pair::SignedIdentity;
use wa_proto::pb::{AdvDeviceIdentity, AdvSignedDeviceIdentity};
use wa_signal::{OneTimePrekey, PrekeyId, RegistrationId, SignedPrekey, SignedPrekeyId};

fn parts() -> ImportedDevice {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let provider = Provider::rust();
    let account = IdentitySecret::generate(provider, rng);
    let identity = IdentitySecret::generate(provider, rng);
    let details = AdvDeviceIdentity {
        timestamp: Some(1_787_184_000),
        key_index: Some(3),
        ..AdvDeviceIdentity::default()
    }
    .encode_to_vec();
    let (phone, own) = (account.public(), identity.public());
    let by_account = account.sign(rng, &[&[6, 0], &details, own.as_bytes()]);
    let by_device = identity.sign(rng, &[&[6, 1], &details, own.as_bytes(), phone.as_bytes()]);
    let signed = AdvSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(phone.as_bytes().to_vec()),
        account_signature: Some(by_account.as_bytes().to_vec()),
        device_signature: Some(by_device.as_bytes().to_vec()),
    };
    let first = SignedPrekeyId::FIRST;
    ImportedDevice {
        provider,
        root: NoiseRoot::production(),
        registration: RegistrationId::new(u32::MAX).unwrap(),
        noise: NoiseStaticSecret::generate(provider, rng),
        adv: AdvSecret::generate(rng),
        signed_prekey: SignedPrekey::generate(provider, first, &identity, 0, rng),
        prekeys: prekeys([3, 1, 2]),
        next_prekey: PrekeyId::new(4).unwrap(),
        identity,
        jid: "12025550123:48@s.whatsapp.net".parse().unwrap(),
        lid: Some("186303081611421:48@lid".parse().unwrap()),
        account: SignedIdentity::decode(&signed.encode_to_vec()).unwrap(),
        platform: Some("android".to_owned()),
        business_name: None,
        push_name: None,
        lid_migrated: None,
        routing: Some(vec![8; MAX_ROUTING_LEN]),
        peers: vec![
            (
                "186303081611421@lid".parse().unwrap(),
                IdentityPublic::from_bytes([9; 32]),
            ),
            (
                "12025550999:3@s.whatsapp.net".parse().unwrap(),
                IdentityPublic::from_bytes([9; 32]),
            ),
        ],
    }
}

fn prekeys(ids: impl IntoIterator<Item = u32>) -> Vec<OneTimePrekey> {
    let secret = OneTimePrekeySecret::from_bytes(Provider::rust(), &[1; 32]);
    let key = |id| OneTimePrekey {
        id: PrekeyId::new(id).unwrap(),
        secret: OneTimePrekeySecret::from_bytes(Provider::rust(), secret.expose_bytes()),
    };
    ids.into_iter().map(key).collect()
}

fn refused(change: impl FnOnce(&mut ImportedDevice)) -> ImportedDeviceError {
    let mut parts = parts();
    change(&mut parts);
    Device::from_parts(parts).unwrap_err()
}

#[test]
fn what_is_stored_comes_back_as_the_same_device() {
    let (device, changes) = Device::from_parts(parts()).unwrap();
    assert_eq!(changes.link, Some(LinkState::Linked));
    assert_eq!(
        changes
            .identity
            .as_ref()
            .map(|identity| identity.jid.to_string()),
        Some("12025550123:48@s.whatsapp.net".to_owned())
    );
    let restored = Device::restore(Provider::rust(), &changes.puts)
        .unwrap()
        .unwrap();
    assert_eq!(restored.registered(), device.registered());
    assert_eq!(restored.registration_id().get(), u32::MAX);
    assert_eq!(restored.noise_public(), device.noise_public());
    assert_eq!(restored.identity_public(), device.identity_public());
    let link = restored.registered().unwrap();
    assert_eq!(
        (link.key_index, link.paired_at, link.logins),
        (3, 1_787_184_000, 0)
    );
    let of = |kind| {
        changes
            .puts
            .iter()
            .filter(move |record| record.kind == kind)
    };
    assert_eq!(of(RecordKind::Prekey).count(), 3);
    // The phone's key is the one that signed, whatever else was said of it: the last put wins.
    let peers: Vec<_> = of(RecordKind::PeerIdentity).collect();
    assert_eq!(peers.len(), 3);
    let phone = parts().account.account_key().to_owned();
    assert_eq!(peers[2].key, b"186303081611421@lid");
    assert!(peers[2].value.expose().ends_with(phone.as_bytes()));
}

#[test]
fn prekeys_are_below_the_next_one_and_no_two_are_one() {
    assert_eq!(
        refused(|parts| parts.prekeys.extend(prekeys([4]))),
        ImportedDeviceError::PrekeyAhead {
            id: PrekeyId::new(4).unwrap(),
            next: PrekeyId::new(4).unwrap(),
        }
    );
    assert_eq!(
        refused(|parts| parts.prekeys.extend(prekeys([3]))),
        ImportedDeviceError::PrekeyTwice {
            id: PrekeyId::new(3).unwrap()
        }
    );
}

#[test]
fn everything_is_bounded() {
    let most = u32::try_from(MAX_STORED_PREKEYS).unwrap();
    let full = |parts: &mut ImportedDevice, count: u32| {
        parts.prekeys = prekeys(1..=count);
        parts.next_prekey = PrekeyId::new(count + 1).unwrap();
    };
    let mut at_limits = parts();
    full(&mut at_limits, most);
    let text = Some("x".repeat(MAX_IMPORTED_TEXT_LEN));
    at_limits.platform.clone_from(&text);
    at_limits.business_name.clone_from(&text);
    at_limits.push_name.clone_from(&text);
    assert!(Device::from_parts(at_limits).is_ok());
    assert!(matches!(
        refused(|parts| full(parts, most + 1)),
        ImportedDeviceError::TooManyPrekeys { .. }
    ));
    let longer = || Some("x".repeat(MAX_IMPORTED_TEXT_LEN + 1));
    let changes: [fn(&mut ImportedDevice, Option<String>); 3] = [
        |parts, text| parts.platform = text,
        |parts, text| parts.business_name = text,
        |parts, text| parts.push_name = text,
    ];
    for change in changes {
        let error = refused(|parts| change(parts, longer()));
        assert!(
            matches!(error, ImportedDeviceError::TooLong { .. }),
            "{error}"
        );
    }
    let error = refused(|parts| parts.routing = Some(vec![8; MAX_ROUTING_LEN + 1]));
    assert!(
        matches!(error, ImportedDeviceError::TooLong { .. }),
        "{error}"
    );
}

#[test]
fn debug_shows_no_key_and_no_number() {
    let shown = format!("{:?}", parts());
    assert!(
        !shown.contains("12025550123") && shown.len() < 200,
        "{shown}"
    );
}
