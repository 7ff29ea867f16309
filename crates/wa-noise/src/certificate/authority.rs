use std::fmt;

use prost::Message as _;
use wa_crypto::{CertificateSecret, CryptoRng, NoiseStaticPublic, Provider, PublicKey as _};
use wa_proto::pb::{
    CertChain,
    cert_chain::{NoiseCertificate, noise_certificate::Details},
};

use super::{NoiseRoot, ROOT_SERIAL};
use crate::server_static::ValidityWindow;

const INTERMEDIATE_SERIAL: u32 = 1;
const LEAF_SERIAL: u32 = 2;

/// What a certificate says, for a server that wants to say something else than [`CertificateAuthority::issue`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateDetails {
    /// The certificate's own serial.
    pub serial: u32,
    /// Serial of the certificate that signs it; 0 is the root.
    pub issuer_serial: u32,
    /// The certified key. 32 bytes, if it is to be accepted.
    pub key: Vec<u8>,
    /// When it is valid.
    pub window: ValidityWindow,
}

impl CertificateDetails {
    fn encode(&self) -> Vec<u8> {
        let details = Details {
            serial: Some(self.serial),
            issuer_serial: Some(self.issuer_serial),
            key: Some(self.key.clone()),
            not_before: Some(self.window.not_before),
            not_after: Some(self.window.not_after),
        };
        details.encode_to_vec()
    }
}

/// A root and an intermediate key: what a simulated server gets its certificates from.
pub struct CertificateAuthority {
    root: CertificateSecret,
    intermediate: CertificateSecret,
}

impl CertificateAuthority {
    /// A new root with a new intermediate.
    pub fn generate(provider: Provider, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let root = CertificateSecret::generate(provider, rng);
        Self::from_secrets(root, CertificateSecret::generate(provider, rng))
    }

    /// An authority with given keys.
    pub fn from_secrets(root: CertificateSecret, intermediate: CertificateSecret) -> Self {
        Self { root, intermediate }
    }

    /// What a client has to be given instead of the production root.
    pub fn root(&self) -> NoiseRoot {
        NoiseRoot::from_public(self.root.public())
    }

    /// A chain that vouches for `server` from `not_before` to `not_after` (Unix seconds, both included).
    pub fn issue(
        &self,
        server: &NoiseStaticPublic,
        not_before: u64,
        not_after: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let window = ValidityWindow {
            not_before,
            not_after,
        };
        self.sign(&self.leaf(server, window), &self.intermediate(window), rng)
    }

    /// What the leaf of an ordinary chain says.
    pub fn leaf(&self, server: &NoiseStaticPublic, window: ValidityWindow) -> CertificateDetails {
        let key = server.as_bytes().to_vec();
        CertificateDetails {
            serial: LEAF_SERIAL,
            issuer_serial: INTERMEDIATE_SERIAL,
            key,
            window,
        }
    }

    /// What the intermediate of an ordinary chain says.
    pub fn intermediate(&self, window: ValidityWindow) -> CertificateDetails {
        let key = self.intermediate.public().as_bytes().to_vec();
        CertificateDetails {
            serial: INTERMEDIATE_SERIAL,
            issuer_serial: ROOT_SERIAL,
            key,
            window,
        }
    }

    /// Signs whatever the two certificates say, acceptable or not: the intermediate with the root key, the leaf with
    /// the intermediate key.
    pub fn sign(
        &self,
        leaf: &CertificateDetails,
        intermediate: &CertificateDetails,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let intermediate = certificate(&self.root, intermediate, rng);
        let leaf = certificate(&self.intermediate, leaf, rng);
        CertChain {
            leaf: Some(leaf),
            intermediate: Some(intermediate),
        }
        .encode_to_vec()
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .field("root", &self.root())
            .finish_non_exhaustive()
    }
}

fn certificate(
    issuer: &CertificateSecret,
    details: &CertificateDetails,
    rng: &mut (impl CryptoRng + ?Sized),
) -> NoiseCertificate {
    let details = details.encode();
    let signature = issuer.sign(rng, &[&details]).as_bytes().to_vec();
    NoiseCertificate {
        details: Some(details),
        signature: Some(signature),
    }
}
