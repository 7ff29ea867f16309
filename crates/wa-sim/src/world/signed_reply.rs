//! The checks of a companion's reply to pair-success (pairing chapter, A.8 and D.4).

use prost::Message as _;
use wa_crypto::{PublicKey as _, Signature};
use wa_proto::{NodeRef, pb};

use super::conn::{Registration, Signing};
use super::remark::SignedReplyError;
use crate::phone::DEVICE_SIGNATURE_PREFIX;

/// A reply that holds.
pub(super) struct Reply {
    /// All four fields, as peers are shown them.
    pub(super) signed_identity: Vec<u8>,
    /// Whether the reply itself carried the account key.
    pub(super) account_key: bool,
}

/// The checks of a strict server (pairing chapter, D.4).
pub(super) fn check_reply(
    stanza: &NodeRef<'_>,
    registration: &Registration,
    signing: &Signing,
) -> Result<Reply, SignedReplyError> {
    if stanza.attr_text("id").as_deref() != Some(signing.iq.as_str()) {
        return Err(SignedReplyError::Id);
    }
    if stanza.attr_text("to").as_deref() != Some("s.whatsapp.net") {
        return Err(SignedReplyError::To);
    }
    let node = stanza
        .child("pair-device-sign")
        .and_then(|sign| sign.child("device-identity"))
        .ok_or(SignedReplyError::Missing)?;
    if node.attr_u64("key-index") != Some(u64::from(signing.upload.key_index)) {
        return Err(SignedReplyError::KeyIndex);
    }
    let bytes = node.bytes().ok_or(SignedReplyError::Missing)?;
    let mut reply =
        pb::AdvSignedDeviceIdentity::decode(&*bytes).map_err(|_| SignedReplyError::Decode)?;
    let sent = sent_identity(signing).ok_or(SignedReplyError::Decode)?;
    if reply.details != sent.details || reply.account_signature != sent.account_signature {
        return Err(SignedReplyError::Changed);
    }
    let account_key = reply.account_signature_key.is_some();
    if account_key && reply.account_signature_key != sent.account_signature_key {
        return Err(SignedReplyError::OtherAccountKey);
    }
    let signature = reply.device_signature.as_deref().unwrap_or_default();
    let signature =
        Signature::try_from(signature).map_err(|_| SignedReplyError::SignatureLength)?;
    registration
        .identity
        .verify(
            &[
                &DEVICE_SIGNATURE_PREFIX,
                sent.details(),
                registration.identity.as_bytes(),
                sent.account_signature_key(),
            ],
            &signature,
        )
        .map_err(|_| SignedReplyError::Signature)?;
    reply.account_signature_key = sent.account_signature_key;
    Ok(Reply {
        signed_identity: reply.encode_to_vec(),
        account_key,
    })
}

/// What the phone had signed, out of the container that was relayed.
fn sent_identity(signing: &Signing) -> Option<pb::AdvSignedDeviceIdentity> {
    let container = signing.upload.device_identity.as_deref()?;
    let container = pb::AdvSignedDeviceIdentityHmac::decode(container).ok()?;
    pb::AdvSignedDeviceIdentity::decode(container.details()).ok()
}
