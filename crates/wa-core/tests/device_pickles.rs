#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Pickles, Rig, rng, start};
use wa_core::{
    Changes, Command, Credentials, Device, LinkState, Provider, Query, Record, RecordKind,
    RestoreError,
};

/// A linked device in the form of version 1.
fn golden() -> Vec<Record> {
    records_of(include_str!("golden/device_v1.json"))
}

/// The same in the form of version 2.
fn golden_2() -> Vec<Record> {
    records_of(include_str!("golden/device_v2.json"))
}

fn records_of(file: &str) -> Vec<Record> {
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let hex = |text: &serde_json::Value| -> Vec<u8> {
        let text = text.as_str().unwrap();
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    };
    file["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let kind = u16::try_from(record["kind"].as_u64().unwrap()).unwrap();
            let kind = RecordKind::from_code(kind).unwrap();
            Record::new(kind, hex(&record["key"]), hex(&record["value"]))
        })
        .collect()
}

fn restore(records: &[Record]) -> Result<Option<Device>, RestoreError> {
    Device::restore(Provider::rust(), records)
}

#[test]
fn version_1_can_be_read_and_is_written_as_version_2() {
    let device = restore(&golden()).unwrap().unwrap();
    let link = device.registered().unwrap();
    assert_eq!(link.jid, "12025550123:48@s.whatsapp.net".parse().unwrap());
    let puts = device.initial_changes().puts;
    let again = restore(&puts).unwrap().unwrap();
    assert_eq!(again.credentials(), device.credentials());
    for record in &puts {
        let same = golden().contains(record);
        assert_eq!(same, record.kind != RecordKind::Device, "{:?}", record.kind);
    }
}

#[test]
fn version_2_can_be_read_and_is_written_as_it_was() {
    let records = golden_2();
    let device = restore(&records).unwrap().unwrap();
    let link = device.registered().unwrap();
    assert_eq!(link.jid, "12025550123:48@s.whatsapp.net".parse().unwrap());
    assert_eq!(link.lid, Some("186303081611421:48@lid".parse().unwrap()));
    assert_eq!(link.platform.as_deref(), Some("android"));
    assert_eq!((link.key_index, link.logins), (1, 1));
    assert_eq!(link.paired_at, 1_787_184_000);
    assert_eq!(device.link(), LinkState::Linked);
    let Changes { puts, wipe, .. } = device.initial_changes();
    assert!(wipe.is_wipe(), "it replaces whatever there is");
    for record in &puts {
        assert!(records.contains(record), "{:?}", record.kind);
    }
    // The list of own devices is a cache that the device does not hold.
    let of_the_device = records
        .iter()
        .filter(|record| record.kind != RecordKind::OwnDevices);
    assert_eq!(puts.len(), of_the_device.count());
}

#[test]
fn a_signed_list_of_own_devices_is_kept_with_its_epoch_and_time() {
    let records = records_of(include_str!("golden/own_devices_signed_v1.json"));
    let rig = Rig::online();
    assert!(rig.store.load(Query::Device).contains(&records[0]));
}

#[test]
fn a_restored_device_is_the_one_that_was_stored() {
    let mut rig = Rig::online();
    let before = rig.stored().unwrap();
    rig.restart();
    assert_eq!(rig.engine.credentials(), before.registered());
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}

#[test]
fn no_records_are_no_device() {
    assert!(restore(&[]).unwrap().is_none());
}

#[test]
fn a_link_that_lacks_what_makes_it_one_is_replaced_by_new_keys() {
    let whole = Pickles::read(&golden());
    assert!(restore(&whole.records()).unwrap().is_some());
    let spoil: [fn(&mut Pickles); 10] = [
        |p| p.device.link.as_mut().unwrap().jid = None,
        |p| p.device.link.as_mut().unwrap().account = None,
        |p| p.device.link.as_mut().unwrap().primary_identity = None,
        |p| p.device.noise_secret.clear(),
        |p| p.device.identity_secret.clear(),
        |p| p.device.adv_secret.clear(),
        |p| p.device.registration_id = 0,
        |p| p.device.signed_prekey_id = 2,
        |p| p.signed = None,
        |p| p.ledger = None,
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut pickles = whole.clone();
        spoil(&mut pickles);
        assert!(restore(&pickles.records()).unwrap().is_none(), "{number}");

        // The rest of the way: the next start wipes what is left and can be paired.
        let mut rig = Rig::new();
        rig.store.put_all(golden());
        rig.store.remove(RecordKind::SignedPrekey);
        rig.store.remove(RecordKind::PrekeyLedger);
        rig.store.put_all(pickles.records());
        rig.restart();
        rig.pair();
        assert_eq!(rig.state(), "online", "{number}");
    }
}

#[test]
fn damaged_records_are_errors_and_not_new_devices() {
    let whole = Pickles::read(&golden());
    let spoil: [fn(&mut Pickles); 10] = [
        |p| p.device.version = 0,
        |p| p.device.link.as_mut().unwrap().account = Some(vec![10, 1, 1]),
        |p| p.device.link.as_mut().unwrap().account = Some(vec![0xff; 4]),
        |p| p.device.signed_prekey_id = 0x0100_0000,
        |p| p.device.noise_secret.truncate(31),
        |p| p.device.link.as_mut().unwrap().jid = Some("not a jid @@".to_owned()),
        |p| p.device.link.as_mut().unwrap().primary_identity = Some(vec![1; 31]),
        |p| p.signed.as_mut().unwrap().signature.truncate(63),
        |p| p.signed.as_mut().unwrap().id = 0x0100_0000,
        |p| p.ledger.as_mut().unwrap().next = 5000,
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut pickles = whole.clone();
        spoil(&mut pickles);
        let error = restore(&pickles.records()).unwrap_err();
        assert!(
            matches!(error, RestoreError::Damaged { .. }),
            "{number}: {error}"
        );
    }
    for value in [vec![0xff; 20], vec![8]] {
        let record = Record::new(RecordKind::Device, Vec::new(), value);
        assert!(matches!(
            restore(&[record]),
            Err(RestoreError::Damaged { .. })
        ));
    }
}

