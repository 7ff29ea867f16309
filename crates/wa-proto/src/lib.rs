//! What travels inside the encrypted frames: binary nodes, the addresses in them, and protobuf messages.
//!
//! It does: [`Jid`]s of every kind, in text and in their binary forms; decoding a plaintext into a stanza that
//! borrows from it ([`Decoder`], [`NodeRef`]); building stanzas ([`Node`]) and writing them, also without building
//! them first ([`encode_with`]); the messages of the handshake, the login and pairing ([`pb`]).
//!
//! It does not: encrypt, frame, or know what a stanza means. It has no clock, no randomness and no I/O. Input comes
//! from a peer and is refused with a typed error when it is malformed; every limit is a constant of this crate.
//!
//! ```
//! use wa_proto::{Decoder, Jid, Node, tok};
//!
//! // Write: literals become tokens at compile time, everything else when the node is built.
//! let ack = Node::new(tok!("ack"))
//!     .attr(tok!("class"), tok!("receipt"))
//!     .attr(tok!("id"), "3EB0C767D097B7C7C030")
//!     .attr(tok!("to"), "186303081611421:2@lid".parse::<Jid>()?);
//! let mut plaintext = Vec::new();
//! ack.encode_into(&mut plaintext)?;
//!
//! // Read: keep the decoder, for its buffers.
//! let mut decoder = Decoder::new();
//! let stanza = decoder.decode(&plaintext)?;
//! assert!(stanza.tag() == "ack");
//! assert_eq!(stanza.attr_jid("to").map(|to| to.device()), Some(2));
//! assert_eq!(stanza.to_owned(), ack);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Chapters: binary node codec; client payload; pairing, for its messages.

mod decode;
mod encode;
mod jid;
mod node;
mod node_ref;
mod packed;
pub mod pb;
mod text;
mod text_ref;
mod token;
mod value;
mod wire;

pub use decode::{
    DecodeError, Decoder, MAX_ATTRIBUTES, MAX_ELEMENTS, MAX_INFLATED_LEN, MAX_NODE_DEPTH,
    MAX_PLAINTEXT_LEN,
};
pub use encode::{EncodeError, MAX_CHILDREN, NodeWriter, encode_with};
pub use jid::{Jid, ParseJidError, Server};
pub use node::Node;
pub use node_ref::{Children, NodeRef};
pub use text::Str;
pub use text_ref::{JidRef, TextRef, ValueRef};
pub use token::Token;
pub use value::Value;
