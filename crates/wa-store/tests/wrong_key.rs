#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_store::{
    KeyError, KeySource, KeyTextError, MAX_ARGON2_MEMORY_KIB, MIN_PASSPHRASE_CHARS, Vault,
};

const KEY: &str = "5f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";
const OTHER: &str = "6f1c0e9b3a7d2846c1f0a9e8d7b6534210ffeeddccbbaa998877665544332211";

fn env(text: &str) -> KeySource {
    KeySource::Env(text.into())
}

fn passphrase(text: &str) -> KeySource {
    KeySource::Passphrase(text.into())
}

#[test]
fn only_the_key_of_a_store_opens_it() {
    let vault = Vault::create(&env(KEY)).unwrap();
    Vault::open(&env(&format!("{KEY}\n")), vault.header()).unwrap();
    let error = Vault::open(&env(OTHER), vault.header()).unwrap_err();
    assert_eq!(error, KeyError::WrongKey);
    assert!(error.to_string().contains("Nothing was changed"), "{error}");
}

#[test]
fn only_the_passphrase_of_a_store_opens_it() {
    let vault = Vault::create(&passphrase("correct horse battery")).unwrap();
    Vault::open(&passphrase("correct horse battery"), vault.header()).unwrap();
    let error = Vault::open(&passphrase("correct horse Battery"), vault.header()).unwrap_err();
    assert_eq!(error, KeyError::WrongKey);
}

#[test]
fn a_key_kept_in_a_file_opens_the_store_from_the_environment_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    let vault = Vault::create(&KeySource::KeyFile(path.clone())).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    Vault::open(&env(&text), vault.header()).unwrap();
}

#[test]
fn another_kind_of_key_is_named_in_the_error() {
    let by_key = Vault::create(&env(KEY)).unwrap();
    let error = Vault::open(&passphrase("correct horse battery"), by_key.header()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this store is opened with a key file or a key, not with a passphrase"
    );
    let by_passphrase = Vault::create(&passphrase("correct horse battery")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    let error = Vault::open(&KeySource::KeyFile(path.clone()), by_passphrase.header()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this store is opened with a passphrase, not with a key file"
    );
    assert!(
        !path.exists(),
        "no key file is made for a store that wants a passphrase"
    );
}

#[test]
fn weak_keys_and_short_passphrases_make_no_store() {
    for weak in ["", "changeme", &"00".repeat(32), &"ab".repeat(32)] {
        let error = Vault::create(&env(weak)).unwrap_err();
        assert!(matches!(error, KeyError::Text(_)), "{error}");
        assert!(
            error.to_string().contains("openssl rand -hex 32"),
            "{error}"
        );
    }
    assert_eq!(
        Vault::create(&env(&"00".repeat(32))).unwrap_err(),
        KeyError::Text(KeyTextError::Weak)
    );
    let short = "x".repeat(MIN_PASSPHRASE_CHARS - 1);
    let error = Vault::create(&passphrase(&short)).unwrap_err();
    assert_eq!(error, KeyError::PassphraseTooShort { got: short.len() });
    Vault::create(&passphrase(&"ü".repeat(MIN_PASSPHRASE_CHARS))).unwrap();
}

#[test]
fn an_environment_variable_that_is_not_set_is_named() {
    let error = KeySource::from_env("WA_STORE_TEST_NEVER_SET").unwrap_err();
    assert!(
        error.to_string().contains("WA_STORE_TEST_NEVER_SET"),
        "{error}"
    );
}

#[test]
fn a_damaged_header_opens_nothing() {
    let header = Vault::create(&env(KEY)).unwrap().header().to_vec();
    for bit in 0..header.len() * 8 {
        let mut bent = header.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(Vault::open(&env(KEY), &bent).is_err(), "bit {bit}");
    }
    for len in 0..header.len() {
        assert!(
            Vault::open(&env(KEY), &header[..len]).is_err(),
            "cut to {len}"
        );
    }
    let longer = [&header[..], b"x"].concat();
    assert_eq!(
        Vault::open(&env(KEY), &longer).unwrap_err(),
        KeyError::DamagedHeader
    );
}

#[test]
fn a_header_of_a_newer_version_names_both_versions() {
    let mut header = Vault::create(&env(KEY)).unwrap().header().to_vec();
    header[9] = 2;
    let error = Vault::open(&env(KEY), &header).unwrap_err();
    assert_eq!(error, KeyError::NewerHeader { found: 2, known: 1 });
}

#[test]
fn costs_out_of_bounds_are_refused_before_they_are_paid() {
    let mut header = Vault::create(&passphrase("correct horse battery"))
        .unwrap()
        .header()
        .to_vec();
    header[27..31].copy_from_slice(&u32::MAX.to_be_bytes());
    let error = Vault::open(&passphrase("correct horse battery"), &header).unwrap_err();
    assert!(
        matches!(error, KeyError::Costs(costs) if costs.memory_kib == u32::MAX),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains(&MAX_ARGON2_MEMORY_KIB.to_string()),
        "{error}"
    );
}

#[test]
fn debug_and_errors_show_no_secret() {
    let sources = [env(KEY), passphrase("correct horse battery")];
    let shown = format!("{sources:?} {:?}", Vault::create(&env(KEY)).unwrap());
    let errors = [
        Vault::create(&env(&format!("{KEY}{KEY}")))
            .unwrap_err()
            .to_string(),
        Vault::create(&passphrase("hunter2"))
            .unwrap_err()
            .to_string(),
    ];
    for secret in [KEY, "horse", "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(
            errors.iter().all(|error| !error.contains(secret)),
            "{errors:?}"
        );
    }
}
