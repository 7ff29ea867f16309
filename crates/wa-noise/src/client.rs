use std::fmt;

use thiserror::Error;
use wa_crypto::{
    CryptoRng, NoiseEphemeralPublic, NoiseEphemeralSecret, NoiseStaticSecret, Provider,
    PublicKey as _,
};
use zeroize::Zeroizing;

use crate::{
    certificate::{NoiseRoot, verify_chain},
    error::{HandshakeError, HandshakeFailure, Pattern},
    frame::{FrameError, MAX_FRAME_LEN},
    message::{Hello, read_server_hello, write_client_finish, write_client_hello},
    preamble::{PROLOGUE, write_preamble},
    server_static::ServerStatic,
    symmetric::{KeyedState, SymmetricState},
    transport::Transport,
};

/// Longest client payload: with the keys, tags and protobuf around it, it still fits a frame. A real one has a few
/// hundred bytes.
pub const MAX_PAYLOAD_LEN: usize = MAX_FRAME_LEN - 256;

/// A client's handshake that has not begun.
///
/// [`start`](Self::start) → [`AwaitServerHello::read`] → [`Established`]. Each step consumes the one before it.
pub struct ClientHandshake {
    /// Does the arithmetic.
    pub provider: Provider,
    /// Where the server's certificates have to lead.
    pub root: NoiseRoot,
    /// The device's own key.
    pub static_secret: NoiseStaticSecret,
    /// The server's key from an earlier handshake: IK is offered with it. Leave it out when the device is not
    /// registered, when it is not [`usable_at`](ServerStatic::usable_at) this time, and after a failure that
    /// [`is_ik_specific`](HandshakeError::is_ik_specific).
    pub cached: Option<ServerStatic>,
    /// The serialized `ClientPayload`.
    pub payload: Zeroizing<Vec<u8>>,
}

/// A handshake that cannot begin. The caller's data is at fault; nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The stored routing info does not fit its length field: connect without.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The client payload does not fit a frame.
    #[error("a client payload of {got} bytes is over the limit of {limit}")]
    PayloadTooLong {
        /// Length of the payload.
        got: usize,
        /// [`MAX_PAYLOAD_LEN`].
        limit: usize,
    },
}

impl ClientHandshake {
    /// Appends everything the client sends first, to go out in one message: routing preamble if there is routing info,
    /// header, and the frame with `ClientHello`.
    ///
    /// A cached key of low order, with which no agreement is possible, counts as none: XX is offered. After an error
    /// `out` is as it was.
    pub fn start(
        self,
        rng: &mut (impl CryptoRng + ?Sized),
        routing: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<AwaitServerHello, StartError> {
        let got = self.payload.len();
        if got > MAX_PAYLOAD_LEN {
            return Err(StartError::PayloadTooLong {
                got,
                limit: MAX_PAYLOAD_LEN,
            });
        }
        let start = out.len();
        let awaiting = self.write_hello(rng, routing, out);
        if awaiting.is_err() {
            out.truncate(start);
        }
        Ok(awaiting?)
    }

    fn write_hello(
        self,
        rng: &mut (impl CryptoRng + ?Sized),
        routing: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<AwaitServerHello, FrameError> {
        write_preamble(routing, out)?;
        let ephemeral = NoiseEphemeralSecret::generate(self.provider, rng);
        let public = ephemeral.public();
        let offered = self
            .cached
            .and_then(|server| self.offer_ik(&ephemeral, server));
        let offer = match offered {
            Some(IkHello {
                state,
                server,
                sealed_static,
                sealed_payload,
            }) => {
                write_client_hello(&public, Some(sealed_static), Some(sealed_payload), out)?;
                Offer::Ik {
                    state: Box::new(state),
                    server,
                }
            }
            None => {
                write_client_hello(&public, None, None, out)?;
                let mut state = SymmetricState::start(self.provider, Pattern::Xx, &PROLOGUE);
                state.mix_ephemeral(&public);
                Offer::Xx(state)
            }
        };
        Ok(AwaitServerHello {
            client: self,
            ephemeral,
            offer,
        })
    }

    /// `None` if the key agrees with nothing.
    fn offer_ik(&self, ephemeral: &NoiseEphemeralSecret, server: ServerStatic) -> Option<IkHello> {
        let mut state = SymmetricState::start(self.provider, Pattern::Ik, &PROLOGUE);
        state.mix_hash(server.key.as_bytes());
        state.mix_ephemeral(&ephemeral.public());
        let mut state = state.mix_key(&ephemeral.agree(&server.key).ok()?);
        let sealed_static = state.seal(self.static_secret.public().as_bytes());
        state.mix_key(&self.static_secret.agree(&server.key).ok()?);
        let sealed_payload = state.seal(&self.payload);
        Some(IkHello {
            state,
            server,
            sealed_static,
            sealed_payload,
        })
    }
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("provider", &self.provider)
            .field("root", &self.root)
            .field("cached", &self.cached)
            .finish_non_exhaustive()
    }
}

/// A client's handshake whose `ClientHello` is sent.
pub struct AwaitServerHello {
    client: ClientHandshake,
    ephemeral: NoiseEphemeralSecret,
    offer: Offer,
}

impl AwaitServerHello {
    /// What `ClientHello` offered: XX or IK. The server decides what becomes of it.
    pub fn offered(&self) -> Pattern {
        match self.offer {
            Offer::Xx(_) => Pattern::Xx,
            Offer::Ik { .. } => Pattern::Ik,
        }
    }

