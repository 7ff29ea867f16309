use std::fmt;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic, PublicKey as _, constant_time_eq};
use zeroize::Zeroizing;

use crate::ClientType;

/// What stands before the body in a [`QrForm::DeepLink`] (pairing chapter, A.2).
pub const DEEP_LINK_PREFIX: &str = "https://wa.me/settings/linked_devices#";

const KEY_IN_BASE64: usize = 44;

/// How the QR text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QrForm {
    /// With the link that native phone cameras open; the newest emitters use it.
    #[default]
    DeepLink,
    /// The five fields alone; phones still accept it.
    Bare,
}

/// The text of a QR code. Whoever reads it can link the device in our place: it is a secret, wiped
/// on drop, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct QrText(Zeroizing<String>);

impl QrText {
    /// Writes the text for one ref.
    pub fn build(
        form: QrForm,
        reference: &str,
        noise: &NoiseStaticPublic,
        identity: &IdentityPublic,
        adv: &AdvSecret,
        client_type: ClientType,
    ) -> Self {
        let prefix = match form {
            QrForm::DeepLink => DEEP_LINK_PREFIX,
            QrForm::Bare => "",
        };
        // The whole capacity at once, so that no half-written copy is left behind by a reallocation.
        let length = prefix.len() + reference.len() + 3 * (KEY_IN_BASE64 + 1) + 2;
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(prefix);
        text.push_str(reference);
        for key in [noise.as_bytes(), identity.as_bytes(), adv.expose_bytes()] {
            text.push(',');
            STANDARD.encode_string(key, &mut text);
        }
        text.push(',');
        text.push(client_type.code());
        Self(text)
    }

    /// The text to be drawn. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for QrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QrText(..)")
    }
}

impl PartialEq for QrText {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for QrText {}

/// A QR code to be shown, with the time it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    /// What to draw.
    pub text: QrText,
    /// Counts the codes of this pairing, from 1. A refreshed code has a new number.
    pub seq: u32,
    /// Time left, seen from the moment the code was emitted.
    pub ttl: Duration,
    /// When it must be off the screen.
    pub deadline: Instant,
}
