#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use serde_json::Value;
use support::{array, bytes, list, noise, pairing, providers, rng, signal};
use wa_crypto::{
    AgreementError, IdentityPublic, IdentitySecret, LinkEphemeralPublic, LinkEphemeralSecret,
    NoiseEphemeralSecret, NoiseStaticPublic, NoiseStaticSecret, OneTimePrekeySecret,
    PasskeyEphemeralPublic, PasskeyEphemeralSecret, PublicKey, RatchetPublic, RatchetSecret,
    SignedPrekeyPublic, SignedPrekeySecret,
};

#[test]
fn both_sides_of_the_signal_vectors_agree_on_the_recorded_secret() {
    for provider in providers() {
        for case in list(&signal(), "x25519") {
            let a = RatchetSecret::from_bytes(provider, &array(case, "private_a"));
            let b = RatchetSecret::from_bytes(provider, &array(case, "private_b"));
            assert_eq!(a.public().as_bytes(), &array(case, "public_a"));
            assert_eq!(b.public().as_bytes(), &array(case, "public_b"));
            let shared: [u8; 32] = array(case, "shared");
            assert_eq!(a.agree(&b.public()).unwrap().expose_bytes(), &shared);
            assert_eq!(b.agree(&a.public()).unwrap().expose_bytes(), &shared);
        }
    }
}

#[test]
fn recorded_key_pairs_have_their_public_halves() {
    for provider in providers() {
        for pair in list(&noise(), "key_pairs") {
            let secret = NoiseStaticSecret::from_bytes(provider, &array(pair, "priv"));
            let public = NoiseStaticPublic::try_from(bytes(pair, "pub").as_slice()).unwrap();
            assert_eq!(secret.public(), public);
            assert_eq!(secret.expose_bytes(), &array(pair, "priv"));
        }
        let pairing = pairing();
        let keys = pairing["keys"].as_object().unwrap();
        let pairs: Vec<&Value> = keys.values().filter(|key| key.is_object()).collect();
        assert_eq!(pairs.len(), 8);
        for pair in pairs {
            let secret = IdentitySecret::from_bytes(provider, &array(pair, "private_clamped"));
            assert_eq!(secret.public().as_bytes(), &array(pair, "public"));
        }
    }
}

#[test]
fn pairing_agreements_give_the_recorded_secrets() {
    let pairing = pairing();
    let bundle = &pairing["key_bundle"];
    let keys = &pairing["keys"];
    for provider in providers() {
        let ours = array(bundle, "companion_ephemeral_private");
        let ours = LinkEphemeralSecret::from_bytes(provider, &ours);
        let theirs = LinkEphemeralPublic::from_bytes(array(bundle, "primary_ephemeral_public"));
        let shared = ours.agree(&theirs).unwrap();
        assert_eq!(shared.expose_bytes(), &array(bundle, "shared_ephemeral"));

        let ours = array(&keys["companion_identity"], "private_clamped");
        let ours = IdentitySecret::from_bytes(provider, &ours);
        let theirs = IdentityPublic::from_bytes(array(&keys["primary_identity"], "public"));
        let shared = ours.agree(&theirs).unwrap();
        let recorded = &pairing["adv_secret_link_code"];
        assert_eq!(shared.expose_bytes(), &array(recorded, "shared_identity"));

        for case in list(&pairing, "passkey") {
            let ours = array(case, "companion_ephemeral_private");
            let ours = PasskeyEphemeralSecret::from_bytes(provider, &ours);
            assert_eq!(
                ours.public().as_bytes(),
                &array(case, "companion_ephemeral_public")
            );
            let theirs = array(case, "primary_ephemeral_public");
            let shared = ours
                .agree(&PasskeyEphemeralPublic::from_bytes(theirs))
                .unwrap();
            assert_eq!(shared.expose_bytes(), &array(case, "shared_secret"));
        }
    }
}

