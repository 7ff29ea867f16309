//! A server that seals a static key of low order, which no honest server half can be made to do.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_crypto::{CertificatePublic, NoiseEphemeralSecret, NoiseStaticSecret, Provider};

use super::ClientHandshake;
use crate::{
    certificate::NoiseRoot,
    error::{HandshakeFailure, Pattern},
    frame::HEADER_LEN,
    message::{read_client_hello, write_server_hello},
    preamble::PROLOGUE,
    symmetric::SymmetricState,
};

#[test]
fn a_sealed_static_key_of_low_order_is_refused() {
    let (provider, mut rng) = (Provider::rust(), ChaCha20Rng::from_seed([3; 32]));
    let handshake = ClientHandshake {
        provider,
        root: NoiseRoot::from_public(CertificatePublic::from_bytes([9; 32])),
        static_secret: NoiseStaticSecret::generate(provider, &mut rng),
        cached: None,
        payload: Vec::new().into(),
    };
    let mut wire = Vec::new();
    let awaiting = handshake.start(&mut rng, None, &mut wire).unwrap();
    let hello = read_client_hello(&wire[PROLOGUE.len() + HEADER_LEN..]).unwrap();

    let ephemeral = NoiseEphemeralSecret::generate(provider, &mut rng);
    let mut state = SymmetricState::start(provider, Pattern::Xx, &PROLOGUE);
    state.mix_ephemeral(&hello.ephemeral);
    state.mix_ephemeral(&ephemeral.public());
    let mut state = state.mix_key(&ephemeral.agree(&hello.ephemeral).unwrap());
    let sealed_static = state.seal(&[0; 32]);
    let mut answer = Vec::new();
    write_server_hello(
        &ephemeral.public(),
        Some(sealed_static),
        vec![0; 16],
        &mut answer,
    )
    .unwrap();

    let error = awaiting
        .read(&answer[HEADER_LEN..], 0, &mut Vec::new())
        .unwrap_err();
    assert_eq!(error.failure, HandshakeFailure::ZeroAgreement);
}
