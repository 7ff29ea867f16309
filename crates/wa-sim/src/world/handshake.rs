//! The server's half of the handshake (transport chapter, section 10).

use std::fmt::Write as _;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use wa_crypto::{CertificateSecret, NoiseStaticSecret, Provider, PublicKey as _};
use wa_noise::{
    Accepted, CertificateAuthority, NoiseRoot, PreambleDecoder, ServerIdentity, ServerStep, accept,
};

use super::conn::{Conn, Phase};
use super::{Misbehaviour, World};
use crate::config::WorldConfig;
use crate::fault::{BadCertificate, Fault, Step};
use crate::names::Now;

/// Most bytes read before the header is whole. Real routing info has a few bytes (transport chapter, 2).
pub(super) const MAX_PREAMBLE_LEN: usize = 4_096;

/// The keys a server has for itself.
pub(super) struct ServerKeys {
    provider: Provider,
    pub(super) root_secret: CertificateSecret,
    pub(super) intermediate_secret: CertificateSecret,
    authority: CertificateAuthority,
    identity: ServerIdentity,
}

impl ServerKeys {
    pub(super) fn generate(config: &WorldConfig, now: Now, rng: &mut ChaCha20Rng) -> Self {
        let root = CertificateSecret::generate(config.provider, rng);
        let intermediate = CertificateSecret::generate(config.provider, rng);
        let static_secret = NoiseStaticSecret::generate(config.provider, rng);
        Self::from_secrets(root, intermediate, static_secret, config, now, rng)
    }

    pub(super) fn from_secrets(
        root_secret: CertificateSecret,
        intermediate_secret: CertificateSecret,
        static_secret: NoiseStaticSecret,
        config: &WorldConfig,
        now: Now,
        rng: &mut ChaCha20Rng,
    ) -> Self {
        let authority =
            CertificateAuthority::from_secrets(root_secret.clone(), intermediate_secret.clone());
        let secs = now.unix_secs();
        let chain = authority.issue(
            &static_secret.public(),
            secs.saturating_sub(config.certificate_before.as_secs()),
            secs.saturating_add(config.certificate_after.as_secs()),
            rng,
        );
        Self {
            provider: config.provider,
            root_secret,
            intermediate_secret,
            authority,
            identity: ServerIdentity {
                static_secret,
                chain,
            },
        }
    }

    pub(super) fn static_secret(&self) -> &NoiseStaticSecret {
        &self.identity.static_secret
    }

    pub(super) fn root(&self) -> NoiseRoot {
        self.authority.root()
    }

