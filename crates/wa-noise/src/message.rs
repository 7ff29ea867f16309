use prost::Message as _;
use wa_crypto::{NoiseEphemeralPublic, PublicKey as _};
use wa_proto::pb::{
    HandshakeMessage,
    handshake_message::{ClientFinish, ClientHello, ServerHello},
};

use crate::{
    error::{HandshakeFailure, Message},
    frame::{FrameError, write_frame},
};

const KEY_LEN: usize = 32;

/// A hello of either side. An empty member is the same as an absent one.
pub(crate) struct Hello {
    pub(crate) ephemeral: NoiseEphemeralPublic,
    pub(crate) sealed_static: Option<Vec<u8>>,
    pub(crate) sealed_payload: Option<Vec<u8>>,
}

/// A client's second message.
pub(crate) struct Finish {
    pub(crate) sealed_static: Vec<u8>,
    pub(crate) sealed_payload: Vec<u8>,
}

pub(crate) fn read_client_hello(body: &[u8]) -> Result<Hello, HandshakeFailure> {
    let member = decode(body)?.client_hello;
    let hello = member.ok_or(HandshakeFailure::UnexpectedMessage {
        expected: Message::ClientHello,
    })?;
    Hello::new(hello.ephemeral, hello.r#static, hello.payload)
}

pub(crate) fn read_server_hello(body: &[u8]) -> Result<Hello, HandshakeFailure> {
    let member = decode(body)?.server_hello;
    let hello = member.ok_or(HandshakeFailure::UnexpectedMessage {
        expected: Message::ServerHello,
    })?;
    Hello::new(hello.ephemeral, hello.r#static, hello.payload)
}

pub(crate) fn read_client_finish(body: &[u8]) -> Result<Finish, HandshakeFailure> {
    let member = decode(body)?.client_finish;
    let finish = member.ok_or(HandshakeFailure::UnexpectedMessage {
        expected: Message::ClientFinish,
    })?;
    Ok(Finish {
        sealed_static: present(finish.r#static).ok_or(HandshakeFailure::StaticMissing)?,
        sealed_payload: present(finish.payload).ok_or(HandshakeFailure::PayloadMissing)?,
    })
}

impl Hello {
    fn new(
        ephemeral: Option<Vec<u8>>,
        sealed_static: Option<Vec<u8>>,
        sealed_payload: Option<Vec<u8>>,
    ) -> Result<Self, HandshakeFailure> {
        let ephemeral = present(ephemeral).ok_or(HandshakeFailure::EphemeralMissing)?;
        let got = ephemeral.len();
        let ephemeral: [u8; KEY_LEN] =
            ephemeral
                .try_into()
                .map_err(|_| HandshakeFailure::EphemeralLength {
                    expected: KEY_LEN,
                    got,
                })?;
        Ok(Self {
            ephemeral: NoiseEphemeralPublic::from_bytes(ephemeral),
            sealed_static: present(sealed_static),
            sealed_payload: present(sealed_payload),
        })
    }
}

pub(crate) fn write_client_hello(
    ephemeral: &NoiseEphemeralPublic,
    sealed_static: Option<Vec<u8>>,
    sealed_payload: Option<Vec<u8>>,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let hello = ClientHello {
        ephemeral: Some(ephemeral.as_bytes().to_vec()),
        r#static: sealed_static,
        payload: sealed_payload,
    };
    write(
        &HandshakeMessage {
            client_hello: Some(hello),
            ..Default::default()
        },
        out,
    )
}

pub(crate) fn write_server_hello(
    ephemeral: &NoiseEphemeralPublic,
    sealed_static: Option<Vec<u8>>,
    sealed_payload: Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let hello = ServerHello {
        ephemeral: Some(ephemeral.as_bytes().to_vec()),
        r#static: sealed_static,
        payload: Some(sealed_payload),
    };
    write(
        &HandshakeMessage {
            server_hello: Some(hello),
            ..Default::default()
        },
        out,
    )
}

pub(crate) fn write_client_finish(
    sealed_static: Vec<u8>,
    sealed_payload: Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let finish = ClientFinish {
        r#static: Some(sealed_static),
        payload: Some(sealed_payload),
    };
    write(
        &HandshakeMessage {
            client_finish: Some(finish),
            ..Default::default()
        },
        out,
    )
}

fn decode(body: &[u8]) -> Result<HandshakeMessage, HandshakeFailure> {
    HandshakeMessage::decode(body).map_err(|_| HandshakeFailure::Undecodable)
}

fn write(message: &HandshakeMessage, out: &mut Vec<u8>) -> Result<(), FrameError> {
    write_frame(&message.encode_to_vec(), out)
}

fn present(member: Option<Vec<u8>>) -> Option<Vec<u8>> {
    member.filter(|bytes| !bytes.is_empty())
}
