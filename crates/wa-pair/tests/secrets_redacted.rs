//! Nothing that could link a device in our place, and no phone number, shows in `Debug`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Rig, codes, hex, pair_device, pair_success, refresh, vector_container, vector_keys};
use wa_pair::{PairConfig, PairOutput, PairingCode};

#[test]
fn the_outputs_of_a_whole_pairing_show_no_secret() {
    let mut rig = Rig::new(PairConfig {
        require_approval: true,
        ..PairConfig::default()
    });
    let mut outputs = Vec::new();
    let _ = rig.feed(&pair_device("1", 6, "ref"));
    outputs.extend(rig.drain());
    let original = vector_keys().adv;
    let _ = rig.feed(&pair_success("5", vector_container()));
    assert!(rig.pairing.approve(true, &mut rig.rng));
    outputs.extend(rig.drain());
    let mut refreshed = Rig::offering(6);
    let _ = refreshed.feed(&refresh("9", Some("companion_reg_refresh")));
    outputs.extend(refreshed.drain());

    let mut secrets = vec![
        hex(original.expose_bytes()),
        format!("{:?}", original.expose_bytes()),
    ];
    for code in codes(&outputs) {
        secrets.extend(
            code.text
                .expose()
                .split(',')
                .map(str::to_owned)
                .filter(|field| field.len() > 1),
        );
    }
    for output in &outputs {
        if let PairOutput::PersistAdvSecret(secret) = output {
            secrets.push(hex(secret.expose_bytes()));
            secrets.push(format!("{:?}", secret.expose_bytes()));
        }
    }
    assert!(secrets.len() > 8);
    let printed = format!(
        "{outputs:?} {outputs:#?} {:?} {:?}",
        rig.pairing,
        vector_keys()
    );
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret}");
    }
    assert!(!printed.contains("15551234567"), "a phone number");
}

#[test]
fn pairing_codes_show_nothing() {
    assert_eq!(
        format!("{:?}", PairingCode::from_random([1, 2, 3, 4, 5])),
        "PairingCode(..)"
    );
}
