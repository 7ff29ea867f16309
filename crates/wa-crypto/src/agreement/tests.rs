use super::*;

fn providers() -> Vec<Provider> {
    vec![
        Provider::rust(),
        #[cfg(feature = "aws-lc")]
        Provider::aws_lc(),
    ]
}

#[test]
fn wiping_leaves_no_private_byte() {
    for provider in providers() {
        let mut shared = PrivateKey::new(provider, |bytes| bytes.fill(0xA5));
        let key = Arc::get_mut(&mut shared).unwrap();
        assert_ne!(key.bytes, [0; 32]);
        key.zeroize();
        assert_eq!(key.bytes, [0; 32]);
    }
}

#[test]
fn a_shared_secret_is_wiped_where_it_lies() {
    let key = PrivateKey::new(Provider::rust(), |bytes| bytes.fill(0xA5));
    let mut secret = key.agree(key.public()).unwrap();
    assert_ne!(**secret.0, [0; 32]);
    secret.0.zeroize();
    assert_eq!(**secret.0, [0; 32]);
}

#[test]
fn a_key_knows_its_provider_alone_and_in_a_batch() {
    for provider in providers() {
        let key = PrivateKey::new(provider, |bytes| bytes.fill(0xA5));
        assert_eq!(key.provider(), provider);
        for key in PrivateKey::new_batch(provider, 3, |bytes| bytes.fill(0xA5)) {
            assert_eq!(key.provider(), provider);
        }
    }
}

#[test]
fn the_edwards_form_is_made_once_and_maps_to_the_public_key() {
    for provider in providers() {
        let key = PrivateKey::new(provider, |bytes| bytes.fill(0xA5));
        assert!(key.edwards.get().is_none());
        let point = curve25519_dalek::edwards::CompressedEdwardsY(*key.edwards())
            .decompress()
            .unwrap();
        assert_eq!(point.to_montgomery().as_bytes(), key.public());
        assert_eq!(key.edwards.get(), Some(key.edwards()));
    }
}
