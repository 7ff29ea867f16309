use wa_crypto::{
    AdvSecret, AeadKey, AgreementError, CryptoRng, IdentityPublic, IdentitySecret,
    LinkEphemeralPublic, LinkEphemeralSecret, PublicKey as _, hkdf_sha256,
};
use zeroize::Zeroizing;

const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const SECRET_INFO: &[u8] = b"adv_secret";

/// What companion_finish carries, and the secret both sides have after it (pairing chapter, B.5).
pub(crate) struct Finish {
    pub(crate) wrapped_bundle: Vec<u8>,
    pub(crate) adv: AdvSecret,
}

impl Finish {
    /// # Errors
    /// When one of the phone's keys is of small order.
    pub(crate) fn derive(
        identity: &IdentitySecret,
        ephemeral: &LinkEphemeralSecret,
        primary_identity: &IdentityPublic,
        primary_ephemeral: &LinkEphemeralPublic,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, AgreementError> {
        let shared_ephemeral = ephemeral.agree(primary_ephemeral)?;
        let shared_identity = identity.agree(primary_identity)?;
        let mut random = Zeroizing::new([0; 32]);
        rng.fill_bytes(random.as_mut_slice());
        let (mut salt, mut iv) = ([0; 32], [0; 12]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut iv);

        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(
            shared_ephemeral.expose_bytes(),
            &salt,
            BUNDLE_INFO,
            key.as_mut_slice(),
        );
        let companion_identity = identity.public();
        let bundle = joined(
            companion_identity.as_bytes(),
            primary_identity.as_bytes(),
            &random,
        );
        let mut wrapped_bundle = Vec::with_capacity(156);
        wrapped_bundle.extend_from_slice(&salt);
        wrapped_bundle.extend_from_slice(&iv);
        AeadKey::new(identity.provider(), &key).seal_append(
            &iv,
            &[],
            bundle.as_slice(),
            &mut wrapped_bundle,
        );

        let secrets = joined(
            shared_ephemeral.expose_bytes(),
            shared_identity.expose_bytes(),
            &random,
        );
        let mut adv = Zeroizing::new([0; 32]);
        hkdf_sha256(secrets.as_slice(), &[], SECRET_INFO, adv.as_mut_slice());
        Ok(Self {
            wrapped_bundle,
            adv: AdvSecret::from_bytes(*adv),
        })
    }
}

fn joined(first: &[u8; 32], second: &[u8; 32], third: &[u8; 32]) -> Zeroizing<[u8; 96]> {
    let mut all = Zeroizing::new([0; 96]);
    for (place, part) in all.chunks_exact_mut(32).zip([first, second, third]) {
        place.copy_from_slice(part);
    }
    all
}
