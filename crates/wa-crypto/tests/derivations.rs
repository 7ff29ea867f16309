#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::Value;
use support::{array, bytes, list, pairing, signal, text};
use wa_crypto::{
    AdvSecret, HKDF_MAX_OUTPUT, MacError, aes256_cbc_decrypt, aes256_cbc_encrypt, hkdf_sha256,
    hmac_sha256, md5, pbkdf2_sha256, sha1, sha256,
};

fn hkdf<const N: usize>(ikm: &[u8], salt: &[u8], info: &str) -> [u8; N] {
    let mut out = [0; N];
    hkdf_sha256(ikm, salt, info.as_bytes(), &mut out);
    out
}

#[test]
fn hkdf_gives_the_recorded_keys() {
    for case in list(&signal()["kdf"], "hkdf") {
        let salt = case["salt"].as_str().map(support::hex).unwrap_or_default();
        let mut out = vec![0; case["length"].as_u64().unwrap() as usize];
        hkdf_sha256(
            &bytes(case, "ikm"),
            &salt,
            text(case, "info_utf8").as_bytes(),
            &mut out,
        );
        assert_eq!(out, bytes(case, "okm"));
    }
}

#[test]
fn an_empty_salt_is_thirty_two_zeros() {
    assert_eq!(
        hkdf::<40>(b"ikm", &[], "info"),
        hkdf::<40>(b"ikm", &[0; 32], "info")
    );
}

#[test]
fn hkdf_fills_as_much_as_it_can() {
    let mut long = vec![0; HKDF_MAX_OUTPUT];
    hkdf_sha256(b"ikm", b"salt", b"info", &mut long);
    assert_eq!(long[..64], hkdf::<64>(b"ikm", b"salt", "info"));
    assert_ne!(long[HKDF_MAX_OUTPUT - 32..], [0; 32]);
}

#[test]
#[should_panic(expected = "at most HKDF_MAX_OUTPUT bytes")]
fn hkdf_refuses_one_byte_more() {
    hkdf_sha256(b"ikm", b"salt", b"info", &mut vec![0; HKDF_MAX_OUTPUT + 1]);
}

#[test]
fn ratchet_chains_step_as_recorded() {
    let kdf = &signal()["kdf"];
    for step in list(kdf, "message_chain") {
        let mut chain: [u8; 32] = array(step, "start_chain_key");
        for _ in 0..step["index"].as_u64().unwrap() {
            chain = hmac_sha256(&chain, &[&[2]]);
        }
        assert_eq!(chain, array(step, "chain_key_at_index"));
        let seed = hmac_sha256(&chain, &[&[1]]);
        assert_eq!(seed, array(step, "message_key_seed"));
        let keys = hkdf::<80>(&seed, &[], "WhisperMessageKeys");
        assert_eq!(keys[..32], bytes(step, "cipher_key"));
        assert_eq!(keys[32..64], bytes(step, "mac_key"));
        assert_eq!(keys[64..], bytes(step, "iv"));
    }
    for step in list(kdf, "root_step") {
        let keys = hkdf::<64>(
            &bytes(step, "dh"),
            &bytes(step, "root_key"),
            "WhisperRatchet",
        );
        assert_eq!(keys[..32], bytes(step, "new_root_key"));
        assert_eq!(keys[32..], bytes(step, "chain_key"));
    }
    for step in list(kdf, "sender_chain") {
        let mut chain: [u8; 32] = array(step, "start_chain_key");
        for _ in 0..step["iteration"].as_u64().unwrap() {
            chain = hmac_sha256(&chain, &[&[2]]);
        }
        assert_eq!(chain, array(step, "chain_key_at_iteration"));
        let keys = hkdf::<50>(&hmac_sha256(&chain, &[&[1]]), &[], "WhisperGroup");
        assert_eq!(keys[..], bytes(step, "seed50"));
    }
    for case in list(&signal(), "x3dh") {
        let keys = hkdf::<64>(&bytes(case, "master_secret"), &[], "WhisperText");
        assert_eq!(keys[..32], bytes(case, "root_key"));
        assert_eq!(keys[32..], bytes(case, "chain_key"));
    }
}

