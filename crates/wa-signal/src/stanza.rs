use wa_crypto::{IdentityPublic, OneTimePrekeyPublic, PublicKey as _, sha1};
use wa_proto::{EncodeError, Node, NodeWriter, tok};

use crate::{PublicPrekey, PublicSignedPrekey, RegistrationId};

/// Content of the `type` node: the keys are Curve25519 keys.
pub const KEY_TYPE_CURVE25519: u8 = 0x05;

/// The children of the upload iq (`type="set"`, `xmlns="encrypt"`), in the order most clients send
/// them: registration, type, identity, list, skey.
///
/// Offer the keys of the plan's range, in its order.
pub fn upload_stanza_children(
    registration: RegistrationId,
    identity: &IdentityPublic,
    keys: impl IntoIterator<Item = impl Into<PublicPrekey>>,
    signed: impl Into<PublicSignedPrekey>,
) -> Vec<Node> {
    let list = keys.into_iter().map(|prekey| {
        let PublicPrekey { id, key } = prekey.into();
        Node::new(tok!("key"))
            .child(Node::new(tok!("id")).bytes(id.to_be_bytes()))
            .child(Node::new(tok!("value")).bytes(*key.as_bytes()))
    });
    vec![
        Node::new(tok!("registration")).bytes(registration.to_be_bytes()),
        Node::new(tok!("type")).bytes([KEY_TYPE_CURVE25519]),
        Node::new(tok!("identity")).bytes(*identity.as_bytes()),
        Node::new(tok!("list")).children(list),
        skey(&signed.into()),
    ]
}

/// Number of children of the upload iq.
pub const UPLOAD_CHILDREN: usize = 5;

/// Writes what [`upload_stanza_children`] builds without building it: the body of a
/// [`NodeWriter::parent`] of [`UPLOAD_CHILDREN`] nodes.
pub fn write_upload_children<'a, K: 'a>(
    writer: &mut NodeWriter<'_>,
    registration: RegistrationId,
    identity: &IdentityPublic,
    keys: &'a [K],
    signed: impl Into<PublicSignedPrekey>,
) -> Result<(), EncodeError>
where
    PublicPrekey: From<&'a K>,
{
    writer.leaf(&tok!("registration"), &[], &registration.to_be_bytes())?;
    writer.leaf(&tok!("type"), &[], &[KEY_TYPE_CURVE25519])?;
    writer.leaf(&tok!("identity"), &[], identity.as_bytes())?;
    writer.parent(&tok!("list"), &[], keys.len(), |writer| {
        keys.iter().try_for_each(|prekey| {
            let PublicPrekey { id, key } = prekey.into();
            writer.parent(&tok!("key"), &[], 2, |writer| {
                writer.leaf(&tok!("id"), &[], &id.to_be_bytes())?;
                writer.leaf(&tok!("value"), &[], key.as_bytes())
            })
        })
    })?;
    writer.node(&skey(&signed.into()))
}

/// The child of the rotation iq (`type="set"`, `xmlns="encrypt"`).
pub fn rotate_stanza_child(signed: impl Into<PublicSignedPrekey>) -> Node {
    Node::new(tok!("rotate")).child(skey(&signed.into()))
}

/// The child of the iq (`type="get"`, `xmlns="encrypt"`) that asks how many keys the server holds.
pub fn count_stanza_child() -> Node {
    Node::new(tok!("count"))
}

/// The child of the iq (`type="get"`, `xmlns="encrypt"`) that asks for the bundle digest.
pub fn digest_stanza_child() -> Node {
    Node::new(tok!("digest"))
}

/// SHA-1 over the bundle as the server holds it: identity, signed prekey, its signature, and the
/// one-time keys in the order of the server's list.
pub fn bundle_digest(
    identity: &IdentityPublic,
    signed: impl Into<PublicSignedPrekey>,
    keys: impl IntoIterator<Item = OneTimePrekeyPublic>,
) -> [u8; 20] {
    let signed = signed.into();
    let one_time: Vec<u8> = keys.into_iter().flat_map(|key| *key.as_bytes()).collect();
    sha1(&[
        identity.as_bytes(),
        signed.key.as_bytes(),
        signed.signature.as_bytes(),
        &one_time,
    ])
}

fn skey(signed: &PublicSignedPrekey) -> Node {
    Node::new(tok!("skey"))
        .child(Node::new(tok!("id")).bytes(signed.id.to_be_bytes()))
        .child(Node::new(tok!("value")).bytes(*signed.key.as_bytes()))
        .child(Node::new(tok!("signature")).bytes(*signed.signature.as_bytes()))
}
