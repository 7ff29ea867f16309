#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! What the log must not hold, however much of it is asked for.

mod common;

use std::fmt::Write as _;

use common::{run, wa};

/// A whole link with the store on disk: standard output, the log, and the bytes of the key file.
fn linked_with_log(verbosity: &str) -> (String, String, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("wa.db");
    let mut command = wa(home.path());
    command
        .args([verbosity, "pair", "--sim", "--json", "--store"])
        .arg(&store);
    let (code, stdout, log) = run(&mut command);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.is_empty(), "there is a log to look at");
    let key = std::fs::read(home.path().join("wa.db.key")).unwrap();
    (stdout, log, key)
}

fn messages<'a>(stdout: &'a str, wanted: &'a str) -> impl Iterator<Item = serde_json::Value> + 'a {
    stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(move |message| message["type"] == wanted)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without padding, which a part of a longer text would not have.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let index = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap();
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

fn from_base64(text: &str) -> Vec<u8> {
    let digits = text.trim_end_matches('=').bytes();
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits {
        let value = ALPHABET.iter().position(|c| *c == digit).unwrap();
        bits = (bits << 6 | u32::try_from(value).unwrap()) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// In no case of letters and in no form a log might use.
fn assert_absent(log: &str, secret: &[u8], what: &str) {
    assert!(!log.contains(&base64(secret)), "{what} in base64");
    let log = log.to_lowercase();
    assert!(!log.contains(&hex(secret)), "{what} in hexadecimal");
    let list = format!("{secret:?}");
    assert!(
        !log.contains(list.trim_matches(['[', ']'])),
        "{what} as numbers"
    );
}

#[test]
fn the_helpers_agree_with_known_values() {
    assert_eq!(base64(b"foob"), "Zm9vYg");
    assert_eq!(from_base64("Zm9vYg=="), b"foob");
    assert_eq!(hex(b"\x00\xff"), "00ff");
}

#[test]
fn the_fullest_log_holds_neither_the_code_nor_the_key_of_the_store() {
    let (stdout, log, key) = linked_with_log("-vvv");
    let mut codes = 0;
    for message in messages(&stdout, "qr") {
        let code = message["code"].as_str().unwrap();
        assert!(!log.contains(code));
        let (_, fields) = code.split_once('#').unwrap();
        let fields: Vec<&str> = fields.split(',').collect();
        assert!(fields.len() >= 4, "{code}");
        assert!(!log.contains(fields[0]), "the ref");
        for (field, what) in
            fields[1..4]
                .iter()
                .zip(["the noise key", "the identity key", "the link secret"])
        {
            let bytes = from_base64(field);
            assert_eq!(bytes.len(), 32, "{what}");
            assert_absent(&log, &bytes, what);
        }
        codes += 1;
    }
    assert!(codes > 0, "a code was shown");

    assert!(key.len() >= 32);
    assert_absent(&log, &key, "the key file");
    if let Ok(text) = std::str::from_utf8(&key) {
        assert!(!log.contains(text.trim()), "the text of the key file");
    }
}

#[test]
fn an_ordinary_log_holds_no_phone_number() {
    let (stdout, log, _) = linked_with_log("-v");
    let paired = messages(&stdout, "paired").next().unwrap();
    let user = |field: &str| {
        let jid = paired[field].as_str().unwrap();
        jid.split([':', '@']).next().unwrap().to_owned()
    };
    let number = user("jid");
    assert!(number.len() > 6 && number.bytes().all(|digit| digit.is_ascii_digit()));
    assert!(!log.contains(&number), "{log}");
    assert!(!log.contains(&user("lid")), "{log}");
}
