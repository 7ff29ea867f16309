//! The eight rules a server's certificates have to meet, each with its own error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{DAY, NOW, Scene, hex, key, vectors};
use serde_json::Value;
use wa_crypto::{CertificatePublic, NoiseStaticPublic, PublicKey as _};
use wa_noise::{
    Certificate, CertificateAuthority, CertificateError, NoiseRoot, RootKeyError, ServerStatic,
    ValidityWindow, verify_chain,
};

fn root(vectors: &Value) -> NoiseRoot {
    NoiseRoot::from_public(CertificatePublic::from_bytes(key(
        &vectors["test_root"]["pub"],
    )))
}

/// The error that a verdict of the vectors stands for, whatever its numbers.
fn is_verdict(error: CertificateError, verdict: &str) -> bool {
    use Certificate::{Intermediate, Leaf};
    use CertificateError as E;
    match verdict {
        "leaf key is not the server static key" => error == E::LeafKey,
        "leaf signature" => error == E::Signature { certificate: Leaf },
        "intermediate signature" => {
            error
                == E::Signature {
                    certificate: Intermediate,
                }
        }
        "intermediate issuer serial" => {
            matches!(error, E::IssuerSerial { certificate: Intermediate, expected: 0, got } if got != 0)
        }
        "leaf issuer serial" => {
            matches!(error, E::IssuerSerial { certificate: Leaf, expected, got } if got != expected)
        }
        "leaf expired" => {
            matches!(error, E::Expired { certificate: Leaf, not_after, now: NOW } if not_after < NOW)
        }
        "intermediate expired" => {
            matches!(error, E::Expired { certificate: Intermediate, not_after, now: NOW } if not_after < NOW)
        }
        "leaf not valid yet" => {
            matches!(error, E::NotYetValid { certificate: Leaf, not_before, now: NOW } if not_before > NOW)
        }
        "intermediate not valid yet" => {
            matches!(error, E::NotYetValid { certificate: Intermediate, not_before, now: NOW } if not_before > NOW)
        }
        "intermediate key length" => {
            matches!(error, E::KeyLength { certificate: Intermediate, expected: 32, got } if got != 32)
        }
        "missing leaf or intermediate" => matches!(error, E::Missing { .. }),
        "missing details or signature of leaf" => {
            error == E::SignatureMissing { certificate: Leaf }
        }
        "signature length of leaf" => {
            error
                == E::SignatureLength {
                    certificate: Leaf,
                    expected: 64,
                    got: 63,
                }
        }
        other => panic!("the vectors have a verdict {other}"),
    }
}

#[test]
fn every_chain_of_the_vectors_gets_its_verdict() {
    let vectors = vectors();
    let chains = vectors["certificates"].as_array().unwrap();
    assert_eq!(chains.len(), 20);
    for chain in chains {
        let server = NoiseStaticPublic::from_bytes(key(&chain["server_static"]));
        let now = chain["now"].as_u64().unwrap();
        let result = verify_chain(&root(&vectors), &hex(&chain["cert_chain"]), &server, now);
        match (result, chain["expect"].as_str().unwrap()) {
            (Ok(verified), "ok") => assert_eq!(verified.key, server, "{}", chain["id"]),
            (Err(error), verdict) => {
                assert!(is_verdict(error, verdict), "{}: {error:?}", chain["id"])
            }
            (Ok(_), verdict) => panic!("{} passed and should not: {verdict}", chain["id"]),
        }
    }
}

#[test]
fn the_test_chains_do_not_lead_to_the_production_root() {
    let vectors = vectors();
    let chain = &vectors["certificates"][0];
    let server = NoiseStaticPublic::from_bytes(key(&chain["server_static"]));
    let result = verify_chain(
        &NoiseRoot::production(),
        &hex(&chain["cert_chain"]),
        &server,
        NOW,
    );
    assert_eq!(
        result,
        Err(CertificateError::Signature {
            certificate: Certificate::Intermediate
        })
    );
}

#[test]
fn windows_include_their_first_and_last_second_and_nothing_more() {
    let mut scene = Scene::new();
    let server = scene.identity.static_secret.public();
    let chain = scene.authority.issue(&server, 1000, 2000, &mut scene.rng);
    let at = |now| verify_chain(&scene.authority.root(), &chain, &server, now);
    let window = ValidityWindow {
        not_before: 1000,
        not_after: 2000,
    };
    let verified = ServerStatic {
        key: server,
        leaf: window,
        intermediate: window,
    };
    assert_eq!(at(1000), Ok(verified));
    assert_eq!(at(2000), Ok(verified));

    let early = at(999).unwrap_err();
    let certificate = Certificate::Intermediate;
    assert_eq!(
        early,
        CertificateError::NotYetValid {
            certificate,
            not_before: 1000,
            now: 999
        }
    );
    let late = at(2001).unwrap_err();
    assert_eq!(
        late,
        CertificateError::Expired {
            certificate,
            not_after: 2000,
            now: 2001
        }
    );
    assert!(early.is_clock() && late.is_clock());
}