#[test]
fn a_record_of_a_newer_version_says_so() {
    let newer = |records: Vec<Record>, kind: RecordKind| -> Vec<Record> {
        let change = |mut record: Record| {
            if record.kind == kind {
                let mut value = record.value.expose().to_vec();
                assert_eq!(value[0], 8, "the version comes first");
                value[1] += 1;
                record.value = value.into();
            }
            record
        };
        records.into_iter().map(change).collect()
    };
    for (kind, newest) in [
        (RecordKind::Device, 2),
        (RecordKind::Connection, 1),
        (RecordKind::PrekeyLedger, 1),
        (RecordKind::SignedPrekey, 1),
    ] {
        let error = restore(&newer(golden_2(), kind)).unwrap_err();
        let RestoreError::Newer {
            found, supported, ..
        } = error
        else {
            panic!("{kind:?}: {error}")
        };
        assert_eq!((found, supported), (newest + 1, newest));
        assert!(error.to_string().contains("update"), "{error}");
    }
}

#[test]
fn damaged_convenience_is_forgotten() {
    let mut rig = Rig::online();
    let damaged = Record::new(RecordKind::Connection, Vec::new(), vec![8, 1, 0xff]);
    rig.store.replace(damaged);
    rig.restart();
    rig.command(Command::Start);
    assert_eq!(rig.state(), "online");
}

#[test]
fn debug_shows_no_key_and_no_number() {
    let device = restore(&golden()).unwrap().unwrap();
    let shown = format!("{device:?} {:?}", device.credentials());
    assert!(shown.contains("Registered"));
    assert!(
        !shown.contains("12025550123") && !shown.contains("186303081611421"),
        "{shown}"
    );
    for record in device.initial_changes().puts {
        let shown = format!("{record:?}");
        assert!(shown.contains("bytes)") && shown.len() < 200, "{shown}");
    }
}

#[test]
fn generated_devices_differ() {
    let mut rng = rng(5);
    let mut new = || Device::generate(Provider::rust(), &mut rng, start().unix_secs());
    let (a, b) = (new(), new());
    assert_eq!(*a.credentials(), Credentials::Unregistered);
    assert_ne!(a.identity_public(), b.identity_public());
    assert_ne!(a.noise_public(), b.noise_public());
    assert!(
        wa_crypto::PublicKey::as_bytes(&a.noise_public())
            != wa_crypto::PublicKey::as_bytes(&a.identity_public())
    );
}

#[test]
fn kinds_have_fixed_numbers() {
    let codes: Vec<u16> = RecordKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (kind, code) in [
        (RecordKind::Device, 1),
        (RecordKind::Connection, 2),
        (RecordKind::PrekeyLedger, 3),
        (RecordKind::SignedPrekey, 4),
        (RecordKind::Prekey, 5),
        (RecordKind::PeerIdentity, 6),
        (RecordKind::OwnDevices, 7),
        (RecordKind::Version, 8),
        (RecordKind::Tombstone, 9),
    ] {
        assert_eq!(kind.code(), code, "{kind:?}");
    }
    for kind in RecordKind::ALL {
        assert_eq!(RecordKind::from_code(kind.code()), Some(*kind));
    }
    assert_eq!(RecordKind::from_code(10), None);
    assert_eq!(
        Query::Device.kinds().len() + Query::Prekeys.kinds().len(),
        8
    );
}

/// Writes the golden file of the version in force. Run by hand when a new version is made.
#[test]
#[ignore = "writes tests/golden"]
fn write_golden() {
    let rig = Rig::online();
    let records: Vec<_> = rig
        .store
        .load(Query::Device)
        .into_iter()
        .map(|record| {
            let hex = |bytes: &[u8]| -> String {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            };
            serde_json::json!({
                "kind": record.kind.code(),
                "key": hex(&record.key),
                "value": hex(record.value.expose()),
            })
        })
        .collect();
    let file = serde_json::json!({
        "about": "a linked device in the stored form of version 2; its keys are from a test and secure nothing",
        "records": records,
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/device_v2.json");
    std::fs::write(path, serde_json::to_string_pretty(&file).unwrap()).unwrap();
}

#[test]
fn caches_that_are_damaged_are_forgotten_and_a_tombstone_is_not() {
    for (kind, is_cache) in [
        (RecordKind::OwnDevices, true),
        (RecordKind::Version, true),
        (RecordKind::Tombstone, false),
    ] {
        let engine = |value: Vec<u8>| {
            let mut records = golden_2();
            records.retain(|record| record.kind != kind);
            records.push(Record::new(kind, Vec::new(), value));
            let config = support::config(&support::Service::new());
            wa_core::Engine::restore(config.into(), &records, Box::new(rng(9)), start())
        };
        let damaged = engine(vec![8, 1, 0xff]);
        match damaged {
            Ok(_) => assert!(is_cache, "{kind:?}"),
            Err(RestoreError::Damaged { .. }) => assert!(!is_cache, "{kind:?}"),
            Err(error) => panic!("{kind:?}: {error}"),
        }
        let newer = engine(vec![8, 2]).unwrap_err();
        assert!(matches!(newer, RestoreError::Newer { .. }), "{kind:?}");
    }
}
