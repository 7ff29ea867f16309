#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_core::{LinkState, Record, RecordKind};
use wa_store::{
    AccountExport, AccountId, ExportError, ExportKey, ImportError, KeyError, MAX_EXPORT_LEN,
    MAX_LABEL_LEN, MAX_RECORD_KEY_LEN, MAX_RECORD_VALUE_LEN, MIN_ARGON2_MEMORY_KIB, SealedExport,
    StoreKey,
};

fn account() -> AccountExport {
    AccountExport {
        account: "0123456789abcdef".parse().unwrap(),
        label: "at home".to_owned(),
        link: LinkState::Linked,
        identity: Some(wa_core::AccountSummary {
            jid: "4915550001:3@s.whatsapp.net".parse().unwrap(),
            lid: Some("99887766:3@lid".parse().unwrap()),
            platform: None,
        }),
        created_unix_ms: 1_700_000_000_000,
        exported_unix_ms: 1_700_000_000_001,
        records: vec![
            Record::new(RecordKind::Device, [], b"keys".to_vec()),
            Record::new(RecordKind::Prekey, [0, 0, 0, 1], vec![]),
            Record::new(RecordKind::Prekey, [0, 0, 0, 2], vec![7; 300]),
        ],
    }
}

fn key() -> ExportKey {
    ExportKey::Key(StoreKey::generate().unwrap())
}

fn passphrase(text: &str) -> ExportKey {
    ExportKey::Passphrase(text.into())
}

fn open(sealed: &[u8], key: &ExportKey) -> Result<AccountExport, ImportError> {
    SealedExport::parse(sealed)?.open(key)
}

#[test]
fn an_export_opens_with_its_passphrase_only() {
    let sealed = account()
        .seal(&passphrase("correct horse battery"))
        .unwrap();
    assert_eq!(
        open(&sealed, &passphrase("correct horse battery")),
        Ok(account())
    );
    assert_eq!(
        open(&sealed, &passphrase("correct horse Battery")),
        Err(ImportError::DoesNotOpen)
    );
    assert_eq!(open(&sealed, &key()), Err(ImportError::NeedsPassphrase));
}

#[test]
fn an_export_opens_with_its_key_only() {
    let own = key();
    let sealed = account().seal(&own).unwrap();
    assert_eq!(open(&sealed, &own), Ok(account()));
    assert_eq!(open(&sealed, &key()), Err(ImportError::DoesNotOpen));
    assert_eq!(
        open(&sealed, &passphrase("correct horse battery")),
        Err(ImportError::NeedsKey)
    );
}

#[test]
fn a_short_passphrase_seals_nothing() {
    let refused = account().seal(&passphrase("hunter2"));
    assert_eq!(
        refused,
        Err(ExportError::Key(KeyError::PassphraseTooShort { got: 7 }))
    );
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let own = key();
    let sealed = account().seal(&own).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut bent = sealed.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&bent, &own).is_err(), "bit {bit}");
    }
    for len in 0..sealed.len() {
        assert!(open(&sealed[..len], &own).is_err(), "cut to {len}");
    }
    assert_eq!(
        open(&[&sealed[..], b"x"].concat(), &own),
        Err(ImportError::DoesNotOpen)
    );
}

#[test]
fn nothing_of_the_account_is_readable_in_an_export() {
    let sealed = account().seal(&key()).unwrap();
    for text in [
        "at home",
        "4915550001",
        "99887766",
        "keys",
        "0123456789abcdef",
    ] {
        assert!(
            !sealed
                .windows(text.len())
                .any(|window| window == text.as_bytes()),
            "{text}"
        );
    }
    assert!(!format!("{:?}", account()).contains("4915550001"));
}

#[test]
fn other_files_and_newer_exports_are_told_apart() {
    assert_eq!(open(b"", &key()), Err(ImportError::NotAnExport));
    assert_eq!(
        open(b"SQLite format 3\0", &key()),
        Err(ImportError::NotAnExport)
    );
    let mut newer = account().seal(&key()).unwrap();
    newer[9] = 2;
    assert_eq!(
        open(&newer, &key()),
        Err(ImportError::Newer { found: 2, known: 1 })
    );
}

