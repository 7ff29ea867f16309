use wa_crypto::{AdvSecret, hkdf_sha256, hmac_sha256};
use zeroize::Zeroizing;

const HANDOFF_INFO: &[u8] = b"shortcake-passkey-handoff-v1";

/// Proves to the phone that a ceremony follows from the scan, or the code, whose secret it knows
/// (pairing chapter, C.4).
pub(crate) struct HandoffKey(Zeroizing<[u8; 32]>);

impl HandoffKey {
    pub(crate) fn derive(adv: &AdvSecret) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(adv.expose_bytes(), &[], HANDOFF_INFO, key.as_mut_slice());
        Self(key)
    }

    pub(crate) fn proof(&self, prologue: &[u8]) -> [u8; 32] {
        hmac_sha256(self.0.as_slice(), &[prologue])
    }
}
