//! The keys of the code flow come out as the vectors say, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::code::{self, accepted, apply, hello, primary_hello, run};
use support::{Fixed, Rig, asked, content, hex, hex32, persisted, unhex, vectors};
use wa_pair::CodeRequest;

/// A rig whose code, ephemeral key and wrapping are those of `wrapped` in the vectors.
fn asked_with(wrapped: &str) -> (Rig, wa_pair::PairRequest, Vec<u8>) {
    let vectors = vectors();
    let vector = &vectors[wrapped];
    let code = vector["code"].as_str().unwrap();
    let mut random = unhex(&vectors["keys"]["companion_ephemeral"]["private_clamped"]);
    random.extend(unhex(&vector["salt"]));
    random.extend(unhex(&vector["iv"]));
    let mut rig = Rig::offering(6);
    rig.pairing
        .request_code(rig.now, code::request_of(code), &mut Fixed(random))
        .unwrap();
    let outputs = rig.drain();
    let outputs = code::compute(&mut rig, outputs);
    let (request, iq, _) = asked(&outputs);
    let tag = "link_code_pairing_wrapped_companion_ephemeral_pub";
    let sent = content(&iq, &["link_code_companion_reg", tag]);
    (rig, request, sent)
}

#[test]
fn the_companion_key_is_wrapped_as_recorded() {
    for name in [
        "wrapped_companion_ephemeral",
        "wrapped_ephemeral_counter_carry",
        "wrapped_ephemeral_counter_carry64",
    ] {
        let (_, _, sent) = asked_with(name);
        assert_eq!(hex(&sent), vectors()[name]["wrapped"], "{name}");
        assert_eq!(sent.len(), 80);
    }
}

#[test]
fn a_random_code_is_that_of_its_forty_bits() {
    let vectors = vectors();
    for vector in vectors["code_base32"].as_array().unwrap() {
        let mut random = unhex(&vector["bytes"]);
        random.extend([1; 80]);
        let mut rig = Rig::offering(6);
        let request = CodeRequest::new(code::number());
        rig.pairing
            .request_code(rig.now, request, &mut Fixed(random))
            .unwrap();
        let outputs = rig.drain();
        let outputs = code::compute(&mut rig, outputs);
        let outputs = rig.result(asked(&outputs).0, accepted(code::REF));
        let code = &code::live(&outputs).unwrap().code;
        assert_eq!(code.expose(), vector["code"].as_str().unwrap());
        assert_eq!(code.display().as_str(), vector["display"].as_str().unwrap());
    }
}

#[test]
fn the_bundle_and_the_secret_are_as_recorded() {
    let vectors = vectors();
    let (mut rig, request, _) = asked_with("wrapped_companion_ephemeral");
    rig.result(request, accepted(code::REF));
    let wrapped = unhex(&vectors["wrapped_primary_ephemeral"]["wrapped"]);
    let identity = unhex(&vectors["keys"]["primary_identity"]["public"]);
    let outputs = rig.stanza(&primary_hello("1", code::REF, &wrapped, &identity));
    let bundle = &vectors["key_bundle"];
    let mut random = unhex(&bundle["random"]);
    random.extend(unhex(&bundle["salt"]));
    random.extend(unhex(&bundle["iv"]));
    let computed = run(outputs).remove(0);
    rig.pairing
        .handle_computed(rig.now, computed, &mut Fixed(random));
    let outputs = rig.drain();
    let (_, finish, _) = asked(&outputs);
    let tag = "link_code_pairing_wrapped_key_bundle";
    let sent = content(&finish, &["link_code_companion_reg", tag]);
    assert_eq!(hex(&sent), bundle["wrapped_bundle"]);
    assert_eq!(
        persisted(&outputs),
        Some(hex32(&vectors["adv_secret_link_code"]["adv_secret"]))
    );
}

#[test]
fn a_wrong_code_opens_to_another_key() {
    let vectors = vectors();
    let wrong = &vectors["wrapped_primary_ephemeral_wrong_code"];
    let opened = apply(wrong["code"].as_str().unwrap(), &unhex(&wrong["wrapped"]));
    assert_eq!(hex(&opened), wrong["decrypts_to"]);

    // The machine goes on with it: only the phone finds out.
    let mut rig = Rig::offering(6);
    let (request, iq) = hello(&mut rig, "ABCD1234");
    rig.result(request, accepted(code::REF));
    let phone = code::Phone::types("WRNG1234", &iq);
    let outputs = rig.stanza(&phone.hello("1"));
    let outputs = code::compute(&mut rig, outputs);
    assert_eq!(phone.finish(&asked(&outputs).1), None);
}

#[test]
fn the_stretching_is_as_recorded() {
    // The vectors hold keys; a job gives nothing away but what it encrypts.
    for vector in vectors()["pbkdf2"].as_array().unwrap() {
        assert_eq!(vector["iterations"], wa_pair::CODE_ROUNDS);
        let mut wrapped = unhex(&vector["salt"]);
        wrapped.extend([0; 48]);
        let mut expected = [0; 32];
        wa_crypto::aes256_ctr_apply(&hex32(&vector["key"]), &[0; 16], &mut expected);

        // A companion key whose wrapping is known says which key the job made.
        let mut random = vec![0x40; 32];
        random.extend(unhex(&vector["salt"]));
        random.extend([0; 16]);
        let mut rig = Rig::offering(6);
        rig.pairing
            .request_code(
                rig.now,
                code::request_of(vector["code"].as_str().unwrap()),
                &mut Fixed(random),
            )
            .unwrap();
        let outputs = rig.drain();
        let outputs = code::compute(&mut rig, outputs);
        let tag = "link_code_pairing_wrapped_companion_ephemeral_pub";
        let sent = content(&asked(&outputs).1, &["link_code_companion_reg", tag]);
        let public =
            wa_crypto::LinkEphemeralSecret::from_bytes(wa_crypto::Provider::rust(), &[0x40; 32])
                .public();
        let stream: Vec<u8> = sent[48..]
            .iter()
            .zip(wa_crypto::PublicKey::as_bytes(&public))
            .map(|(sent, public)| sent ^ public)
            .collect();
        assert_eq!(stream, expected);
    }
}
