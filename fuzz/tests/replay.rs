//! Runs the checked-in corpora through the fuzz targets.

use std::path::Path;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is checked in") {
        let input = std::fs::read(entry.expect("readable").path()).expect("readable");
        target(&input);
        seen += 1;
    }
    assert!(seen > 0, "the corpus of {name} is empty");
    // What no corpus should lack.
    target(&[]);
    target(&[0; 64]);
    target(&[0xFF; 4096]);
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            replay(stringify!($name), wa_fuzz::$name);
        }
    )* };
}

targets!(
    node_decode,
    inflate,
    frames,
    server_hello,
    cert_chain,
    pair_success,
    store_import,
    pairing_machine,
    passkey_json
);