#[test]
fn pairing_keys_are_derived_as_recorded() {
    let pairing = pairing();
    let bundle = &pairing["key_bundle"];
    let key = hkdf(
        &bytes(bundle, "shared_ephemeral"),
        &bytes(bundle, "salt"),
        text(bundle, "hkdf_info"),
    );
    assert_eq!(key, array::<32>(bundle, "bundle_key"));

    let link = &pairing["adv_secret_link_code"];
    let parts = ["shared_ephemeral", "shared_identity", "random"].map(|name| bytes(link, name));
    let key = hkdf(&parts.concat(), &[], text(link, "hkdf_info"));
    assert_eq!(key, array::<32>(link, "adv_secret"));

    let pem = &pairing["pem_key"];
    let (secret, salt) = (
        bytes(pem, "adv_secret"),
        bytes(pem, "companion_noise_public"),
    );
    let key = hkdf(&secret, &salt, text(pem, "info"));
    assert_eq!(key, array::<32>(pem, "key"));

    for case in list(&pairing, "passkey") {
        let handoff: [u8; 32] = hkdf(
            &bytes(case, "handoff_source_adv_secret"),
            &[],
            "shortcake-passkey-handoff-v1",
        );
        assert_eq!(handoff, array(case, "handoff_key"));
        let proof = hmac_sha256(&handoff, &[&bytes(case, "prologue_payload")]);
        assert_eq!(proof, array(case, "handoff_proof"));
        let identity = bytes(case, "companion_ephemeral_identity");
        let commitment = sha256(&[&identity, &bytes(case, "companion_nonce")]);
        assert_eq!(commitment, array(case, "commitment"));
        let key = hkdf(
            &bytes(case, "shared_secret"),
            text(case, "hkdf_salt").as_bytes(),
            text(case, "hkdf_info"),
        );
        assert_eq!(key, array::<32>(case, "encryption_key"));
    }
}

#[test]
fn pairing_codes_are_stretched_as_recorded() {
    for case in list(&pairing(), "pbkdf2") {
        let rounds = case["iterations"].as_u64().unwrap() as u32;
        let mut key = [0; 32];
        pbkdf2_sha256(
            text(case, "code").as_bytes(),
            &bytes(case, "salt"),
            rounds,
            &mut key,
        );
        assert_eq!(key, array::<32>(case, "key"));
    }
}

#[test]
fn stretching_follows_its_definition_for_any_length() {
    // The definition, computed through plain HMAC.
    fn reference(password: &[u8], salt: &[u8], rounds: u32, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for block in 1u32.. {
            if out.len() >= len {
                break;
            }
            let mut last = hmac_sha256(password, &[salt, &block.to_be_bytes()]);
            let mut sum = last;
            for _ in 1..rounds {
                last = hmac_sha256(password, &[&last]);
                sum.iter_mut()
                    .zip(last)
                    .for_each(|(sum, byte)| *sum ^= byte);
            }
            out.extend_from_slice(&sum);
        }
        out.truncate(len);
        out
    }
    for password_len in [0, 1, 8, 63, 64, 65, 200] {
        for (rounds, len) in [(1, 32), (2, 1), (3, 31), (5, 33), (2, 64), (4, 70)] {
            let password = vec![0xA7; password_len];
            let mut out = vec![0; len];
            pbkdf2_sha256(&password, b"salt", rounds, &mut out);
            assert_eq!(out, reference(&password, b"salt", rounds, len));
        }
    }
    let (mut zero, mut one) = ([0; 32], [0; 32]);
    pbkdf2_sha256(b"password", b"salt", 0, &mut zero);
    pbkdf2_sha256(b"password", b"salt", 1, &mut one);
    assert_eq!(zero, one);
}

#[test]
fn the_pair_success_mac_is_keyed_by_the_adv_secret() {
    let pairing = pairing();
    let adv = &pairing["adv_identity"];
    let secret = AdvSecret::from_bytes(array(adv, "hmac_key"));
    let (message, mac) = (bytes(adv, "signed_device_identity"), bytes(adv, "hmac"));
    let (head, tail) = message.split_at(7);
    assert_eq!(secret.mac(&[head, tail])[..], mac);
    assert_eq!(secret.verify_mac(&[&message], &mac), Ok(()));
    assert_eq!(secret.verify_mac(&[&message], &mac[..31]), Err(MacError));
    assert_eq!(secret.verify_mac(&[&message], &[]), Err(MacError));
    assert_eq!(secret.verify_mac(&[head], &mac), Err(MacError));
    let other = AdvSecret::from_bytes([1; 32]);
    assert_eq!(other.verify_mac(&[&message], &mac), Err(MacError));
}

