//! Writes auth states as Baileys writes them: its fields, its names of files, its JSON for bytes.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Link, Pair};

/// Bytes in the JSON of the present.
pub(crate) fn buffer(bytes: &[u8]) -> Value {
    json!({ "type": "Buffer", "data": STANDARD.encode(bytes) })
}

/// Bytes in the JSON that a plain buffer becomes.
pub(crate) fn array_buffer(bytes: &[u8]) -> Value {
    json!({ "type": "Buffer", "data": bytes })
}

fn pair(pair: &Pair, bytes: fn(&[u8]) -> Value) -> Value {
    json!({ "private": bytes(&pair.private), "public": bytes(&pair.public) })
}

pub(crate) fn creds(link: &Link, bytes: fn(&[u8]) -> Value) -> Value {
    let mut identifier_key = vec![5];
    identifier_key.extend_from_slice(&link.account_key);
    let mut creds = json!({
        "noiseKey": pair(&link.noise, bytes),
        "pairingEphemeralKeyPair": pair(&link.noise, bytes),
        "signedIdentityKey": pair(&link.identity, bytes),
        "signedPreKey": {
            "keyPair": pair(&link.signed, bytes),
            "signature": bytes(&link.signed_signature),
            "keyId": link.signed_id,
        },
        "registrationId": link.registration,
        "advSecretKey": STANDARD.encode(link.adv),
        "processedHistoryMessages": [{ "key": { "id": "ABC" }, "messageTimestamp": 1 }],
        "nextPreKeyId": link.next_prekey,
        "firstUnuploadedPreKeyId": link.next_prekey,
        "accountSyncCounter": 1,
        "accountSettings": { "unarchiveChats": false },
        "registered": false,
        "account": {
            // These are protobuf fields, and protobuf has a JSON of its own.
            "details": STANDARD.encode(&link.details),
            "accountSignatureKey": STANDARD.encode(&link.account_key),
            "accountSignature": STANDARD.encode(&link.account_signature),
            "deviceSignature": STANDARD.encode(&link.device_signature),
        },
        "me": { "id": link.jid, "name": "Ann" },
        "signalIdentities": [{
            "identifier": { "name": link.jid, "deviceId": 0 },
            "identifierKey": bytes(&identifier_key),
        }],
        "platform": "android",
        "lastAccountSyncTimestamp": 1_787_184_001,
        "myAppStateKeyId": "AAAAAJbB",
        "lastPropHash": "2P1Yhf",
    });
    let fields = creds.as_object_mut().unwrap();
    if let Some(lid) = &link.lid {
        fields["me"]["lid"] = json!(lid);
    }
    if let Some(routing) = &link.routing {
        fields.insert("routingInfo".to_owned(), bytes(routing));
    }
    creds
}

pub(crate) fn prekey(key: &Pair) -> Value {
    pair(key, buffer)
}

/// A folder beside other folders.
pub(crate) fn write_folder(link: &Link, within: &Path) -> PathBuf {
    let folder = within.join("auth_info_baileys");
    std::fs::create_dir_all(&folder).unwrap();
    write(&folder, "creds.json", &creds(link, buffer));
    for (id, key) in &link.prekeys {
        write(&folder, &format!("pre-key-{id}.json"), &prekey(key));
    }
    let name = link.jid.split(':').next().unwrap();
    write(&folder, &format!("session-{name}.0.json"), &json!({}));
    write(&folder, &format!("session-{name}.7.json"), &json!({}));
    write(&folder, "sender-key-1203@g.us--1555--0.json", &json!([]));
    write(&folder, "sender-key-memory-1203@g.us.json", &json!({}));
    write(&folder, "app-state-sync-key-AAAAAJbB.json", &json!({}));
    write(&folder, "app-state-sync-version-regular.json", &json!({}));
    folder
}

pub(crate) fn write(folder: &Path, name: &str, content: &Value) {
    std::fs::write(folder.join(name), content.to_string()).unwrap();
}

/// The single file of older versions, indented as it was.
pub(crate) fn write_single(link: &Link, path: &Path) {
    let mut prekeys: Map<String, Value> = link
        .prekeys
        .iter()
        .map(|(id, key)| (id.to_string(), prekey(key)))
        .collect();
    prekeys.insert("1".to_owned(), Value::Null);
    let file = json!({
        "creds": creds(link, array_buffer),
        "keys": {
            "preKeys": prekeys,
            "sessions": { "1555.0": {} },
            "appStateSyncKeys": { "AAAAAJbB": { "keyData": "AAAA" } },
            "senderKeyMemory": {},
        },
    });
    std::fs::write(path, serde_json::to_string_pretty(&file).unwrap()).unwrap();
}
