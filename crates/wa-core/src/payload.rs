//! The payload of the handshake (payload chapter): who we are, and whether we register or log in.

use prost::Message;
use wa_crypto::PublicKey as _;
use wa_proto::Jid;
use wa_proto::pb::client_payload::{
    ConnectReason, ConnectType, DevicePairingRegistrationData, UserAgent, WebInfo, user_agent,
    web_info,
};
use wa_proto::pb::device_props::{AppVersion, HistorySyncConfig};
use wa_proto::pb::{ClientPayload, DeviceProps};
use wa_signal::KEY_TYPE_CURVE25519;

use crate::config::{ClientVersion, Config, DeviceConfig, HistorySupport};
use crate::device::{Device, Registered};

/// History a web client keeps, in MB (payload chapter, section 4).
const STORAGE_QUOTA_MB: u32 = 114_149;

/// Days of thumbnails a web client asks for (payload chapter, section 4).
const THUMBNAIL_DAYS: u32 = 60;

/// The encoded payload of the next connection: a login if the device is linked, else a registration.
/// `connects` is the number of successful connections of this process before it.
pub(crate) fn client_payload(
    config: &Config,
    version: ClientVersion,
    device: &Device,
    connects: u32,
) -> Vec<u8> {
    let payload = match device.registered() {
        Some(registered) => login(config, registered, connects),
        None => registration(config, version, device),
    };
    encode(config, version, payload)
}

/// The payload of a login that is only to unlink the device: nothing is to be delivered to it any more.
pub(crate) fn unlink_payload(config: &Config, version: ClientVersion, own: &Jid) -> Vec<u8> {
    let payload = ClientPayload {
        username: own.user().parse().ok(),
        device: Some(u32::from(own.device())),
        passive: Some(true),
        pull: Some(false),
        ..ClientPayload::default()
    };
    encode(config, version, payload)
}

fn encode(config: &Config, version: ClientVersion, payload: ClientPayload) -> Vec<u8> {
    ClientPayload {
        user_agent: Some(user_agent(&config.device, version)),
        web_info: Some(WebInfo {
            web_sub_platform: Some(web_info::WebSubPlatform::WebBrowser as i32),
            ..WebInfo::default()
        }),
        connect_type: Some(ConnectType::WifiUnknown as i32),
        connect_reason: Some(ConnectReason::UserActivated as i32),
        ..payload
    }
    .encode_to_vec()
}

fn login(config: &Config, registered: &Registered, connects: u32) -> ClientPayload {
    let options = &config.login;
    ClientPayload {
        username: registered.jid.user().parse().ok(),
        device: Some(u32::from(registered.jid.device())),
        passive: Some(options.passive),
        pull: Some(options.pull),
        lid_db_migrated: Some(options.lid_migrated),
        lc: options
            .login_count
            .then(|| i32::try_from(registered.logins).unwrap_or(i32::MAX)),
        connect_attempt_count: options.connect_count.then_some(connects),
        ..ClientPayload::default()
    }
}

fn registration(config: &Config, version: ClientVersion, device: &Device) -> ClientPayload {
    let signed = device.signed_prekey();
    ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(DevicePairingRegistrationData {
            e_regid: Some(device.registration_id().to_be_bytes().to_vec()),
            e_keytype: Some(vec![KEY_TYPE_CURVE25519]),
            e_ident: Some(device.identity_public().as_bytes().to_vec()),
            e_skey_id: Some(signed.id.to_be_bytes().to_vec()),
            e_skey_val: Some(signed.secret.public().as_bytes().to_vec()),
            e_skey_sig: Some(signed.signature.as_bytes().to_vec()),
            build_hash: Some(wa_crypto::md5(version.to_string().as_bytes()).to_vec()),
            device_props: Some(device_props(&config.device).encode_to_vec()),
        }),
        ..ClientPayload::default()
    }
}

fn user_agent(device: &DeviceConfig, version: ClientVersion) -> UserAgent {
    let text = |text: &str| Some(text.to_owned());
    UserAgent {
        platform: Some(user_agent::Platform::Web as i32),
        app_version: Some(user_agent::AppVersion {
            primary: Some(version.primary),
            secondary: Some(version.secondary),
            tertiary: Some(version.tertiary),
            ..user_agent::AppVersion::default()
        }),
        mcc: text("000"),
        mnc: text("000"),
        os_version: text("0.1"),
        manufacturer: text(""),
        device: text("Desktop"),
        os_build_number: text("0.1"),
        release_channel: Some(user_agent::ReleaseChannel::Release as i32),
        locale_language_iso6391: text(&device.language),
        locale_country_iso31661_alpha2: text(&device.country),
        ..UserAgent::default()
    }
}

fn device_props(device: &DeviceConfig) -> DeviceProps {
    DeviceProps {
        os: Some(device.name.clone()),
        version: device
            .version
            .map(|(primary, secondary, tertiary)| AppVersion {
                primary: Some(primary),
                secondary: Some(secondary),
                tertiary: Some(tertiary),
                ..AppVersion::default()
            }),
        platform_type: Some(device.platform as i32),
        require_full_sync: Some(device.full_history),
        history_sync_config: Some(history(device.history)),
    }
}

fn history(support: HistorySupport) -> HistorySyncConfig {
    let quota = HistorySyncConfig {
        storage_quota_mb: Some(STORAGE_QUOTA_MB),
        ..HistorySyncConfig::default()
    };
    let yes = Some(true);
    match support {
        HistorySupport::Nothing => quota,
        HistorySupport::WebClient => HistorySyncConfig {
            inline_initial_payload_in_e2ee_msg: yes,
            support_call_log_history: yes,
            support_bot_user_agent_chat_history: yes,
            support_cag_reactions_and_polls: yes,
            support_biz_hosted_msg: yes,
            support_recent_sync_chunk_message_count_tuning: yes,
            support_hosted_group_msg: yes,
            support_fbid_bot_chat_history: yes,
            support_message_association: yes,
            support_group_history: yes,
            thumbnail_sync_days_limit: Some(THUMBNAIL_DAYS),
            support_manus_history: yes,
            support_hatch_history: yes,
            ..quota
        },
    }
}