#[test]
fn costs_out_of_bounds_are_refused_before_they_are_paid() {
    let mut sealed = account()
        .seal(&passphrase("correct horse battery"))
        .unwrap();
    for memory_kib in [MIN_ARGON2_MEMORY_KIB - 1, u32::MAX] {
        sealed[11..15].copy_from_slice(&memory_kib.to_be_bytes());
        let refused = SealedExport::parse(&sealed).map(drop);
        assert!(
            matches!(refused, Err(ImportError::Costs(costs)) if costs.memory_kib == memory_kib)
        );
    }
}

#[test]
fn an_export_is_taken_up_to_its_length_limit() {
    let mut file = account().seal(&key()).unwrap();
    file.resize(MAX_EXPORT_LEN, 0);
    assert!(SealedExport::parse(&file).is_ok());
    file.push(0);
    let refused = SealedExport::parse(&file).map(drop);
    assert_eq!(
        refused,
        Err(ImportError::TooLarge {
            got: MAX_EXPORT_LEN + 1
        })
    );
}

#[test]
fn an_account_above_the_length_limit_is_not_exported() {
    let mut large = account();
    let values = MAX_EXPORT_LEN / MAX_RECORD_VALUE_LEN;
    large.records = (0..values)
        .map(|n| {
            Record::new(
                RecordKind::Prekey,
                [u8::try_from(n).unwrap()],
                vec![0; MAX_RECORD_VALUE_LEN],
            )
        })
        .collect();
    assert!(
        matches!(large.seal(&key()), Err(ExportError::TooLarge { got }) if got > MAX_EXPORT_LEN)
    );
    large.records.truncate(1);
    assert!(large.seal(&key()).is_ok());
}

#[test]
fn contents_cut_short_or_carried_on_are_refused() {
    let plain = account().encode().unwrap();
    assert_eq!(AccountExport::decode(&plain), Ok(account()));
    for len in 0..plain.len() {
        assert!(
            AccountExport::decode(&plain[..len]).is_err(),
            "cut to {len}"
        );
    }
    let longer = [&plain[..], b"x"].concat();
    assert_eq!(
        AccountExport::decode(&longer),
        Err(ImportError::Malformed { what: "end" })
    );
}

#[test]
fn contents_no_store_may_keep_are_refused() {
    let refused = |change: fn(&mut AccountExport)| {
        let mut export = account();
        change(&mut export);
        AccountExport::decode(&export.encode().unwrap()).unwrap_err()
    };
    let malformed = |what| ImportError::Malformed { what };
    assert_eq!(
        refused(|export| export.records.reverse()),
        malformed("record order")
    );
    assert_eq!(
        refused(|export| export.records[1] = export.records[2].clone()),
        malformed("record order")
    );
    assert_eq!(
        refused(|export| export.label = "x".repeat(MAX_LABEL_LEN + 1)),
        malformed("label")
    );
    assert_eq!(
        refused(|export| export.records[2].key = vec![9; MAX_RECORD_KEY_LEN + 1]),
        malformed("record")
    );
    let mut fits = account();
    fits.label = "x".repeat(MAX_LABEL_LEN);
    fits.records[2].key = vec![9; MAX_RECORD_KEY_LEN];
    assert_eq!(AccountExport::decode(&fits.encode().unwrap()), Ok(fits));
}

#[test]
fn a_record_count_that_lies_costs_nothing() {
    let mut plain = account().encode().unwrap().to_vec();
    let records = account().records;
    let body: usize = records
        .iter()
        .map(|record| 2 + 4 + record.key.len() + 4 + record.value.len())
        .sum();
    let count = plain.len() - body - 4;
    plain[count..count + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(
        AccountExport::decode(&plain),
        Err(ImportError::Malformed { what: "record" })
    );
    plain[count + 4] = 0xee;
    assert!(matches!(
        AccountExport::decode(&plain),
        Err(ImportError::UnknownKind { .. })
    ));
}

#[test]
fn an_id_is_sixteen_hex_digits_and_nothing_else() {
    for bad in [
        "",
        "*",
        "0123456789abcde",
        "0123456789abcdef0",
        "0123456789ABCDEF",
        "../../etc/passwd",
        "0123456789abcdeö",
    ] {
        assert!(bad.parse::<AccountId>().is_err(), "{bad}");
    }
    let id = AccountId::random().unwrap();
    assert_eq!(id.to_string().parse(), Ok(id));
}
