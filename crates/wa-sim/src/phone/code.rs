//! What a phone computes for an entered code (pairing chapter, B.2, B.3, B.5 and D.3).

use thiserror::Error;
use wa_crypto::{
    AdvSecret, AeadKey, IdentityPublic, IdentitySecret, LinkEphemeralPublic, LinkEphemeralSecret,
    Provider, PublicKey as _, SharedSecret, aes256_ctr_apply, constant_time_eq, hkdf_sha256,
    pbkdf2_sha256,
};
use zeroize::Zeroizing;

use super::entered::{ALPHABET, CODE_LEN, EnteredCode};

/// Bytes of a wrapped ephemeral key: salt, counter block, key.
pub(crate) const WRAPPED_LEN: usize = 80;
/// Bytes of a wrapped key bundle: salt, nonce, three times 32 bytes, tag.
pub(crate) const BUNDLE_LEN: usize = 156;

const SALT_LEN: usize = 32;
const IV_LEN: usize = 16;
const KEY_LEN: usize = 32;
/// 2^17.
const ROUNDS: u32 = 131_072;
const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const ADV_INFO: &[u8] = b"adv_secret";

/// Why a bundle does not link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum BundleError {
    /// The companion knows another code, or none of ours.
    #[error("the bundle does not open")]
    Sealed,
    #[error("the bundle holds another companion identity than the one beside it")]
    CompanionIdentity,
    #[error("the bundle holds another primary identity")]
    PrimaryIdentity,
}

/// A 40-bit number as eight symbols, most significant first.
pub(crate) fn base32(bytes: [u8; 5]) -> [u8; CODE_LEN] {
    let number = bytes
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    std::array::from_fn(|index| {
        let shift = 5 * (CODE_LEN - 1 - index);
        let value = usize::try_from(number >> shift & 31).unwrap_or_default();
        ALPHABET.get(value).copied().unwrap_or_default()
    })
}

/// `ABCD-1234`.
pub(crate) fn displayed(code: &[u8; CODE_LEN]) -> String {
    let symbol = |byte: &u8| char::from(*byte);
    let (first, second) = code.split_at(CODE_LEN / 2);
    first
        .iter()
        .map(symbol)
        .chain(std::iter::once('-'))
        .chain(second.iter().map(symbol))
        .collect()
}

/// What the companion wrapped. A wrong code gives another key, not an error.
pub(crate) fn unwrap_ephemeral(
    code: &EnteredCode,
    wrapped: &[u8; WRAPPED_LEN],
) -> LinkEphemeralPublic {
    let mut salt = [0; SALT_LEN];
    let mut iv = [0; IV_LEN];
    let mut key = [0; KEY_LEN];
    for (place, byte) in salt.iter_mut().chain(&mut iv).chain(&mut key).zip(wrapped) {
        *place = *byte;
    }
    aes256_ctr_apply(&stretched(code, &salt), &iv, &mut key);
    LinkEphemeralPublic::from_bytes(key)
}

/// The phone's own ephemeral key under the code.
pub(crate) fn wrap_ephemeral(
    code: &EnteredCode,
    salt: &[u8; SALT_LEN],
    iv: &[u8; IV_LEN],
    public: LinkEphemeralPublic,
) -> Vec<u8> {
    let mut key = *public.as_bytes();
    aes256_ctr_apply(&stretched(code, salt), iv, &mut key);
    [salt.as_slice(), iv, &key].concat()
}

fn stretched(code: &EnteredCode, salt: &[u8; SALT_LEN]) -> Zeroizing<[u8; KEY_LEN]> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    pbkdf2_sha256(code.symbols(), salt, ROUNDS, key.as_mut_slice());
    key
}

/// Opens the companion's bundle and derives the secret it keys its pair-success by.
pub(crate) fn open_bundle(
    provider: Provider,
    ephemeral: &SharedSecret,
    identity: &IdentitySecret,
    companion: &IdentityPublic,
    wrapped: &[u8; BUNDLE_LEN],
) -> Result<AdvSecret, BundleError> {
    let (salt, rest) = wrapped.split_at(SALT_LEN);
    let (nonce, sealed) = rest.split_at(12);
    let nonce = <&[u8; 12]>::try_from(nonce).map_err(|_| BundleError::Sealed)?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    hkdf_sha256(
        ephemeral.expose_bytes(),
        salt,
        BUNDLE_INFO,
        key.as_mut_slice(),
    );
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let bundle = AeadKey::new(provider, &key)
        .open_in_place(nonce, &[], &mut sealed)
        .map_err(|_| BundleError::Sealed)?;
    let (theirs, rest) = bundle.split_at(KEY_LEN);
    let (ours, random) = rest.split_at(KEY_LEN);
    if !constant_time_eq(theirs, companion.as_bytes()) {
        return Err(BundleError::CompanionIdentity);
    }
    if !constant_time_eq(ours, identity.public().as_bytes()) {
        return Err(BundleError::PrimaryIdentity);
    }
    let agreed = identity
        .agree(companion)
        .map_err(|_| BundleError::CompanionIdentity)?;
    Ok(adv_secret(ephemeral, &agreed, random))
}

