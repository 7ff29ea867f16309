//! What the phones and the server believe outlives the process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::device::Keys;
use common::lab::Lab;
use wa_sim::{ImportError, World, WorldConfig, WorldState};

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
