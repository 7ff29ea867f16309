//! The auth states of Baileys, in every form they were written in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::{Value, json};
use support::baileys::{array_buffer, buffer, creds, prekey, write, write_folder, write_single};
use support::{JID, LID, Link, PAIRED_AT};
use wa_import::{Imported, LeftBehind, ReadError, Service, read_baileys};
use wa_store::{MemoryStore, Store as _};

fn read(path: &std::path::Path) -> Result<Imported, ReadError> {
    read_baileys(path, &Service::production())
}

fn left(imported: &Imported) -> Vec<(&str, usize)> {
    let left = imported.report().left_behind.iter();
    left.map(|LeftBehind { what, count }| (*what, *count))
        .collect()
}

/// The link as our records say it is after the import, its watermark last.
async fn stored(imported: Imported) -> Link {
    let store = MemoryStore::new();
    let target = wa_import::Target::New {
        label: String::new(),
    };
    let account = imported.put_into(&store, target).await.unwrap();
    let (_, records) = store.snapshot(&account).await.unwrap();
    support::pickles::link(&records)
}

#[tokio::test]
async fn a_folder_is_taken_over_whole() {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(1);
    let imported = read(&write_folder(&link, folder.path())).unwrap();
    let device = imported.device();
    let registered = device.registered().unwrap();
    assert_eq!(registered.jid.to_string(), JID);
    assert_eq!(registered.lid.as_ref().unwrap().to_string(), LID);
    assert_eq!(registered.platform.as_deref(), Some("android"));
    assert_eq!(registered.push_name.as_deref(), Some("Ann"));
    assert_eq!(
        (registered.key_index, registered.paired_at),
        (9, PAIRED_AT),
        "as the phone signed them"
    );
    assert_eq!(device.registration_id().get(), link.registration);
    assert_eq!(imported.report().prekeys, 5);
    assert_eq!(
        left(&imported),
        [
            ("app state keys", 1),
            ("app state versions", 1),
            ("notes of sender keys", 1),
            ("sender keys", 1),
            ("sessions", 2),
        ]
    );
    let kept = stored(imported).await;
    assert_eq!(kept.noise.private, link.noise.private);
    assert_eq!(kept.identity.private, link.identity.private);
    assert_eq!(kept.signed.private, link.signed.private);
    assert_eq!(kept.signed_id, link.signed_id);
    assert_eq!(kept.adv, link.adv);
    assert_eq!(kept.device_signature, link.device_signature);
    let keys = |link: &Link| -> Vec<(u32, [u8; 32])> {
        link.prekeys
            .iter()
            .map(|(id, key)| (*id, key.private))
            .collect()
    };
    assert_eq!(keys(&kept), keys(&link));
    assert_eq!(kept.next_prekey, 8);
}

#[test]
fn bytes_are_read_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(2);
    let path = write_folder(&link, folder.path());
    let in_account = |bytes: fn(&[u8]) -> Value| {
        let mut creds = creds(&link, bytes);
        creds["account"] = json!({
            "details": bytes(&link.details),
            "accountSignatureKey": bytes(&link.account_key),
            "accountSignature": bytes(&link.account_signature),
            "deviceSignature": bytes(&link.device_signature),
        });
        creds
    };
    fn numbered(bytes: &[u8]) -> Value {
        let entries = bytes.iter().enumerate();
        entries
            .map(|(at, byte)| (at.to_string(), json!(byte)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
    for form in [buffer, array_buffer, numbered] {
        write(&path, "creds.json", &in_account(form));
        let imported = read(&path).unwrap();
        assert_eq!(imported.device().jid().unwrap().to_string(), JID);
    }
    let mut serialized = creds(&link, buffer);
    let key = [&[5], link.identity.public.as_slice()].concat();
    serialized["signedIdentityKey"]["public"] = buffer(&key);
    write(&path, "creds.json", &serialized);
    assert!(read(&path).is_ok(), "a public key may have its type byte");
}

#[tokio::test]
async fn the_single_file_of_older_versions_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth_info.json");
    let link = Link::fresh(3);
    write_single(&link, &path);
    let imported = read(&path).unwrap();
    assert_eq!(imported.report().prekeys, 5, "a used one is null");
    assert_eq!(left(&imported), [("app state keys", 1), ("sessions", 1)]);
    assert_eq!(stored(imported).await.next_prekey, 8);
}

#[test]
fn a_file_of_the_time_before_linked_devices_is_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth_info.json");
    let old = json!({ "clientID": "x", "serverToken": "x", "clientToken": "x", "encKey": "x", "macKey": "x" });
    std::fs::write(&path, old.to_string()).unwrap();
    let error = read(&path).unwrap_err();
    assert!(error.to_string().contains("creds"), "{error}");
}

