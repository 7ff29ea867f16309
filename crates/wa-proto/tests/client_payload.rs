//! The two examples of the client payload chapter, 6, byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{hex, unhex};
use prost::Message;
use wa_proto::pb::{ClientPayload, DeviceProps, client_payload as payload, device_props as props};

const COMMON: &str = "2a38080e120b080210b81718d7afcdf2031a033030302203303030 \
    2a03302e3132003a074465736b746f704203302e3150005a02656e62025553 32022000 6001 6801";

fn common_part() -> ClientPayload {
    use payload::user_agent as agent;
    ClientPayload {
        user_agent: Some(payload::UserAgent {
            platform: Some(agent::Platform::Web.into()),
            app_version: Some(agent::AppVersion {
                primary: Some(2),
                secondary: Some(3000),
                tertiary: Some(1_045_649_367),
                ..Default::default()
            }),
            mcc: Some("000".to_owned()),
            mnc: Some("000".to_owned()),
            os_version: Some("0.1".to_owned()),
            manufacturer: Some(String::new()),
            device: Some("Desktop".to_owned()),
            os_build_number: Some("0.1".to_owned()),
            release_channel: Some(agent::ReleaseChannel::Release.into()),
            locale_language_iso6391: Some("en".to_owned()),
            locale_country_iso31661_alpha2: Some("US".to_owned()),
            ..Default::default()
        }),
        web_info: Some(payload::WebInfo {
            web_sub_platform: Some(payload::web_info::WebSubPlatform::WebBrowser.into()),
            ..Default::default()
        }),
        connect_type: Some(payload::ConnectType::WifiUnknown.into()),
        connect_reason: Some(payload::ConnectReason::UserActivated.into()),
        ..Default::default()
    }
}

fn assert_wire(message: &ClientPayload, wire: &str, len: usize) {
    let bytes = message.encode_to_vec();
    assert_eq!(hex(&bytes), wire.replace(' ', ""));
    assert_eq!(bytes.len(), len);
    assert_eq!(&ClientPayload::decode(bytes.as_slice()).unwrap(), message);
}

#[test]
fn login() {
    let message = ClientPayload {
        username: Some(12_025_550_123),
        passive: Some(true),
        connect_attempt_count: Some(1),
        device: Some(48),
        lc: Some(3),
        pull: Some(true),
        lid_db_migrated: Some(true),
        ..common_part()
    };
    let wire = format!("08abaa9de62c 1801 {COMMON} 800101 900130 c00103 880201 c80201");
    assert_wire(&message, &wire, 89);
}

#[test]
fn registration() {
    let device_props = DeviceProps {
        os: Some("Linux".to_owned()),
        version: Some(props::AppVersion {
            primary: Some(10),
            secondary: Some(15),
            tertiary: Some(7),
            ..Default::default()
        }),
        platform_type: Some(props::PlatformType::Chrome.into()),
        require_full_sync: Some(false),
        history_sync_config: Some(props::HistorySyncConfig {
            storage_quota_mb: Some(114_149),
            inline_initial_payload_in_e2ee_msg: Some(true),
            support_call_log_history: Some(true),
            support_bot_user_agent_chat_history: Some(true),
            support_cag_reactions_and_polls: Some(true),
            support_biz_hosted_msg: Some(true),
            support_recent_sync_chunk_message_count_tuning: Some(true),
            support_hosted_group_msg: Some(true),
            support_fbid_bot_chat_history: Some(true),
            support_message_association: Some(true),
            support_group_history: Some(true),
            thumbnail_sync_days_limit: Some(60),
            support_manus_history: Some(true),
            support_hatch_history: Some(true),
            ..Default::default()
        }),
    };
    let identity = "3dcbc1fcbd1943eb2681acde1408fb657c059f4671402f42f9dee5b785b9a71e";
    let signed_prekey = "52376c2da658eade4ef8be1bbb4ce33b01f7441f9b8620e3bf9ea0945d8e237f";
    let build_hash = "9fa53af9421567b114e33c9bb1ef7db2";
    let message = ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(payload::DevicePairingRegistrationData {
            e_regid: Some(unhex("00001234")),
            e_keytype: Some(vec![5]),
            e_ident: Some(unhex(identity)),
            e_skey_id: Some(unhex("000001")),
            e_skey_val: Some(unhex(signed_prekey)),
            e_skey_sig: Some(vec![0xaa; 64]),
            build_hash: Some(unhex(build_hash)),
            device_props: Some(device_props.encode_to_vec()),
        }),
        ..common_part()
    };
    let wire = format!(
        "1800 {COMMON} 9a01de01 0a0400001234 120105 1a20{identity} 2203000001 \
         2a20{signed_prekey} 3240{} 3a10{build_hash} 4236 0a054c696e7578 1206080a100f1807 \
         1801 2000 2a21 18e5fb06 20013001380140014801500158016001 70017801 98013c \
         a80101b00101 880200",
        "aa".repeat(64)
    );
    assert_wire(&message, &wire, 297);
}

#[test]
fn unknown_fields_are_ignored() {
    let mut bytes = common_part().encode_to_vec();
    // Field 47, a text.
    bytes.extend(unhex("fa02026869"));
    assert_eq!(
        ClientPayload::decode(bytes.as_slice()).unwrap(),
        common_part()
    );
}
