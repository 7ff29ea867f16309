use crate::agreement::{AgreementKey, clamp};
use crate::provider::{Kind, Provider};
use crate::roles::OneTimePrekeySecret;
use curve25519_dalek::EdwardsPoint;
use rand_core::CryptoRng;

/// `count` fresh one-time prekeys.
///
/// The pure-Rust provider computes all public halves with one field inversion (Montgomery's trick), which is where most of
/// a key's cost goes otherwise.
pub fn generate_one_time_prekeys(
    provider: Provider,
    rng: &mut (impl CryptoRng + ?Sized),
    count: usize,
) -> Vec<OneTimePrekeySecret> {
    match provider.0 {
        Kind::Rust => {
            let mut secrets = Vec::with_capacity(count);
            let mut points = Vec::with_capacity(count);
            for _ in 0..count {
                let mut bytes = Box::new([0; 32]);
                rng.fill_bytes(bytes.as_mut());
                clamp(&mut bytes);
                points.push(EdwardsPoint::mul_base_clamped(*bytes));
                secrets.push(bytes);
            }
            let publics = EdwardsPoint::to_montgomery_batch(&points);
            secrets
                .into_iter()
                .zip(publics)
                .map(|(bytes, public)| {
                    OneTimePrekeySecret(AgreementKey::with_public(provider, bytes, public.0))
                })
                .collect()
        }
        #[cfg(feature = "aws-lc")]
        Kind::AwsLc => (0..count)
            .map(|_| OneTimePrekeySecret::generate(provider, rng))
            .collect(),
    }
}
