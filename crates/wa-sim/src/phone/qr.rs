//! Reading the QR code a companion shows (pairing chapter, A.2).

use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic};
use zeroize::Zeroizing;

/// What the deep-link form puts before the body (pairing chapter, A.2).
pub const DEEP_LINK_PREFIX: &str = "https://wa.me/settings/linked_devices#";
/// Longest QR text a phone reads: a version 40 code at the lowest correction level holds 2,953 bytes.
pub const MAX_QR_LEN: usize = 2_953;

const KEY_LEN: usize = 32;
const TOLERANT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);
const STANDARD_TOLERANT: GeneralPurpose = GeneralPurpose::new(&STANDARD, TOLERANT);
const URL_SAFE_TOLERANT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, TOLERANT);

/// What a scanned QR code says.
pub struct ScannedQr {
    /// The server's name for the companion's connection. It may itself contain commas.
    pub reference: String,
    /// The companion's Noise static key.
    pub noise: NoiseStaticPublic,
    /// The companion's identity key.
    pub identity: IdentityPublic,
    /// The key of the HMAC around the signed identity.
    pub adv: AdvSecret,
    /// The client type, one of the codes of the pairing chapter, A.2. Absent in the four-field form.
    pub client_type: Option<String>,
}

/// The keys and the reference are the companion's business.
impl fmt::Debug for ScannedQr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ScannedQr")
    }
}

/// Which forms of the body a phone takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QrForms {
    /// Five fields, as phones require since about May 2026.
    #[default]
    FiveFields,
    /// Also the older form without the client type, for companions that still show it.
    FourOrFiveFields,
}

/// A part of the QR body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QrField {
    /// The reference.
    Reference,
    /// The Noise static key.
    NoiseKey,
    /// The identity key.
    IdentityKey,
    /// The ADV secret.
    AdvSecret,
    /// The client type.
    ClientType,
}

impl fmt::Display for QrField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Reference => "reference",
            Self::NoiseKey => "noise key",
            Self::IdentityKey => "identity key",
            Self::AdvSecret => "secret",
            Self::ClientType => "client type",
        })
    }
}

/// Why a text is no linking code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrParseError {
    /// Longer than any QR code.
    #[error("the code has {got} bytes, a QR code holds at most {limit}")]
    TooLong {
        /// Bytes of the text.
        got: usize,
        /// The bound.
        limit: usize,
    },
    /// Too few comma-separated fields.
    #[error("the code has {got} fields, a linking code has at least {expected}")]
    Fields {
        /// Fields found.
        got: usize,
        /// Fields needed.
        expected: usize,
    },
    /// A field that must hold something is empty.
    #[error("the {0} is empty")]
    Empty(QrField),
    /// A key field is not base64.
    #[error("the {0} is not base64")]
    Base64(QrField),
    /// A key field has another length than 32 bytes.
    #[error("the {field} has {got} bytes instead of {KEY_LEN}")]
    KeyLength {
        /// Which field.
        field: QrField,
        /// Its length in bytes.
        got: usize,
    },
}

/// Parses a QR text the way a phone does: the deep-link prefix goes, the last fields are taken from the
/// end, what remains is the reference.
///
/// # Errors
/// When the text is not a linking code; see [`QrParseError`].
pub fn parse_qr(text: &str, forms: QrForms) -> Result<ScannedQr, QrParseError> {
    let text = text.trim();
    if text.len() > MAX_QR_LEN {
        return Err(QrParseError::TooLong {
            got: text.len(),
            limit: MAX_QR_LEN,
        });
    }
    let body = text.strip_prefix(DEEP_LINK_PREFIX).unwrap_or(text);
    match parse_fields(body, true) {
        Err(QrParseError::Fields { got: 4, .. }) if forms == QrForms::FourOrFiveFields => {
            parse_fields(body, false)
        }
        parsed => parsed,
    }
}

fn parse_fields(body: &str, with_client_type: bool) -> Result<ScannedQr, QrParseError> {
    let expected = if with_client_type { 5 } else { 4 };
    let fields = || QrParseError::Fields {
        got: body.split(',').count(),
        expected,
    };
    let mut rest = body;
    let mut last = || {
        let (before, field) = rest.rsplit_once(',').ok_or_else(fields)?;
        rest = before;
        Ok(field)
    };
    let client_type = if with_client_type {
        Some(last()?)
    } else {
        None
    };
    let adv = last()?;
    let identity = last()?;
    let noise = last()?;
    if rest.is_empty() {
        return Err(QrParseError::Empty(QrField::Reference));
    }
    if client_type.is_some_and(str::is_empty) {
        return Err(QrParseError::Empty(QrField::ClientType));
    }
    Ok(ScannedQr {
        noise: NoiseStaticPublic::from_bytes(*key(QrField::NoiseKey, noise)?),
        identity: IdentityPublic::from_bytes(*key(QrField::IdentityKey, identity)?),
        adv: AdvSecret::from_bytes(*key(QrField::AdvSecret, adv)?),
        reference: rest.to_owned(),
        client_type: client_type.map(str::to_owned),
    })
}

fn key(field: QrField, text: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, QrParseError> {
    if text.is_empty() {
        return Err(QrParseError::Empty(field));
    }
    let bytes = STANDARD_TOLERANT
        .decode(text)
        .or_else(|_| URL_SAFE_TOLERANT.decode(text))
        .map(Zeroizing::new)
        .map_err(|_| QrParseError::Base64(field))?;
    <[u8; KEY_LEN]>::try_from(bytes.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| QrParseError::KeyLength {
            field,
            got: bytes.len(),
        })
}
