//! Frames, the XX, IK and XXfallback handshakes, the server certificate chain and the transport ciphers.
//!
//! **What it does.** Everything between a byte stream and binary nodes: cutting the stream into frames, agreeing on keys
//! with the server as a companion device does, checking that the server is the real one, sealing and opening frames
//! after that. The other side of all of it is here too, for simulated servers.
//!
//! **What it does not.** No sockets, clocks or randomness: bytes go in, bytes come out, the time and the random source
//! are arguments. No nodes: a frame's plaintext is handed over as it is. No policy: when to offer IK, when to reconnect
//! and what to store are the caller's, with [`ServerStatic::usable_at`] and [`HandshakeError::is_ik_specific`] to decide
//! by.
//!
//! **Protocol.** The transport chapter, all of it but the socket (section 1).
//!
//! # How to drive it
//!
//! The steps consume each other, so an order that the protocol does not know does not compile. Append what a step
//! writes to the stream in one piece, and keep one [`FrameDecoder`] for the whole connection: bytes that came together
//! with `ServerHello` are then in the right place.
//!
//! ```
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use wa_crypto::{NoiseStaticSecret, Provider};
//! use wa_noise::{
//!     CertificateAuthority, ClientHandshake, FrameDecoder, Pattern, PreambleDecoder, ServerIdentity, ServerStep, accept,
//! };
//!
//! # let mut rng = ChaCha20Rng::from_seed([7; 32]);
//! # let (provider, now) = (Provider::rust(), 1_787_000_000);
//! // A server of our own, under a root of our own.
//! let authority = CertificateAuthority::generate(provider, &mut rng);
//! let static_secret = NoiseStaticSecret::generate(provider, &mut rng);
//! let chain = authority.issue(&static_secret.public(), now - 60, now + 60, &mut rng);
//! let identity = ServerIdentity { static_secret, chain };
//!
//! // The client speaks first.
//! let handshake = ClientHandshake {
//!     provider,
//!     root: authority.root(), // NoiseRoot::production() for the real service
//!     static_secret: NoiseStaticSecret::generate(provider, &mut rng),
//!     cached: None,
//!     payload: b"client payload".to_vec().into(),
//! };
//! let mut to_server = Vec::new();
//! let awaiting = handshake.start(&mut rng, None, &mut to_server)?;
//!
//! // The server answers.
//! let (preamble, rest) = PreambleDecoder::new().read(&to_server)?.ok_or("not whole")?;
//! let mut at_server = FrameDecoder::new();
//! at_server.push(rest);
//! let hello = at_server.next_frame()?.ok_or("not whole")?;
//! let mut to_client = Vec::new();
//! let step = accept(provider, &identity, &preamble.prologue, hello, true, &mut rng, &mut to_client)?;
//! let ServerStep::AwaitFinish(finish) = step else { return Err("the client offered XX".into()) };
//!
//! // The client checks the server and is done.
//! let mut at_client = FrameDecoder::new();
//! at_client.push(&to_client);
//! let hello = at_client.next_frame()?.ok_or("not whole")?;
//! let mut to_server = Vec::new();
//! let mut client = awaiting.read(hello, now, &mut to_server)?;
//! assert_eq!(client.pattern, Pattern::Xx);
//!
//! // So is the server, and frames can go both ways.
//! at_server.push(&to_server);
//! let mut server = finish.read(at_server.next_frame()?.ok_or("not whole")?)?;
//! assert_eq!(server.payload, b"client payload");
//!
//! let mut to_client = Vec::new();
//! server.transport.seal_frame(b"\0node", &mut to_client)?;
//! at_client.push(&to_client);
//! let body = at_client.next_frame()?.ok_or("not whole")?;
//! assert_eq!(client.transport.open_frame(body)?, b"\0node");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no transport before the server's answer is read:
//!
//! ```compile_fail,E0609
//! fn too_early(mut awaiting: wa_noise::AwaitServerHello) {
//!     let _ = awaiting.transport;
//! }
//! ```
//!
//! an answer is read once:
//!
//! ```compile_fail,E0382
//! fn twice(awaiting: wa_noise::AwaitServerHello, body: &[u8]) {
//!     let _ = awaiting.read(body, 0, &mut Vec::new());
//!     let _ = awaiting.read(body, 0, &mut Vec::new());
//! }
//! ```
//!
//! and so is a `ClientFinish`, by a server that waits for one:
//!
//! ```compile_fail,E0382
//! fn twice(awaiting: wa_noise::AwaitClientFinish, body: &[u8]) {
//!     let _ = awaiting.read(body);
//!     let _ = awaiting.read(body);
//! }
//! ```
//!
//! Neither a handshake nor a transport can be copied, which would use a counter twice:
//!
//! ```compile_fail,E0277
//! fn cloneable<T: Clone>() {}
//! cloneable::<wa_noise::Transport>();
//! ```

mod certificate;
mod client;
mod error;
mod frame;
mod message;
mod preamble;
mod server;
mod server_static;
mod symmetric;
mod transport;

pub use certificate::{
    Certificate, CertificateError, NoiseRoot, RootKeyError,
    authority::{CertificateAuthority, CertificateDetails},
    verify_chain,
};
pub use client::{AwaitServerHello, ClientHandshake, Established, MAX_PAYLOAD_LEN, StartError};
pub use error::{HandshakeError, HandshakeFailure, Message, Pattern};
pub use frame::{
    FrameDecoder, FrameError, MAX_FRAME_LEN, MAX_HANDSHAKE_FRAME_LEN, MAX_RESERVED_AHEAD,
    MAX_RETAINED_CAPACITY, write_frame,
};
pub use preamble::{PROLOGUE, PreambleDecoder, PreambleError, ServerPreamble, write_preamble};
pub use server::{Accepted, AwaitClientFinish, ServerIdentity, ServerStep, accept};
pub use server_static::{ServerStatic, ValidityWindow};
pub use transport::{
    MAX_PLAINTEXT_LEN, Opener, SealError, Sealer, TAG_LEN, Transport, TransportError,
};