#[tokio::test]
async fn no_prekey_id_is_given_out_twice() {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(4);
    let path = write_folder(&link, folder.path());
    // The credentials lag behind the keys: the library writes them later.
    let key = &link.prekeys[0].1;
    write(&path, "pre-key-40.json", &prekey(key));
    write(&path, "pre-key-41.json", &Value::Null);
    let imported = read(&path).unwrap();
    assert_eq!(imported.report().prekeys, 6);
    assert_eq!(stored(imported).await.next_prekey, 42);
    let mut ahead = creds(&link, buffer);
    ahead["firstUnuploadedPreKeyId"] = json!(50);
    write(&path, "creds.json", &ahead);
    assert_eq!(stored(read(&path).unwrap()).await.next_prekey, 50);
    ahead["nextPreKeyId"] = json!(0x00ff_ffff);
    write(&path, "creds.json", &ahead);
    assert_eq!(stored(read(&path).unwrap()).await.next_prekey, 0x00ff_ffff);
    ahead["nextPreKeyId"] = json!(0x0100_0000);
    write(&path, "creds.json", &ahead);
    assert!(matches!(read(&path), Err(ReadError::PrekeyIdsUsedUp)));
}

#[test]
fn a_lid_without_a_device_is_that_of_the_same_device() {
    let folder = tempfile::tempdir().unwrap();
    let mut link = Link::fresh(5);
    link.lid = Some("186303081611421@lid".to_owned());
    let imported = read(&write_folder(&link, folder.path())).unwrap();
    assert_eq!(imported.device().lid().unwrap().to_string(), LID);
    link.lid = None;
    let imported = read(&write_folder(&link, folder.path())).unwrap();
    assert_eq!(imported.device().lid(), None);
}

#[test]
fn files_of_others_and_pipes_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(6);
    let path = write_folder(&link, folder.path());
    write(&path, "pre-key-x.json", &json!("?"));
    write(&path, "pre-key-007.json", &json!("?"));
    write(&path, "notes.txt", &json!("?"));
    std::fs::create_dir(path.join("pre-key-900.json")).unwrap();
    assert_eq!(read(&path).unwrap().report().prekeys, 5);
}

#[test]
fn errors_name_the_file_and_show_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let link = Link::fresh(7);
    let path = write_folder(&link, folder.path());
    let said = || read(&path).unwrap_err().to_string();
    std::fs::write(path.join("pre-key-3.json"), "{\"private\":\"sesame").unwrap();
    assert!(said().contains("pre-key-3.json"), "{}", said());
    std::fs::write(path.join("pre-key-3.json"), "\"sesame\"").unwrap();
    assert!(!said().contains("sesame"), "{}", said());
    let mut wrong = creds(&link, buffer);
    wrong["noiseKey"] = json!("sesame");
    write(&path, "creds.json", &wrong);
    assert!(said().contains("creds.json"), "{}", said());
    assert!(!said().contains("sesame"), "{}", said());
    std::fs::remove_file(path.join("creds.json")).unwrap();
    assert!(said().contains("creds.json"), "{}", said());
    let shown = format!("{:?}", read(&write_folder(&link, folder.path())).unwrap());
    assert!(!shown.contains("12025550123"), "{shown}");
}
