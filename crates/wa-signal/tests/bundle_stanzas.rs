//! What we send about our bundle, and what we read of the server's answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use proptest::prelude::*;
use support::{hex32, hex64, unhex, vectors};
use wa_crypto::{IdentityPublic, OneTimePrekeyPublic, Signature, SignedPrekeyPublic};
use wa_proto::{Decoder, Jid, Node, encode_with, tok};
use wa_signal::{
    AnswerError, CountAnswer, DigestAnswer, DigestMismatch, MAX_COUNT, MAX_LISTED_PREKEYS,
    PrekeyId, PublicPrekey, PublicSignedPrekey, RegistrationId, RotateRefusal, SignedPrekeyId,
    UPLOAD_CHILDREN, bundle_digest, count_stanza_child, digest_stanza_child, rotate_stanza_child,
    upload_stanza_children, write_upload_children,
};

fn request(id: &str, kind: &str, children: Vec<Node>) -> Vec<u8> {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("xmlns", "encrypt")
        .attr("type", kind.to_owned())
        .attr("to", Jid::server_jid())
        .children(children)
        .to_bytes()
        .unwrap()
}

fn dummy_signed(id: u32, key: u8, signature: u8) -> PublicSignedPrekey {
    PublicSignedPrekey {
        id: SignedPrekeyId::new(id).unwrap(),
        key: SignedPrekeyPublic::from_bytes([key; 32]),
        signature: Signature::from_bytes([signature; 64]),
    }
}

fn dummy_prekey(id: u32, key: u8) -> PublicPrekey {
    PublicPrekey {
        id: PrekeyId::new(id).unwrap(),
        key: OneTimePrekeyPublic::from_bytes([key; 32]),
    }
}

#[test]
fn requests_have_the_bytes_of_the_vectors() {
    let vectors = vectors();
    let expected = |name: &str| unhex(&vectors["stanzas"][name]["hex"]);
    let upload = upload_stanza_children(
        RegistrationId::new(0x1234).unwrap(),
        &IdentityPublic::from_bytes([0x11; 32]),
        [dummy_prekey(1, 0x21), dummy_prekey(2, 0x22)],
        dummy_signed(1, 0x31, 0xAA),
    );
    assert_eq!(
        request("25.77-6", "set", upload),
        expected("stanza-prekey-upload")
    );
    let rotate = vec![rotate_stanza_child(dummy_signed(2, 0x32, 0xBB))];
    assert_eq!(request("25.77-8", "set", rotate), expected("stanza-rotate"));
    assert_eq!(
        request("25.77-5", "get", vec![count_stanza_child()]),
        expected("stanza-prekey-count")
    );
    assert_eq!(
        request("25.77-7", "get", vec![digest_stanza_child()]),
        expected("stanza-digest")
    );
}

#[test]
fn the_streamed_upload_has_the_same_bytes() {
    for count in [0_u32, 1, 812] {
        let keys: Vec<PublicPrekey> = (1..=count).map(|id| dummy_prekey(id, 0x21)).collect();
        let registration = RegistrationId::new(0x1234).unwrap();
        let identity = IdentityPublic::from_bytes([0x11; 32]);
        let signed = dummy_signed(1, 0x31, 0xAA);
        let built = upload_stanza_children(registration, &identity, keys.clone(), signed);
        let mut streamed = Vec::new();
        let attributes = [
            (tok!("id"), "25.77-6".into()),
            (tok!("xmlns"), "encrypt".into()),
            (tok!("type"), "set".into()),
            (tok!("to"), Jid::server_jid().into()),
        ];
        encode_with(&mut streamed, |writer| {
            writer.parent(&tok!("iq"), &attributes, UPLOAD_CHILDREN, |writer| {
                write_upload_children(writer, registration, &identity, &keys, signed)
            })
        })
        .unwrap();
        assert_eq!(streamed, request("25.77-6", "set", built), "{count} keys");
    }
}

#[test]
fn bundle_digest_matches_the_vector() {
    let vectors = vectors();
    let case = &vectors["key_bundle_digest"];
    let signed = PublicSignedPrekey {
        id: SignedPrekeyId::FIRST,
        key: SignedPrekeyPublic::from_bytes(hex32(&case["signed_prekey_public32"])),
        signature: Signature::from_bytes(hex64(&case["signed_prekey_signature"])),
    };
    let keys = case["one_time_publics32_in_server_order"]
        .as_array()
        .unwrap();
    let digest = bundle_digest(
        &IdentityPublic::from_bytes(hex32(&case["identity_public32"])),
        signed,
        keys.iter()
            .map(|key| OneTimePrekeyPublic::from_bytes(hex32(key))),
    );
    assert_eq!(digest.as_slice(), unhex(&case["sha1"]));
}

