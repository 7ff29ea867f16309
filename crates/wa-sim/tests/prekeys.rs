//! Counting, uploading, comparing, rotating and fetching keys; all in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::device::{Heard, Keys, child, request};
use common::lab::Lab;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wa_crypto::{Provider, PublicKey as _, sha1};
use wa_proto::{Jid, Node};
use wa_sim::{ConnId, World, WorldConfig};

/// The public halves of some one-time prekeys, made up: the server looks at their size only.
fn keys_from(first: u32, count: u32) -> Vec<(u32, [u8; 32])> {
    (first..first + count)
        .map(|id| {
            let mut key = [9; 32];
            key[..4].copy_from_slice(&id.to_be_bytes());
            (id, key)
        })
        .collect()
}

fn skey(signed: &wa_signal::SignedPrekey) -> Node {
    Node::new("skey")
        .child(Node::new("id").bytes(signed.id.to_be_bytes()))
        .child(Node::new("value").bytes(*signed.secret.public().as_bytes()))
        .child(Node::new("signature").bytes(*signed.signature.as_bytes()))
}

fn upload(keys: &Keys, one_time: &[(u32, [u8; 32])]) -> Node {
    let list = one_time.iter().map(|(id, key)| {
        Node::new("key")
            .child(Node::new("id").bytes(id.to_be_bytes()[1..].to_vec()))
            .child(Node::new("value").bytes(*key))
    });
    request("upload", "set", "encrypt", None)
        .child(Node::new("registration").bytes(keys.registration.to_be_bytes()))
        .child(Node::new("type").bytes([5]))
        .child(Node::new("identity").bytes(*keys.identity.public().as_bytes()))
        .child(Node::new("list").children(list))
        .child(skey(&keys.signed))
}

fn online() -> (Lab, Keys, ConnId) {
    let mut lab = Lab::new();
    let mut keys = Keys::new(1);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    lab.activate(id);
    (lab, keys, id)
}

fn count(lab: &mut Lab, id: ConnId) -> u64 {
    let answer = lab.ask(
        id,
        &request("count", "get", "encrypt", Some(Node::new("count"))),
    );
    child(&answer, "count").get_u64("value").unwrap()
}

fn error_code(answer: &Node) -> Option<u64> {
    child(answer, "error").get_u64("code")
}

#[test]
fn an_upload_is_counted_and_its_digest_agrees() {
    let (mut lab, keys, id) = online();
    assert_eq!(count(&mut lab, id), 0);
    let digest = request("digest", "get", "encrypt", Some(Node::new("digest")));
    assert_eq!(error_code(&lab.ask(id, &digest)), Some(404));

    let one_time = keys_from(1, 812);
    let answer = lab.ask(id, &upload(&keys, &one_time));
    assert_eq!(answer.get_text("type").unwrap(), "result");
    assert_eq!(count(&mut lab, id), 812);

    let answer = lab.ask(id, &digest);
    let digest = child(&answer, "digest");
    assert_eq!(
        child(digest, "registration").get_bytes().unwrap(),
        keys.registration.to_be_bytes()
    );
    assert_eq!(child(digest, "list").get_children().len(), 812);
    let all: Vec<u8> = one_time.iter().flat_map(|(_, key)| *key).collect();
    let hash = sha1(&[
        keys.identity.public().as_bytes(),
        keys.signed.secret.public().as_bytes(),
        keys.signed.signature.as_bytes(),
        &all,
    ]);
    assert_eq!(child(digest, "hash").get_bytes(), Some(hash.as_slice()));
    assert!(lab.remarks().is_empty());
}

#[test]
fn an_id_uploaded_twice_replaces_its_key() {
    let (mut lab, keys, id) = online();
    lab.ask(id, &upload(&keys, &keys_from(1, 10)));
    lab.ask(id, &upload(&keys, &keys_from(6, 10)));
    assert_eq!(count(&mut lab, id), 15);
}