#[test]
fn digests_that_the_protocol_fixes() {
    let signal = signal();
    let bundle = &signal["key_bundle_digest"];
    let one_time: Vec<u8> = list(bundle, "one_time_publics32_in_server_order")
        .iter()
        .flat_map(|key| support::hex(key.as_str().unwrap()))
        .collect();
    let digest = sha1(&[
        &bytes(bundle, "identity_public32"),
        &bytes(bundle, "signed_prekey_public32"),
        &bytes(bundle, "signed_prekey_signature"),
        &one_time,
    ]);
    assert_eq!(digest, array(bundle, "sha1"));

    let pairing = pairing();
    let fields = &pairing["registration_fields"];
    assert_eq!(
        md5(text(fields, "version").as_bytes()),
        array(fields, "build_hash")
    );

    for case in list(&signal, "cstoken") {
        let token = hmac_sha256(
            &bytes(case, "nct_salt"),
            &[text(case, "lid_string").as_bytes()],
        );
        assert_eq!(token, array(case, "token"));
    }
    for case in list(&signal, "reporting_token") {
        let info = ["message_id", "sender_user_jid", "remote_jid"].map(|name| text(case, name));
        let info = info.concat() + "Report Token";
        let key = hkdf::<32>(&bytes(case, "message_secret"), &[], &info);
        assert_eq!(key, array(case, "token_key"));
        let token = hmac_sha256(&key, &[&bytes(case, "token_content")]);
        assert_eq!(token[..16], bytes(case, "token16"));
    }
}

#[test]
fn media_files_are_sealed_and_opened_as_recorded() {
    for case in list(&signal(), "media") {
        let keys = hkdf::<112>(&bytes(case, "media_key"), &[], text(case, "hkdf_info_utf8"));
        let iv: [u8; 16] = keys[..16].try_into().unwrap();
        let cipher: [u8; 32] = keys[16..48].try_into().unwrap();
        assert_eq!(iv, array(case, "iv"));
        assert_eq!(cipher, array(case, "cipher_key"));
        assert_eq!(keys[48..80], bytes(case, "mac_key"));
        assert_eq!(keys[80..], bytes(case, "ref_key"));

        let plaintext = bytes(case, "plaintext");
        let mut file = aes256_cbc_encrypt(&cipher, &iv, &plaintext);
        assert_eq!(
            aes256_cbc_decrypt(&cipher, &iv, &file),
            Ok(plaintext.clone())
        );
        let mac = hmac_sha256(&keys[48..80], &[&iv, &file]);
        file.extend_from_slice(&mac[..10]);
        assert_eq!(file, bytes(case, "encrypted_file"));
        assert_eq!(sha256(&[&plaintext]), array(case, "file_sha256"));
        assert_eq!(sha256(&[&file]), array(case, "file_enc_sha256"));
    }
}

#[test]
fn app_state_keys_and_values_come_out_as_recorded() {
    let signal = signal();
    let state = &signal["app_state"];
    let keys = hkdf::<160>(&bytes(state, "key_data"), &[], "WhatsApp Mutation Keys");
    let names = [
        "index",
        "value_encryption",
        "value_mac",
        "snapshot_mac",
        "patch_mac",
    ];
    for (key, name) in keys.chunks(32).zip(names) {
        assert_eq!(key, bytes(&state["derived"], name), "{name}");
    }
    let value_key: [u8; 32] = array(&state["derived"], "value_encryption");
    for mutation in list(state, "mutations") {
        let index = hmac_sha256(&keys[..32], &[text(mutation, "index_json").as_bytes()]);
        assert_eq!(index, array(mutation, "index_mac"));
        let iv: [u8; 16] = array(mutation, "iv");
        let plaintext = bytes(mutation, "sync_action_data");
        let blob = bytes(mutation, "value_blob");
        let ciphertext = aes256_cbc_encrypt(&value_key, &iv, &plaintext);
        assert_eq!(
            blob,
            [&iv[..], &ciphertext, &bytes(mutation, "value_mac")].concat()
        );
    }
    let last: &Value = list(state, "mutations").last().unwrap();
    let version = state["version"].as_u64().unwrap().to_be_bytes();
    let name = text(state, "collection").as_bytes();
    let mac = hmac_sha256(
        &keys[96..128],
        &[&bytes(last, "lt_hash_after"), &version, name],
    );
    assert_eq!(mac, array(state, "snapshot_mac"));
}

#[test]
fn group_messages_decrypt_with_their_recorded_keys() {
    for sender in list(&signal(), "sender_keys") {
        for message in list(sender, "messages") {
            let (key, iv) = (array(message, "cipher_key"), array(message, "iv"));
            let ciphertext = aes256_cbc_encrypt(&key, &iv, &bytes(message, "plaintext"));
            let wire = bytes(message, "wire");
            let body = &wire[..wire.len() - 64];
            assert!(body.ends_with(&ciphertext));
            assert_eq!(
                aes256_cbc_decrypt(&key, &iv, &ciphertext),
                Ok(bytes(message, "plaintext"))
            );
        }
    }
}
