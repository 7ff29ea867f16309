use std::fmt;

use prost::Message as _;
use thiserror::Error;
use wa_crypto::{
    CertificatePublic, NoiseStaticPublic, PublicKey as _, Signature, constant_time_eq,
};
use wa_proto::pb::{
    CertChain,
    cert_chain::{NoiseCertificate, noise_certificate::Details},
};

use crate::server_static::{ServerStatic, ValidityWindow};

pub(crate) mod authority;

const KEY_LEN: usize = 32;
const SIGNATURE_LEN: usize = 64;

/// Serial of the root, which every intermediate names as its issuer.
const ROOT_SERIAL: u32 = 0;

/// The root of the production service (transport chapter, section 8).
const PRODUCTION_ROOT: [u8; KEY_LEN] = [
    0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64,
    0x37, //
    0xc4, 0xa2, 0x8b, 0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
];

/// The key that a server's certificates have to lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoiseRoot(CertificatePublic);

/// A text that is no root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a Noise root key is {expected} hexadecimal digits, this text has {got} characters or others among them"
)]
pub struct RootKeyError {
    /// Digits of a key.
    pub expected: usize,
    /// Length of the text.
    pub got: usize,
}

impl NoiseRoot {
    /// The root of the production service.
    pub fn production() -> Self {
        Self(CertificatePublic::from_bytes(PRODUCTION_ROOT))
    }

    /// The root of another service, for instance a simulated one.
    pub fn from_public(key: CertificatePublic) -> Self {
        Self(key)
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, RootKeyError> {
        let wrong = RootKeyError {
            expected: 2 * KEY_LEN,
            got: text.len(),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut key = [0; KEY_LEN];
        if pairs.len() != key.len() || !rest.is_empty() {
            return Err(wrong);
        }
        for (byte, [high, low]) in key.iter_mut().zip(pairs) {
            *byte = digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| high << 4 | low)
                .ok_or(wrong)?;
        }
        Ok(Self(CertificatePublic::from_bytes(key)))
    }

    /// The root's public key.
    pub fn public(&self) -> &CertificatePublic {
        &self.0
    }
}

impl fmt::Display for NoiseRoot {
    /// 64 hexadecimal digits, as [`from_hex`](NoiseRoot::from_hex) reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One of the two certificates of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// The one for the server's static key.
    Leaf,
    /// The one that signs leaves, signed by the root.
    Intermediate,
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
        })
    }
}

/// Which rule a chain breaks (transport chapter, section 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The payload is no chain.
    #[error("the server's certificate chain cannot be decoded")]
    Undecodable,
    /// Rule 1: a certificate is missing.
    #[error("the server's chain has no {certificate} certificate")]
    Missing {
        /// Which one.
        certificate: Certificate,
    },
    /// Rule 1: a certificate has no details.
    #[error("the {certificate} certificate has no details")]
    DetailsMissing {
        /// Which one.
        certificate: Certificate,
    },
    /// Rule 1: a certificate has no signature.
    #[error("the {certificate} certificate has no signature")]
    SignatureMissing {
        /// Which one.
        certificate: Certificate,
    },
    /// Rule 2: a signature has the wrong length.
    #[error("the {certificate} certificate's signature has {got} bytes instead of {expected}")]
    SignatureLength {
        /// Which one.
        certificate: Certificate,
        /// Length of a signature.
        expected: usize,
        /// Length of what came.
        got: usize,
    },
    /// Rules 3 and 5: a signature is not its issuer's.
    #[error(
        "the {certificate} certificate is not signed by its issuer (wrong root key, or not the real server)"
    )]
    Signature {
        /// Which one.
        certificate: Certificate,
    },
    /// Rules 4 and 6: the signed details cannot be decoded.
    #[error("the {certificate} certificate's details cannot be decoded")]
    DetailsUndecodable {
        /// Which one.
        certificate: Certificate,
    },
    /// Rules 4 and 6: a certificate names another issuer.
    #[error("the {certificate} certificate names issuer {got} instead of {expected}")]
    IssuerSerial {
        /// Which one.
        certificate: Certificate,
        /// Serial of its issuer.
        expected: u32,
        /// The serial it names.
        got: u32,
    },
    /// Rules 4 and 6: a certified key has the wrong length.
    #[error("the {certificate} certificate's key has {got} bytes instead of {expected}")]
    KeyLength {
        /// Which one.
        certificate: Certificate,
        /// Length of a key.
        expected: usize,
        /// Length of what came.
        got: usize,
    },
    /// Rule 7: the leaf is for another key than the handshake's.
    #[error("the leaf certificate is for another key than the server's")]
    LeafKey,
    /// Rule 8: a certificate is not valid yet, by this machine's clock.
    #[error(
        "the {certificate} certificate is valid from {not_before} on, this machine's clock says {now}: check it"
    )]
    NotYetValid {
        /// Which one.
        certificate: Certificate,
        /// Start of its window, Unix seconds.
        not_before: u64,
        /// This machine's time, Unix seconds.
        now: u64,
    },
    /// Rule 8: a certificate is no longer valid, by this machine's clock.
    #[error(
        "the {certificate} certificate was valid until {not_after}, this machine's clock says {now}: check it"
    )]
    Expired {
        /// Which one.
        certificate: Certificate,
        /// End of its window, Unix seconds.
        not_after: u64,
        /// This machine's time, Unix seconds.
        now: u64,
    },
}

