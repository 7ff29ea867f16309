//! The hash of a device list (pairing chapter, F.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use wa_crypto::sha256;
use wa_proto::Jid;

/// Bytes of the digest that are kept.
const HASH_LEN: usize = 6;

/// `2:` and the first six bytes of SHA-256 over the sorted addresses, in base64.
pub(crate) fn device_list_hash<'a>(devices: impl IntoIterator<Item = &'a Jid>) -> String {
    let mut canonical: Vec<String> = devices
        .into_iter()
        .map(|jid| format!("{}.0:{}@{}", jid.user(), jid.device(), jid.server()))
        .collect();
    canonical.sort_unstable();
    let digest = sha256(&[canonical.concat().as_bytes()]);
    let kept = digest
        .first_chunk::<HASH_LEN>()
        .copied()
        .unwrap_or_default();
    format!("2:{}", STANDARD_NO_PAD.encode(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_hash_as_written() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/vectors/adv.json")).unwrap();
        let cases = vectors["device_list_hash"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let devices: Vec<Jid> = case["devices"]
                .as_array()
                .unwrap()
                .iter()
                .map(|text| text.as_str().unwrap().parse().unwrap())
                .collect();
            assert_eq!(device_list_hash(&devices), case["dhash"].as_str().unwrap());
            let reversed: Vec<Jid> = devices.into_iter().rev().collect();
            assert_eq!(device_list_hash(&reversed), case["dhash"].as_str().unwrap());
        }
    }
}
