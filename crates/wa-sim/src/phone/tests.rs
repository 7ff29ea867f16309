use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::Instant;

use super::*;

const NUMBER: u64 = 15_551_230_001;

fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: 1_789_000_000_000,
    }
}

fn phone(rng: &mut ChaCha20Rng) -> Phone {
    let number = PhoneNumber::new(NUMBER).unwrap();
    Phone::new(number, PhoneConfig::default(), Provider::rust(), now(), rng)
}

fn companion(device: u16, key_index: u32, rng: &mut ChaCha20Rng) -> Companion {
    Companion {
        device,
        key_index,
        identity: IdentitySecret::generate(Provider::rust(), rng).public(),
        added_at: 1_789_000_000,
    }
}

fn code() -> ScannedQr {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/adv.json")).unwrap();
    parse_qr(
        vectors["qr"][0]["deep_link"].as_str().unwrap(),
        QrForms::FiveFields,
    )
    .unwrap()
}

fn list_of(key_list: &KeyList) -> pb::AdvKeyIndexList {
    let signed = pb::AdvSignedKeyIndexList::decode(key_list.signed.as_slice()).unwrap();
    pb::AdvKeyIndexList::decode(signed.details.unwrap().as_slice()).unwrap()
}

#[test]
fn an_index_is_never_given_twice() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut phone = phone(&mut rng);
    assert_eq!(phone.next_key_index(), 1);
    let upload = phone.scan(&code(), now(), None, &mut rng);
    assert_eq!(upload.key_index, 1);
    // The link came to nothing: the index is used up all the same.
    let upload = phone.scan(&code(), now(), None, &mut rng);
    assert_eq!(upload.key_index, 2);
    phone.linked(companion(1, 2, &mut rng));
    phone.forget(|known| known.device == 1, now(), &mut rng);
    assert_eq!(phone.next_key_index(), 3);
}

#[test]
fn the_next_index_lies_above_every_valid_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut phone = phone(&mut rng);
    phone.linked(companion(4, 17, &mut rng));
    assert_eq!(phone.valid_indexes(), [0, 17]);
    assert_eq!(phone.next_key_index(), 18);
}

#[test]
fn a_revoked_index_leaves_the_list_and_the_mark_stays() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut phone = phone(&mut rng);
    for device in 1..=3 {
        let upload = phone.scan(&code(), now(), None, &mut rng);
        phone.linked(companion(device, upload.key_index, &mut rng));
    }
    let list = list_of(&phone.forget(|known| known.device == 3, now(), &mut rng));
    assert_eq!(list.valid_indexes, [0, 1, 2]);
    assert_eq!(list.current_index, Some(2));
    assert_eq!(phone.current_key_index, 3);
}

#[test]
fn an_upload_carries_the_new_index_and_has_the_written_sizes() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut phone = phone(&mut rng);
    phone.raw_id = 0x7FFF_FFFF;
    let upload = phone.scan(&code(), now(), None, &mut rng);
    assert_eq!(upload.device_identity.as_ref().map(Vec::len), Some(152));
    let list = list_of(&upload.key_list);
    assert_eq!(list.current_index, Some(1));
    assert_eq!(list.valid_indexes, [0, 1]);
    assert_eq!(list.timestamp, Some(1_789_000_000));
    assert_eq!(
        upload.client_props.as_deref(),
        Some([8, 1, 16, 1, 24, 0].as_slice())
    );
}
