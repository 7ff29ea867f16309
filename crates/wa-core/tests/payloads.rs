#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use support::{Pickles, Rig, rng, start};
use wa_core::{Config, Device, HistorySupport, Provider, Query};

/// Keys of the recorded payloads; the public halves are in the payload.
const IDENTITY: &str = "d88dae762c70ac158dadd5977498a98be3c9690028a61458f9f1483c0113cd4f";
const SIGNED_PREKEY: &str = "183812fb8cbfccc2ae0c54266e456763eef038717dd8ab6e22dba80f55822f7b";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn vector(name: &str) -> Vec<u8> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("vectors/client_payload.json")).unwrap();
    hex(file[name].as_str().unwrap())
}

fn web_client(config: &mut Config) {
    config.device.name = "Linux".to_owned();
    config.device.version = Some((10, 15, 7));
    config.device.history = HistorySupport::WebClient;
}

#[test]
fn a_registration_is_the_recorded_one_byte_for_byte() {
    let mut rig = Rig::with(web_client);
    let fresh = Device::generate(Provider::rust(), &mut rng(9), start().unix_secs());
    let mut pickles = Pickles::read(&fresh.initial_changes().puts);
    pickles.device.identity_secret = hex(IDENTITY);
    pickles.device.registration_id = 0x1234;
    let signed = pickles.signed.as_mut().unwrap();
    signed.secret = hex(SIGNED_PREKEY);
    signed.signature = vec![0xaa; 64];
    rig.store.put_all(pickles.records());
    rig.restart();
    rig.command(wa_core::Command::Start);
    assert_eq!(rig.service.seen.raw_payloads, [vector("registration")]);
}

#[test]
fn a_login_is_the_recorded_one_byte_for_byte() {
    let mut rig = Rig::online_with(web_client);
    let mut pickles = Pickles::read(&rig.store.load(Query::Device));
    pickles.device.link.as_mut().unwrap().logins = 2;
    rig.store.put_all(pickles.records());
    rig.restart();
    rig.command(wa_core::Command::Start);
    rig.drop_connection(wa_core::CloseCause::Peer { code: None });
    rig.advance(support::secs(2));
    assert_eq!(
        rig.service.seen.raw_payloads.last(),
        Some(&vector("login")),
        "the third login since pairing, the second connection of the process"
    );
}

#[test]
fn optional_fields_can_be_left_out() {
    let rig = Rig::online_with(|config| {
        config.login.login_count = false;
        config.login.connect_count = false;
        config.login.passive = false;
        config.login.lid_migrated = false;
    });
    let login = rig.service.seen.payloads.last().unwrap();
    assert_eq!((login.lc, login.connect_attempt_count), (None, None));
    assert_eq!(login.passive, Some(false), "written, not absent");
    assert_eq!(login.lid_db_migrated, Some(false));
}

#[test]
fn a_device_that_takes_no_history_does_not_claim_to() {
    use prost::Message;
    let mut rig = Rig::new();
    rig.command(wa_core::Command::Start);
    let registration = rig.service.seen.payloads[0].device_pairing_data.clone();
    let props = registration.unwrap().device_props.unwrap();
    let props = wa_proto::pb::DeviceProps::decode(props.as_slice()).unwrap();
    let history = props.history_sync_config.unwrap();
    assert_eq!(history.inline_initial_payload_in_e2ee_msg, None);
    assert_eq!(history.support_call_log_history, None);
    assert_eq!(props.require_full_sync, Some(false));
    assert_eq!(props.os.as_deref(), Some("wa"));
}
