#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;

use wa_store::{AccountId, KeyError, KeySource, MAX_KEY_FILE_LEN, Vault};

fn source(path: &Path) -> KeySource {
    KeySource::KeyFile(path.to_owned())
}

#[test]
fn a_new_store_makes_its_key_file_and_opens_with_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/the/way/store.key");
    let vault = Vault::create(&source(&path)).unwrap();
    let id = AccountId::random().unwrap();
    let (_, wrapped) = vault.new_account(&id).unwrap();
    let again = Vault::open(&source(&path), vault.header()).unwrap();
    again.account(&id, &wrapped).unwrap();
    assert!(!path.with_extension("key.new").exists());
}

#[test]
fn a_key_file_that_is_there_is_used_by_a_new_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    Vault::create(&source(&path)).unwrap();
    let text = fs::read(&path).unwrap();
    Vault::create(&source(&path)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), text);
}

#[test]
fn makers_at_the_same_time_end_up_with_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    let headers: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Vault::create(&source(&path)).unwrap().header().to_vec()))
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect()
    });
    for header in headers {
        Vault::open(&source(&path), &header).unwrap();
    }
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no draft is left: {left:?}");
}

#[test]
fn a_maker_that_died_half_way_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    fs::write(
        directory.path().join("store.key.new"),
        "0123456789abcdef, and then the power went",
    )
    .unwrap();
    let vault = Vault::create(&source(&path)).unwrap();
    Vault::open(&source(&path), vault.header()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().len(), 65);
}

#[test]
fn a_missing_key_file_is_an_error_and_is_not_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    let vault = Vault::create(&source(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    let error = Vault::open(&source(&path), vault.header()).unwrap_err();
    assert_eq!(error, KeyError::FileMissing { path: path.clone() });
    assert!(error.to_string().contains("backup"), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    for content in [
        &b""[..],
        b"changeme\n",
        &[0xff; 40],
        &[b'0'; 64],
        &vec![b'a'; 100_000],
    ] {
        fs::write(&path, content).unwrap();
        shut(&path);
        let error = Vault::create(&source(&path)).unwrap_err();
        assert!(matches!(error, KeyError::FileMalformed { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn the_length_of_a_key_file_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    Vault::create(&source(&path)).unwrap();
    let mut content = fs::read(&path).unwrap();
    content.resize(MAX_KEY_FILE_LEN, b'\n');
    fs::write(&path, &content).unwrap();
    assert!(Vault::create(&source(&path)).is_ok());
    content.push(b'\n');
    fs::write(&path, &content).unwrap();
    let error = Vault::create(&source(&path)).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_key_file_and_its_directory_are_for_this_user_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("private/store.key");
    Vault::create(&source(&path)).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[cfg(unix)]
#[test]
fn a_key_file_others_can_use_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.key");
    let vault = Vault::create(&source(&path)).unwrap();
    for open_mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open_mode)).unwrap();
        let error = Vault::open(&source(&path), vault.header()).unwrap_err();
        let expected = KeyError::FileOpenToOthers {
            path: path.clone(),
            mode: open_mode,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn shut(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}