#[test]
fn only_a_sound_chain_is_blamed_on_the_clock() {
    let mut scene = Scene::new();
    let server = scene.identity.static_secret.public();
    let chain = scene.authority.issue(&server, 1000, 2000, &mut scene.rng);
    let stranger = CertificateAuthority::generate(scene.provider, &mut scene.rng);
    let error = verify_chain(&stranger.root(), &chain, &server, NOW).unwrap_err();
    assert!(!error.is_clock(), "{error:?}");
}

#[test]
fn an_authority_can_sign_what_no_client_accepts() {
    let mut scene = Scene::new();
    let server = scene.identity.static_secret.public();
    let window = ValidityWindow {
        not_before: NOW - DAY,
        not_after: NOW + DAY,
    };
    let leaf = scene.authority.leaf(&server, window);
    let intermediate = scene.authority.intermediate(window);
    let authority = &scene.authority;
    let mut verdict = |leaf, intermediate| {
        let chain = authority.sign(&leaf, &intermediate, &mut scene.rng);
        verify_chain(&authority.root(), &chain, &server, NOW)
    };
    assert!(verdict(leaf.clone(), intermediate.clone()).is_ok());

    let mut other = leaf.clone();
    other.issuer_serial = 9;
    assert_eq!(
        verdict(other, intermediate.clone()),
        Err(CertificateError::IssuerSerial {
            certificate: Certificate::Leaf,
            expected: 1,
            got: 9
        })
    );
    let mut other = leaf.clone();
    other.key.push(0);
    assert_eq!(
        verdict(other, intermediate.clone()),
        Err(CertificateError::KeyLength {
            certificate: Certificate::Leaf,
            expected: 32,
            got: 33
        })
    );
    let mut other = leaf;
    other.window.not_after = NOW - 1;
    assert_eq!(
        verdict(other, intermediate),
        Err(CertificateError::Expired {
            certificate: Certificate::Leaf,
            not_after: NOW - 1,
            now: NOW
        })
    );
}

#[test]
fn bytes_that_are_no_chain_are_refused() {
    let scene = Scene::new();
    let server = scene.identity.static_secret.public();
    let root = scene.authority.root();
    assert_eq!(
        verify_chain(&root, &[0xFF; 40], &server, NOW),
        Err(CertificateError::Undecodable)
    );
    assert_eq!(
        verify_chain(&root, &[], &server, NOW),
        Err(CertificateError::Missing {
            certificate: Certificate::Leaf
        })
    );
    // A leaf with an empty message inside.
    assert_eq!(
        verify_chain(&root, &[0x0a, 0x00], &server, NOW),
        Err(CertificateError::DetailsMissing {
            certificate: Certificate::Leaf
        })
    );
}

#[test]
fn a_cached_key_is_usable_inside_both_windows_only() {
    let key = Scene::new().identity.static_secret.public();
    let window = |not_before, not_after| ValidityWindow {
        not_before,
        not_after,
    };
    let cached = ServerStatic {
        key,
        leaf: window(10, 30),
        intermediate: window(5, 20),
    };
    let usable: Vec<u64> = (0..40).filter(|&now| cached.usable_at(now)).collect();
    assert_eq!(usable, (10..20).collect::<Vec<u64>>());
}

#[test]
fn the_production_root_is_the_written_one() {
    let written = vectors()["production_root_public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(NoiseRoot::production().to_string(), written);
    assert_eq!(NoiseRoot::from_hex(&written), Ok(NoiseRoot::production()));
    assert_eq!(
        NoiseRoot::from_hex(&written.to_uppercase()),
        Ok(NoiseRoot::production())
    );
    assert_eq!(
        NoiseRoot::production().public().as_bytes()[..2],
        [0x14, 0x23]
    );
}

#[test]
fn a_root_key_is_64_hexadecimal_digits() {
    let wrong = |got| Err(RootKeyError { expected: 64, got });
    assert_eq!(NoiseRoot::from_hex(""), wrong(0));
    assert_eq!(NoiseRoot::from_hex(&"a".repeat(63)), wrong(63));
    assert_eq!(NoiseRoot::from_hex(&"a".repeat(65)), wrong(65));
    assert_eq!(NoiseRoot::from_hex(&"a".repeat(66)), wrong(66));
    assert_eq!(NoiseRoot::from_hex(&"g".repeat(64)), wrong(64));
    assert_eq!(NoiseRoot::from_hex(&"+f".repeat(32)), wrong(64));
    assert!(NoiseRoot::from_hex(&"aF".repeat(32)).is_ok());
}
