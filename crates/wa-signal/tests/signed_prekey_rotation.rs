//! Signed prekeys: signature, age, succession; and the registration id beside them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use support::{hex32, hex64, vectors};
use wa_crypto::{IdentityPublic, IdentitySecret, Provider, Signature, SignedPrekeyPublic};
use wa_signal::{
    MAX_REGISTRATION_ID, MAX_UPLOAD_BACKOFF, PublicSignedPrekey, RegistrationId,
    SIGNED_PREKEY_MAX_AGE, SignedPrekey, SignedPrekeyId, upload_backoff,
};

const NOW: u64 = 1_790_000_000;

fn signed(rng: &mut ChaCha20Rng) -> (IdentitySecret, SignedPrekey) {
    let identity = IdentitySecret::generate(Provider::rust(), rng);
    let signed =
        SignedPrekey::generate(Provider::rust(), SignedPrekeyId::FIRST, &identity, NOW, rng);
    (identity, signed)
}

#[test]
fn a_generated_prekey_verifies_under_its_identity_only() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (identity, prekey) = signed(&mut rng);
    let (other, _) = signed(&mut rng);
    assert_eq!(prekey.public().verify(&identity.public()), Ok(()));
    assert!(prekey.public().verify(&other.public()).is_err());
}

#[test]
fn rotation_is_due_after_27_days() {
    let (_, prekey) = signed(&mut ChaCha20Rng::seed_from_u64(1));
    assert!(!prekey.is_due(NOW));
    assert!(!prekey.is_due(NOW + SIGNED_PREKEY_MAX_AGE - 1));
    assert!(prekey.is_due(NOW + SIGNED_PREKEY_MAX_AGE));
    assert_eq!(SIGNED_PREKEY_MAX_AGE, 27 * 86_400);
}

#[test]
fn a_prekey_made_under_a_wrong_clock_is_rotated() {
    let (_, prekey) = signed(&mut ChaCha20Rng::seed_from_u64(1));
    assert!(!prekey.is_due(NOW - 3600));
    assert!(prekey.is_due(NOW - SIGNED_PREKEY_MAX_AGE));
}

#[test]
fn the_successor_has_the_next_id_and_another_key() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (identity, prekey) = signed(&mut rng);
    let next = prekey.rotate(Provider::rust(), &identity, NOW + 5, &mut rng);
    assert_eq!(next.id.get(), 2);
    assert_eq!(next.created_at, NOW + 5);
    assert_ne!(next.secret.public(), prekey.secret.public());
    assert_eq!(next.public().verify(&identity.public()), Ok(()));
    assert_eq!(
        SignedPrekeyId::new(0xFF_FFFF).unwrap().next(),
        SignedPrekeyId::FIRST
    );
}

#[test]
fn registration_fields_have_their_wire_form() {
    let vectors = vectors();
    let fields = &vectors["registration_fields"];
    let registration = u32::try_from(fields["registration_id"].as_u64().unwrap()).unwrap();
    let registration = RegistrationId::new(registration).unwrap();
    assert_eq!(
        support::hex(&registration.to_be_bytes()),
        fields["e_regid"].as_str().unwrap()
    );
    assert_eq!(
        support::hex(&SignedPrekeyId::FIRST.to_be_bytes()),
        fields["e_skey_id"].as_str().unwrap()
    );
    let prekey = PublicSignedPrekey {
        id: SignedPrekeyId::FIRST,
        key: SignedPrekeyPublic::from_bytes(hex32(&fields["signed_prekey_public"])),
        signature: Signature::from_bytes(hex64(&fields["e_skey_sig"])),
    };
    let identity = IdentityPublic::from_bytes(hex32(&vectors["companion_identity"]["public"]));
    assert_eq!(prekey.verify(&identity), Ok(()));
}

#[test]
fn registration_ids_stay_in_range() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let ids: BTreeSet<u32> = (0..2000)
        .map(|_| RegistrationId::generate(&mut rng).get())
        .collect();
    assert!(ids.iter().all(|id| (1..=MAX_REGISTRATION_ID).contains(id)));
    assert!(ids.len() > 1500, "they differ");
    assert_eq!(RegistrationId::new(0), None);
    // Another client's are not ours to judge.
    assert!(RegistrationId::new(u32::MAX).is_some());
}

#[test]
fn upload_backoff_is_fibonacci_up_to_610_seconds() {
    let seconds: Vec<u64> = (0..=8)
        .map(|failures| upload_backoff(failures).as_secs())
        .collect();
    assert_eq!(seconds, [0, 1, 2, 3, 5, 8, 13, 21, 34]);
    assert_eq!(upload_backoff(13), Duration::from_secs(377));
    assert_eq!(upload_backoff(14), MAX_UPLOAD_BACKOFF);
    assert_eq!(upload_backoff(u32::MAX), MAX_UPLOAD_BACKOFF);
}

#[test]
fn debug_shows_no_private_key() {
    let (_, prekey) = signed(&mut ChaCha20Rng::seed_from_u64(1));
    let printed = format!("{prekey:?}");
    let bytes = prekey.secret.expose_bytes();
    assert!(!printed.contains(&support::hex(bytes)));
    assert!(!printed.contains(&format!("{bytes:?}")));
}
