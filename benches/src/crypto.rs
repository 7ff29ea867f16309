//! Keys, signatures and key stretching.

use crate::{Op, Target, op, rng};
use std::hint::black_box;
use wa_crypto::{
    IdentitySecret, NoiseStaticSecret, Provider, generate_one_time_prekeys, pbkdf2_sha256,
};
use wacore_libsignal::core::curve::KeyPair;

const PBKDF2: &str = "pbkdf2 131072 rounds";
const PBKDF2_ROUNDS: u32 = 131_072;
const MESSAGE: [u8; 33] = [5; 33];

pub(crate) fn operations() -> Vec<Op> {
    let mut ops = Vec::new();
    for (row, provider) in [
        ("wa rust", Provider::rust()),
        ("wa aws-lc", Provider::aws_lc()),
    ] {
        let ours = NoiseStaticSecret::generate(provider, &mut rng());
        let theirs = NoiseStaticSecret::from_bytes(provider, &[9; 32]).public();
        ops.push(op("x25519 agree", row, move || {
            black_box(ours.agree(black_box(&theirs)).expect("an honest key"));
        }));
        let mut random = rng();
        ops.push(op("x25519 generate", row, move || {
            black_box(NoiseStaticSecret::generate(provider, &mut random));
        }));
        let mut random = rng();
        ops.push(op("812 prekeys", row, move || {
            black_box(generate_one_time_prekeys(provider, &mut random, 812));
        }));
    }

    let identity = IdentitySecret::generate(Provider::rust(), &mut rng());
    let public = identity.public();
    let signature = identity.sign(&mut rng(), &[&MESSAGE]);
    let mut random = rng();
    ops.push(op("xeddsa sign", "wa rust", move || {
        black_box(identity.sign(&mut random, &[black_box(&MESSAGE)]));
    }));
    ops.push(op("xeddsa verify", "wa rust", move || {
        public
            .verify(&[black_box(&MESSAGE)], &signature)
            .expect("a valid signature");
    }));
    ops.push(op(PBKDF2, "wa rust", || {
        let mut key = [0; 32];
        pbkdf2_sha256(black_box(b"ABCD1234"), &[7; 32], PBKDF2_ROUNDS, &mut key);
        black_box(key);
    }));

    peers(&mut ops);
    floors(&mut ops);
    ops
}

fn peers(ops: &mut Vec<Op>) {
    let ours = KeyPair::generate(&mut rand::rng());
    let theirs = KeyPair::generate(&mut rand::rng()).public_key;
    ops.push(op("x25519 agree", "wacore", move || {
        black_box(
            ours.calculate_agreement(black_box(&theirs))
                .expect("an honest key"),
        );
    }));
    ops.push(op("x25519 generate", "wacore", || {
        black_box(KeyPair::generate(&mut rand::rng()));
    }));
    ops.push(op("812 prekeys", "wacore", || {
        black_box(
            (0..812)
                .map(|_| KeyPair::generate(&mut rand::rng()))
                .collect::<Vec<_>>(),
        );
    }));
    ops.push(op(PBKDF2, "wacore", || {
        black_box(wacore::pair_code::PairCodeUtils::derive_key(
            black_box("ABCD1234"),
            &[7; 32],
        ));
    }));
    let pair = KeyPair::generate(&mut rand::rng());
    let signature = pair
        .calculate_signature(&MESSAGE, &mut rand::rng())
        .expect("signs");
    let public = pair.public_key;
    ops.push(op("xeddsa sign", "wacore", move || {
        black_box(
            pair.calculate_signature(black_box(&MESSAGE), &mut rand::rng())
                .expect("signs"),
        );
    }));
    ops.push(op("xeddsa verify", "wacore", move || {
        assert!(public.verify_signature(black_box(&MESSAGE), signature.as_ref()));
    }));
}

/// The bare primitives.
fn floors(ops: &mut Vec<Op>) {
    use x25519_dalek::{PublicKey, StaticSecret};
    let ours = StaticSecret::from([3; 32]);
    let theirs = PublicKey::from(&StaticSecret::from([9; 32]));
    ops.push(op("x25519 agree", "bare dalek", move || {
        black_box(ours.diffie_hellman(black_box(&theirs)));
    }));

    use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
    let ours = PrivateKey::from_private_key(&X25519, &[3; 32]).expect("32 bytes");
    let theirs = theirs.to_bytes();
    ops.push(op("x25519 agree", "bare aws-lc", move || {
        let their = UnparsedPublicKey::new(&X25519, black_box(theirs));
        black_box(
            agree(&ours, their, (), |secret| {
                <[u8; 32]>::try_from(secret).map_err(|_| ())
            })
            .expect("agrees"),
        );
    }));
    ops.push(op(PBKDF2, "bare pbkdf2", || {
        let mut key = [0; 32];
        let password = black_box(b"ABCD1234");
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &[7; 32], PBKDF2_ROUNDS, &mut key);
        black_box(key);
    }));
    ops.push(op("812 prekeys", "bare aws-lc", || {
        let keys: Vec<_> = (0..812)
            .map(|_| {
                let key = PrivateKey::generate(&X25519).expect("generates");
                let public = key.compute_public_key().expect("has a public half");
                (key, public)
            })
            .collect();
        black_box(keys);
    }));
}

pub(crate) fn targets() -> Vec<Target> {
    let target = |group: &str, row, against, at_most| Target {
        group: group.into(),
        row,
        against,
        at_most,
    };
    vec![
        target("x25519 agree", "wa rust", &["bare dalek"], 1.1),
        target("x25519 agree", "wa aws-lc", &["bare aws-lc"], 1.1),
        target("812 prekeys", "wa rust", &["wacore"], 0.8),
        target("812 prekeys", "wa aws-lc", &["wacore"], 0.58),
        target("xeddsa sign", "wa rust", &["wacore"], 1.05),
        target("xeddsa verify", "wa rust", &["wacore"], 1.0),
        target(PBKDF2, "wa rust", &["wacore"], 0.9),
        target(PBKDF2, "wa rust", &["bare pbkdf2"], 1.0),
    ]
}
