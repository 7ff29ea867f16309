#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_core::{Record, RecordKind};
use wa_store::{AccountId, AccountSealer, KeySource, Profile, UnsealError, Vault};

const KEY: &str = "5f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";

fn vault() -> Vault {
    Vault::create(&KeySource::Env(KEY.into())).unwrap()
}

fn sealer(vault: &Vault) -> AccountSealer {
    vault.new_account(&AccountId::random().unwrap()).unwrap().0
}

fn record(key: &[u8], value: &[u8]) -> Record {
    Record::new(RecordKind::PeerIdentity, key, value.to_vec())
}

const TAMPERED: Result<Record, UnsealError> = Err(UnsealError::Tampered { what: "record" });

#[test]
fn a_record_opens_in_its_own_place_only() {
    let vault = vault();
    let (here, elsewhere) = (sealer(&vault), sealer(&vault));
    let wanted = record(b"4915550001@s.whatsapp.net", b"identity key");
    let kind = wanted.kind.code();
    let (slot, sealed) = here.seal_record(&wanted).unwrap();
    assert_eq!(here.open_record(kind, slot, &sealed), Ok(wanted.clone()));

    let (other_slot, other) = here
        .seal_record(&record(b"other", b"identity key"))
        .unwrap();
    assert_eq!(
        here.open_record(kind, slot, &other),
        TAMPERED,
        "the row of another key"
    );
    assert_eq!(
        here.open_record(kind, other_slot, &sealed),
        TAMPERED,
        "in the slot of another key"
    );
    assert_eq!(
        here.open_record(kind - 1, slot, &sealed),
        TAMPERED,
        "as another kind"
    );
    assert_eq!(
        elsewhere.open_record(kind, slot, &sealed),
        TAMPERED,
        "in another account"
    );
    for len in 0..sealed.len() {
        assert!(here.open_record(kind, slot, &sealed[..len]).is_err());
    }
    for bit in 8..sealed.len() * 8 {
        let mut bent = sealed.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(here.open_record(kind, slot, &bent), TAMPERED);
    }
}

#[test]
fn a_record_of_a_newer_format_says_so() {
    let sealer = sealer(&vault());
    let (slot, mut sealed) = sealer.seal_record(&record(b"key", b"value")).unwrap();
    sealed[0] = 2;
    let opened = sealer.open_record(RecordKind::PeerIdentity.code(), slot, &sealed);
    let newer = UnsealError::Newer {
        what: "record",
        found: 2,
        known: 1,
    };
    assert_eq!(opened, Err(newer));
}

#[test]
fn a_slot_gives_nothing_of_its_key_away() {
    let vault = vault();
    let (one, other) = (sealer(&vault), sealer(&vault));
    let slot = one.slot(RecordKind::PeerIdentity, b"4915550001");
    assert_eq!(
        slot,
        one.slot(RecordKind::PeerIdentity, b"4915550001"),
        "the same every time"
    );
    assert_ne!(slot, one.slot(RecordKind::PeerIdentity, b"4915550002"));
    assert_ne!(slot, one.slot(RecordKind::Prekey, b"4915550001"));
    assert_ne!(
        slot,
        other.slot(RecordKind::PeerIdentity, b"4915550001"),
        "another in every account"
    );
}

#[test]
fn sealing_the_same_twice_gives_unlike_rows() {
    let sealer = sealer(&vault());
    let record = record(b"key", b"value");
    let (one, other) = (
        sealer.seal_record(&record).unwrap(),
        sealer.seal_record(&record).unwrap(),
    );
    assert_eq!(one.0, other.0);
    assert_ne!(one.1, other.1);
}

#[test]
fn an_account_row_opens_for_its_own_account_only() {
    let vault = vault();
    let profile = Profile {
        label: "at home".to_owned(),
        jid: Some("4915550001:3@s.whatsapp.net".to_owned()),
        lid: None,
        platform: Some(String::new()),
    };
    let sealed = sealer(&vault).seal_profile(&profile).unwrap();
    let tampered = Err(UnsealError::Tampered {
        what: "account row",
    });
    assert_eq!(sealer(&vault).open_profile(&sealed), tampered);
    let own = sealer(&vault);
    assert_eq!(
        own.open_profile(&own.seal_profile(&profile).unwrap()),
        Ok(profile)
    );
}

#[test]
fn a_wrapped_key_opens_for_its_own_account_and_store_only() {
    let (here, elsewhere) = (vault(), vault());
    let (id, other) = (AccountId::random().unwrap(), AccountId::random().unwrap());
    let (_, wrapped) = here.new_account(&id).unwrap();
    here.account(&id, &wrapped).unwrap();
    let what = "key of the account";
    let tampered = UnsealError::Tampered { what };
    assert_eq!(here.account(&other, &wrapped).unwrap_err(), tampered);
    assert_eq!(
        elsewhere.account(&id, &wrapped).unwrap_err(),
        tampered,
        "the same key, another store"
    );
    let newer = [&[2], &wrapped[1..]].concat();
    assert_eq!(
        here.account(&id, &newer).unwrap_err(),
        UnsealError::Newer {
            what,
            found: 2,
            known: 1
        }
    );
}

#[test]
fn a_rewrapped_key_seals_as_before_and_leaves_the_former_master_key_behind() {
    let (from, to) = (vault(), vault());
    let id = AccountId::random().unwrap();
    let (before, wrapped) = from.new_account(&id).unwrap();
    let (slot, sealed) = before.seal_record(&record(b"key", b"value")).unwrap();
    let rewrapped = from.rewrap(&id, &wrapped, &to).unwrap();
    let after = to.account(&id, &rewrapped).unwrap();
    let opened = after.open_record(RecordKind::PeerIdentity.code(), slot, &sealed);
    assert_eq!(opened, Ok(record(b"key", b"value")));
    assert!(from.account(&id, &rewrapped).is_err());
}
