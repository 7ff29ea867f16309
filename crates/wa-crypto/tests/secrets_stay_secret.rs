#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use core::fmt::Debug;
use support::{providers, rng};
use wa_crypto::{
    AdvSecret, AeadKey, CertificateSecret, IdentitySecret, LinkEphemeralSecret,
    NoiseEphemeralSecret, NoiseStaticSecret, OneTimePrekeySecret, PasskeyEphemeralSecret, Provider,
    RatchetSecret, SenderSigningSecret, SharedSecret, SignedPrekeySecret, constant_time_eq,
};
use zeroize::ZeroizeOnDrop;

/// Debug prints the name of the type, plainly and expanded, and nothing else.
fn prints_its_type_only<T: Debug + ZeroizeOnDrop>(value: &T, name: &str) {
    assert_eq!(format!("{value:?}"), name);
    assert_eq!(format!("{value:#?}"), name);
}

macro_rules! check_roles {
    ($($secret:ident),*) => {
        for provider in providers() {
            $(
                let secret = $secret::generate(provider, &mut rng(11));
                prints_its_type_only(&secret, stringify!($secret));
                assert_eq!(secret, $secret::from_bytes(provider, secret.expose_bytes()));
                assert_ne!(secret, $secret::generate(provider, &mut rng(12)));
            )*
        }
    };
}

#[test]
fn no_secret_prints_its_bytes() {
    check_roles!(
        NoiseStaticSecret,
        NoiseEphemeralSecret,
        IdentitySecret,
        SignedPrekeySecret,
        OneTimePrekeySecret,
        LinkEphemeralSecret,
        PasskeyEphemeralSecret,
        RatchetSecret,
        SenderSigningSecret,
        CertificateSecret
    );
    for provider in providers() {
        let ours = NoiseEphemeralSecret::generate(provider, &mut rng(13));
        let shared: SharedSecret = ours.agree(&ours.public()).unwrap();
        prints_its_type_only(&shared, "SharedSecret");
        prints_its_type_only(&AeadKey::new(provider, &[1; 32]), "AeadKey");
    }
    let secret = AdvSecret::generate(&mut rng(14));
    prints_its_type_only(&secret, "AdvSecret");
    assert_eq!(secret, AdvSecret::from_bytes(*secret.expose_bytes()));
    assert_ne!(secret, AdvSecret::generate(&mut rng(15)));
}

#[test]
fn a_clone_outlives_the_key_it_came_from() {
    for provider in providers() {
        let first = IdentitySecret::generate(provider, &mut rng(16));
        let bytes = *first.expose_bytes();
        let second = first.clone();
        drop(first);
        assert_eq!(second.expose_bytes(), &bytes);
        let signature = second.sign(&mut rng(17), &[b"message"]);
        assert_eq!(second.public().verify(&[b"message"], &signature), Ok(()));
    }
}

#[test]
fn providers_are_told_apart_by_name() {
    assert_eq!(Provider::default(), Provider::rust());
    assert_eq!(format!("{:?}", Provider::rust()), "rust");
    #[cfg(feature = "aws-lc")]
    {
        assert_ne!(Provider::rust(), Provider::aws_lc());
        assert_eq!(Provider::aws_lc().name(), "aws-lc");
    }
}

#[test]
fn equality_covers_length_and_every_byte() {
    assert!(constant_time_eq(b"", b""));
    assert!(constant_time_eq(b"same", b"same"));
    assert!(!constant_time_eq(b"same", b"sam"));
    assert!(!constant_time_eq(b"same", b"samf"));
    assert!(!constant_time_eq(b"same", b"tame"));
}