/// What the server says of an upload built like this.
struct Case(&'static str, fn(&mut Keys) -> Node);

#[test]
fn a_wrong_upload_is_refused_and_stores_nothing() {
    let cases = [
        Case("keys: another identity key than was linked", |keys| {
            let other = Keys::new(50);
            keys.identity = other.identity;
            keys.signed = other.signed;
            upload(keys, &keys_from(1, 3))
        }),
        Case("keys: another registration id than was linked", |keys| {
            let other = keys.registration.get() % 16_000 + 1;
            keys.registration = wa_signal::RegistrationId::new(other).unwrap();
            upload(keys, &keys_from(1, 3))
        }),
        Case(
            "keys: the signed prekey's signature does not verify",
            |keys| {
                keys.signed = Keys::new(51).signed;
                upload(keys, &keys_from(1, 3))
            },
        ),
        Case("keys: a key id comes twice", |keys| {
            let twice = [keys_from(1, 2), keys_from(2, 2)].concat();
            upload(keys, &twice)
        }),
        Case("keys: a key id is 0", |keys| upload(keys, &keys_from(0, 2))),
    ];
    for Case(expected, build) in cases {
        let (mut lab, mut keys, id) = online();
        let stanza = build(&mut keys);
        let answer = lab.ask(id, &stanza);
        assert_eq!(error_code(&answer), Some(406), "{expected}");
        assert_eq!(lab.remarks(), [expected]);
        assert_eq!(count(&mut lab, id), 0);
    }
}

#[test]
fn one_upload_holds_a_bounded_number_of_keys() {
    let (mut lab, keys, id) = online();
    let answer = lab.ask(id, &upload(&keys, &keys_from(1, 2_048)));
    assert_eq!(answer.get_text("type").unwrap(), "result");
    let answer = lab.ask(id, &upload(&keys, &keys_from(1, 2_049)));
    assert_eq!(error_code(&answer), Some(406));
}

#[test]
fn the_signed_prekey_rotates() {
    let (mut lab, keys, id) = online();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let next = keys
        .signed
        .rotate(Provider::rust(), &keys.identity, 1_789_000_100, &mut rng);
    let rotate = |signed| {
        request(
            "r",
            "set",
            "encrypt",
            Some(Node::new("rotate").child(skey(signed))),
        )
    };
    assert_eq!(
        lab.ask(id, &rotate(&next)).get_text("type").unwrap(),
        "result"
    );
    assert_eq!(
        error_code(&lab.ask(id, &rotate(&Keys::new(60).signed))),
        Some(406)
    );
    lab.ask(
        id,
        &upload(
            &Keys {
                signed: next.clone(),
                ..keys
            },
            &keys_from(1, 5),
        ),
    );
    let answer = lab.ask(
        id,
        &request("d", "get", "encrypt", Some(Node::new("digest"))),
    );
    let id_now = child(child(child(&answer, "digest"), "skey"), "id");
    assert_eq!(id_now.get_bytes().unwrap(), next.id.to_be_bytes());
}

#[test]
fn bundles_are_handed_out_and_use_up_one_key_each() {
    let (mut lab, keys, id) = online();
    lab.ask(id, &upload(&keys, &keys_from(1, 2)));
    let own = keys.jid.clone().unwrap();
    let phone = own.to_non_device();
    let nobody: Jid = "15550000000@s.whatsapp.net".parse().unwrap();
    let fetch = Node::new("key")
        .children([&own, &phone, &nobody].map(|jid| Node::new("user").attr("jid", jid)));
    let answer = lab.ask(id, &request("k", "get", "encrypt", Some(fetch)));
    let users = child(&answer, "list").get_children();
    assert_eq!(users[0].get_jid("jid"), Some(own));
    assert!(users[0].get_child("key").is_some());
    assert!(users[0].get_child("device-identity").is_some());
    assert_eq!(child(&users[1], "identity").get_bytes().unwrap().len(), 32);
    assert!(users[1].get_child("device-identity").is_none());
    assert_eq!(error_code(&users[2]), Some(406));
    assert_eq!(count(&mut lab, id), 1);
}

#[test]
fn running_low_is_told_and_kept_until_acknowledged() {
    let (mut lab, keys, id) = online();
    lab.ask(id, &upload(&keys, &keys_from(1, 20)));
    lab.world
        .use_up_prekeys(lab.now, lab.phone, keys.device(), 3);
    lab.push(id, &[]);
    let Some(Heard::Stanza(notification)) = lab.heard(id).pop() else {
        panic!("nothing heard")
    };
    assert_eq!(notification.get_text("type").unwrap(), "encrypt");
    assert_eq!(child(&notification, "count").get_u64("value"), Some(3));
    assert_eq!(count(&mut lab, id), 3);
    // The ack of this one may leave the type out.
    let ack = Node::new("ack")
        .attr("class", "notification")
        .attr("id", notification.get_text("id").unwrap().into_owned())
        .attr("to", Jid::server_jid());
    lab.send(id, &ack);
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());
}

#[test]
fn an_id_that_was_another_keys_is_remarked_though_that_key_is_used_up() {
    let (mut lab, keys, id) = online();
    lab.ask(id, &upload(&keys, &keys_from(1, 10)));
    lab.ask(id, &upload(&keys, &keys_from(1, 10)));
    lab.world
        .use_up_prekeys(lab.now, lab.phone, keys.device(), 3);
    lab.ask(id, &upload(&keys, &keys_from(1, 10)));
    assert!(lab.remarks().is_empty(), "{:?}", lab.remarks());

    lab.world
        .use_up_prekeys(lab.now, lab.phone, keys.device(), 0);
    let state = lab.world.export();
    let mut world = World::import(WorldConfig::default(), [8; 32], lab.now, &state).unwrap();
    std::mem::swap(&mut world, &mut lab.world);
    let mut keys = keys;
    let id = lab.come_online(&mut keys);
    let mut other = keys_from(5, 10);
    other[0].1[0] ^= 1;
    other[1].1[0] ^= 1;
    let answer = lab.ask(id, &upload(&keys, &other));
    assert_eq!(answer.get_text("type").unwrap(), "result");
    assert_eq!(
        lab.remarks(),
        ["the one-time prekey id 5 was another key's before"]
    );
}
