#![allow(dead_code, unreachable_pub)]

use rand_chacha::ChaCha20Rng;
use rand_core::{Infallible, SeedableRng, TryCryptoRng, TryRng};
use serde_json::Value;
use wa_crypto::{NoiseStaticSecret, Provider};
use wa_noise::{
    Accepted, AwaitClientFinish, AwaitServerHello, CertificateAuthority, ClientHandshake,
    HandshakeError, ServerIdentity, ServerStatic, ServerStep, ValidityWindow, accept,
};

pub const NOW: u64 = 1_787_000_000;
pub const DAY: u64 = 86_400;
pub const PAYLOAD: &[u8] = b"client payload";

pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/vectors-noise.json")).unwrap()
}

pub fn providers() -> Vec<Provider> {
    vec![
        Provider::rust(),
        #[cfg(feature = "aws-lc")]
        Provider::aws_lc(),
    ]
}

pub fn hex(value: &Value) -> Vec<u8> {
    let (pairs, rest) = value.as_str().unwrap().as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}

pub fn key(value: &Value) -> [u8; 32] {
    hex(value).try_into().unwrap()
}

pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// Gives out the bytes it was made of, once.
pub struct Scripted(Vec<u8>);

impl Scripted {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

/// A server under a root of its own, and a device.
pub struct Scene {
    pub provider: Provider,
    pub authority: CertificateAuthority,
    pub identity: ServerIdentity,
    pub device: NoiseStaticSecret,
    pub rng: ChaCha20Rng,
}

impl Scene {
    pub fn new() -> Self {
        Self::on(Provider::rust())
    }

    pub fn on(provider: Provider) -> Self {
        let mut rng = rng(1);
        let authority = CertificateAuthority::generate(provider, &mut rng);
        let static_secret = NoiseStaticSecret::generate(provider, &mut rng);
        let chain = authority.issue(&static_secret.public(), NOW - DAY, NOW + DAY, &mut rng);
        let device = NoiseStaticSecret::generate(provider, &mut rng);
        let identity = ServerIdentity {
            static_secret,
            chain,
        };
        Self {
            provider,
            authority,
            identity,
            device,
            rng,
        }
    }

    pub fn client(&self, cached: Option<ServerStatic>) -> ClientHandshake {
        ClientHandshake {
            provider: self.provider,
            root: self.authority.root(),
            static_secret: self.device.clone(),
            cached,
            payload: PAYLOAD.to_vec().into(),
        }
    }

    /// What a device cached that spoke with this server before.
    pub fn cached(&self) -> ServerStatic {
        let window = ValidityWindow {
            not_before: NOW - DAY,
            not_after: NOW + DAY,
        };
        let key = self.identity.static_secret.public();
        ServerStatic {
            key,
            leaf: window,
            intermediate: window,
        }
    }

    /// What a device cached that spoke with another server before.
    pub fn cached_elsewhere(&mut self) -> ServerStatic {
        let key = NoiseStaticSecret::generate(self.provider, &mut self.rng).public();
        ServerStatic {
            key,
            ..self.cached()
        }
    }

    /// The client and the body of its `ClientHello`.
    pub fn hello(&mut self, cached: Option<ServerStatic>) -> (AwaitServerHello, Vec<u8>) {
        let mut wire = Vec::new();
        let awaiting = self
            .client(cached)
            .start(&mut self.rng, None, &mut wire)
            .unwrap();
        (awaiting, body(&wire[4..]))
    }

    /// The server's step and the body of its `ServerHello`.
    pub fn answer(
        &mut self,
        hello: &[u8],
        allow_ik: bool,
    ) -> Result<(ServerStep, Vec<u8>), HandshakeError> {
        let mut wire = Vec::new();
        let step = accept(
            self.provider,
            &self.identity,
            &wa_noise::PROLOGUE,
            hello,
            allow_ik,
            &mut self.rng,
            &mut wire,
        )?;
        Ok((step, body(&wire)))
    }
}

pub fn await_finish(step: ServerStep) -> AwaitClientFinish {
    match step {
        ServerStep::AwaitFinish(finish) => finish,
        ServerStep::Done(_) => panic!("the server is done already"),
    }
}

pub fn done(step: ServerStep) -> Accepted {
    match step {
        ServerStep::Done(accepted) => accepted,
        ServerStep::AwaitFinish(_) => panic!("the server waits for ClientFinish"),
    }
}

/// The body of the only frame in `wire`.
pub fn body(wire: &[u8]) -> Vec<u8> {
    let mut frames = wa_noise::FrameDecoder::new();
    frames.push(wire);
    let body = frames.next_frame().unwrap().unwrap().to_vec();
    assert_eq!(frames.pending(), 0, "one frame only");
    body
}
