#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::Rig;
use wa_core::{ClientType, Command, Config, PlatformType};

/// Last field of the code on show.
fn shown(change: impl FnOnce(&mut Config)) -> String {
    let mut rig = Rig::with(change);
    rig.command(Command::Start);
    let qr = rig.qr().expect("a code");
    qr.rsplit(',').next().unwrap().to_owned()
}

#[test]
fn every_platform_has_its_type() {
    for (platform, code) in [
        (PlatformType::Chrome, "1"),
        (PlatformType::Firefox, "3"),
        (PlatformType::Ie, "4"),
        (PlatformType::Opera, "5"),
        (PlatformType::Safari, "6"),
        (PlatformType::Edge, "2"),
        (PlatformType::Desktop, "7"),
        (PlatformType::Uwp, "8"),
        (PlatformType::AndroidPhone, "1"),
        (PlatformType::Ipad, "9"),
    ] {
        assert_eq!(shown(|config| config.device.platform = platform), code);
    }
}

#[test]
fn an_explicit_type_wins() {
    let code = shown(|config| {
        config.device.platform = PlatformType::Firefox;
        config.client_type = Some(ClientType::AndroidPhone);
    });
    assert_eq!(code, "e");
}
