//! The iqs of the ceremony and what is read from its stanzas (pairing chapter, C.2).

use std::borrow::Cow;

use wa_proto::{Node, NodeRef};

use super::PasskeyAssertion;
use crate::refs::MAX_REF_LEN;
use crate::reply;

/// The notification that begins a ceremony.
pub(crate) const PROLOGUE_REQUEST: &str = "passkey_prologue_request";

/// The notification that brings the phone's half.
pub(crate) const CONTINUATION: &str = "crsc_continuation";

const OPTIONS: &str = "passkey_request_options";

pub(crate) fn get_options() -> Node {
    reply::request("get").child(Node::new(OPTIONS))
}

pub(crate) fn get_ref() -> Node {
    reply::request("get").child(Node::new("ref"))
}

pub(crate) fn prologue(
    assertion: &PasskeyAssertion,
    payload: &[u8],
    proof: Option<[u8; 32]>,
) -> Node {
    let content = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes);
    let proof = proof.map(|proof| content("pairing_handoff_proof", &proof));
    let body = Node::new("passkey_prologue")
        .child(content("credential_id", assertion.raw_id()))
        .child(content(
            "webauthn_assertion",
            assertion.to_json().as_bytes(),
        ))
        .child(content("prologue_payload", payload))
        .children(proof);
    reply::request("set").child(body)
}

pub(crate) fn companion_nonce(nonce: &[u8; 32]) -> Node {
    reply::request("set").child(Node::new("companion_nonce").bytes(nonce.as_slice()))
}

pub(crate) fn pairing_request(sealed: Vec<u8>) -> Node {
    reply::request("set").child(Node::new("encrypted_pairing_request").bytes(sealed))
}

/// The content of the options in a notification or an answer.
pub(crate) fn options<'a>(stanza: &NodeRef<'a>) -> Option<Cow<'a, [u8]>> {
    stanza.child(OPTIONS)?.bytes()
}

/// The ref in an answer: text that fits, which goes into a message and a key.
pub(crate) fn reference(iq: &NodeRef<'_>) -> Option<String> {
    let bytes = iq.child("ref")?.bytes()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    (1..=MAX_REF_LEN)
        .contains(&text.len())
        .then(|| text.to_owned())
}

/// The phone's half in a continuation.
pub(crate) fn primary_identity<'a>(notification: &NodeRef<'a>) -> Option<Cow<'a, [u8]>> {
    notification.child("primary_ephemeral_identity")?.bytes()
}
