//! What a companion says about itself.

use prost::Message as _;
use wa_crypto::PublicKey as _;
use wa_proto::pb;
use wa_proto::pb::client_payload::DevicePairingRegistrationData;
use wa_proto::pb::client_payload::user_agent::AppVersion;

use super::device::Keys;

pub fn registration(keys: &Keys) -> pb::ClientPayload {
    pb::ClientPayload {
        passive: Some(false),
        pull: Some(false),
        user_agent: Some(user_agent()),
        device_pairing_data: Some(DevicePairingRegistrationData {
            e_regid: Some(keys.registration.to_be_bytes().to_vec()),
            e_keytype: Some(vec![5]),
            e_ident: Some(keys.identity.public().as_bytes().to_vec()),
            e_skey_id: Some(keys.signed.id.to_be_bytes().to_vec()),
            e_skey_val: Some(keys.signed.secret.public().as_bytes().to_vec()),
            e_skey_sig: Some(keys.signed.signature.as_bytes().to_vec()),
            build_hash: Some(wa_crypto::md5(b"2.3000.1045649367").to_vec()),
            device_props: Some(
                pb::DeviceProps {
                    os: Some("Test".to_owned()),
                    ..Default::default()
                }
                .encode_to_vec(),
            ),
        }),
        ..Default::default()
    }
}

pub fn login(number: u64, device: u16) -> pb::ClientPayload {
    pb::ClientPayload {
        username: Some(number),
        device: Some(u32::from(device)),
        passive: Some(true),
        pull: Some(true),
        user_agent: Some(user_agent()),
        ..Default::default()
    }
}

fn user_agent() -> pb::client_payload::UserAgent {
    pb::client_payload::UserAgent {
        app_version: Some(AppVersion {
            primary: Some(2),
            secondary: Some(3000),
            tertiary: Some(1_045_649_367),
            ..Default::default()
        }),
        ..Default::default()
    }
}
