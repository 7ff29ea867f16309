//! What ends up in a log when a value of this crate is printed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{NOW, PAYLOAD, Scene, await_finish, body};

fn assert_clean(scene: &Scene, printed: &str) {
    for secret in [
        scene.device.expose_bytes(),
        scene.identity.static_secret.expose_bytes(),
    ] {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!printed.contains(&hex), "{printed}");
        assert!(!printed.contains(&format!("{secret:?}")), "{printed}");
    }
    assert!(!printed.contains(&format!("{PAYLOAD:?}")), "{printed}");
}

#[test]
fn every_step_prints_what_it_is_and_no_more() {
    let mut scene = Scene::new();
    let cached = scene.cached();
    assert_clean(
        &scene,
        &format!("{:?} {:#?}", scene.client(Some(cached)), scene.client(None)),
    );
    assert_clean(
        &scene,
        &format!("{:?} {:?}", scene.identity, scene.authority),
    );

    let (awaiting, hello) = scene.hello(None);
    assert_eq!(
        format!("{awaiting:?}"),
        "AwaitServerHello { offered: Xx, .. }"
    );
    let (step, answer) = scene.answer(&hello, true).unwrap();
    let finish = await_finish(step);
    assert_eq!(
        format!("{finish:?}"),
        "AwaitClientFinish { pattern: Xx, .. }"
    );

    let mut out = Vec::new();
    let established = awaiting.read(&answer, NOW, &mut out).unwrap();
    assert_clean(&scene, &format!("{established:?}"));
    assert_eq!(format!("{:?}", established.transport), "Transport { .. }");
    let (sealer, opener) = established.transport.split();
    assert_eq!(
        format!("{sealer:?} {opener:?}"),
        "Sealer { .. } Opener { .. }"
    );

    let accepted = finish.read(&body(&out)).unwrap();
    assert_clean(&scene, &format!("{accepted:?}"));
}

#[test]
fn a_frame_decoder_prints_no_frames() {
    let mut frames = wa_noise::FrameDecoder::new();
    frames.push(b"\x00\x00\x09secret");
    assert_eq!(format!("{frames:?}"), "FrameDecoder { pending: 9, .. }");
}