fn adv_secret(ephemeral: &SharedSecret, identity: &SharedSecret, random: &[u8]) -> AdvSecret {
    let ikm = Zeroizing::new(
        [
            ephemeral.expose_bytes().as_slice(),
            identity.expose_bytes(),
            random,
        ]
        .concat(),
    );
    let mut secret = Zeroizing::new([0; KEY_LEN]);
    hkdf_sha256(&ikm, &[], ADV_INFO, secret.as_mut_slice());
    AdvSecret::from_bytes(*secret)
}

/// What is agreed between the phone's key and what the code revealed of the companion's. Under a wrong code it can,
/// once in a great while, be nothing at all.
pub(crate) fn agreed(
    own: &LinkEphemeralSecret,
    companion: LinkEphemeralPublic,
) -> Option<SharedSecret> {
    own.agree(&companion).ok()
}

#[cfg(test)]
mod tests {
    use wa_crypto::LinkEphemeralPublic;

    use super::super::vectors::{array, ceremonies, hex};
    use super::*;

    fn code(text: &serde_json::Value) -> EnteredCode {
        EnteredCode::parse(text.as_str().unwrap()).unwrap()
    }

    #[test]
    fn stretched_codes_equal_the_vectors() {
        for vector in ceremonies()["pbkdf2"].as_array().unwrap() {
            assert_eq!(vector["iterations"], ROUNDS);
            let key = stretched(&code(&vector["code"]), &array(&vector["salt"]));
            assert_eq!(key.as_slice(), hex(&vector["key"]));
        }
    }

    #[test]
    fn wrapped_keys_equal_the_vectors() {
        let vectors = ceremonies();
        for name in [
            "wrapped_companion_ephemeral",
            "wrapped_primary_ephemeral",
            "wrapped_ephemeral_counter_carry",
            "wrapped_ephemeral_counter_carry64",
        ] {
            let vector = &vectors[name];
            let code = code(&vector["code"]);
            let public = LinkEphemeralPublic::from_bytes(array(&vector["ephemeral_public"]));
            let wrapped = wrap_ephemeral(
                &code,
                &array(&vector["salt"]),
                &array(&vector["iv"]),
                public,
            );
            assert_eq!(wrapped, hex(&vector["wrapped"]), "{name}");
            let wrapped = wrapped.try_into().unwrap();
            assert_eq!(unwrap_ephemeral(&code, &wrapped), public, "{name}");
        }
        let wrong = &vectors["wrapped_primary_ephemeral_wrong_code"];
        assert_eq!(
            unwrap_ephemeral(&code(&wrong["code"]), &array(&wrong["wrapped"])),
            LinkEphemeralPublic::from_bytes(array(&wrong["decrypts_to"]))
        );
    }

    #[test]
    fn codes_equal_the_vectors() {
        for vector in ceremonies()["code_base32"].as_array().unwrap() {
            let code = base32(array(&vector["bytes"]));
            assert_eq!(code.as_slice(), vector["code"].as_str().unwrap().as_bytes());
            assert_eq!(displayed(&code), vector["display"].as_str().unwrap());
        }
    }

    struct Bundle {
        ephemeral: SharedSecret,
        identity: IdentitySecret,
        companion: IdentityPublic,
        wrapped: [u8; BUNDLE_LEN],
    }

    fn bundle() -> Bundle {
        let vectors = ceremonies();
        let provider = Provider::rust();
        let keys = &vectors["keys"];
        let own = LinkEphemeralSecret::from_bytes(
            provider,
            &array(&keys["primary_ephemeral"]["private_clamped"]),
        );
        let theirs = LinkEphemeralPublic::from_bytes(array(&keys["companion_ephemeral"]["public"]));
        Bundle {
            ephemeral: agreed(&own, theirs).unwrap(),
            identity: IdentitySecret::from_bytes(
                provider,
                &array(&keys["primary_identity"]["private_clamped"]),
            ),
            companion: IdentityPublic::from_bytes(array(&keys["companion_identity"]["public"])),
            wrapped: array(&vectors["key_bundle"]["wrapped_bundle"]),
        }
    }

    fn opened(bundle: &Bundle) -> Result<AdvSecret, BundleError> {
        open_bundle(
            Provider::rust(),
            &bundle.ephemeral,
            &bundle.identity,
            &bundle.companion,
            &bundle.wrapped,
        )
    }

    #[test]
    fn the_bundle_and_the_secret_equal_the_vectors() {
        let vectors = ceremonies();
        let vector = &vectors["adv_secret_link_code"];
        let bundle = bundle();
        assert_eq!(
            bundle.ephemeral.expose_bytes().as_slice(),
            hex(&vector["shared_ephemeral"])
        );
        let secret = opened(&bundle).unwrap();
        assert_eq!(secret.expose_bytes().as_slice(), hex(&vector["adv_secret"]));
    }

    #[test]
    fn a_bundle_that_was_changed_or_is_of_others_does_not_open() {
        let mut changed = bundle();
        changed.wrapped[BUNDLE_LEN - 1] ^= 1;
        assert_eq!(opened(&changed).err(), Some(BundleError::Sealed));
        let mut other = bundle();
        other.companion = IdentityPublic::from_bytes([9; 32]);
        assert_eq!(opened(&other).err(), Some(BundleError::CompanionIdentity));
        let mut other = bundle();
        other.identity = IdentitySecret::from_bytes(Provider::rust(), &[9; 32]);
        assert_eq!(opened(&other).err(), Some(BundleError::PrimaryIdentity));
    }
}
