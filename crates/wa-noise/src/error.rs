use std::fmt;

use thiserror::Error;
use wa_crypto::AgreementError;

use crate::{certificate::CertificateError, frame::FrameError};

/// The handshake pattern in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Neither side knows the other: registration, and login without a usable cached server key.
    Xx,
    /// The client knows the server's key and sends its payload at once.
    Ik,
    /// The server refused IK and went on as in XX.
    XxFallback,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xx => "XX",
            Self::Ik => "IK",
            Self::XxFallback => "XXfallback",
        })
    }
}

/// The three messages of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    /// The client's first.
    ClientHello,
    /// The server's answer.
    ServerHello,
    /// The client's second, absent in IK.
    ClientFinish,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientHello => "ClientHello",
            Self::ServerHello => "ServerHello",
            Self::ClientFinish => "ClientFinish",
        })
    }
}

/// A handshake that came to nothing: what failed, and under which pattern.
///
/// Close the socket. Nothing is to be kept of it, and nothing was written for the peer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{pattern} handshake: {failure}")]
#[non_exhaustive]
pub struct HandshakeError {
    /// The pattern in force when it failed. An answer that could not be told apart counts for the pattern offered.
    pub pattern: Pattern,
    /// What failed.
    pub failure: HandshakeFailure,
}

impl HandshakeError {
    /// Whether the cached server key is to blame: forget it and use XX next (transport chapter, section 5).
    ///
    /// A socket that closes or a timer that runs out is not, and neither is a failure after the server fell back.
    pub fn is_ik_specific(&self) -> bool {
        self.pattern == Pattern::Ik && !matches!(self.failure, HandshakeFailure::Frame(_))
    }

    /// Whether only a certificate's validity window speaks against the server: look at the local clock first.
    pub fn is_clock(&self) -> bool {
        matches!(&self.failure, HandshakeFailure::Certificate(error) if error.is_clock())
    }
}

/// What is wrong with a handshake message (transport chapter, section 9).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The frame is no `HandshakeMessage`.
    #[error("the peer's frame is no handshake message")]
    Undecodable,
    /// The frame is a `HandshakeMessage` without the member that is due.
    #[error("the peer's message is no {expected}")]
    UnexpectedMessage {
        /// The member that is due.
        expected: Message,
    },
    /// The message has no ephemeral key.
    #[error("the peer sent no ephemeral key")]
    EphemeralMissing,
    /// The ephemeral key has the wrong length.
    #[error("the peer's ephemeral key has {got} bytes instead of {expected}")]
    EphemeralLength {
        /// Length of a key.
        expected: usize,
        /// Length of what came.
        got: usize,
    },
    /// The message has no static key and has to have one.
    #[error("the peer sent no static key")]
    StaticMissing,
    /// The sealed static key has the wrong length.
    #[error("the peer's sealed static key has {got} bytes instead of {expected}")]
    SealedStaticLength {
        /// Length of a key and its tag.
        expected: usize,
        /// Length of what came.
        got: usize,
    },
    /// The static key does not open.
    #[error("the peer's static key did not open")]
    StaticNotAuthentic,
    /// The message has no payload.
    #[error("the peer sent no payload")]
    PayloadMissing,
    /// The sealed payload is shorter than a tag.
    #[error("the peer's sealed payload has {got} bytes, the least is {least}")]
    SealedPayloadLength {
        /// Length of a tag.
        least: usize,
        /// Length of what came.
        got: usize,
    },
    /// The payload does not open.
    #[error("the peer's payload did not open")]
    PayloadNotAuthentic,
    /// The peer's key makes every agreement zero.
    #[error("the peer's key is of low order: the agreement is zero")]
    ZeroAgreement,
    /// The server's certificates do not vouch for its key, or not now.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Our own message does not fit a frame.
    #[error("our own message is too long: {0}")]
    Frame(#[from] FrameError),
}

impl HandshakeFailure {
    pub(crate) fn under(self, pattern: Pattern) -> HandshakeError {
        HandshakeError {
            pattern,
            failure: self,
        }
    }
}

impl From<AgreementError> for HandshakeFailure {
    fn from(_: AgreementError) -> Self {
        Self::ZeroAgreement
    }
}
