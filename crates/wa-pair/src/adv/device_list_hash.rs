use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use wa_crypto::sha256;
use wa_proto::Jid;

/// The hash by which a device list is compared (`dhash`, `device_hash`): `2:` and eight base64
/// characters over the sorted devices (pairing chapter, F.3).
pub fn device_list_hash<'a>(devices: impl IntoIterator<Item = &'a Jid>) -> String {
    let mut names: Vec<String> = devices
        .into_iter()
        .map(|jid| format!("{}.0:{}@{}", jid.user(), jid.device(), jid.server_name()))
        .collect();
    names.sort_unstable();
    let digest = sha256(&[names.concat().as_bytes()]);
    let [a, b, c, d, e, f, ..] = digest;
    format!("2:{}", STANDARD_NO_PAD.encode([a, b, c, d, e, f]))
}
