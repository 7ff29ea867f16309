//! Replays the client's trace of every session: hash, chaining key and counter after each operation.

use serde_json::Value;
use wa_crypto::{
    NoiseEphemeralPublic, NoiseEphemeralSecret, NoiseStaticPublic, NoiseStaticSecret, Provider,
    SharedSecret,
};

use super::{KeyedState, SymmetricState};
use crate::error::Pattern;

enum State {
    Open(SymmetricState),
    Keyed(KeyedState),
}

impl State {
    fn mix_hash(&mut self, data: &[u8]) {
        match self {
            Self::Open(state) => state.mix_hash(data),
            Self::Keyed(state) => state.base.mix_hash(data),
        }
    }

    fn mix_key(self, shared: &SharedSecret) -> Self {
        match self {
            Self::Open(state) => Self::Keyed(state.mix_key(shared)),
            Self::Keyed(mut state) => {
                state.mix_key(shared);
                Self::Keyed(state)
            }
        }
    }

    fn keyed(&mut self) -> &mut KeyedState {
        match self {
            Self::Keyed(state) => state,
            Self::Open(_) => panic!("the trace seals before a key exists"),
        }
    }

    fn assert_is(&self, step: &Value) {
        let (base, counter) = match self {
            Self::Open(state) => (state, None),
            Self::Keyed(state) => (&state.base, Some(u64::from(state.counter))),
        };
        assert_eq!(base.hash.as_slice(), hex(&step["h"]), "{}", step["op"]);
        assert_eq!(
            base.chaining_key.as_slice(),
            hex(&step["ck"]),
            "{}",
            step["op"]
        );
        assert_eq!(counter, step["n"].as_u64(), "{}", step["op"]);
    }
}

#[test]
fn every_step_of_every_trace_gives_the_written_state() {
    let document = include_str!("../../tests/vectors/vectors-noise.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let sessions = document["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 8);
    for session in sessions {
        replay(Provider::rust(), session);
        #[cfg(feature = "aws-lc")]
        replay(Provider::aws_lc(), session);
    }
}

fn replay(provider: Provider, session: &Value) {
    let pattern = match session["pattern"].as_str().unwrap() {
        "XX" => Pattern::Xx,
        "IK" => Pattern::Ik,
        _ => Pattern::XxFallback,
    };
    let trace = session["client_trace"].as_array().unwrap();
    let prologue = hex(&session["prologue"]).try_into().unwrap();
    let mut state = State::Open(SymmetricState::start(provider, pattern, &prologue));
    for step in trace.iter().skip(1) {
        let data = hex(&step["data"]);
        match step["op"].as_str().unwrap().split_once(' ').unwrap() {
            ("MixHash", "prologue") => {}
            ("MixHash", _) => state.mix_hash(&data),
            ("MixKey", which) => {
                let shared = agree(provider, which, session);
                assert_eq!(shared.expose_bytes().as_slice(), data);
                state = state.mix_key(&shared);
            }
            ("EncryptAndHash", what) => {
                assert_eq!(
                    state.keyed().seal(&plaintext(what, session)),
                    data,
                    "{what}"
                );
            }
            ("DecryptAndHash", what) => {
                let mut sealed = data.clone();
                let opened = state.keyed().open(&mut sealed).unwrap();
                assert_eq!(opened, plaintext(what, session), "{what}");
            }
            (other, _) => panic!("the trace has an operation {other}"),
        }
        state.assert_is(step);
    }
    assert_splits(provider, state, &session["final"]);
}

fn assert_splits(provider: Provider, state: State, last: &Value) {
    let State::Keyed(state) = state else {
        panic!("the trace ends without a key")
    };
    let (write, read) = state.split();
    for (key, name) in [(write, "client_write_key"), (read, "client_read_key")] {
        let expected = wa_crypto::AeadKey::new(provider, &hex(&last[name]).try_into().unwrap());
        let (mut ours, mut theirs) = ([1; 40], [1; 40]);
        assert_eq!(
            key.seal_in_place(&[0; 12], &[], &mut ours),
            expected.seal_in_place(&[0; 12], &[], &mut theirs),
            "{name}"
        );
        assert_eq!(ours, theirs, "{name}");
    }
}

fn agree(provider: Provider, which: &str, session: &Value) -> SharedSecret {
    let client_ephemeral =
        NoiseEphemeralSecret::from_bytes(provider, &secret(session, "client_ephemeral"));
    let client_static = NoiseStaticSecret::from_bytes(provider, &secret(session, "client_static"));
    let server_ephemeral = NoiseEphemeralPublic::from_bytes(public(session, "server_ephemeral"));
    let server_static = NoiseStaticPublic::from_bytes(public(session, "server_static"));
    match which {
        "ee" => client_ephemeral.agree(&server_ephemeral),
        "es" => client_ephemeral.agree(&server_static),
        "se" => client_static.agree(&server_ephemeral),
        "ss" => client_static.agree(&server_static),
        other => panic!("the trace mixes {other}"),
    }
    .unwrap()
}

fn plaintext(what: &str, session: &Value) -> Vec<u8> {
    match what {
        "client static" => public(session, "client_static").to_vec(),
        "server static" => public(session, "server_static").to_vec(),
        "client payload" => hex(&session["client_payload"]),
        "certificate chain" => hex(&session["cert_chain"]),
        other => panic!("the trace seals {other}"),
    }
}

fn secret(session: &Value, name: &str) -> [u8; 32] {
    hex(&session[name]["priv"]).try_into().unwrap()
}

fn public(session: &Value, name: &str) -> [u8; 32] {
    hex(&session[name]["pub"]).try_into().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let (pairs, rest) = value.as_str().unwrap().as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}