#[test]
fn the_four_agreements_of_x3dh_come_out_on_both_sides() {
    let mut with_one_time = 0;
    for provider in providers() {
        for case in list(&signal(), "x3dh") {
            let (initiator, responder) = (&case["initiator"], &case["responder"]);
            let identity_a = array(initiator, "identity_private");
            let identity_a = IdentitySecret::from_bytes(provider, &identity_a);
            let base = RatchetSecret::from_bytes(provider, &array(initiator, "base_private"));
            let identity_b = array(responder, "identity_private");
            let identity_b = IdentitySecret::from_bytes(provider, &identity_b);
            let signed = array(responder, "signed_prekey_private");
            let signed = SignedPrekeySecret::from_bytes(provider, &signed);
            let serialized = bytes(responder, "signed_prekey_public");
            assert_eq!(
                SignedPrekeyPublic::try_from(serialized.as_slice()),
                Ok(signed.public())
            );

            let dh1 = array(case, "dh1_identity_x_signed_prekey");
            assert_eq!(
                identity_a.agree(&signed.public()).unwrap().expose_bytes(),
                &dh1
            );
            assert_eq!(
                signed.agree(&identity_a.public()).unwrap().expose_bytes(),
                &dh1
            );
            let dh2 = array(case, "dh2_base_x_identity");
            assert_eq!(
                base.agree(&identity_b.public()).unwrap().expose_bytes(),
                &dh2
            );
            assert_eq!(
                identity_b.agree(&base.public()).unwrap().expose_bytes(),
                &dh2
            );
            let dh3 = array(case, "dh3_base_x_signed_prekey");
            assert_eq!(base.agree(&signed.public()).unwrap().expose_bytes(), &dh3);

            let Some(one_time) = responder["one_time_prekey_private"].as_str() else {
                continue;
            };
            let one_time = support::hex_array(one_time);
            let one_time = OneTimePrekeySecret::from_bytes(provider, &one_time);
            let dh4 = array(case, "dh4_base_x_one_time");
            assert_eq!(base.agree(&one_time.public()).unwrap().expose_bytes(), &dh4);
            assert_eq!(one_time.agree(&base.public()).unwrap().expose_bytes(), &dh4);
            with_one_time += 1;
        }
        for step in list(&signal()["kdf"], "root_step") {
            let ours = RatchetSecret::from_bytes(provider, &array(step, "our_ratchet_private"));
            let theirs = bytes(step, "their_ratchet_public");
            let theirs = RatchetPublic::try_from(theirs.as_slice()).unwrap();
            assert_eq!(
                ours.agree(&theirs).unwrap().expose_bytes(),
                &array(step, "dh")
            );
        }
    }
    assert_eq!(with_one_time, providers().len());
}

#[test]
fn stored_bytes_are_clamped_and_survive_a_round_trip() {
    for provider in providers() {
        for raw in [[0x00; 32], [0xFF; 32], [0x37; 32]] {
            let secret = IdentitySecret::from_bytes(provider, &raw);
            let stored = *secret.expose_bytes();
            assert_eq!(stored[0], raw[0] & 0xF8);
            assert_eq!(stored[1..31], raw[1..31]);
            assert_eq!(stored[31], (raw[31] & 0x7F) | 0x40);
            let again = IdentitySecret::from_bytes(provider, &stored);
            assert_eq!(again, secret);
            assert_eq!(again.public(), secret.public());
        }
    }
}

#[test]
fn points_of_small_order_are_refused() {
    // All of order 1, 2, 4 and 8, their residues above p, and the first one with the ignored top bit.
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ];
    for provider in providers() {
        let secret = NoiseEphemeralSecret::generate(provider, &mut rng(3));
        for point in points {
            let their = NoiseStaticPublic::from_bytes(support::hex_array(point));
            let refused = secret.agree(&their).unwrap_err();
            assert_eq!(refused, AgreementError::NonContributory, "{point}");
        }
    }
}

#[test]
fn keys_of_different_providers_agree() {
    for one in providers() {
        for other in providers() {
            let a = NoiseEphemeralSecret::generate(one, &mut rng(4));
            let b = NoiseStaticSecret::generate(other, &mut rng(5));
            assert_eq!((a.provider(), b.provider()), (one, other));
            assert_eq!(a.agree(&b.public()).unwrap(), b.agree(&a.public()).unwrap());
        }
    }
}

#[test]
fn the_top_bit_of_the_peers_key_is_ignored() {
    for provider in providers() {
        let a = NoiseEphemeralSecret::generate(provider, &mut rng(6));
        let b = NoiseStaticSecret::generate(provider, &mut rng(7));
        let mut changed = *b.public().as_bytes();
        changed[31] |= 0x80;
        let changed = NoiseStaticPublic::from_bytes(changed);
        assert_eq!(a.agree(&changed).unwrap(), a.agree(&b.public()).unwrap());
    }
}