/// The server's view of a bundle with prekeys 5, 4 and 9, and what we hold.
struct Bundle {
    registration: RegistrationId,
    identity: IdentityPublic,
    signed: PublicSignedPrekey,
    prekeys: Vec<PublicPrekey>,
}

impl Bundle {
    fn new() -> Self {
        Self {
            registration: RegistrationId::new(77).unwrap(),
            identity: IdentityPublic::from_bytes([0x11; 32]),
            signed: dummy_signed(3, 0x31, 0xAA),
            prekeys: vec![
                dummy_prekey(5, 0x55),
                dummy_prekey(4, 0x44),
                dummy_prekey(9, 0x99),
            ],
        }
    }

    fn hash(&self) -> [u8; 20] {
        bundle_digest(
            &self.identity,
            self.signed,
            self.prekeys.iter().map(|prekey| prekey.key),
        )
    }

    fn answer(&self, hash: &[u8]) -> Node {
        let mut children = upload_stanza_children(
            self.registration,
            &self.identity,
            self.prekeys.clone(),
            self.signed,
        );
        children[3] = Node::new("list").children(
            self.prekeys
                .iter()
                .map(|prekey| Node::new("id").bytes(prekey.id.to_be_bytes().to_vec())),
        );
        children.push(Node::new("hash").bytes(hash.to_vec()));
        Node::new("iq")
            .attr("type", "result")
            .child(Node::new("digest").children(children))
    }

    fn compare(&self, answer: &DigestAnswer) -> Result<(), DigestMismatch> {
        answer.compare(self.registration, &self.identity, self.signed, |id| {
            self.prekeys
                .iter()
                .find(|prekey| prekey.id == id)
                .map(|prekey| prekey.key)
        })
    }
}

fn parse_digest(node: &Node) -> Result<DigestAnswer, AnswerError> {
    DigestAnswer::parse(&Decoder::new().decode(&node.to_bytes().unwrap()).unwrap())
}

fn parse_count(node: &Node) -> Result<CountAnswer, AnswerError> {
    CountAnswer::parse(&Decoder::new().decode(&node.to_bytes().unwrap()).unwrap())
}

#[test]
fn an_equal_bundle_compares_equal() {
    let bundle = Bundle::new();
    let answer = parse_digest(&bundle.answer(&bundle.hash())).unwrap();
    assert_eq!(
        answer.prekeys.iter().map(|id| id.get()).collect::<Vec<_>>(),
        [5, 4, 9]
    );
    assert_eq!(bundle.compare(&answer), Ok(()));
}

#[test]
fn a_shortened_hash_is_compared_on_its_length() {
    let bundle = Bundle::new();
    let hash = bundle.hash();
    assert_eq!(
        bundle.compare(&parse_digest(&bundle.answer(&hash[..8])).unwrap()),
        Ok(())
    );
    let mut wrong = hash;
    wrong[7] ^= 1;
    assert_eq!(
        bundle.compare(&parse_digest(&bundle.answer(&wrong[..8])).unwrap()),
        Err(DigestMismatch::Hash)
    );
}

#[test]
fn every_difference_of_the_bundle_is_named() {
    let server = Bundle::new();
    let answer = parse_digest(&server.answer(&server.hash())).unwrap();
    let mut ours = Bundle::new();
    ours.registration = RegistrationId::new(78).unwrap();
    assert_eq!(
        ours.compare(&answer),
        Err(DigestMismatch::Registration {
            expected: 78,
            got: 77
        })
    );
    let mut ours = Bundle::new();
    ours.identity = IdentityPublic::from_bytes([0x12; 32]);
    assert_eq!(ours.compare(&answer), Err(DigestMismatch::Identity));
    let mut ours = Bundle::new();
    ours.signed = dummy_signed(4, 0x31, 0xAA);
    assert!(matches!(
        ours.compare(&answer),
        Err(DigestMismatch::SignedPrekey { .. })
    ));
    let mut ours = Bundle::new();
    ours.prekeys.remove(1);
    let missing = PrekeyId::new(4).unwrap();
    assert_eq!(
        ours.compare(&answer),
        Err(DigestMismatch::UnknownPrekey { id: missing })
    );
    let mut ours = Bundle::new();
    ours.prekeys[2] = dummy_prekey(9, 0x98);
    assert_eq!(ours.compare(&answer), Err(DigestMismatch::Hash));
}

