//! Key bundles: count, upload, digest, rotation, and fetching those of others (login chapter, section 4;
//! signal chapter, sections 3 and 4).

use wa_crypto::{
    IdentityPublic, OneTimePrekeyPublic, PublicKey as _, Signature, SignedPrekeyPublic,
};
use wa_proto::{Jid, Node, NodeRef};
use wa_signal::{PrekeyId, PublicPrekey, PublicSignedPrekey, SignedPrekeyId};

use super::conn::Conn;
use super::iq::Answer;
use super::{Misbehaviour, World};
use crate::account::{Account, Bundle, Device};
use crate::fault::{BadDigest, Fault, Step};

/// Most one-time prekeys taken in one upload.
pub(super) const MAX_UPLOAD: usize = 2_048;
/// Most bundles handed out for one request.
const MAX_FETCH: usize = 1_024;
const KEY_TYPE: u8 = 5;

/// What an upload consists of.
struct Upload {
    registration: u32,
    identity: IdentityPublic,
    signed: PublicSignedPrekey,
    keys: Vec<PublicPrekey>,
}

impl World {
    pub(super) fn answer_encrypt(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Option<Answer> {
        let set = iq.attr_text("type").as_deref() == Some("set");
        if !set && iq.child("count").is_some() {
            return Some(self.answer_count(conn));
        }
        if !set && iq.child("digest").is_some() {
            return Some(self.answer_digest(conn));
        }
        if let Some(rotate) = iq.child("rotate").filter(|_| set) {
            return Some(self.answer_rotate(conn, &rotate));
        }
        if set && iq.child("list").is_some() {
            return Some(self.answer_upload(conn, iq));
        }
        if let Some(key) = iq.child("key").filter(|_| !set) {
            return Some(Answer::Result(vec![self.bundles(&key)]));
        }
        if let Some(identity) = iq.child("identity").filter(|_| !set) {
            return Some(Answer::Result(vec![self.identities(&identity)]));
        }
        None
    }

    fn answer_count(&mut self, conn: &mut Conn) -> Answer {
        if !self.at(conn, Step::Count) {
            return Answer::Done;
        }
        let count = self
            .own_device(conn)
            .and_then(|device| device.bundle.as_ref())
            .map_or(0, |bundle| bundle.one_time.len());
        Answer::Result(vec![Node::new("count").attr("value", count.to_string())])
    }

    fn answer_upload(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Answer {
        self.touch();
        let Some(device) = self.own_device(conn) else {
            return Answer::Error(500, "internal-server-error");
        };
        match read_upload(iq).and_then(|upload| store(device, upload)) {
            Ok(reused) => {
                if let Some(id) = reused {
                    self.remark(conn, Misbehaviour::PrekeyReused { id });
                }
                if self.at(conn, Step::Upload) {
                    Answer::Result(Vec::new())
                } else {
                    Answer::Done
                }
            }
            Err(problem) => {
                self.remark(conn, Misbehaviour::Keys(problem));
                Answer::Error(406, "not-acceptable")
            }
        }
    }

    fn answer_rotate(&mut self, conn: &mut Conn, rotate: &NodeRef<'_>) -> Answer {
        self.touch();
        let Some(device) = self.own_device(conn) else {
            return Answer::Error(500, "internal-server-error");
        };
        let signed = read_signed(rotate).and_then(|signed| {
            signed
                .verify(&device.identity)
                .map_err(|_| "the signed prekey's signature does not verify".to_owned())?;
            Ok(signed)
        });
        match signed {
            Err(problem) => {
                self.remark(conn, Misbehaviour::Keys(problem));
                Answer::Error(406, "not-acceptable")
            }
            Ok(signed) => match &mut device.bundle {
                None => Answer::Error(409, "conflict"),
                Some(bundle) => {
                    bundle.signed = signed;
                    if self.at(conn, Step::Rotate) {
                        Answer::Result(Vec::new())
                    } else {
                        Answer::Done
                    }
                }
            },
        }
    }

    fn answer_digest(&mut self, conn: &mut Conn) -> Answer {
        if !self.at(conn, Step::Digest) {
            return Answer::Done;
        }
        let problem = self.take_fault(conn, |fault| match fault {
            Fault::Digest { problem } => Some(*problem),
            _ => None,
        });
        match problem {
            Some(BadDigest::Missing) => return Answer::Error(404, "item-not-found"),
            Some(BadDigest::Empty) => return Answer::Result(Vec::new()),
            Some(BadDigest::WrongHash) | None => {}
        }
        let Some(device) = self.own_device(conn) else {
            return Answer::Error(500, "internal-server-error");
        };
        let Some(bundle) = device
            .bundle
            .as_ref()
            .filter(|bundle| !bundle.one_time.is_empty())
        else {
            return Answer::Error(404, "item-not-found");
        };
        let ids = bundle
            .one_time
            .iter()
            .map(|prekey| Node::new("id").bytes(prekey.id.to_be_bytes()));
        let mut digest = Node::new("digest");
        for child in bundle_head(device.registration, &device.identity) {
            digest = digest.child(child);
        }
        let mut hash = bundle.digest(&device.identity);
        if let (Some(BadDigest::WrongHash), Some(first)) = (problem, hash.first_mut()) {
            *first ^= 1;
        }
        Answer::Result(vec![
            digest
                .child(signed_node(&bundle.signed))
                .child(Node::new("list").children(ids))
                .child(Node::new("hash").bytes(hash)),
        ])
    }

    fn own_device(&mut self, conn: &mut Conn) -> Option<&mut Device> {
        let session = conn.session()?;
        self.accounts
            .get_mut(&session.number)?
            .devices
            .get_mut(&session.device)
    }

    /// The bundles asked for. Each hands out one one-time prekey, which is gone then.
    fn bundles(&mut self, request: &NodeRef<'_>) -> Node {
        self.touch();
        let mut list = Node::new("list");
        for user in request
            .children()
            .filter(|child| child.tag() == "user")
            .take(MAX_FETCH)
        {
            let Some(jid) = user.attr_jid("jid") else {
                continue;
            };
            let account = self
                .accounts
                .values_mut()
                .find(|account| account.is_named(&jid));
            let bundle = account.and_then(|account| account_bundle(account, jid.device()));
            let mut user = Node::new("user").attr("jid", &jid);
            match bundle {
                Some(children) => user = user.children(children),
                None => {
                    user = user.child(
                        Node::new("error")
                            .attr("code", "406")
                            .attr("text", "not-acceptable"),
                    );
                }
            }
            list = list.child(user);
        }
        list
    }

    fn identities(&self, request: &NodeRef<'_>) -> Node {
        let users = request
            .children()
            .filter(|child| child.tag() == "user")
            .take(MAX_FETCH)
            .filter_map(|user| user.attr_jid("jid"))
            .filter_map(|jid: Jid| {
                let account = self
                    .accounts
                    .values()
                    .find(|account| account.is_named(&jid))?;
                let identity = match jid.device() {
                    0 => account.phone.identity.public(),
                    device => account.devices.get(&device)?.identity,
                };
                Some(
                    Node::new("user")
                        .attr("jid", &jid)
                        .child(Node::new("identity").bytes(*identity.as_bytes()))
                        .child(Node::new("type").bytes([KEY_TYPE])),
                )
            });
        Node::new("list").children(users)
    }
}

fn account_bundle(account: &mut Account, device: u16) -> Option<Vec<Node>> {
    if device == 0 {
        let phone = &account.phone;
        let mut children = bundle_head(phone.registration.get(), &phone.identity.public());
        children.push(signed_node(&phone.signed_prekey.public()));
        return Some(children);
    }
    let device = account.devices.get_mut(&device)?;
    let mut children = bundle_head(device.registration, &device.identity);
    let bundle = device.bundle.as_mut()?;
    children.push(signed_node(&bundle.signed));
    if let Some(prekey) = bundle.one_time.pop_front() {
        children.push(
            Node::new("key")
                .child(Node::new("id").bytes(prekey.id.to_be_bytes()))
                .child(Node::new("value").bytes(*prekey.key.as_bytes())),
        );
    }
    children.push(Node::new("device-identity").bytes(device.signed_identity.clone()));
    Some(children)
}

fn bundle_head(registration: u32, identity: &IdentityPublic) -> Vec<Node> {
    vec![
        Node::new("registration").bytes(registration.to_be_bytes()),
        Node::new("type").bytes([KEY_TYPE]),
        Node::new("identity").bytes(*identity.as_bytes()),
    ]
}

fn signed_node(signed: &PublicSignedPrekey) -> Node {
    Node::new("skey")
        .child(Node::new("id").bytes(signed.id.to_be_bytes()))
        .child(Node::new("value").bytes(*signed.key.as_bytes()))
        .child(Node::new("signature").bytes(*signed.signature.as_bytes()))
}

fn read_upload(iq: &NodeRef<'_>) -> Result<Upload, String> {
    if child::<1>(iq, "type")? != [KEY_TYPE] {
        return Err("type is not 05".to_owned());
    }
    let identity = IdentityPublic::from_bytes(child(iq, "identity")?);
    let signed = read_signed(iq)?;
    signed
        .verify(&identity)
        .map_err(|_| "the signed prekey's signature does not verify".to_owned())?;
    let list = iq.child("list").ok_or("no list")?;
    let mut keys = Vec::new();
    for key in list.children().filter(|child| child.tag() == "key") {
        if keys.len() >= MAX_UPLOAD {
            return Err(format!("more than {MAX_UPLOAD} keys"));
        }
        let id = PrekeyId::from_be_bytes(child(&key, "id")?).ok_or("a key id is 0")?;
        let key = OneTimePrekeyPublic::from_bytes(child(&key, "value")?);
        keys.push(PublicPrekey { id, key });
    }
    let mut ids: Vec<u32> = keys.iter().map(|key| key.id.get()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err("a key id comes twice".to_owned());
    }
    Ok(Upload {
        registration: u32::from_be_bytes(child(iq, "registration")?),
        identity,
        signed,
        keys,
    })
}

fn read_signed(parent: &NodeRef<'_>) -> Result<PublicSignedPrekey, String> {
    let skey = parent.child("skey").ok_or("no skey")?;
    Ok(PublicSignedPrekey {
        id: SignedPrekeyId::from_be_bytes(child(&skey, "id")?).ok_or("the skey id is 0")?,
        key: SignedPrekeyPublic::from_bytes(child(&skey, "value")?),
        signature: Signature::from_bytes(child(&skey, "signature")?),
    })
}

/// Keeps an upload. Returns the first id in it that was another key's before.
fn store(device: &mut Device, upload: Upload) -> Result<Option<u32>, String> {
    if upload.identity != device.identity {
        return Err("another identity key than was linked".to_owned());
    }
    if upload.registration != device.registration {
        return Err("another registration id than was linked".to_owned());
    }
    let bundle = device.bundle.get_or_insert_with(|| Bundle {
        signed: upload.signed,
        one_time: Default::default(),
    });
    bundle.signed = upload.signed;
    let mut reused = None;
    for key in &upload.keys {
        if !device.used_prekeys.note(key) {
            reused = reused.or(Some(key.id.get()));
        }
    }
    bundle.extend(upload.keys);
    Ok(reused)
}

fn child<const N: usize>(parent: &NodeRef<'_>, tag: &str) -> Result<[u8; N], String> {
    let node = parent.child(tag).ok_or_else(|| format!("no {tag}"))?;
    let bytes = node.bytes().unwrap_or_default();
    <[u8; N]>::try_from(&*bytes)
        .map_err(|_| format!("{tag} has {} bytes instead of {N}", bytes.len()))
}
