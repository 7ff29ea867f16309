//! Our own signed identity, when it was made elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use wa_crypto::{IdentitySecret, Provider, PublicKey as _};
use wa_pair::{OwnIdentity, OwnIdentityError, SignedIdentity};
use wa_proto::pb::{AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity};

/// An identity whose account and device sign under these prefixes.
fn signed(
    details: &AdvDeviceIdentity,
    by_account: [u8; 2],
    by_device: [u8; 2],
) -> (SignedIdentity, IdentitySecret) {
    let rng = &mut ChaCha20Rng::seed_from_u64(5);
    let provider = Provider::rust();
    let account = IdentitySecret::generate(provider, rng);
    let device = IdentitySecret::generate(provider, rng);
    let (phone, own) = (account.public(), device.public());
    let details = details.encode_to_vec();
    let account_signature = account.sign(rng, &[&by_account, &details, own.as_bytes()]);
    let device_signature = device.sign(
        rng,
        &[&by_device, &details, own.as_bytes(), phone.as_bytes()],
    );
    let message = AdvSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(phone.as_bytes().to_vec()),
        account_signature: Some(account_signature.as_bytes().to_vec()),
        device_signature: Some(device_signature.as_bytes().to_vec()),
    };
    let identity = SignedIdentity::decode(&message.encode_to_vec()).unwrap();
    (identity, device)
}

fn details(hosted: bool) -> AdvDeviceIdentity {
    AdvDeviceIdentity {
        timestamp: Some(1_787_184_000),
        key_index: Some(3),
        device_type: hosted.then_some(AdvEncryptionType::Hosted as i32),
        ..AdvDeviceIdentity::default()
    }
}

const EXPECTED: OwnIdentity = OwnIdentity {
    key_index: 3,
    timestamp: 1_787_184_000,
};

#[test]
fn the_account_signs_under_its_family_and_the_device_under_the_ordinary_one() {
    for (hosted, by_account) in [(false, [6, 0]), (true, [6, 5])] {
        let (identity, device) = signed(&details(hosted), by_account, [6, 1]);
        assert_eq!(identity.verify_own(&device.public()), Ok(EXPECTED));
        let (identity, device) = signed(&details(!hosted), by_account, [6, 1]);
        assert_eq!(
            identity.verify_own(&device.public()),
            Err(OwnIdentityError::AccountSignature),
            "the details name the other family"
        );
        let (identity, device) = signed(&details(hosted), by_account, [6, 6]);
        assert_eq!(
            identity.verify_own(&device.public()),
            Err(OwnIdentityError::DeviceSignature)
        );
    }
}

#[test]
fn another_devices_identity_is_not_ours() {
    let (identity, _) = signed(&details(false), [6, 0], [6, 1]);
    let other = IdentitySecret::from_bytes(Provider::rust(), &[9; 32]);
    assert_eq!(
        identity.verify_own(&other.public()),
        Err(OwnIdentityError::AccountSignature)
    );
}

#[test]
fn it_must_say_which_key_of_the_account_it_is() {
    let nameless = AdvDeviceIdentity {
        key_index: None,
        ..details(false)
    };
    let (identity, device) = signed(&nameless, [6, 0], [6, 1]);
    assert_eq!(
        identity.verify_own(&device.public()),
        Err(OwnIdentityError::KeyIndexMissing)
    );
}