#[test]
fn a_digest_without_its_parts_is_refused() {
    let no_digest = Node::new("iq").attr("type", "result");
    assert_eq!(
        parse_digest(&no_digest),
        Err(AnswerError::Missing("digest"))
    );
    let bundle = Bundle::new();
    assert_eq!(
        parse_digest(&bundle.answer(&[])).unwrap_err(),
        AnswerError::Length {
            name: "hash",
            expected: 20,
            got: 0
        }
    );
    assert_eq!(
        parse_digest(&bundle.answer(&[0; 21])).unwrap_err(),
        AnswerError::Length {
            name: "hash",
            expected: 20,
            got: 21
        }
    );
    let short = Node::new("iq").child(
        Node::new("digest").child(Node::new("skey").child(Node::new("id").bytes(vec![0, 1]))),
    );
    assert_eq!(
        parse_digest(&short),
        Err(AnswerError::Length {
            name: "id",
            expected: 3,
            got: 2
        })
    );
    let other_type =
        Node::new("iq").child(Node::new("digest").child(Node::new("type").bytes(vec![6])));
    assert_eq!(
        parse_digest(&other_type),
        Err(AnswerError::KeyType { got: 6 })
    );
}

#[test]
fn listed_prekeys_are_bounded() {
    let mut bundle = Bundle::new();
    bundle.prekeys = (1..=MAX_LISTED_PREKEYS)
        .map(|id| dummy_prekey(u32::try_from(id).unwrap(), 1))
        .collect();
    assert_eq!(
        parse_digest(&bundle.answer(&[1])).unwrap().prekeys.len(),
        MAX_LISTED_PREKEYS
    );
    bundle.prekeys.push(dummy_prekey(9999, 1));
    assert_eq!(
        parse_digest(&bundle.answer(&[1])),
        Err(AnswerError::TooManyPrekeys {
            limit: MAX_LISTED_PREKEYS
        })
    );
}

#[test]
fn count_answers_are_read_and_bounded() {
    let answer =
        |value: &str| Node::new("iq").child(Node::new("count").attr("value", value.to_owned()));
    assert_eq!(parse_count(&answer("812")).unwrap().count, 812);
    assert_eq!(
        parse_count(&answer(&MAX_COUNT.to_string())).unwrap().count,
        MAX_COUNT
    );
    let above = u64::from(MAX_COUNT) + 1;
    assert_eq!(
        parse_count(&answer(&above.to_string())),
        Err(AnswerError::Count {
            got: above,
            limit: MAX_COUNT
        })
    );
    assert_eq!(
        parse_count(&answer("many")),
        Err(AnswerError::Missing("value"))
    );
    assert_eq!(
        parse_count(&Node::new("iq")),
        Err(AnswerError::Missing("count"))
    );
    let vector = unhex(&vectors()["stanzas"]["stanza-prekey-count-result"]["hex"]);
    assert_eq!(
        CountAnswer::parse(&Decoder::new().decode(&vector).unwrap())
            .unwrap()
            .count,
        812
    );
}

#[test]
fn rotation_errors_say_what_to_do() {
    assert_eq!(RotateRefusal::from_code(406), RotateRefusal::Malformed);
    assert_eq!(RotateRefusal::from_code(409), RotateRefusal::Mismatch);
    assert_eq!(RotateRefusal::from_code(500), RotateRefusal::Later);
    assert_eq!(RotateRefusal::from_code(503), RotateRefusal::Later);
    assert_eq!(RotateRefusal::from_code(429), RotateRefusal::Other(429));
}

proptest! {
    /// Answers with random children of random sizes are read or refused, never a panic.
    #[test]
    fn random_answers_never_panic(
        parts in prop::collection::vec(
            (
                prop::sample::select(vec!["registration", "type", "identity", "skey", "list", "hash", "id", "value", "signature"]),
                prop::collection::vec(any::<u8>(), 0..70),
                any::<bool>(),
            ),
            0..12,
        ),
    ) {
        let children = parts.into_iter().map(|(tag, bytes, nested)| {
            if nested {
                Node::new(tag).child(Node::new("id").bytes(bytes))
            } else {
                Node::new(tag).bytes(bytes)
            }
        });
        let node = Node::new("iq").child(Node::new("digest").children(children));
        let _ = parse_digest(&node);
        let _ = parse_count(&node);
    }
}
