use std::fmt;

use wa_crypto::{
    CryptoRng, NoiseEphemeralPublic, NoiseEphemeralSecret, NoiseStaticPublic, NoiseStaticSecret,
    Provider, PublicKey as _,
};

use crate::{
    error::{HandshakeError, HandshakeFailure, Pattern},
    message::{Finish, Hello, read_client_finish, read_client_hello, write_server_hello},
    symmetric::{KeyedState, SymmetricState},
    transport::Transport,
};

/// What a server shows of itself.
#[derive(Clone)]
pub struct ServerIdentity {
    /// The server's key.
    pub static_secret: NoiseStaticSecret,
    /// The serialized `CertChain` for it, see [`CertificateAuthority::issue`](crate::CertificateAuthority::issue).
    /// Clients do not look at it in IK, where it may be empty.
    pub chain: Vec<u8>,
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity")
            .field("public", &self.static_secret.public())
            .finish_non_exhaustive()
    }
}

/// How a server goes on after its `ServerHello`.
#[derive(Debug)]
pub enum ServerStep {
    /// XX or XXfallback: the client has one more message to send.
    AwaitFinish(AwaitClientFinish),
    /// IK: the connection is established.
    Done(Accepted),
}

/// A server's handshake whose `ServerHello` is sent.
pub struct AwaitClientFinish {
    state: KeyedState,
    ephemeral: NoiseEphemeralSecret,
    pattern: Pattern,
}

/// A server's finished handshake.
#[non_exhaustive]
pub struct Accepted {
    /// The ciphers of the connection, from the server's side.
    pub transport: Transport,
    /// The key that the client proved to hold.
    pub client_static: NoiseStaticPublic,
    /// The serialized `ClientPayload`.
    pub payload: Vec<u8>,
    /// What the handshake became.
    pub pattern: Pattern,
}

/// Reads `ClientHello`, the body of a client's first frame, and appends the frame with `ServerHello` to `out`.
///
/// `prologue` is what the [`PreambleDecoder`](crate::PreambleDecoder) found. A client that offers IK is refused, and
/// goes on with XXfallback, if its static key does not open (it knows another server key) or `allow_ik` is false.
/// After an error `out` is as it was.
pub fn accept(
    provider: Provider,
    identity: &ServerIdentity,
    prologue: &[u8; 4],
    hello_body: &[u8],
    allow_ik: bool,
    rng: &mut (impl CryptoRng + ?Sized),
    out: &mut Vec<u8>,
) -> Result<ServerStep, HandshakeError> {
    let hello = read_client_hello(hello_body).map_err(|failure| failure.under(Pattern::Xx))?;
    let ephemeral = NoiseEphemeralSecret::generate(provider, rng);
    let server = Responder {
        provider,
        identity,
        prologue,
        ephemeral,
    };
    match hello {
        Hello {
            ephemeral,
            sealed_static: Some(sealed_static),
            sealed_payload: Some(sealed_payload),
        } => {
            let offer = IkOffer {
                ephemeral,
                sealed_static,
                sealed_payload,
            };
            server.answer_ik(offer, allow_ik, out)
        }
        Hello { ephemeral, .. } => server.answer_xx(Pattern::Xx, &ephemeral, out),
    }
}

impl AwaitClientFinish {
    /// Reads `ClientFinish`, the body of a client's second frame.
    pub fn read(self, body: &[u8]) -> Result<Accepted, HandshakeError> {
        let pattern = self.pattern;
        self.finish(body).map_err(|failure| failure.under(pattern))
    }

    fn finish(self, body: &[u8]) -> Result<Accepted, HandshakeFailure> {
        let Self {
            mut state,
            ephemeral,
            pattern,
        } = self;
        let Finish {
            mut sealed_static,
            mut sealed_payload,
        } = read_client_finish(body)?;
        let client_static = state.open_static(&mut sealed_static)?;
        state.mix_key(&ephemeral.agree(&client_static)?);
        let payload = state.open_payload(&mut sealed_payload)?.to_vec();
        Ok(Accepted {
            transport: server_transport(state),
            client_static,
            payload,
            pattern,
        })
    }
}

impl fmt::Debug for AwaitClientFinish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitClientFinish")
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("client_static", &self.client_static)
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

