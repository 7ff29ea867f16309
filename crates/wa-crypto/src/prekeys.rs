use crate::agreement::PrivateKey;
use crate::{CryptoRng, OneTimePrekeySecret, Provider};

/// As many one-time prekeys as an upload needs, faster than one by one: in pure Rust all the public keys share
/// one field inversion.
///
/// Draws the same bytes from `rng`, and gives the same keys, as making them one by one.
pub fn generate_one_time_prekeys(
    provider: Provider,
    rng: &mut (impl CryptoRng + ?Sized),
    count: usize,
) -> Vec<OneTimePrekeySecret> {
    PrivateKey::new_batch(provider, count, |bytes| rng.fill_bytes(bytes))
        .into_iter()
        .map(OneTimePrekeySecret::from_shared)
        .collect()
}
