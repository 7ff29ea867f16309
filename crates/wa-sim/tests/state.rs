//! What the phones and the server believe outlives the process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::ceremony::{CodeSide, ack_of};
use common::device::{Keys, answer_pair_success, child};
use common::lab::{Lab, number};
use wa_sim::{
    AssertError, ImportError, PasskeyPolicy, PhoneConfig, ScanFailure, ScanOutcome, World,
    WorldConfig, WorldState,
};

fn over_json(world: &World) -> serde_json::Value {
    serde_json::to_value(world.export()).unwrap()
}

#[test]
fn a_linked_companion_logs_in_to_the_world_that_comes_after() {
    let mut lab = Lab::new();
    let mut keys = Keys::new(1);
    lab.link(&mut keys);
    let id = lab.come_online(&mut keys);
    keys.server = lab.wire(id).server;
    let state: WorldState = serde_json::from_value(over_json(&lab.world)).unwrap();

    let world = World::import(WorldConfig::default(), [8; 32], lab.now, &state).unwrap();
    assert_eq!(world.noise_root_hex(), lab.world.noise_root_hex());
    assert_eq!(world.phones(), lab.world.phones());
    let mut lab = Lab::around(world, lab.now, lab.phone);
    let id = lab.login(&keys);
    assert_eq!(
        lab.wire(id).pattern,
        Some(wa_noise::Pattern::Ik),
        "the server kept its key"
    );
    assert_eq!(lab.hear(id).tag_str(), "success");
    assert!(
        lab.remarks().is_empty(),
        "it still knows the routing info it gave: {:?}",
        lab.remarks()
    );
    // The next index goes on where the old world stopped.
    let mut second = Keys::new(2);
    lab.link(&mut second);
    assert_eq!(second.key_index, Some(2));
}

#[test]
fn every_change_raises_the_revision() {
    let mut lab = Lab::new();
    let before = lab.world.revision();
    let mut keys = Keys::new(3);
    lab.link(&mut keys);
    let linked = lab.world.revision();
    assert!(linked > before);
    lab.world.unlink(lab.now, lab.phone, 1).unwrap();
    assert!(lab.world.revision() > linked);
}

#[test]
fn a_state_of_another_version_or_shape_is_refused() {
    let lab = Lab::new();
    let import = |value: serde_json::Value| {
        let state = serde_json::from_value(value).unwrap();
        World::import(WorldConfig::default(), [8; 32], lab.now, &state)
            .err()
            .unwrap()
    };
    let mut state = over_json(&lab.world);
    state["version"] = 2.into();
    assert_eq!(
        import(state),
        ImportError::Version {
            expected: 1,
            got: 2
        }
    );
    let mut state = over_json(&lab.world);
    state["root"] = "AAAA".into();
    assert_eq!(import(state), ImportError::Value("root"));
}

#[test]
fn a_state_shows_nothing_of_itself() {
    let lab = Lab::new();
    let state = lab.world.export();
    assert_eq!(format!("{state:?}"), "WorldState { accounts: 1, .. }");
}

#[test]
fn a_passkey_and_its_counters_outlive_the_world() {
    let mut lab = Lab::new();
    let guarded = number(15_559_990_001);
    let config = PhoneConfig {
        passkey: PasskeyPolicy {
            after_qr: true,
            ..PasskeyPolicy::default()
        },
        ..PhoneConfig::default()
    };
    lab.world.add_phone(lab.now, guarded, config).unwrap();
    lab.phone = guarded;
    let keys = Keys::new(4);
    let id = lab.register(&keys);
    let refs = lab.refs(id);
    let before = lab.world.revision();
    lab.scan(&keys.qr(&refs[0]));
    let options = child(&lab.hear(id), "passkey_request_options")
        .get_bytes()
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        .unwrap();
    let first = lab.world.assert_passkey(lab.now, &options).unwrap();
    assert!(lab.world.revision() > before);
    let state: WorldState = serde_json::from_value(over_json(&lab.world)).unwrap();

    let mut world = World::import(WorldConfig::default(), [8; 32], lab.now, &state).unwrap();
    assert_eq!(world.phones(), lab.world.phones(), "the policy too");
    let second = world.assert_passkey(lab.now, &options).unwrap();
    let field = |assertion: &str, name: &str| {
        let value: serde_json::Value = serde_json::from_str(assertion).unwrap();
        value["rawId"].as_str().unwrap().to_owned()
            + value["response"][name].as_str().unwrap_or_default()
    };
    assert_eq!(field(&first, "userHandle"), field(&second, "userHandle"));
    assert_ne!(
        field(&first, "authenticatorData"),
        field(&second, "authenticatorData"),
        "it goes on counting"
    );
    // The ceremony itself is forgotten: its challenge names nobody any more.
    let mut open: serde_json::Value = serde_json::from_str(&options).unwrap();
    open["allowCredentials"] = serde_json::json!([]);
    assert!(lab.world.assert_passkey(lab.now, &open.to_string()).is_ok());
    assert_eq!(
        world.assert_passkey(lab.now, &open.to_string()),
        Err(AssertError::NoPasskey)
    );
}

#[test]
fn a_companion_linked_by_code_logs_in_to_the_world_that_comes_after_and_a_waiting_code_is_forgotten()
 {
    let mut lab = Lab::new();
    let mut keys = Keys::new(5);
    let id = lab.register(&keys);
    lab.refs(id);
    let mut side = CodeSide::new(lab.phone, "3C6FVDRD", 5);
    lab.ask(id, &side.hello(&keys, "hello"));
    let enter = |lab: &mut Lab| {
        let scan = lab
            .world
            .enter_code(lab.now, lab.phone, "3C6FVDRD")
            .unwrap();
        lab.advance(std::time::Duration::ZERO);
        scan
    };
    enter(&mut lab);
    let hello = lab.hear(id);
    lab.send(id, &ack_of(&hello));
    let (secret, finish) = side.finish(&keys, &hello, "finish");
    lab.ask(id, &finish);
    keys.adv = secret;
    let success = lab.hear(id);
    let reply = answer_pair_success(&mut keys, &success, 5).unwrap();
    lab.send(id, &reply);
    // Another companion waits for its code to be entered.
    let waiting = Keys::new(6);
    let id = lab.register(&waiting);
    lab.refs(id);
    let mut side = CodeSide::new(lab.phone, "3C6FVDRD", 6);
    lab.ask(id, &side.hello(&waiting, "hello"));

    let state: WorldState = serde_json::from_value(over_json(&lab.world)).unwrap();
    let world = World::import(WorldConfig::default(), [8; 32], lab.now, &state).unwrap();
    let mut lab = Lab::around(world, lab.now, lab.phone);
    assert!(lab.world.phone(lab.phone).unwrap().code_wanted.is_none());
    let scan = enter(&mut lab);
    assert_eq!(
        lab.outcome(scan),
        ScanOutcome::Failed(ScanFailure::NoCompanion)
    );
    let id = lab.login(&keys);
    assert_eq!(lab.hear(id).tag_str(), "success");
}
