#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use prost::Message as _;
use support::{Rig, config};
use wa_core::{ClientType, Command, Config, Handoff, PlatformType};
use wa_proto::pb::DeviceProps;

/// What the phone and the server are told, in the four places.
struct Told {
    os: String,
    platform: u32,
    qr: String,
    companion: (String, String),
    passkey: u32,
}

fn told(change: impl Fn(&mut Config)) -> Told {
    let mut rig = Rig::with(|config| {
        config.handoff = Handoff::Withhold;
        change(config);
    });
    rig.ask_for_code();
    let (_, hello) = (rig.code_ref(), rig.companion_hello());
    let qr = rig.qr().unwrap();
    let registration = rig.service.seen.payloads[0].device_pairing_data.clone();
    let props = registration.unwrap().device_props.unwrap();
    let props = DeviceProps::decode(&*props).unwrap();
    rig.command(Command::CancelPairingCode);
    rig.scan_for_passkey();
    rig.respond();
    Told {
        os: props.os.unwrap(),
        platform: u32::try_from(props.platform_type.unwrap()).unwrap(),
        qr: qr.rsplit(',').next().unwrap().to_owned(),
        companion: (
            hello.text("companion_platform_id"),
            hello.text("companion_platform_display"),
        ),
        passkey: rig.service.ceremonies.device_type.unwrap(),
    }
}

#[test]
fn one_function_says_who_we_are() {
    for (platform, name, id, display) in [
        (PlatformType::Chrome, "Ubuntu", "1", "Chrome (Linux)"),
        (
            PlatformType::Firefox,
            "Windows 11",
            "3",
            "Firefox (Windows)",
        ),
        (PlatformType::Safari, "macOS", "6", "Safari (Mac OS)"),
        (PlatformType::Edge, "My Bot", "2", "Edge (Linux)"),
    ] {
        let told = told(|config| {
            config.device.platform = platform;
            config.device.name = name.to_owned();
        });
        assert_eq!(told.os, name, "a brand shows in the phone's list only");
        assert_eq!(told.platform, platform as u32);
        assert_eq!(told.passkey, platform as u32);
        assert_eq!(told.qr, id);
        assert_eq!(told.companion, (id.to_owned(), display.to_owned()));
    }
}

#[test]
fn what_is_told_is_what_the_configuration_says() {
    let rig = Rig::new();
    let mut config = config(&rig.service);
    config.device.platform = PlatformType::Opera;
    config.client_type = Some(ClientType::Firefox);
    let presentation = config.presentation();
    assert_eq!(presentation.client_type, ClientType::Firefox);
    assert_eq!(presentation.companion.id, ClientType::Firefox);
    assert_eq!(presentation.companion.display, "Firefox (Linux)");
    assert_eq!(presentation.device_type, PlatformType::Opera as u32);
}
