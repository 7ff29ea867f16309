use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic};
use zeroize::Zeroizing;

use crate::ClientType;
use crate::qr::DEEP_LINK_PREFIX;
use crate::refs::MAX_REF_LEN;

/// Phones are lenient about padding, and so are we.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a phone reads from a QR code.
pub struct ScannedQr {
    /// The ref, opaque; it may contain commas.
    pub reference: String,
    /// The companion's Noise static key.
    pub noise: NoiseStaticPublic,
    /// The companion's identity key.
    pub identity: IdentityPublic,
    /// The secret that keys the HMAC of pair-success.
    pub adv: AdvSecret,
    /// What the companion claims to be.
    pub client_type: ClientType,
}

impl fmt::Debug for ScannedQr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedQr")
            .field("client_type", &self.client_type)
            .finish_non_exhaustive()
    }
}

/// Why a text is not a linking QR code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrParseError {
    /// Too few comma-separated fields. Four of them are the form phones stopped accepting.
    #[error("{got} comma-separated fields, at least 5 expected")]
    Fields {
        /// Fields found.
        got: usize,
    },
    /// The ref is empty or longer than any ref we take.
    #[error("the ref has {got} bytes, expected 1 to {limit}")]
    Reference {
        /// Its length.
        got: usize,
        /// [`MAX_REF_LEN`].
        limit: usize,
    },
    /// A key is no base64.
    #[error("the {field} is no base64")]
    Base64 {
        /// Which one.
        field: &'static str,
    },
    /// A key has the wrong length.
    #[error("the {field} is not 32 bytes long")]
    KeyLength {
        /// Which one.
        field: &'static str,
    },
    /// The last field is none of the known client types.
    #[error("unknown client type")]
    ClientType,
}

/// Reads a QR text of either form, as a phone does: the last four fields are the keys and the client
/// type, whatever is before them is the ref.
pub fn parse_qr(text: &str) -> Result<ScannedQr, QrParseError> {
    let body = text.strip_prefix(DEEP_LINK_PREFIX).unwrap_or(text);
    let mut fields = body.rsplitn(5, ',');
    let (Some(client_type), Some(adv), Some(identity), Some(noise), Some(reference)) = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    ) else {
        return Err(QrParseError::Fields {
            got: body.split(',').count(),
        });
    };
    if reference.is_empty() || reference.len() > MAX_REF_LEN {
        return Err(QrParseError::Reference {
            got: reference.len(),
            limit: MAX_REF_LEN,
        });
    }
    let mut characters = client_type.chars();
    let client_type = match (characters.next(), characters.next()) {
        (Some(code), None) => ClientType::from_code(code).ok_or(QrParseError::ClientType)?,
        _ => return Err(QrParseError::ClientType),
    };
    Ok(ScannedQr {
        reference: reference.to_owned(),
        noise: NoiseStaticPublic::from_bytes(*key(noise, "Noise key")?),
        identity: IdentityPublic::from_bytes(*key(identity, "identity key")?),
        adv: AdvSecret::from_bytes(*key(adv, "ADV secret")?),
        client_type,
    })
}

fn key(text: &str, field: &'static str) -> Result<Zeroizing<[u8; 32]>, QrParseError> {
    let standard: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .map(|character| match character {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect(),
    );
    let mut decoded = Zeroizing::new([0_u8; 48]);
    let written = match LENIENT.decode_slice(standard.as_bytes(), decoded.as_mut_slice()) {
        Ok(written) => written,
        Err(base64::DecodeSliceError::OutputSliceTooSmall) => {
            return Err(QrParseError::KeyLength { field });
        }
        Err(base64::DecodeSliceError::DecodeError(_)) => {
            return Err(QrParseError::Base64 { field });
        }
    };
    let mut key = Zeroizing::new([0_u8; 32]);
    match decoded.split_at_checked(32) {
        Some((bytes, _)) if written == 32 => {
            key.copy_from_slice(bytes);
            Ok(key)
        }
        _ => Err(QrParseError::KeyLength { field }),
    }
}