    pub(super) fn root_hex(&self) -> String {
        let mut hex = String::new();
        for byte in self.root_secret.public().as_bytes() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// The identity with a chain no client may accept.
    fn spoiled(&self, problem: BadCertificate, now: Now, rng: &mut ChaCha20Rng) -> ServerIdentity {
        const DAY: u64 = Duration::from_secs(24 * 3_600).as_secs();
        let public = self.identity.static_secret.public();
        let secs = now.unix_secs();
        let (before, after) = (secs.saturating_sub(DAY), secs.saturating_add(DAY));
        let chain = match problem {
            BadCertificate::WrongRoot => CertificateAuthority::generate(self.provider, rng)
                .issue(&public, before, after, rng),
            BadCertificate::Expired => {
                self.authority
                    .issue(&public, before, secs.saturating_sub(1), rng)
            }
            BadCertificate::NotYetValid => {
                self.authority
                    .issue(&public, secs.saturating_add(3_600), after, rng)
            }
            BadCertificate::OtherKey => {
                let other = NoiseStaticSecret::generate(self.provider, rng).public();
                self.authority.issue(&other, before, after, rng)
            }
            BadCertificate::Undecodable => vec![0x0a, 0x7f, 0x01],
        };
        ServerIdentity {
            static_secret: self.identity.static_secret.clone(),
            chain,
        }
    }
}

impl World {
    /// Reads the header; returns the bytes that follow it.
    pub(super) fn read_preamble<'b>(
        &mut self,
        conn: &mut Conn,
        bytes: &'b [u8],
    ) -> Option<&'b [u8]> {
        let Phase::Preamble { decoder, seen } = &mut conn.phase else {
            return Some(bytes);
        };
        match Self::preamble_step(decoder, seen, bytes) {
            Ok(None) => None,
            Ok(Some((preamble, rest))) => {
                conn.routing = preamble.routing;
                conn.phase = Phase::Hello {
                    prologue: preamble.prologue,
                };
                Some(rest)
            }
            Err(problem) => {
                self.remark(conn, Misbehaviour::Preamble(problem));
                self.close(conn);
                None
            }
        }
    }

    fn preamble_step<'b>(
        decoder: &mut PreambleDecoder,
        seen: &mut usize,
        bytes: &'b [u8],
    ) -> Result<Option<(wa_noise::ServerPreamble, &'b [u8])>, String> {
        if let Some(done) = decoder.read(bytes).map_err(|error| error.to_string())? {
            return Ok(Some(done));
        }
        *seen = seen.saturating_add(bytes.len());
        if *seen > MAX_PREAMBLE_LEN {
            return Err(format!(
                "no header in {seen} bytes, {MAX_PREAMBLE_LEN} are read"
            ));
        }
        Ok(None)
    }

    pub(super) fn read_handshake(&mut self, conn: &mut Conn, body: &[u8]) {
        match std::mem::replace(&mut conn.phase, Phase::Closed) {
            Phase::Hello { prologue } => {
                conn.phase = Phase::Hello { prologue };
                if self.at(conn, Step::ClientHello) {
                    self.read_client_hello(conn, prologue, body);
                }
            }
            Phase::Finish(finish) => match finish.read(body) {
                Ok(accepted) => self.established(conn, accepted),
                Err(error) => {
                    conn.phase = Phase::Hello { prologue: [0; 4] };
                    self.handshake_failed(conn, &error);
                }
            },
            other => conn.phase = other,
        }
    }

    fn read_client_hello(&mut self, conn: &mut Conn, prologue: [u8; 4], body: &[u8]) {
        let allow_ik = self.config.allow_ik && !self.has_fault(conn, &Fault::RefuseIk);
        let problem = self.take_fault(conn, |fault| match fault {
            Fault::Certificate { problem } => Some(*problem),
            _ => None,
        });
        let spoiled = problem.map(|problem| self.server.spoiled(problem, self.now, &mut self.rng));
        let identity = spoiled.as_ref().unwrap_or(&self.server.identity);
        let mut hello = Vec::new();
        let provider = self.config.provider;
        let step = accept(
            provider,
            identity,
            &prologue,
            body,
            allow_ik,
            &mut self.rng,
            &mut hello,
        );
        match step {
            Err(error) => self.handshake_failed(conn, &error),
            Ok(ServerStep::AwaitFinish(finish)) => {
                self.transmit(conn, hello);
                conn.phase = Phase::Finish(Box::new(finish));
                self.at(conn, Step::ServerHello);
            }
            Ok(ServerStep::Done(accepted)) => {
                self.transmit(conn, hello);
                if self.at(conn, Step::ServerHello) {
                    self.established(conn, accepted);
                }
            }
        }
    }

    fn established(&mut self, conn: &mut Conn, accepted: Accepted) {
        tracing::debug!(conn = conn.id.number(), pattern = ?accepted.pattern, "handshake done");
        conn.transport = Some(accepted.transport);
        self.read_payload(conn, accepted.client_static, &accepted.payload);
    }

    fn handshake_failed(&mut self, conn: &mut Conn, error: &wa_noise::HandshakeError) {
        self.remark(conn, Misbehaviour::Handshake(error.to_string()));
        self.close(conn);
    }
}