    /// Reads `ServerHello`, the body of the first frame that came. Appends the frame with `ClientFinish` to `out`, or
    /// nothing if the server accepted IK.
    ///
    /// `unix_secs` is the time that certificates are held against. After an error `out` is as it was.
    pub fn read(
        self,
        body: &[u8],
        unix_secs: u64,
        out: &mut Vec<u8>,
    ) -> Result<Established, HandshakeError> {
        let offered = self.offered();
        let hello = read_server_hello(body).map_err(|failure| failure.under(offered))?;
        let Self {
            client,
            ephemeral,
            offer,
        } = self;
        let answer = ServerAnswer {
            client,
            ephemeral,
            unix_secs,
        };
        match offer {
            Offer::Ik { state, server } if hello.sealed_static.is_none() => answer
                .accept_ik(*state, server, hello)
                .map_err(|failure| failure.under(Pattern::Ik)),
            Offer::Ik { .. } => {
                let mut state =
                    SymmetricState::start(answer.client.provider, Pattern::XxFallback, &PROLOGUE);
                state.mix_ephemeral(&answer.ephemeral.public());
                answer
                    .finish(state, Pattern::XxFallback, hello, out)
                    .map_err(|failure| failure.under(Pattern::XxFallback))
            }
            Offer::Xx(state) => answer
                .finish(state, Pattern::Xx, hello, out)
                .map_err(|failure| failure.under(Pattern::Xx)),
        }
    }
}

impl fmt::Debug for AwaitServerHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitServerHello")
            .field("offered", &self.offered())
            .finish_non_exhaustive()
    }
}

/// A client's finished handshake. Frames that came with `ServerHello` belong to `transport`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Established {
    /// The ciphers of the connection.
    pub transport: Transport,
    /// The server's key, to cache for IK if the device is registered. `None` after an accepted IK, which leaves the
    /// cache as it is.
    pub server: Option<ServerStatic>,
    /// What the handshake became.
    pub pattern: Pattern,
}

enum Offer {
    Xx(SymmetricState),
    Ik {
        state: Box<KeyedState>,
        server: ServerStatic,
    },
}

struct IkHello {
    state: KeyedState,
    server: ServerStatic,
    sealed_static: Vec<u8>,
    sealed_payload: Vec<u8>,
}

/// What is needed to work on a `ServerHello`.
struct ServerAnswer {
    client: ClientHandshake,
    ephemeral: NoiseEphemeralSecret,
    unix_secs: u64,
}

impl ServerAnswer {
    /// Steps 2 to 10 of XX, which XXfallback shares (transport chapter, section 4).
    fn finish(
        self,
        mut state: SymmetricState,
        pattern: Pattern,
        hello: Hello,
        out: &mut Vec<u8>,
    ) -> Result<Established, HandshakeFailure> {
        let mut sealed_static = hello.sealed_static.ok_or(HandshakeFailure::StaticMissing)?;
        let mut sealed_chain = hello
            .sealed_payload
            .ok_or(HandshakeFailure::PayloadMissing)?;
        state.mix_ephemeral(&hello.ephemeral);
        let mut state = state.mix_key(&self.ephemeral.agree(&hello.ephemeral)?);
        let server = state.open_static(&mut sealed_static)?;
        state.mix_key(&self.ephemeral.agree(&server)?);
        let chain = state.open_payload(&mut sealed_chain)?;
        let server = verify_chain(&self.client.root, chain, &server, self.unix_secs)?;
        self.write_finish(&mut state, &hello.ephemeral, out)?;
        Ok(Established {
            transport: client_transport(state),
            server: Some(server),
            pattern,
        })
    }

    fn write_finish(
        &self,
        state: &mut KeyedState,
        server_ephemeral: &NoiseEphemeralPublic,
        out: &mut Vec<u8>,
    ) -> Result<(), HandshakeFailure> {
        let secret = &self.client.static_secret;
        let sealed_static = state.seal(secret.public().as_bytes());
        state.mix_key(&secret.agree(server_ephemeral)?);
        let sealed_payload = state.seal(&self.client.payload);
        Ok(write_client_finish(sealed_static, sealed_payload, out)?)
    }

    /// Steps 6 to 10 of IK (transport chapter, section 5). What the payload says is not looked at: that it opens proves
    /// the server's key, whose chain was verified when it was cached.
    fn accept_ik(
        self,
        mut state: KeyedState,
        server: ServerStatic,
        hello: Hello,
    ) -> Result<Established, HandshakeFailure> {
        let mut sealed_payload = hello
            .sealed_payload
            .ok_or(HandshakeFailure::PayloadMissing)?;
        server.check_windows(self.unix_secs)?;
        state.mix_ephemeral(&hello.ephemeral);
        state.mix_key(&self.ephemeral.agree(&hello.ephemeral)?);
        state.mix_key(&self.client.static_secret.agree(&hello.ephemeral)?);
        state.open_payload(&mut sealed_payload)?;
        Ok(Established {
            transport: client_transport(state),
            server: None,
            pattern: Pattern::Ik,
        })
    }
}

fn client_transport(state: KeyedState) -> Transport {
    let (write, read) = state.split();
    Transport::new(write, read)
}

#[cfg(test)]
mod tests;
