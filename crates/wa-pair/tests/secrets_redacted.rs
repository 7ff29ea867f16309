//! Nothing that could link a device in our place, and no phone number, shows in `Debug`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{
    Rig, code, codes, hex, pair_device, pair_success, passkey, refresh, vector_container,
    vector_keys,
};
use wa_pair::{Handoff, PairConfig, PairOutput, Pairing, PairingCode};

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
fn the_outputs_of_a_code_and_of_a_ceremony_show_no_secret() {
    let mut rig = Rig::new(PairConfig {
        handoff: Handoff::Withhold,
        ..PairConfig::default()
    });
    let mut printed = String::new();
    let mut secrets = vec![code::NUMBER.to_owned()];
    let mut note = |outputs: &[PairOutput], pairing: &Pairing| {
        printed += &format!("{outputs:?} {outputs:#?} {pairing:?}");
        for output in outputs {
            match output {
                PairOutput::PersistAdvSecret(adv) => {
                    secrets.push(hex(adv.expose_bytes()));
                    secrets.push(format!("{:?}", adv.expose_bytes()));
                }
                PairOutput::Code(live) => {
                    secrets.push(live.code.expose().to_owned());
                    secrets.push(live.code.display().to_string());
                }
                PairOutput::PasskeyConfirmation { code, .. } => {
                    secrets.push(code.as_ref().unwrap().expose().to_owned());
                }
                PairOutput::PasskeyRequested(challenge) => {
                    secrets.push(challenge.options.expose().to_owned());
                }
                _ => {}
            }
        }
    };
    rig.stanza(&pair_device("1", 6, "ref"));
    let request = code::request_of("ABCD1234");
    secrets_of_request(&request);
    rig.pairing
        .request_code(rig.now, request, &mut rig.rng)
        .unwrap();
    let outputs = rig.drain();
    note(&outputs, &rig.pairing);
    let outputs = code::compute(&mut rig, outputs);
    note(&outputs, &rig.pairing);
    let (request, hello, _) = support::asked(&outputs);
    note(
        &rig.result(request, code::accepted(code::REF)),
        &rig.pairing,
    );
    let phone = code::Phone::types("ABCD1234", &hello);
    let outputs = rig.stanza(&phone.hello("1"));
    note(&outputs, &rig.pairing);
    let outputs = code::compute(&mut rig, outputs);
    note(&outputs, &rig.pairing);

    let options = passkey::options();
    let outputs = rig.stanza(&passkey::prologue_request("p", Some(&options)));
    note(&outputs, &rig.pairing);
    rig.pairing
        .respond_passkey(rig.now, passkey::assertion(), &mut rig.rng)
        .unwrap();
    let (request, ..) = support::asked(&rig.drain());
    let outputs = rig.result(request, passkey::reference());
    note(&outputs, &rig.pairing);
    let (request, prologue, _) = support::asked(&outputs);
    let phone = passkey::Phone::reads(&prologue);
    rig.result(request, vec![]);
    let (request, ..) = support::asked(&rig.stanza(&phone.answers("c")));
    note(&rig.result(request, vec![]), &rig.pairing);
    rig.pairing
        .confirm_passkey(rig.now, true, &mut rig.rng)
        .unwrap();
    note(&rig.drain(), &rig.pairing);

    secrets.push(passkey::assertion().to_json().to_string());
    secrets.push("xm2nIJpvL9JYHL6w_lIz3QbAr5Bx6gYrAss83EbB1iQ".to_owned());
    assert!(secrets.len() >= 10, "{}", secrets.len());
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret}");
    }
}

fn secrets_of_request(request: &wa_pair::CodeRequest) {
    let printed = format!("{request:?}");
    assert!(
        !printed.contains("ABCD1234") && !printed.contains("1555123"),
        "{printed}"
    );
}

#[test]
fn options_assertions_and_jobs_show_nothing() {
    let options = wa_pair::PasskeyOptions::parse(passkey::options().as_bytes()).unwrap();
    assert_eq!(format!("{options:?}"), "PasskeyOptions(..)");
    assert_eq!(
        format!("{:?}", passkey::assertion()),
        "PasskeyAssertion(..)"
    );
}

#[test]
fn pairing_codes_show_nothing() {
    assert_eq!(
        format!("{:?}", PairingCode::from_random([1, 2, 3, 4, 5])),
        "PairingCode(..)"
    );
}