struct IkOffer {
    ephemeral: NoiseEphemeralPublic,
    sealed_static: Vec<u8>,
    sealed_payload: Vec<u8>,
}

struct Responder<'s> {
    provider: Provider,
    identity: &'s ServerIdentity,
    prologue: &'s [u8; 4],
    ephemeral: NoiseEphemeralSecret,
}

impl Responder<'_> {
    fn answer_ik(
        self,
        mut offer: IkOffer,
        allow_ik: bool,
        out: &mut Vec<u8>,
    ) -> Result<ServerStep, HandshakeError> {
        if !allow_ik {
            return self.answer_xx(Pattern::XxFallback, &offer.ephemeral, out);
        }
        match self
            .open_ik(&mut offer)
            .map_err(|failure| failure.under(Pattern::Ik))?
        {
            Some((state, client_static)) => self
                .accept_ik(state, client_static, offer, out)
                .map(ServerStep::Done)
                .map_err(|failure| failure.under(Pattern::Ik)),
            None => self.answer_xx(Pattern::XxFallback, &offer.ephemeral, out),
        }
    }

    /// Steps 1 to 3 of IK. `None` if the client's static key does not open.
    fn open_ik(
        &self,
        offer: &mut IkOffer,
    ) -> Result<Option<(KeyedState, NoiseStaticPublic)>, HandshakeFailure> {
        let secret = &self.identity.static_secret;
        let mut state = SymmetricState::start(self.provider, Pattern::Ik, self.prologue);
        state.mix_hash(secret.public().as_bytes());
        state.mix_ephemeral(&offer.ephemeral);
        let mut state = state.mix_key(&secret.agree(&offer.ephemeral)?);
        let client_static = state.open_static(&mut offer.sealed_static).ok();
        Ok(client_static.map(|client_static| (state, client_static)))
    }

    /// Steps 4 to 10 of IK.
    fn accept_ik(
        self,
        mut state: KeyedState,
        client_static: NoiseStaticPublic,
        mut offer: IkOffer,
        out: &mut Vec<u8>,
    ) -> Result<Accepted, HandshakeFailure> {
        state.mix_key(&self.identity.static_secret.agree(&client_static)?);
        let payload = state.open_payload(&mut offer.sealed_payload)?.to_vec();
        let public = self.ephemeral.public();
        state.mix_ephemeral(&public);
        state.mix_key(&self.ephemeral.agree(&offer.ephemeral)?);
        state.mix_key(&self.ephemeral.agree(&client_static)?);
        let sealed_chain = state.seal(&self.identity.chain);
        write_server_hello(&public, None, sealed_chain, out)?;
        Ok(Accepted {
            transport: server_transport(state),
            client_static,
            payload,
            pattern: Pattern::Ik,
        })
    }

    fn answer_xx(
        self,
        pattern: Pattern,
        client_ephemeral: &NoiseEphemeralPublic,
        out: &mut Vec<u8>,
    ) -> Result<ServerStep, HandshakeError> {
        let state = self.write_hello(pattern, client_ephemeral, out);
        let state = state.map_err(|failure| failure.under(pattern))?;
        Ok(ServerStep::AwaitFinish(AwaitClientFinish {
            state,
            ephemeral: self.ephemeral,
            pattern,
        }))
    }

    /// Steps 0 to 6 of XX, which XXfallback shares.
    fn write_hello(
        &self,
        pattern: Pattern,
        client_ephemeral: &NoiseEphemeralPublic,
        out: &mut Vec<u8>,
    ) -> Result<KeyedState, HandshakeFailure> {
        let secret = &self.identity.static_secret;
        let public = self.ephemeral.public();
        let mut state = SymmetricState::start(self.provider, pattern, self.prologue);
        state.mix_ephemeral(client_ephemeral);
        state.mix_ephemeral(&public);
        let mut state = state.mix_key(&self.ephemeral.agree(client_ephemeral)?);
        let sealed_static = state.seal(secret.public().as_bytes());
        state.mix_key(&secret.agree(client_ephemeral)?);
        let sealed_chain = state.seal(&self.identity.chain);
        write_server_hello(&public, Some(sealed_static), sealed_chain, out)?;
        Ok(state)
    }
}

/// The client writes with the first key.
fn server_transport(state: KeyedState) -> Transport {
    let (read, write) = state.split();
    Transport::new(write, read)
}