impl CertificateError {
    /// Whether the chain is sound and only the local clock speaks against it.
    pub fn is_clock(&self) -> bool {
        matches!(self, Self::NotYetValid { .. } | Self::Expired { .. })
    }
}

/// Checks that `chain` (a serialized `CertChain`) vouches for `server` under `root` at `unix_secs`.
///
/// All rules of section 8.1 apply, the windows last, so that an error about the clock means a sound chain.
pub fn verify_chain(
    root: &NoiseRoot,
    chain: &[u8],
    server: &NoiseStaticPublic,
    unix_secs: u64,
) -> Result<ServerStatic, CertificateError> {
    let chain = CertChain::decode(chain).map_err(|_| CertificateError::Undecodable)?;
    let leaf = Signed::new(Certificate::Leaf, chain.leaf)?;
    let intermediate = Signed::new(Certificate::Intermediate, chain.intermediate)?;
    let (leaf_signature, intermediate_signature) = (leaf.signature()?, intermediate.signature()?);

    let intermediate = intermediate.verify(root.public(), &intermediate_signature, ROOT_SERIAL)?;
    let issuer = CertificatePublic::from_bytes(intermediate.key);
    let leaf = leaf.verify(&issuer, &leaf_signature, intermediate.serial)?;
    if !constant_time_eq(&leaf.key, server.as_bytes()) {
        return Err(CertificateError::LeafKey);
    }

    let server = ServerStatic {
        key: *server,
        leaf: leaf.window,
        intermediate: intermediate.window,
    };
    server.check_windows(unix_secs)?;
    Ok(server)
}

struct Signed {
    certificate: Certificate,
    details: Vec<u8>,
    signature: Vec<u8>,
}

struct Verified {
    serial: u32,
    key: [u8; KEY_LEN],
    window: ValidityWindow,
}

impl Signed {
    fn new(
        certificate: Certificate,
        member: Option<NoiseCertificate>,
    ) -> Result<Self, CertificateError> {
        let member = member.ok_or(CertificateError::Missing { certificate })?;
        Ok(Self {
            certificate,
            details: member
                .details
                .ok_or(CertificateError::DetailsMissing { certificate })?,
            signature: member
                .signature
                .ok_or(CertificateError::SignatureMissing { certificate })?,
        })
    }

    fn signature(&self) -> Result<Signature, CertificateError> {
        let bytes = self.signature.as_slice().try_into().map_err(|_| {
            CertificateError::SignatureLength {
                certificate: self.certificate,
                expected: SIGNATURE_LEN,
                got: self.signature.len(),
            }
        })?;
        Ok(Signature::from_bytes(bytes))
    }

    fn verify(
        &self,
        issuer: &CertificatePublic,
        signature: &Signature,
        issuer_serial: u32,
    ) -> Result<Verified, CertificateError> {
        let certificate = self.certificate;
        issuer
            .verify(&[&self.details], signature)
            .map_err(|_| CertificateError::Signature { certificate })?;
        let details = Details::decode(self.details.as_slice())
            .map_err(|_| CertificateError::DetailsUndecodable { certificate })?;
        let got = details.issuer_serial.unwrap_or_default();
        if got != issuer_serial {
            return Err(CertificateError::IssuerSerial {
                certificate,
                expected: issuer_serial,
                got,
            });
        }
        let key = details.key.unwrap_or_default();
        let got = key.len();
        let key = key.try_into().map_err(|_| CertificateError::KeyLength {
            certificate,
            expected: KEY_LEN,
            got,
        })?;
        let window = ValidityWindow {
            not_before: details.not_before.unwrap_or_default(),
            not_after: details.not_after.unwrap_or_default(),
        };
        Ok(Verified {
            serial: details.serial.unwrap_or_default(),
            key,
            window,
        })
    }
}

fn digit(character: u8) -> Option<u8> {
    char::from(character)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
