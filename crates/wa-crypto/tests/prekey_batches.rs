#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use proptest::prelude::*;
use support::{providers, rng};
use wa_crypto::{OneTimePrekeySecret, PublicKey, generate_one_time_prekeys};

#[test]
fn a_batch_is_the_same_keys_as_one_by_one() {
    for provider in providers() {
        for count in [0, 1, 2, 3, 50, 812] {
            let batch = generate_one_time_prekeys(provider, &mut rng(9), count);
            assert_eq!(batch.len(), count);
            let mut rng = rng(9);
            for secret in &batch {
                let single = OneTimePrekeySecret::generate(provider, &mut rng);
                assert_eq!(secret, &single);
                assert_eq!(secret.public(), single.public());
                assert_eq!(secret.provider(), provider);
            }
        }
    }
}

#[test]
fn a_key_of_a_batch_agrees_like_a_stored_one() {
    for provider in providers() {
        let batch = generate_one_time_prekeys(provider, &mut rng(10), 4);
        let stored = OneTimePrekeySecret::from_bytes(provider, batch[3].expose_bytes());
        assert_eq!(stored.public(), batch[3].public());
        let shared = batch[3].agree(&batch[0].public()).unwrap();
        assert_eq!(shared, stored.agree(&batch[0].public()).unwrap());
        assert_eq!(shared, batch[0].agree(&stored.public()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn public_halves_are_those_of_plain_base_point_multiplication(seed: u8, count in 1usize..40) {
        for provider in providers() {
            for secret in generate_one_time_prekeys(provider, &mut rng(seed), count) {
                let bytes = *secret.expose_bytes();
                let plain = curve25519_dalek::MontgomeryPoint::mul_base_clamped(bytes);
                let public = secret.public();
                prop_assert_eq!(public.as_bytes(), plain.as_bytes());
            }
        }
    }
}
